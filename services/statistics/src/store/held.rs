//! Public cells that somebody left. What a cell shows before and after tells how much of it was theirs, so it goes on to
//! show what it did, until enough people are new in it: then the difference is about them as well. With too few people
//! left it shows nothing, as any cell.

use std::collections::HashMap;

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

use super::facts::Kind;
use super::limits::is_counted;
use super::series::{self, Counted};
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
const HOLD: &str = "INSERT INTO held (figure, cell, shown, since) VALUES ($1, $2, $3, $4)
    ON CONFLICT (figure, cell) DO UPDATE SET shown = excluded.shown, since = excluded.since";
const HELD: &str = "SELECT cell, shown, since FROM held WHERE figure = $1";

/// What is held of a figure: a cell, what it shows, since when.
type Row = (String, i64, i64);

/// The figure of species; those by day are named by what they count.
const SPECIES_FIGURE: &str = "species";

/// Holds all cells that somebody is in who is about to leave them, with at least `k` people.
pub(crate) async fn hold(
    session: &mut Session,
    user: UserId,
    now: i64,
    k: i64,
) -> Result<(), DatabaseError> {
    for (counted, days) in DAYS {
        let days: Vec<i64> = sql!(session, c => sqlx::query_scalar(days)
            .bind(user.0).bind(DAY_MICROS).fetch_all(c).await)?;
        let mut cells = Vec::new();
        for day in days {
            cells.extend(series::by_day(session, counted, one(day), k).await?);
        }
        let showing = days_shown(session, counted, &cells, k).await?;
        let held = cells
            .iter()
            .zip(showing)
            .map(|((day, _), showing)| (day.to_string(), showing));
        write(session, counted.as_str(), held.collect(), now).await?;
    }
    let cells: Vec<(String, i64)> = sql!(session, c => sqlx::query_as(SPECIES)
        .bind(user.0).bind(k).fetch_all(c).await)?;
    let showing = species_shown(session, &cells, k).await?;
    let held = cells.into_iter().zip(showing);
    let held = held.map(|((species, _), showing)| (species, showing));
    write(session, SPECIES_FIGURE, held.collect(), now).await
}

/// What days show of which this was counted.
pub(crate) async fn days_shown(
    session: &mut Session,
    counted: Counted,
    cells: &[(i64, i64)],
    k: i64,
) -> Result<Vec<Showing>, DatabaseError> {
    let held = read(session, counted.as_str()).await?;
    let mut all = Vec::with_capacity(cells.len());
    for (day, count) in cells {
        let showing = match held.get(&day.to_string()) {
            None => Showing::Counted(*count),
            Some((shown, since)) => {
                let day = one(*day);
                let from = day.from.max(since + 1);
                let later = Period { from, ..day };
                let is_renewed = from < day.until
                    && !series::by_day(session, counted, later, k).await?.is_empty();
                Showing::of(is_renewed, *count, *shown)
            }
        };
        all.push(showing);
    }
    Ok(all)
}

/// What species show of which this was counted.
pub(crate) async fn species_shown(
    session: &mut Session,
    cells: &[(String, i64)],
    k: i64,
) -> Result<Vec<Showing>, DatabaseError> {
    let held = read(session, SPECIES_FIGURE).await?;
    let mut all = Vec::with_capacity(cells.len());
    for (species, count) in cells {
        let showing = match held.get(species) {
            None => Showing::Counted(*count),
            Some((shown, since)) => {
                let new: i64 = sql!(session, c => sqlx::query_scalar(NEW_IN_SPECIES)
                    .bind(species).bind(since).fetch_one(c).await)?;
                Showing::of(new >= k, *count, *shown)
            }
        };
        all.push(showing);
    }
    Ok(all)
}

/// What a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Showing {
    /// What is counted.
    Counted(i64),
    /// What it showed when somebody left it.
    Held(i64),
}

impl Showing {
    fn of(is_renewed: bool, count: i64, shown: i64) -> Self {
        if is_renewed {
            Self::Counted(count)
        } else {
            Self::Held(shown)
        }
    }

    /// The number.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Counted(number) | Self::Held(number) => number,
        }
    }
}

fn one(day: i64) -> Period {
    let from = day.saturating_mul(DAY_MICROS);
    Period {
        from,
        until: from.saturating_add(DAY_MICROS),
    }
}

async fn read(
    session: &mut Session,
    figure: &str,
) -> Result<HashMap<String, (i64, i64)>, DatabaseError> {
    let rows: Vec<Row> = sql!(session, c => sqlx::query_as(HELD).bind(figure).fetch_all(c).await)?;
    let by_cell = rows
        .into_iter()
        .map(|(cell, shown, since)| (cell, (shown, since)));
    Ok(by_cell.collect())
}

/// What is held already stays as it is.
async fn write(
    session: &mut Session,
    figure: &str,
    cells: Vec<(String, Showing)>,
    now: i64,
) -> Result<(), DatabaseError> {
    for (cell, showing) in cells {
        if let Showing::Counted(number) = showing {
            sql!(session, c => sqlx::query(HOLD)
                .bind(figure).bind(&cell).bind(number).bind(now)
                .execute(c).await.map(drop))?;
        }
    }
    Ok(())
}
