//! The species that are ticked most.

use axum::extract::State;
use axum::response::IntoResponse;
use chassis::http::{FieldError, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::K;
use crate::error::Error;
use crate::{App, router, store};

const LARGEST_LIMIT: u16 = 100;
const DEFAULT_LIMIT: u16 = 20;

/// How many species are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopQuery {
    /// At most so many, 1 to 100; by default 20.
    limit: Option<i64>,
}

/// The species that are ticked most.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TopSpecies)]
pub(crate) struct Top {
    /// Those with most ticks first.
    items: Vec<TickedSpecies>,
    /// A species is shown only when at least so many people ticked it.
    k: i64,
}

/// A species and how often it was ticked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TickedSpecies {
    /// Which.
    species: SpeciesNames,
    /// How many ticks stand.
    ticks: i64,
}

/// A species with its names.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SpeciesNames {
    /// The checklist's id.
    id: String,
    /// The scientific name.
    scientific: String,
    /// The English name.
    english: String,
}

/// The species that are ticked most, by at least ten people each.
#[utoipa::path(
    get,
    path = "/api/v1/statistics/species/top",
    tag = "statistics",
    params(TopQuery),
    responses(
        (status = 200, description = "The species with most ticks first", body = Top),
        (status = 422, description = "The limit is not 1 to 100", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The figures are not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn top(
    State(app): State<App>,
    Query(query): Query<TopQuery>,
) -> Result<impl IntoResponse, Error> {
    let limit = checked(query.limit)?;
    let mark = async { Ok(store::mark(&app.database).await?) };
    let count = Box::pin(async {
        let mut session = app.database.read().await?;
        let rows = store::figures::top_species(&mut session, K, LARGEST_LIMIT.into()).await?;
        let cells: Vec<_> = rows.iter().map(|row| (row.0.clone(), row.3)).collect();
        let shown = store::held::species_shown(&mut session, &cells, K).await?;
        let items = rows.into_iter().map(TickedSpecies::from).zip(shown);
        let mut items: Vec<_> = items
            .map(|(species, shown)| species.showing(shown.number()))
            .collect();
        items.sort_by_key(|species| std::cmp::Reverse(species.ticks));
        Ok::<_, Error>(Top { items, k: K })
    });
    let mut top = app.top.get(mark, count).await?;
    top.items.truncate(limit);
    Ok(router::figures(top))
}

fn checked(limit: Option<i64>) -> Result<usize, Error> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT.into());
    u16::try_from(limit)
        .ok()
        .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
        .map(usize::from)
        .ok_or_else(|| {
            let detail = format!("must be 1 to {LARGEST_LIMIT}");
            Error::Parameters(vec![FieldError::new("/limit", detail)])
        })
}

impl TickedSpecies {
    fn showing(self, ticks: i64) -> Self {
        Self { ticks, ..self }
    }
}

impl From<store::figures::SpeciesRow> for TickedSpecies {
    fn from((id, scientific, english, ticks): store::figures::SpeciesRow) -> Self {
        Self {
            species: SpeciesNames {
                id,
                scientific,
                english,
            },
            ticks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_1_to_100() {
        assert_eq!(checked(None).unwrap(), 20);
        assert_eq!(checked(Some(100)).unwrap(), 100);
        for wrong in [0, -1, 101, i64::MAX, i64::MIN] {
            assert!(checked(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
