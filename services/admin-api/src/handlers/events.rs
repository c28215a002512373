//! Events: the newest of the streams, and of one who produced it and what became of it at each service.

use axum::extract::State;
use chassis::deliveries::{Known, Status, WhatOf};
use chassis::http::{Json, List, PageRequest, Path, Problem, Query};
use chassis::rpc::ask_service;
use chrono::{DateTime, Utc};
use envelope::catalogue::DEAD;
use envelope::{CATALOGUE, READERS, STREAMS, readers_of};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::App;
use crate::error::Error;
use crate::guard::Admin;
use crate::search::{self, Found, Places, Wanted};

/// What the services know of one event; `None` for one that does not answer.
type Answers = Vec<(&'static str, Option<Known>)>;

/// An event, as the services know it. What is in it, it does not say.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its id.
    id: Uuid,
    /// What kind of event it is, without its key; null when no service can tell any more.
    #[schema(required)]
    event: Option<String>,
    /// The sequence that its stream gave it, while its producer's outbox knows it.
    #[schema(required)]
    sequence: Option<i64>,
    /// Who has it in an outbox.
    #[schema(required)]
    producer: Option<&'static str>,
    /// What became of it at each service that reads such events, or has handled it.
    services: Vec<HandledView>,
}

/// What became of an event at one service.
#[derive(Serialize, ToSchema)]
pub(crate) struct HandledView {
    /// The service.
    service: &'static str,
    /// How the event stands there; null while the service does not answer, and for one that keeps no record.
    #[schema(required)]
    status: Option<Status>,
    /// When it was handled.
    #[schema(required)]
    handled_at: Option<DateTime<Utc>>,
    /// Why it is put aside, in words.
    detail: String,
    /// How often it was tried.
    attempts: i64,
    /// How many events of its key wait behind it.
    behind: i64,
}

/// Which events are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventQuery {
    /// Of this type: `rate.update`.
    #[serde(rename = "type")]
    event: Option<String>,
    /// In this stream: `RATE`.
    stream: Option<String>,
    /// Stored then or later.
    from: Option<DateTime<Utc>>,
    /// Stored before.
    to: Option<DateTime<Utc>>,
    /// At most so many, 1 to 100; 20 if it is missing.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// From the answer before, with the same filter.
    cursor: Option<String>,
}

/// An event in a stream. Whom it names, it does not say.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundView {
    /// Its id; null for what no service can read.
    #[schema(required)]
    id: Option<Uuid>,
    /// What kind of event it is, without its key: `rate.update.v2`.
    event: String,
    /// Its version; null for what no service can read.
    #[schema(required)]
    version: Option<String>,
    /// When it happened.
    #[schema(required)]
    time: Option<DateTime<Utc>>,
    /// When it was stored: by that the list is ordered.
    stored_at: DateTime<Utc>,
    /// The stream.
    stream: &'static str,
    /// Its sequence there.
    sequence: u64,
    /// Who sent it.
    #[schema(required)]
    source: Option<String>,
    /// What its key stands for: `the user who rated`. The key itself is not told.
    #[schema(required)]
    key: Option<&'static str>,
}

