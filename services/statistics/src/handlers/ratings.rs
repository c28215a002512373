//! How the ratings are spread.

use axum::extract::State;
use axum::response::IntoResponse;
use chassis::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::audience::Audience;
use crate::error::Error;
use crate::{App, router, store};

/// How often each rating was given, over the whole platform.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Histogram {
    /// The ratings from 1 to 5.
    items: Vec<Bar>,
}

/// How often one rating was given.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = RatingBar)]
pub(crate) struct Bar {
    /// The rating.
    #[schema(minimum = 1, maximum = 5)]
    rating: i64,
    /// How often it stands.
    count: i64,
}

/// How often each rating stands.
#[utoipa::path(
    get,
    path = "/api/v1/statistics/ratings/histogram",
    tag = "statistics",
    responses(
        (status = 200, description = "How often each rating from 1 to 5 stands", body = Histogram),
        (status = 503, description = "The figures are not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn histogram(State(app): State<App>) -> Result<impl IntoResponse, Error> {
    let mark = async { Ok(store::mark(&app.database).await?) };
    let count = Box::pin(async {
        let mut session = app.database.read().await?;
        let counted = store::figures::ratings_by_value(&mut session).await?;
        Ok::<_, Error>(spread(&counted))
    });
    let histogram = app.histogram.get(mark, count).await?;
    Ok(router::figures(Audience::Public, histogram))
}

/// All five ratings, also those that nobody gave.
fn spread(counted: &[(i64, i64)]) -> Histogram {
    let count_of = |rating| {
        let found = counted.iter().find(|(value, _)| *value == rating);
        found.map_or(0, |(_, count)| *count)
    };
    let items = (1..=5).map(|rating| Bar {
        rating,
        count: count_of(rating),
    });
    Histogram {
        items: items.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_that_nobody_gave_are_shown_as_none() {
        let bars = spread(&[(2, 7), (5, 1)]).items;
        let counts: Vec<_> = bars.iter().map(|bar| (bar.rating, bar.count)).collect();
        assert_eq!(counts, [(1, 0), (2, 7), (3, 0), (4, 0), (5, 1)]);
    }
}
