//! How many of those who first ticked in a week ticked or rated in each week after it.
//!
//! Counted from ticks and ratings that stand, whose streams keep them for ever: nothing more is kept about anybody.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

use super::limits::{is_counted, rating_is_counted};
use crate::period::{WEEK_MICROS, WEEKS_BEGIN};

// A week is (at + $2) / $1.
macro_rules! people_and_what_they_did {
    () => {
        concat!(
            "WITH cohort AS (
                SELECT user_id, (MIN(at) + $2) / $1 AS week FROM tick
                WHERE stands = true AND at IS NOT NULL AND ",
            is_counted!(),
            "   GROUP BY user_id
            ), acted AS (
                SELECT user_id, at FROM tick WHERE stands = true AND at IS NOT NULL
                UNION ALL SELECT user_id, at FROM rating WHERE value IS NOT NULL AND ",
            rating_is_counted!(),
            ")"
        )
    };
}
const WEEKS: &str = concat!(
    people_and_what_they_did!(),
    " SELECT cohort.week, (acted.at + $2) / $1 AS active, COUNT(DISTINCT acted.user_id)
    FROM acted JOIN cohort ON cohort.user_id = acted.user_id
    WHERE cohort.week >= $3 AND (acted.at + $2) / $1 >= cohort.week
    GROUP BY cohort.week, active HAVING COUNT(DISTINCT acted.user_id) >= $4
    ORDER BY cohort.week, active"
);
const NEW: &str = concat!(
    people_and_what_they_did!(),
    " SELECT COUNT(DISTINCT acted.user_id) FROM acted JOIN cohort ON cohort.user_id = acted.user_id
    WHERE cohort.week = $3 AND (acted.at + $2) / $1 = $4 AND acted.at > $5"
);
// With somebody go their ticks and ratings, and what others said of their images.
const LEFT_BY: &str = "WITH gone AS (
        SELECT user_id, at FROM tick WHERE user_id = $3 AND stands = true AND at IS NOT NULL
        UNION ALL SELECT user_id, at FROM rating WHERE value IS NOT NULL AND (user_id = $3 OR owner = $3
            OR owner IS NULL AND image_id IN (SELECT image_id FROM tick WHERE user_id = $3))
    ), cohort AS (
        SELECT user_id, (MIN(at) + $2) / $1 AS week FROM tick
        WHERE stands = true AND at IS NOT NULL AND user_id IN (SELECT user_id FROM gone) GROUP BY user_id
    )
    SELECT DISTINCT cohort.week, (gone.at + $2) / $1 AS active
    FROM gone JOIN cohort ON cohort.user_id = gone.user_id
    WHERE (gone.at + $2) / $1 >= cohort.week ORDER BY cohort.week, active";

/// The week of a cohort, a week in which some of it were there, and how many; weeks as [`crate::period::week_of`] counts.
pub(crate) type Row = (i64, i64, i64);

/// How many of each cohort were there in each week, with at least `k` people; cohorts from a week on.
pub(crate) async fn by_week(
    session: &mut Session,
    from: i64,
    k: i64,
) -> Result<Vec<Row>, DatabaseError> {
    Ok(
        sql!(session, c => sqlx::query_as(WEEKS).bind(WEEK_MICROS).bind(WEEKS_BEGIN)
        .bind(from).bind(k).fetch_all(c).await)?,
    )
}

/// How many of a cohort did something in a week, after a moment.
pub(crate) async fn people_after(
    session: &mut Session,
    cohort: i64,
    week: i64,
    since: i64,
) -> Result<i64, DatabaseError> {
    Ok(
        sql!(session, c => sqlx::query_scalar(NEW).bind(WEEK_MICROS).bind(WEEKS_BEGIN)
        .bind(cohort).bind(week).bind(since).fetch_one(c).await)?,
    )
}

/// The cohorts and weeks in which there is less when somebody goes.
pub(crate) async fn left_by(
    session: &mut Session,
    user: UserId,
) -> Result<Vec<(i64, i64)>, DatabaseError> {
    Ok(
        sql!(session, c => sqlx::query_as(LEFT_BY).bind(WEEK_MICROS).bind(WEEKS_BEGIN)
        .bind(user.0).fetch_all(c).await)?,
    )
}
