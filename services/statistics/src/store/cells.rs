//! The cells of all breakdowns: which somebody is in, what was counted in them, and how many people are new there.

use std::collections::{HashMap, HashSet};

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

use super::facts::Kind;
use super::limits::is_counted;
use super::series::{self, Counted};
use super::{retention, scores};
use crate::period::{DAY_MICROS, Period};

const TICKED: &str = "SELECT DISTINCT at / $2 FROM tick WHERE user_id = $1 AND stands = true";
const RATED: &str = "SELECT DISTINCT at / $2 FROM rating
    WHERE value IS NOT NULL AND (user_id = $1 OR owner = $1
        OR owner IS NULL AND image_id IN (SELECT image_id FROM tick WHERE user_id = $1))";
const SCORED: &str = "SELECT DISTINCT at / $2 FROM fact
    WHERE kind = 'score' AND image_id IN (SELECT image_id FROM tick WHERE user_id = $1)";
const MAILED: &str =
    "SELECT DISTINCT at / $2 FROM fact WHERE kind = 'notification' AND user_id = $1";
const LOGGED_IN: &str = "SELECT DISTINCT at / $2 FROM fact WHERE kind = 'login' AND user_id = $1";
/// What is counted by day, and on which days somebody is in it.
const DAYS: [(Counted, &str); 5] = [
    (Counted::Ticks, TICKED),
    (Counted::Ratings, RATED),
    (Counted::Facts(Kind::Score), SCORED),
    (Counted::Facts(Kind::Notification), MAILED),
    (Counted::Facts(Kind::Login), LOGGED_IN),
];
const SPECIES: &str = concat!(
    "SELECT species_id, COUNT(*) FROM tick
    WHERE stands = true AND species_id IN
        (SELECT species_id FROM tick WHERE user_id = $1 AND stands = true) AND ",
    is_counted!(),
    " GROUP BY species_id HAVING COUNT(DISTINCT user_id) >= $2"
);
const NEW_IN_SPECIES: &str = concat!(
    "SELECT COUNT(DISTINCT user_id) FROM tick
    WHERE stands = true AND species_id = $1 AND at > $2 AND ",
    is_counted!()
);

/// A cell of a breakdown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    /// What is counted on a day since 1970.
    Day(Counted, i64),
    /// The ticks of a species.
    Species(String),
    /// The images of a species whose scores are in a bucket.
    Scores(String, i64),
    /// Those who first ticked in one week and were there in another.
    Retention(i64, i64),
}

impl Cell {
    /// The breakdown's name, and the cell's in it.
    pub(super) fn name(&self) -> (&'static str, String) {
        match self {
            Self::Day(counted, day) => (counted.as_str(), day.to_string()),
            Self::Species(species) => ("species", species.clone()),
            Self::Scores(species, bucket) => ("scores", format!("{species} {bucket}")),
            Self::Retention(cohort, week) => ("retention", format!("{cohort} {week}")),
        }
    }

    /// Whether at least `k` people are in the cell by what happened after a moment.
    pub(super) async fn is_renewed(
        &self,
        session: &mut Session,
        since: i64,
        k: i64,
    ) -> Result<bool, DatabaseError> {
        let people = match self {
            Self::Day(counted, day) => {
                return series::is_renewed(session, (*counted, *day), since, k).await;
            }
            Self::Species(species) => {
                let species = species.as_str();
                sql!(session, c => sqlx::query_scalar(NEW_IN_SPECIES)
                    .bind(species).bind(since).fetch_one(c).await)?
            }
            Self::Scores(species, bucket) => {
                scores::people_after(session, species, *bucket, since).await?
            }
            Self::Retention(cohort, week) => {
                retention::people_after(session, *cohort, *week, since).await?
            }
        };
        Ok(people >= k)
    }
}

/// All cells with at least `k` people in which there is less when somebody leaves, with what was counted in them.
pub(super) async fn left_by(
    session: &mut Session,
    user: UserId,
    k: i64,
) -> Result<Vec<(Cell, i64)>, DatabaseError> {
    let mut cells = days_left_by(session, user, k).await?;
    let species: Vec<(String, i64)> = sql!(session, c => sqlx::query_as(SPECIES)
        .bind(user.0).bind(k).fetch_all(c).await)?;
    cells.extend(species.into_iter().map(|(id, n)| (Cell::Species(id), n)));
    cells.extend(scores_left_by(session, user, k).await?);
    cells.extend(weeks_left_by(session, user, k).await?);
    Ok(cells)
}

async fn days_left_by(
    session: &mut Session,
    user: UserId,
    k: i64,
) -> Result<Vec<(Cell, i64)>, DatabaseError> {
    let mut cells = Vec::new();
    for (counted, days) in DAYS {
        let days: Vec<i64> = sql!(session, c => sqlx::query_scalar(days)
            .bind(user.0).bind(DAY_MICROS).fetch_all(c).await)?;
        for day in days {
            let counts = series::by_day(session, counted, Period::of_day(day), k).await?;
            cells.extend(counts.iter().map(|(day, n)| (Cell::Day(counted, *day), *n)));
        }
    }
    Ok(cells)
}

async fn scores_left_by(
    session: &mut Session,
    user: UserId,
    k: i64,
) -> Result<Vec<(Cell, i64)>, DatabaseError> {
    let mut buckets: HashMap<String, HashSet<i64>> = HashMap::new();
    for (species, bucket) in scores::left_by(session, user).await? {
        buckets.entry(species).or_default().insert(bucket);
    }
    let mut cells = Vec::new();
    for (species, buckets) in buckets {
        let spread = scores::spread(session, &species, k).await?;
        let left = spread.iter().filter(|(bucket, _)| buckets.contains(bucket));
        cells.extend(left.map(|(bucket, n)| (Cell::Scores(species.clone(), *bucket), *n)));
    }
    Ok(cells)
}

async fn weeks_left_by(
    session: &mut Session,
    user: UserId,
    k: i64,
) -> Result<Vec<(Cell, i64)>, DatabaseError> {
    let left = retention::left_by(session, user).await?;
    let Some((first, _)) = left.first().copied() else {
        return Ok(Vec::new());
    };
    let left: HashSet<_> = left.into_iter().collect();
    let counts = retention::by_week(session, first, k).await?;
    let counts = counts
        .iter()
        .filter(|(cohort, week, _)| left.contains(&(*cohort, *week)));
    Ok(counts
        .map(|(cohort, week, n)| (Cell::Retention(*cohort, *week), *n))
        .collect())
}
