//! How many of something there were, day by day.

use axum::extract::State;
use axum::response::IntoResponse;
use chassis::http::{FieldError, Problem, Query};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::audience::Audience;
use crate::error::Error;
use crate::period::{self, Period};
use crate::store::cells::Cell::Day;
use crate::store::series::Counted;
use crate::{App, router, store};

/// What is counted, and when.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesQuery {
    /// What is counted: `tick`, `rate`, `score`, `notification` or `login`.
    event: Option<String>,
    /// The first day, as `2026-05-01` or a time of RFC 3339; by default 29 days before the last.
    from: Option<String>,
    /// The last day; by default today.
    to: Option<String>,
    /// The length of a cell: `day`.
    bucket: Option<String>,
}

/// Counts by day. Days without a cell had none, or too few people to be shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Timeseries)]
pub(crate) struct Series {
    /// The cells in the order of time.
    items: Vec<Cell>,
    /// A cell is shown only when at least so many people are in it.
    k: i64,
}

/// A day's count.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeseriesCell)]
pub(crate) struct Cell {
    /// When the day began.
    at: DateTime<Utc>,
    /// How many there were.
    count: i64,
}

/// Counts by day; days with fewer than ten people are left out, for admins and moderators those with fewer than five.
#[utoipa::path(
    get,
    path = "/api/v1/statistics/timeseries",
    tag = "statistics",
    params(SeriesQuery),
    responses(
        (status = 200, description = "Counts by day", body = Series),
        (status = 401, description = "A token was sent and is not good", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The figures are not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    audience: Audience,
    Query(query): Query<SeriesQuery>,
) -> Result<impl IntoResponse, Error> {
    let (counted, period) = checked(&query, app.clock.now())?;
    let mut session = app.database.read().await?;
    let days = store::series::by_day(&mut session, counted, period, audience.k()).await?;
    let cells = days.iter().map(|(day, n)| (Day(counted, *day), *n));
    let shown = store::held::shown(&mut session, &cells.collect::<Vec<_>>(), audience).await?;
    let items = days.iter().zip(shown).filter_map(|((day, _), shown)| {
        let at = period::start_of(*day)?;
        Some(Cell { at, count: shown? })
    });
    let items = items.collect();
    let k = audience.k();
    Ok(router::figures(audience, Series { items, k }))
}

/// What is counted and when; all that is wrong at once.
fn checked(query: &SeriesQuery, now: DateTime<Utc>) -> Result<(Counted, Period), Error> {
    let mut errors = Vec::new();
    let counted = query.event.as_deref().and_then(|event| event.parse().ok());
    if counted.is_none() {
        let detail = "must be tick, rate, score, notification or login";
        errors.push(FieldError::new("/event", detail));
    }
    if query
        .bucket
        .as_deref()
        .is_some_and(|bucket| bucket != "day")
    {
        errors.push(FieldError::new("/bucket", "must be day"));
    }
    let period = Period::parse(query.from.as_deref(), query.to.as_deref(), now)
        .map_err(|error| errors.push(error));
    match (counted, period) {
        (Some(counted), Ok(period)) if errors.is_empty() => Ok((counted, period)),
        _ => Err(Error::Parameters(errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(event: Option<&str>, from: &str, bucket: &str) -> Vec<String> {
        let query = SeriesQuery {
            event: event.map(str::to_owned),
            from: Some(from.to_owned()),
            to: None,
            bucket: Some(bucket.to_owned()),
        };
        match checked(&query, DateTime::UNIX_EPOCH) {
            Err(Error::Parameters(errors)) => errors.into_iter().map(|e| e.pointer).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_wrong_parameter_is_named_at_once() {
        assert_eq!(
            wrong(Some("tick"), "1970-01-01", "day"),
            Vec::<String>::new()
        );
        assert_eq!(wrong(None, "x", "hour"), ["/event", "/bucket", "/from"]);
        assert_eq!(wrong(Some("bird"), "1970-01-01", "day"), ["/event"]);
    }
}
