//! Spans: what was done at a place in a trace, for how long, and how it ended. Told to a collector if one is set, and to
//! nobody otherwise.
//!
//! A span leaves the deployment, so what it may say is a closed list ([`Attribute`]): words of ours and numbers, never an
//! id, an address or a text that somebody wrote. Its trace and place are random.

use std::time::SystemTime;

use axum::http::{Method, StatusCode};
use envelope::Decoded;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use serde::Deserialize;

use super::{TraceParent, export};
use crate::bus::without_key;

/// The flag of a trace that its beginner wants to be recorded.
const SAMPLED: u8 = 1;

/// What a span may say beside its name and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// The method of a request.
    Method(&'static str),
    /// The route that it was for, never its address.
    Route(String),
    /// What it was answered with.
    Status(u16),
    /// The subject of an event, without its key.
    Subject(String),
    /// Which service's connection or consumer it was.
    Service(String),
    /// What became of it, in one of our words.
    Outcome(&'static str),
}

impl From<Attribute> for KeyValue {
    fn from(attribute: Attribute) -> Self {
        match attribute {
            Attribute::Method(method) => Self::new("http.request.method", method),
            Attribute::Route(route) => Self::new("http.route", route),
            Attribute::Status(status) => Self::new("http.response.status_code", i64::from(status)),
            Attribute::Subject(subject) => Self::new("messaging.destination.name", subject),
            Attribute::Service(service) => Self::new("dipper.service", service),
            Attribute::Outcome(outcome) => Self::new("dipper.outcome", outcome),
        }
    }
}

/// Something that is being done. One that is dropped without [`Span::end`] is told to nobody.
#[derive(Debug)]
pub struct Span {
    pub(super) place: TraceParent,
    pub(super) parent: Option<TraceParent>,
    pub(super) kind: SpanKind,
    pub(super) name: String,
    pub(super) began: SystemTime,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) failed: bool,
}

impl Span {
    /// Begins one at a place, if a collector is set and the trace is to be recorded.
    fn begin(
        kind: SpanKind,
        name: impl FnOnce() -> String,
        place: TraceParent,
        parent: Option<TraceParent>,
    ) -> Option<Self> {
        (export::is_started() && place.flags & SAMPLED != 0).then(|| Self {
            place,
            parent,
            kind,
            name: name(),
            began: SystemTime::now(),
            attributes: Vec::new(),
            failed: false,
        })
    }

    /// Begins what follows from a place.
    fn below(kind: SpanKind, name: impl FnOnce() -> String, parent: TraceParent) -> Option<Self> {
        Self::begin(kind, name, parent.child(), Some(parent))
    }

    /// Says something about it.
    pub fn with(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute.into());
        self
    }

    /// It did not come to what it was for.
    pub fn failed_if(mut self, failed: bool) -> Self {
        self.failed |= failed;
        self
    }

    /// It began earlier, together with others.
    fn since(mut self, began: SystemTime) -> Self {
        self.began = began;
        self
    }

    /// Ends it and hands it on; never waits.
    pub fn end(self) {
        export::take(self);
    }
}

/// A request that is being answered at a place.
pub(crate) fn request(
    (place, parent): (TraceParent, Option<TraceParent>),
    method: &Method,
    route: &str,
) -> Option<Span> {
    let method = known(method);
    let span = Span::begin(
        SpanKind::Server,
        || format!("{method} {route}"),
        place,
        parent,
    )?;
    let route = Attribute::Route(route.to_owned());
    Some(span.with(Attribute::Method(method)).with(route))
}

/// What a request was answered with.
pub(crate) fn answered(span: Span, status: StatusCode) {
    span.with(Attribute::Status(status.as_u16()))
        .failed_if(status.is_server_error())
        .end();
}

/// The methods of HTTP; any other is a client's own text.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let found = KNOWN.into_iter().find(|known| *known == method.as_str());
    found.unwrap_or("_OTHER")
}

/// An event was made at its place, from which all goes on that is done with it.
pub(crate) fn made(service: &str, event: (&str, &str), at: (TraceParent, Option<TraceParent>)) {
    let name = || format!("create {}.{}", event.0, event.1);
    if let Some(span) = Span::begin(SpanKind::Producer, name, at.0, at.1) {
        span.with(Attribute::Service(service.to_owned())).end();
    }
}

/// A message is being published; of one that is no event nothing is told.
pub(crate) fn publishing(service: &str, subject: &str, body: &[u8]) -> Option<Span> {
    if !export::is_started() {
        return None;
    }
    let place = serde_json::from_slice::<Traced>(body).ok()?;
    let place = place.metadata.traceparent?.parse().ok()?;
    let subject = without_key(subject);
    let span = Span::below(SpanKind::Producer, || format!("publish {subject}"), place)?;
    let service = Attribute::Service(service.to_owned());
    Some(span.with(Attribute::Subject(subject)).with(service))
}

/// An event, as far as it tells where in a trace it was made.
#[derive(Deserialize)]
struct Traced {
    metadata: TracedMetadata,
}

#[derive(Deserialize)]
struct TracedMetadata {
    traceparent: Option<String>,
}

/// A consumer has tried events since a moment, with one outcome.
pub(crate) fn handled<'e>(
    consumer: &'static str,
    events: impl IntoIterator<Item = &'e Decoded>,
    since: SystemTime,
    outcome: &'static str,
) {
    if !export::is_started() {
        return;
    }
    for event in events {
        let contract = event.contract;
        let name = || format!("process {}.{}", contract.entity, contract.kind);
        let place = event.envelope.metadata.traceparent.as_deref();
        let place = place.and_then(|place| place.parse().ok());
        if let Some(span) = place.and_then(|place| Span::below(SpanKind::Consumer, name, place)) {
            span.since(since)
                .with(Attribute::Service(consumer.to_owned()))
                .with(Attribute::Outcome(outcome))
                .failed_if(outcome != HANDLED)
                .end();
        }
    }
}

/// The outcome of an event that had its effect.
pub(crate) const HANDLED: &str = "handled";

/// A mail is being handed to the mail server, for what happened at a place.
pub fn mailing(place: TraceParent) -> Option<Span> {
    Span::below(SpanKind::Client, || "send mail".to_owned(), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_collector_nothing_is_put_together() {
        assert!(mailing(TraceParent::root()).is_none());
        let at = (TraceParent::root(), None);
        assert!(request(at, &Method::GET, "/api/v1/feed").is_none());
    }

    #[test]
    fn a_method_that_a_client_made_up_is_not_told() {
        let own = Method::from_bytes(b"OLGA").unwrap();
        assert_eq!(known(&own), "_OTHER");
        assert_eq!(known(&Method::PATCH), "PATCH");
    }
}
