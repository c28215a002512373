//! How the caller limits what is done with their data.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::HeaderName;
use chassis::http::{Json, Problem};
use clients::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::NO_STORE;
use crate::App;
use crate::error::Error;
use crate::limits::{self, Limits};
use crate::store::limits::Wish;

/// How somebody limits what is done with their data.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessingLimits {
    /// Restriction (Art. 18 GDPR): everything is kept and nothing else is done with it. Others do not see the photos,
    /// nothing can be added, and it is in no figure; all of it comes back when this is lifted.
    restricted: bool,
    /// Objections (Art. 21 GDPR), each to one purpose.
    objections: BTreeSet<Objection>,
}

/// What somebody's data is not to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Objection {
    /// Scores of the photos by a model. Those that there are go; photos ticked after it is lifted get one.
    Scoring,
    /// Figures of how the place is used. While it stands the person is in none of them.
    Statistics,
    /// Mail about ratings: the same as the preference `notifications` set to `off`. Lifted, it is `hourly`.
    Mail,
}

/// How the caller limited what is done with their data.
#[utoipa::path(
    get, path = "/api/v1/users/me/limits", operation_id = "show_limits", tag = "users",
    responses(
        (status = 200, description = "What stands", body = ProcessingLimits),
        (status = 401, description = "No good token", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The caller is being erased or was", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
) -> Result<([(HeaderName, &'static str); 1], Json<ProcessingLimits>), Error> {
    let limits = limits::find(&app, caller.user).await?;
    Ok((NO_STORE, Json(limits.into())))
}

/// Limits what is done with the caller's data: what is sent takes the place of what stood. Other services follow within
/// seconds.
#[utoipa::path(
    put, path = "/api/v1/users/me/limits", operation_id = "set_limits", tag = "users",
    request_body = ProcessingLimits,
    responses(
        (status = 200, description = "What stands now", body = ProcessingLimits),
        (status = 401, description = "No good token", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The caller is being erased or was", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is missing, wrong or unknown; nothing was changed", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Json(wanted): Json<ProcessingLimits>,
) -> Result<([(HeaderName, &'static str); 1], Json<ProcessingLimits>), Error> {
    let limits = limits::change(&app, caller.user, wanted.into()).await?;
    Ok((NO_STORE, Json(limits.into())))
}

impl From<ProcessingLimits> for Limits {
    fn from(limits: ProcessingLimits) -> Self {
        let objects_to = |purpose| limits.objections.contains(&purpose);
        Self {
            wish: Wish {
                restricted: limits.restricted,
                scoring: objects_to(Objection::Scoring),
                statistics: objects_to(Objection::Statistics),
            },
            mail: objects_to(Objection::Mail),
        }
    }
}

impl From<Limits> for ProcessingLimits {
    fn from(limits: Limits) -> Self {
        let Limits { wish, mail } = limits;
        let objections = [
            (Objection::Scoring, wish.scoring),
            (Objection::Statistics, wish.statistics),
            (Objection::Mail, mail),
        ];
        let standing_ones = objections.into_iter().filter(|(_, stands)| *stands);
        Self {
            restricted: wish.restricted,
            objections: standing_ones.map(|(purpose, _)| purpose).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_limit_is_told_as_it_was_asked_for() {
        for body in [
            json!({"restricted": false, "objections": []}),
            json!({"restricted": true, "objections": ["scoring", "statistics", "mail"]}),
            json!({"restricted": false, "objections": ["statistics"]}),
        ] {
            let asked: ProcessingLimits = serde_json::from_value(body.clone()).unwrap();
            let told = ProcessingLimits::from(Limits::from(asked));
            assert_eq!(serde_json::to_value(told).unwrap(), body);
        }
    }

    #[test]
    fn what_is_not_the_whole_state_is_refused() {
        for body in [
            json!({"restricted": true}),
            json!({"objections": []}),
            json!({"restricted": true, "objections": ["marketing"]}),
            json!({"restricted": true, "objections": [], "until": "2027-01-01"}),
        ] {
            assert!(serde_json::from_value::<ProcessingLimits>(body).is_err());
        }
    }
}
