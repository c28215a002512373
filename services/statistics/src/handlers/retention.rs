//! Who comes back: of those who first ticked in one week, how many ticked or rated in later ones.

use axum::extract::State;
use axum::response::IntoResponse;
use chassis::http::{FieldError, Problem, Query};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::audience::Audience;
use crate::error::Error;
use crate::period::{monday_of, week_of};
use crate::store::cells::Cell;
use crate::store::retention::Row;
use crate::{App, router, store};

const MOST_WEEKS: u8 = 52;
const DEFAULT_WEEKS: u8 = 12;

/// Which cohorts are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetentionQuery {
    /// The cohorts of so many weeks, the last being this one: 1 to 52; by default 12.
    weeks: Option<i64>,
}

/// How many come back, by the week in which they first ticked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Retention {
    /// The oldest first. A week without a cohort had none, or one too small to be shown.
    items: Vec<Cohort>,
    /// A cohort, and a week of it, is shown only when at least so many people are in it.
    k: i64,
}

/// Those who first ticked in a week.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RetentionCohort)]
pub(crate) struct Cohort {
    /// The Monday of their week.
    week: NaiveDate,
    /// How many they are.
    people: i64,
    /// When they were there again. A week that lacks had nobody, or too few people to be shown.
    weeks: Vec<Week>,
}

/// A week after the first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RetentionWeek)]
pub(crate) struct Week {
    /// How many weeks after the first.
    after: i64,
    /// How many of them ticked or rated.
    people: i64,
    /// Which part of them that is.
    #[schema(minimum = 0, maximum = 1)]
    share: f64,
}

/// Of those who first ticked in a week, how many ticked or rated in each week after it.
///
/// Cells of fewer than ten people are left out, for admins and moderators those of fewer than five.
#[utoipa::path(
    get,
    path = "/api/v1/statistics/retention",
    tag = "statistics",
    params(RetentionQuery),
    responses(
        (status = 200, description = "The cohorts, the oldest first", body = Retention),
        (status = 401, description = "A token was sent and is not good", body = Problem, content_type = "application/problem+json"),
        (status = 304, description = "It is what the client has"),
        (status = 422, description = "The number of weeks is not 1 to 52", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The figures are not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    audience: Audience,
    Query(query): Query<RetentionQuery>,
) -> Result<impl IntoResponse, Error> {
    let weeks = checked(query.weeks)?;
    let this_week = week_of(app.clock.micros());
    let first = |weeks: u8| this_week - i64::from(weeks) + 1;
    let mark = async { Ok(store::mark(&app.database).await?) };
    let count = Box::pin(counted(&app, first(MOST_WEEKS), audience));
    let mut retention = app.retention.of(audience).get(mark, count).await?;
    let from = monday_of(first(weeks));
    retention.items.retain(|cohort| Some(cohort.week) >= from);
    Ok(router::figures(audience, retention))
}

async fn counted(app: &App, from: i64, audience: Audience) -> Result<Retention, Error> {
    let mut session = app.database.read().await?;
    let rows = store::retention::by_week(&mut session, from, audience.k()).await?;
    let cells = rows
        .iter()
        .map(|(cohort, week, n)| (Cell::Retention(*cohort, *week), *n));
    let shown = store::held::shown(&mut session, &cells.collect::<Vec<_>>(), audience).await?;
    let rows = rows.iter().zip(shown);
    let rows = rows.filter_map(|((cohort, week, _), shown)| Some((*cohort, *week, shown?)));
    let (items, k) = (cohorts(rows), audience.k());
    Ok(Retention { items, k })
}

/// The rows by cohort; those of a cohort whose size is not shown are left out.
fn cohorts(rows: impl Iterator<Item = Row>) -> Vec<Cohort> {
    let mut all: Vec<Cohort> = Vec::new();
    for (cohort, week, people) in rows {
        let monday = monday_of(cohort);
        match (all.last_mut(), monday) {
            (_, Some(monday)) if week == cohort => all.push(Cohort {
                week: monday,
                people,
                weeks: Vec::new(),
            }),
            (Some(known), Some(monday)) if known.week == monday => {
                let share = share(people, known.people);
                let after = week - cohort;
                known.weeks.push(Week {
                    after,
                    people,
                    share,
                });
            }
            _ => {}
        }
    }
    all
}

/// What is held of two cells may be of two moments, so the part may seem larger than the whole.
fn share(people: i64, of: i64) -> f64 {
    let number = |n: i64| f64::from(i32::try_from(n).unwrap_or(i32::MAX));
    let share = number(people) / number(of.max(1));
    (share.min(1.0) * 1000.0).round() / 1000.0
}

fn checked(weeks: Option<i64>) -> Result<u8, Error> {
    let weeks = weeks.unwrap_or(DEFAULT_WEEKS.into());
    let weeks = u8::try_from(weeks).ok();
    weeks
        .filter(|weeks| (1..=MOST_WEEKS).contains(weeks))
        .ok_or_else(|| {
            let detail = format!("must be 1 to {MOST_WEEKS}");
            Error::Parameters(vec![FieldError::new("/weeks", detail)])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_belongs_to_its_cohort_and_one_without_size_is_left_out() {
        let rows = [(1, 1, 20), (1, 2, 10), (2, 3, 11), (3, 3, 10), (3, 6, 12)];
        let shown = cohorts(rows.into_iter());
        let of = |cohort: &Cohort| {
            let weeks = cohort.weeks.iter();
            let weeks: Vec<_> = weeks.map(|w| (w.after, w.people, w.share)).collect();
            (cohort.week.to_string(), cohort.people, weeks)
        };
        let shown: Vec<_> = shown.iter().map(of).collect();
        assert_eq!(
            shown,
            [
                ("1970-01-05".to_owned(), 20, vec![(1, 10, 0.5)]),
                ("1970-01-19".to_owned(), 10, vec![(3, 12, 1.0)]),
            ]
        );
    }

    #[test]
    fn weeks_are_1_to_52() {
        assert_eq!(checked(None).unwrap(), 12);
        assert_eq!(checked(Some(52)).unwrap(), 52);
        for wrong in [0, -1, 53, i64::MAX] {
            assert!(checked(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
