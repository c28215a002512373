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
// A sealed day has a number only if enough people were in it.
const FACTS: &str = concat!(
    "SELECT day, CAST(SUM(events) AS BIGINT) FROM (
        SELECT at / $1 AS day, COUNT(*) AS events FROM fact
        WHERE kind = $5 AND at >= $2 AND at < $3 AND ",
    fact_is_counted!(),
    "   GROUP BY at / $1 HAVING COUNT(DISTINCT user_id) >= $4
        UNION ALL
        SELECT day, events FROM sealed
        WHERE kind = $5 AND day >= $2 / $1 AND day < $3 / $1 AND events IS NOT NULL
    ) AS days GROUP BY day ORDER BY day"
);
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
