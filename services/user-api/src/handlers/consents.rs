//! Texts that people are asked to consent to, and what the caller decided about them.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use chassis::database::DatabaseError;
use chassis::http::{Json, List, Problem};
use chrono::{DateTime, Utc};
use clients::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::NO_STORE;
use crate::App;
use crate::consents::{self, Decision};
use crate::error::Error;
use crate::store::consents::Entry;
use crate::texts::{self, Text};

/// A text that people are asked to consent to.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsentText {
    /// How it is named.
    #[schema(example = "places.en")]
    name: &'static str,
    /// About what.
    #[schema(example = "places")]
    purpose: &'static str,
    /// Its language as BCP 47.
    #[schema(example = "en")]
    language: &'static str,
    /// Which version it is.
    version: i64,
    /// SHA-256 of the text in UTF-8, as hexadecimal digits.
    sha256: &'static str,
    /// What it says.
    text: &'static str,
}

/// A decision about a text that was shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConsent {
    /// The text's name.
    #[schema(example = "places.en")]
    text: String,
    /// The hash of the text that was shown.
    sha256: String,
    /// True to agree, false to take it back.
    given: bool,
}

/// A decision that was noted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Consent {
    /// About what.
    purpose: String,
    /// In which language the text was shown.
    language: String,
    /// Which version of it.
    version: i64,
    /// The hash of the text that was shown.
    sha256: String,
    /// Whether they agreed, or took it back.
    given: bool,
    /// When.
    at: DateTime<Utc>,
}

/// The texts that people are asked to consent to, in all languages.
#[utoipa::path(
    get, path = "/api/v1/consents/texts", operation_id = "list_consent_texts", tag = "users",
    responses((status = 200, description = "The texts as they are now", body = List<ConsentText>))
)]
pub(crate) async fn texts() -> Json<List<ConsentText>> {
    Json(List::whole(
        texts::CURRENT.iter().map(ConsentText::from).collect(),
    ))
}

/// What the caller decided, the oldest first; the last entry about a purpose stands.
#[utoipa::path(
    get, path = "/api/v1/users/me/consents", operation_id = "list_consents", tag = "users",
    responses(
        (status = 200, description = "All decisions", body = List<Consent>),
        (status = 401, description = "No good token", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The caller is being erased or was", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<([(HeaderName, &'static str); 1], Json<List<Consent>>), Error> {
    let entries = consents::of(&app, caller.user).await?;
    let items = entries.into_iter().map(Consent::try_from);
    let list = List::whole(items.collect::<Result<_, _>>()?);
    Ok((NO_STORE, Json(list)))
}

/// Agrees to a text, or takes that back. Without consent to `places` the exact places of the caller's sightings are
/// erased, and new ones are refused.
#[utoipa::path(
    post, path = "/api/v1/users/me/consents", operation_id = "decide_consent", tag = "users",
    request_body = NewConsent,
    responses(
        (status = 201, description = "It is noted; the same decision again is noted once", body = Consent),
        (status = 401, description = "No good token", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The hash is not that of the text as it is now: show that one first", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The caller is being erased or was", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "There is no such text, or a field is missing, wrong or unknown", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewConsent>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<Consent>), Error> {
    let decision = Decision::about(&new.text, &new.sha256, new.given)?;
    let entry = consents::decide(&app, caller.user, &decision).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(entry.try_into()?)))
}

impl From<&'static Text> for ConsentText {
    fn from(text: &'static Text) -> Self {
        Self {
            name: &text.name,
            purpose: text.purpose,
            language: text.language,
            version: text.version,
            sha256: &text.sha256,
            text: text.body,
        }
    }
}

impl TryFrom<Entry> for Consent {
    type Error = DatabaseError;

    fn try_from(entry: Entry) -> Result<Self, DatabaseError> {
        Ok(Self {
            purpose: entry.purpose,
            language: entry.language,
            version: entry.version,
            sha256: entry.sha256,
            given: entry.given,
            at: DateTime::from_timestamp_micros(entry.at)
                .ok_or(DatabaseError::Damaged("consent.at"))?,
        })
    }
}