/// Events, the newest first. At most a thousand messages are looked at for an answer, so one may hold few events, or
/// none, and have a next part all the same. Dead letters have a list of their own.
#[utoipa::path(
    get, path = "/api/v1/admin/events", operation_id = "list_events", tag = "admin", security(("bearer" = [])),
    params(EventQuery),
    responses(
        (status = 200, description = "A part of the events", body = List<FoundView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A bad filter, limit or cursor", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The broker does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Admin,
    State(app): State<App>,
    Query(query): Query<EventQuery>,
) -> Result<Json<List<FoundView>>, Error> {
    let page = PageRequest::<Places>::new(query.limit, query.cursor.as_deref())?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let wanted = wanted(query)?;
    let (found, next) = search::newest(&app.bus, &wanted, page.after.as_ref(), limit).await?;
    Ok(Json(List {
        items: found.into_iter().map(FoundView::from).collect(),
        next_cursor: next.map(|places| places.to_string()),
    }))
}

/// The filter, checked against the catalogue.
fn wanted(query: EventQuery) -> Result<Wanted, Problem> {
    let mut streams: Vec<_> = STREAMS.iter().filter(|one| one.name != DEAD.name).collect();
    if let Some(name) = &query.stream {
        streams.retain(|one| one.name == name);
        if streams.is_empty() {
            return Err(Problem::field(
                "/stream",
                "no stream of events has this name",
            ));
        }
    }
    if let Some(event) = &query.event {
        let contract = CATALOGUE.iter().find(|one| one.name() == *event);
        let contract = contract
            .ok_or_else(|| Problem::field("/type", "the catalogue has no event of this type"))?;
        streams.retain(|one| one.name == contract.stream.name);
    }
    Ok(Wanted {
        streams: streams.into_iter().copied().collect(),
        event: query.event,
        from: query.from,
        to: query.to,
    })
}

impl From<Found> for FoundView {
    fn from(found: Found) -> Self {
        let contract = found.contract();
        let envelope = found.decoded.map(|decoded| decoded.envelope);
        let envelope = envelope.as_ref();
        Self {
            id: envelope.map(|event| event.id.0),
            event: found.name,
            version: envelope.map(|event| event.version.to_string()),
            time: envelope.map(|event| event.metadata.time),
            stored_at: found.stored_at,
            stream: found.stream,
            sequence: found.sequence,
            source: envelope.map(|event| event.metadata.source.clone()),
            key: contract.map(|contract| contract.key),
        }
    }
}

/// What became of an event. The services are asked, no stream is searched; what led to the event and followed from it
/// `dipper explain` tells.
#[utoipa::path(
    get, path = "/api/v1/admin/events/{id}", operation_id = "show_event", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The event")),
    responses(
        (status = 200, description = "What the services know of it", body = EventView),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not an admin, or no service knows it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    _: Admin,
    State(app): State<App>,
    Path(id): Path<Uuid>,
) -> Result<Json<EventView>, Error> {
    let answers = ask_all(&app, id).await;
    let mut known = answers.iter().filter_map(|(_, known)| known.as_ref());
    if !known.any(Known::is_something) {
        return Err(Problem::not_found().into());
    }
    Ok(Json(view(id, &answers)))
}

async fn ask_all(app: &App, event: Uuid) -> Answers {
    let question = WhatOf { event };
    let asked = READERS.iter().map(|reader| async {
        let known = ask_service(&app.bus, reader.service, &question).await;
        (reader.service, known.ok())
    });
    join_all(asked).await
}

fn view(id: Uuid, answers: &Answers) -> EventView {
    let produced = answers.iter().find_map(|(service, known)| {
        let produced = known.as_ref()?.produced.as_ref()?;
        Some((*service, produced))
    });
    let parked = answers.iter().filter_map(|(_, known)| known.as_ref());
    let parked = parked.flat_map(|known| &known.parked).next();
    let event = produced
        .map(|(_, produced)| produced.event.clone())
        .or_else(|| parked.map(|parked| parked.event.clone()));
    let readers = event.as_deref().map(readers_of).unwrap_or_default();
    let services = answers.iter().filter(|(service, known)| {
        let has_it = |known: &Known| known.handled_at.is_some() || !known.parked.is_empty();
        readers.contains(service) || known.as_ref().is_some_and(has_it)
    });
    EventView {
        id,
        event,
        sequence: produced.and_then(|(_, produced)| produced.sequence),
        producer: produced.map(|(service, _)| service),
        services: services
            .map(|(service, known)| handled(service, known.as_ref()))
            .collect(),
    }
}

fn handled(service: &'static str, known: Option<&Known>) -> HandledView {
    let parked = known.and_then(|known| known.parked.first());
    let handled_at = known.and_then(|known| known.handled_at);
    let status = known.and_then(|known| match (parked, handled_at) {
        (Some(parked), _) => Some(parked.status),
        (None, Some(_)) => Some(Status::Completed),
        (None, None) if known.is_stateless => None,
        (None, None) => Some(Status::Unprocessed),
    });
    HandledView {
        service,
        status,
        handled_at: handled_at.and_then(DateTime::from_timestamp_micros),
        detail: parked
            .map(|parked| parked.detail.clone())
            .unwrap_or_default(),
        attempts: parked.map_or(0, |parked| parked.attempts),
        behind: parked.map_or(0, |parked| parked.behind),
    }
}

#[cfg(test)]
mod tests {
    use chassis::deliveries::Produced;

    use super::*;

    #[test]
    fn an_event_is_shown_at_all_who_read_it_and_at_who_handled_it() {
        let produced = Produced {
            event: "tick.delete.v1".to_owned(),
            sequence: Some(7),
        };
        let known = |known: Known| Some(known);
        let answers = vec![
            (
                "tick-api",
                known(Known {
                    produced: Some(produced),
                    ..Known::default()
                }),
            ),
            (
                "statistics",
                known(Known {
                    handled_at: Some(1),
                    ..Known::default()
                }),
            ),
            ("notifier", known(Known::default())),
            ("user-api", None),
        ];
        let view = view(Uuid::nil(), &answers);
        assert_eq!((view.producer, view.sequence), (Some("tick-api"), Some(7)));
        let states: Vec<_> = view
            .services
            .iter()
            .map(|one| (one.service, one.status))
            .collect();
        let expected = [("statistics", Some(Status::Completed)), ("user-api", None)];
        assert_eq!(states, expected);
    }
}
