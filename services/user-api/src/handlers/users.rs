//! The caller's own profile.

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::request::Parts;
use chassis::http::{FieldError, Json, Problem};
use chrono::{DateTime, Utc};
use clients::Caller;
use clients::user::Notifications;
use envelope::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::NO_STORE;
use crate::App;
use crate::account::{EmailAddress, Locale, Name};
use crate::error::Error;
use crate::identity::{self, Change, Person};

/// What a user told about themselves.
#[derive(Serialize, ToSchema)]
pub(crate) struct Profile {
    /// The user's id, by which events and other services know them.
    id: Uuid,
    /// The name that is shown; empty when none was told.
    name: String,
    /// The e-mail address; null for callers who never registered (trust mode).
    email: Option<String>,
    /// An address that takes its place when the link is opened that was mailed to it; null when none waits.
    new_email: Option<String>,
    /// What the user prefers.
    preferences: Preferences,
    /// When the account was made; null for callers who never registered.
    created_at: Option<DateTime<Utc>>,
}

/// What a user prefers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Preferences {
    /// How often mail about ratings may come.
    notifications: Notifications,
    /// Language as BCP 47.
    #[schema(example = "en-GB")]
    locale: String,
}

/// What a user wants to have changed; whatever is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileChange {
    /// The name that is shown: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// The e-mail address: it changes when the link is opened that is mailed to the new one.
    #[schema(format = "email", max_length = 254)]
    email: Option<String>,
    /// What the user prefers.
    preferences: Option<PreferencesChange>,
}

/// Preferences that are to be changed; whatever is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreferencesChange {
    /// How often mail about ratings may come.
    notifications: Option<Notifications>,
    /// Language as BCP 47.
    #[schema(example = "en-GB")]
    locale: Option<String>,
}

/// The caller's profile.
#[utoipa::path(
    get, path = "/api/v1/users/me", tag = "users",
    responses(
        (status = 200, description = "The profile", body = Profile),
        (status = 401, description = "No good token", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The caller is being erased or was", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
) -> Result<([(HeaderName, &'static str); 1], Json<Profile>), Error> {
    let Some(person) = identity::find(&app, caller.user).await? else {
        identity::require_not_erased(&app, caller.user).await?;
        return Ok((NO_STORE, Json(Profile::unknown(caller.user))));
    };
    Ok((NO_STORE, Json(Profile::new(caller.user, person))))
}

/// Changes the caller's name or preferences, or asks for another e-mail address: whether that is somebody's shows in its
/// mailbox only.
#[utoipa::path(
    patch, path = "/api/v1/users/me", tag = "users",
    request_body = ProfileChange,
    responses(
        (status = 200, description = "The profile as it is now", body = Profile),
        (status = 401, description = "No good token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The log-in is too long ago to change the address: prove again who you are (`reauthentication-required`); or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The caller is being erased or was", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong or unknown; nothing was changed", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The mails about the address did not go out; send it again", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    parts: Parts,
    Json(change): Json<ProfileChange>,
) -> Result<([(HeaderName, &'static str); 1], Json<Profile>), Error> {
    let change = change.check()?;
    if change.email.is_some() {
        let proof = app.authenticator.require_proof(&parts).await;
        proof.map_err(Error::Unproven)?;
    }
    let person = identity::change(&app, caller.user, change).await?;
    Ok((NO_STORE, Json(Profile::new(caller.user, person))))
}

impl Profile {
    fn new(user: UserId, person: Person) -> Self {
        Self {
            id: user.0,
            name: person.name,
            email: person.email,
            new_email: person.new_email,
            preferences: Preferences {
                notifications: person.notifications,
                locale: person.locale,
            },
            created_at: Some(person.created_at),
        }
    }

    /// Of a caller of whom nothing is known but the id.
    fn unknown(user: UserId) -> Self {
        Self {
            id: user.0,
            name: String::new(),
            email: None,
            new_email: None,
            preferences: Preferences {
                notifications: Notifications::default(),
                locale: Locale::default().as_str().to_owned(),
            },
            created_at: None,
        }
    }
}

impl ProfileChange {
    /// Parses every field and tells of all that are wrong.
    fn check(self) -> Result<Change, Error> {
        let mut wrong = Vec::new();
        let email = self.email.as_deref().map(str::parse::<EmailAddress>);
        let email = email.transpose();
        let email = email.map_err(|detail| wrong.push(FieldError::new("/email", detail)));
        let name = self.name.as_deref().map(str::parse::<Name>).transpose();
        let name = name.map_err(|detail| wrong.push(FieldError::new("/name", detail)));
        let preferences = self.preferences.as_ref();
        let locale = preferences
            .and_then(|preferences| preferences.locale.as_deref())
            .map(str::parse::<Locale>)
            .transpose();
        let locale =
            locale.map_err(|detail| wrong.push(FieldError::new("/preferences/locale", detail)));
        match (name, email, locale) {
            (Ok(name), Ok(email), Ok(locale)) => Ok(Change {
                name,
                email,
                notifications: preferences.and_then(|preferences| preferences.notifications),
                locale,
            }),
            _ => Err(Error::Fields(wrong)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(body: serde_json::Value) -> Vec<String> {
        let change: ProfileChange = serde_json::from_value(body).unwrap();
        match change.check() {
            Err(Error::Fields(fields)) => fields.into_iter().map(|field| field.pointer).collect(),
            Err(other) => panic!("{other}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn every_wrong_field_is_pointed_at() {
        let body = json!({"name": " ", "email": "nobody", "preferences": {"locale": "?"}});
        assert_eq!(wrong(body), ["/email", "/name", "/preferences/locale"]);
    }

    #[test]
    fn every_field_may_be_left_out() {
        assert!(wrong(json!({})).is_empty());
        assert!(wrong(json!({"preferences": {"notifications": "off"}})).is_empty());
        assert!(wrong(json!({"email": "new@example.org"})).is_empty());
        assert!(wrong(json!({"name": "Ada", "preferences": {"locale": "en-GB"}})).is_empty());
    }

    #[test]
    fn unknown_fields_are_refused() {
        for body in [
            json!({"role": "admin"}),
            json!({"preferences": {"theme": "dark"}}),
        ] {
            assert!(serde_json::from_value::<ProfileChange>(body).is_err());
        }
    }
}
