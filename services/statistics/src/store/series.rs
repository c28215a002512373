//! Counts by day. A cell is never read with fewer people than asked for.

use chassis::database::{DatabaseError, Session};
use chassis::sql;

use super::facts::Kind;
use super::limits::{fact_is_counted, is_counted, rating_is_counted};
use crate::period::{DAY_MICROS, Period};

const TICKS: &str = concat!(
    "SELECT at / $1 AS day, COUNT(*) FROM tick
    WHERE stands = true AND at >= $2 AND at < $3 AND ",
    is_counted!(),
    " GROUP BY day HAVING COUNT(DISTINCT user_id) >= $4 ORDER BY day"
);
const RATINGS: &str = concat!(
    "SELECT at / $1 AS day, COUNT(*) FROM rating
    WHERE value IS NOT NULL AND at >= $2 AND at < $3 AND ",
    rating_is_counted!(),
    " GROUP BY day HAVING COUNT(DISTINCT user_id) >= $4 ORDER BY day"
);
const FACTS: &str = concat!(
    "SELECT at / $1 AS day, COUNT(*) FROM fact
    WHERE at >= $2 AND at < $3 AND kind = $5 AND ",
    fact_is_counted!(),
    " GROUP BY day HAVING COUNT(DISTINCT user_id) >= $4 ORDER BY day"
);
// A sealed day has a number only if enough people were in it.
const SEALED: &str = "SELECT day, events FROM sealed
    WHERE kind = $1 AND day >= $2 AND day < $3 AND events IS NOT NULL AND people_at_least >= $4";
// The people of a score are those who ticked the image.
const SCORES: &str = concat!(
    "SELECT fact.at / $1 AS day, COUNT(DISTINCT fact.event_id) FROM fact
    JOIN (SELECT image_id, user_id FROM tick WHERE stands = true AND ",
    is_counted!(),
    ") AS ticked ON ticked.image_id = fact.image_id
    WHERE fact.kind = $5 AND fact.at >= $2 AND fact.at < $3
    GROUP BY day HAVING COUNT(DISTINCT ticked.user_id) >= $4 ORDER BY day"
);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// Ticks that stand.
    Ticks,
    /// Ratings that stand.
    Ratings,
    /// Facts of a kind.
    Facts(Kind),
}

impl Counted {
    /// As it is asked for.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ticks => "tick",
            Self::Ratings => "rate",
            Self::Facts(kind) => kind.as_str(),
        }
    }
}

impl std::str::FromStr for Counted {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "tick" => Self::Ticks,
            "rate" => Self::Ratings,
            "score" => Self::Facts(Kind::Score),
            "notification" => Self::Facts(Kind::Notification),
            "login" => Self::Facts(Kind::Login),
            _ => return Err(()),
        })
    }
}

/// Days, counted from 1970, with how many there were; only those with at least `k` people.
pub(crate) async fn by_day(
    session: &mut Session,
    counted: Counted,
    period: Period,
    k: i64,
) -> Result<Vec<(i64, i64)>, DatabaseError> {
    let mut days = unsealed_by_day(session, counted, period, k).await?;
    if let Counted::Facts(kind) = counted {
        let (kind, from, until) = (
            kind.as_str(),
            period.from / DAY_MICROS,
            period.until / DAY_MICROS,
        );
        let sealed: Vec<(i64, i64)> = sql!(session, c => sqlx::query_as(SEALED)
            .bind(kind).bind(from).bind(until).bind(k).fetch_all(c).await)?;
        days.extend(sealed);
        days.sort_unstable();
    }
    Ok(days)
}

/// Whether at least `k` people are in a day by what happened after a moment; of a sealed day nobody is known.
pub(super) async fn is_renewed(
    session: &mut Session,
    (counted, day): (Counted, i64),
    since: i64,
    k: i64,
) -> Result<bool, DatabaseError> {
    let day = Period::of_day(day);
    let later = Period {
        from: day.from.max(since.saturating_add(1)),
        ..day
    };
    let days = unsealed_by_day(session, counted, later, k).await?;
    Ok(!days.is_empty())
}

async fn unsealed_by_day(
    session: &mut Session,
    counted: Counted,
    period: Period,
    k: i64,
) -> Result<Vec<(i64, i64)>, DatabaseError> {
    let Period { from, until } = period;
    let (text, kind) = match counted {
        Counted::Ticks => (TICKS, None),
        Counted::Ratings => (RATINGS, None),
        Counted::Facts(Kind::Score) => (SCORES, Some(Kind::Score)),
        Counted::Facts(kind) => (FACTS, Some(kind)),
    };
    Ok(sql!(session, c => {
        let mut query = sqlx::query_as(text).bind(DAY_MICROS).bind(from).bind(until).bind(k);
        if let Some(kind) = kind {
            query = query.bind(kind.as_str());
        }
        query.fetch_all(c).await
    })?)
}
