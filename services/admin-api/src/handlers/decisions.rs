//! Decisions about dead letters: replay them, or give them up.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use chassis::http::{Json, Path, Problem};
use chrono::{DateTime, Utc};
use envelope::{UserId, admin};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::audit::{self, Reason};
use crate::decisions::{REPLAY, SKIP};
use crate::error::Error;
use crate::failed::{self, Id};
use crate::guard::Admin;
use crate::store::decisions::{self as store, Decided, Decision};

/// The most events of one decision.
const MOST: usize = 1000;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Try it once more, from its original bytes.
    Replay,
    /// Give it up; what waits behind it goes on.
    Skip,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Replay => REPLAY,
            Self::Skip => SKIP,
        }
    }
}

/// What to do about which dead letters, and why. At least one of `ids`, `fingerprint` and
/// `consumer` chooses them; a letter must meet all that are given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDecision {
    /// What.
    action: Action,
    /// Why; it is kept in the audit log. Name nobody in it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// These.
    #[schema(max_items = 1000)]
    ids: Option<Vec<String>>,
    /// Those that failed in this way.
    fingerprint: Option<String>,
    /// Those of this consumer.
    consumer: Option<String>,
}

/// A decision, and what came of it so far. The list does not change any more.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecisionView {
    /// Its id.
    id: Uuid,
    /// What is done.
    action: String,
    /// Why.
    reason: String,
    /// When it was made.
    made_at: DateTime<Utc>,
    /// Whether nothing is pending any more.
    is_done: bool,
    /// The events.
    events: Vec<DecidedView>,
}

/// An event that is decided about.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecidedView {
    /// The dead letter.
    id: String,
    /// What kind of event it was.
    event: String,
    /// `pending`, `done`, `failed` (again), or `gone`: it was no dead letter any more.
    state: String,
    /// Why it failed again.
    detail: String,
}

/// Decides about dead letters. The list is fixed now and worked on from now on; at most 1,000
/// events are in it.
#[utoipa::path(
    post, path = "/api/v1/admin/dead-letters/decisions", operation_id = "decide_dead_letters", tag = "admin", security(("bearer" = [])),
    request_body = NewDecision,
    responses(
        (status = 201, description = "The decision", body = DecisionView, headers(("Location" = String, description = "The decision."))),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The log-in is too long ago to give something up: prove again who you are (`reauthentication-required`); or a page of another origin asked", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong, or nothing is chosen", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "A service does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    Admin(by): Admin,
    State(app): State<App>,
    parts: Parts,
    Json(new): Json<NewDecision>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<DecisionView>), Error> {
    let reason = Reason::parse(&new.reason).map_err(|detail| Problem::field("/reason", detail))?;
    if new.action == Action::Skip {
        // What is given up never has its effect.
        app.authenticator.require_proof(&parts).await?;
    }
    let chosen = choose(&app, &new).await?;
    let decision = Decision {
        id: app.clock.id(),
        action: new.action.as_str().to_owned(),
        reason: reason.into_string(),
        made_at: app.clock.micros(),
    };
    record(&app, by, &decision, &chosen).await?;
    app.decided.notify_one();
    let mut session = app.database.read().await?;
    let found = store::find(&mut session, decision.id).await?;
    let (decision, events) = found.ok_or_else(Problem::not_found)?;
    let location = format!("/api/v1/admin/dead-letters/decisions/{}", decision.id);
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(view(decision, events))))
}

/// The dead letters that are meant, as they are now: service, place, kind of event.
async fn choose(app: &App, new: &NewDecision) -> Result<Vec<(String, String, String)>, Error> {
    if new.ids.is_none() && new.fingerprint.is_none() && new.consumer.is_none() {
        let detail = "choose dead letters with ids, fingerprint or consumer";
        return Err(Problem::field("/ids", detail).into());
    }
    let ids = new.ids.as_ref().map(|ids| parse(ids)).transpose()?;
    if let Some(consumer) = &new.consumer
        && envelope::reader(consumer).is_none()
    {
        return Err(Problem::field("/consumer", "no service of this name reads events").into());
    }
    let all = failed::list(&app.bus, None, usize::MAX).await?;
    let is_chosen = |id: &Id, fingerprint: &str| {
        ids.as_ref().is_none_or(|ids| ids.contains(id))
            && new
                .fingerprint
                .as_ref()
                .is_none_or(|wanted| wanted == fingerprint)
            && new
                .consumer
                .as_ref()
                .is_none_or(|wanted| wanted == id.service)
    };
    let chosen = all
        .into_iter()
        .filter(|(id, parked)| is_chosen(id, &parked.fingerprint))
        .take(MOST)
        .map(|(id, parked)| (id.service.to_owned(), id.place.to_string(), parked.event));
    Ok(chosen.collect())
}

fn parse(ids: &[String]) -> Result<Vec<Id>, Problem> {
    let parsed = ids.iter().enumerate().map(|(position, id)| {
        let pointer = format!("/ids/{position}");
        id.parse()
            .map_err(|()| Problem::field(&pointer, "is no dead letter's id"))
    });
    parsed.collect()
}

async fn record(
    app: &App,
    by: UserId,
    decision: &Decision,
    chosen: &[(String, String, String)],
) -> Result<(), Error> {
    let audit = admin::Audit {
        admin: by.into(),
        action: format!("dead-letters.{}", decision.action),
        target: format!("decision/{}", decision.id),
        reason: decision.reason.clone(),
    };
    let mut work = app.database.begin().await?;
    if work.is_erased(by.0).await? {
        return Err(Error::Erased);
    }
    store::add(&mut work, decision, chosen).await?;
    audit::record(&mut work, audit).await?;
    work.commit().await?;
    Ok(())
}

/// A decision, and what came of it so far.
#[utoipa::path(
    get, path = "/api/v1/admin/dead-letters/decisions/{id}", operation_id = "show_decision", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The decision")),
    responses(
        (status = 200, description = "The decision", body = DecisionView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no such decision", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    _: Admin,
    State(app): State<App>,
    Path(id): Path<Uuid>,
) -> Result<Json<DecisionView>, Error> {
    let mut session = app.database.read().await?;
    let found = store::find(&mut session, id).await?;
    let (decision, events) = found.ok_or_else(Problem::not_found)?;
    Ok(Json(view(decision, events)))
}

fn view(decision: Decision, events: Vec<Decided>) -> DecisionView {
    let events: Vec<DecidedView> = events
        .into_iter()
        .map(|one| DecidedView {
            id: format!("{}:{}", one.service, one.place),
            event: one.event,
            state: one.state,
            detail: one.detail,
        })
        .collect();
    DecisionView {
        id: decision.id,
        action: decision.action,
        reason: decision.reason,
        made_at: DateTime::from_timestamp_micros(decision.made_at).unwrap_or_default(),
        is_done: events.iter().all(|event| event.state != "pending"),
        events,
    }
}
