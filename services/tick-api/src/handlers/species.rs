//! The species to choose from.

use chassis::http::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Error;
use crate::species::{CHECKLIST, Species};

const DEFAULT_LIMIT: usize = 20;
const LARGEST_LIMIT: usize = 100;
const LONGEST_QUERY: usize = 100;

/// What is searched.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpeciesQuery {
    /// Beginnings of words of the English or the scientific name, e.g. `gr tit`.
    #[param(min_length = 1, max_length = 100)]
    q: String,
    /// At most so many, 1 to 100; 20 if it is missing.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// Species that were found, the best first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FoundSpecies {
    items: Vec<Species>,
}

/// Searches the checklist (AviList 2025). Accents and case do not matter.
#[utoipa::path(
    get, path = "/api/v1/species", operation_id = "search_species", tag = "species", params(SpeciesQuery),
    responses(
        (status = 200, body = FoundSpecies),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(Query(query): Query<SpeciesQuery>) -> Result<Json<FoundSpecies>, Error> {
    if !(1..=LONGEST_QUERY).contains(&query.q.trim().chars().count()) {
        let detail = format!("must have 1 to {LONGEST_QUERY} characters");
        return Err(Problem::field("/q", detail).into());
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        let detail = format!("must be 1 to {LARGEST_LIMIT}");
        return Err(Problem::field("/limit", detail).into());
    }
    let items = CHECKLIST.search(&query.q, limit);
    Ok(Json(FoundSpecies { items }))
}
