//! The species that are ticked most, and how the photos of one are scored.

use axum::extract::State;
use axum::response::IntoResponse;
use chassis::http::{FieldError, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::audience::Audience;
use crate::error::Error;
use crate::store::cells::Cell;
use crate::store::{figures, held};
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

/// How the scores of a species' photos are spread.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpeciesScores)]
pub(crate) struct Scores {
    /// Which species.
    species: SpeciesNames,
    /// The lowest scores first. A bucket that lacks holds no photo, or those of too few people to be shown.
    items: Vec<ScoreBar>,
    /// How many photos there are in the buckets that are shown.
    count: i64,
    /// A bucket is shown only when photos of at least so many people are in it.
    k: i64,
}

/// The photos whose scores are in a bucket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreBar {
    /// The lowest score in it.
    from: f64,
    /// The score that it ends before; 5 belongs to the last one.
    to: f64,
    /// How many photos.
    count: i64,
}

/// The species that are ticked most, by at least ten people each; for admins and moderators by at least five.
#[utoipa::path(
    get,
    path = "/api/v1/statistics/species/top",
    tag = "statistics",
    params(TopQuery),
    responses(
        (status = 200, description = "The species with most ticks first", body = Top),
        (status = 401, description = "A token was sent and is not good", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The limit is not 1 to 100", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The figures are not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn top(
    State(app): State<App>,
    audience: Audience,
    Query(query): Query<TopQuery>,
) -> Result<impl IntoResponse, Error> {
    let limit = checked(query.limit)?;
    let mark = async { Ok(store::mark(&app.database).await?) };
    let count = Box::pin(async {
        let (mut session, k) = (app.database.read().await?, audience.k());
        let rows = figures::top_species(&mut session, k, LARGEST_LIMIT.into()).await?;
        let cells = rows
            .iter()
            .map(|row| (Cell::Species(row.0.clone()), row.3))
            .collect::<Vec<_>>();
        let shown = held::shown(&mut session, &cells, audience).await?;
        let items = rows.into_iter().zip(shown);
        let mut items: Vec<_> = items
            .filter_map(|(row, ticks)| Some(TickedSpecies::showing(row, ticks?)))
            .collect();
        items.sort_by_key(|species| std::cmp::Reverse(species.ticks));
        Ok::<_, Error>(Top { items, k })
    });
    let mut top = app.top.of(audience).get(mark, count).await?;
    top.items.truncate(limit);
    Ok(router::figures(audience, top))
}

/// How the scores of a species' photos are spread, from 1 to 5 in steps of 0.2.
///
/// Buckets with photos of fewer than ten people are left out, for admins and moderators those of fewer than five.
#[utoipa::path(
    get,
    path = "/api/v1/statistics/species/{id}/scores",
    tag = "statistics",
    params(("id" = String, Path, description = "The species' id in the checklist.")),
    responses(
        (status = 200, description = "The buckets, the lowest scores first", body = Scores),
        (status = 401, description = "A token was sent and is not good", body = Problem, content_type = "application/problem+json"),
        (status = 304, description = "It is what the client has"),
        (status = 404, description = "Too few people have ticked the species, or nobody has", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The figures are not available right now", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn scores(
    State(app): State<App>,
    audience: Audience,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    if id.contains('\0') {
        // No text in PostgreSQL.
        return Err(Error::NoSuchSpecies);
    }
    let (mut session, k) = (app.database.read().await?, audience.k());
    let names = figures::species(&mut session, &id, k).await?;
    let species = SpeciesNames::from(names.ok_or(Error::NoSuchSpecies)?);
    let buckets = store::scores::spread(&mut session, &id, k).await?;
    let cells = buckets
        .iter()
        .map(|(bucket, n)| (Cell::Scores(id.clone(), *bucket), *n));
    let shown = held::shown(&mut session, &cells.collect::<Vec<_>>(), audience).await?;
    let items = buckets
        .iter()
        .zip(shown)
        .filter_map(|((bucket, _), shown)| {
            let (from, to) = store::scores::bounds_of(*bucket);
            let count = shown?;
            Some(ScoreBar { from, to, count })
        });
    let items: Vec<_> = items.collect();
    let count = items.iter().map(|bar| bar.count).sum();
    Ok(router::figures(
        audience,
        Scores {
            species,
            items,
            count,
            k,
        },
    ))
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
    fn showing((id, scientific, english, _): figures::SpeciesRow, ticks: i64) -> Self {
        let species = SpeciesNames::from((id, scientific, english));
        Self { species, ticks }
    }
}

impl From<figures::Names> for SpeciesNames {
    fn from((id, scientific, english): figures::Names) -> Self {
        Self {
            id,
            scientific,
            english,
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
