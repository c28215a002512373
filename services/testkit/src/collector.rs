//! A collector of spans, as OTLP over HTTP knows it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

/// Takes whatever spans it is sent; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    /// Begins to listen: it, and the endpoint to be set.
    pub async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, endpoint)
    }

    /// All bytes that it was sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.bodies().concat()
    }

    /// All spans of a trace, by its id in hexadecimal digits.
    pub fn spans_of(&self, trace: &str) -> Vec<Span> {
        let requests = self
            .bodies()
            .into_iter()
            .map(|body| ExportTraceServiceRequest::decode(body).expect("it was decoded before"));
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes
            .flat_map(|scope| scope.spans)
            .filter(|span| hex::encode(&span.trace_id) == trace)
            .collect()
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    if ExportTraceServiceRequest::decode(body.clone()).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let mut bodies = collector.0.lock().unwrap_or_else(PoisonError::into_inner);
    bodies.push(body);
    StatusCode::OK
}

/// What a span says under a name, as text.
pub fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|one| one.key == name)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}
