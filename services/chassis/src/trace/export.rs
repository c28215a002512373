//! Spans go to a collector by OTLP (protobuf over HTTP), in batches and beside everything else: nobody waits for it, and
//! what does not fit into the queue while it is away is dropped and counted.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use axum::http::{Request, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks,
    SpanProcessor as _,
};
use prost::Message as _;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use super::TraceParent;
use super::spans::Span;

/// So many spans wait at most; what is more is dropped.
const QUEUE: usize = 4096;
/// A batch goes when it is full, or after this time.
const EVERY: Duration = Duration::from_secs(1);
/// A collector that does not take a batch within this time does not get it.
const PATIENCE: Duration = Duration::from_secs(2);
/// So long a stop waits for the last batches.
const LAST_BATCHES: Duration = Duration::from_secs(3);
/// Where OTLP over HTTP takes spans.
const PATH: &str = "/v1/traces";

static EXPORT: OnceLock<Export> = OnceLock::new();

#[derive(Debug)]
struct Export {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
}

/// The collector's address for spans. It is an agent on the same host or network, which speaks TLS with whoever is
/// farther away.
pub(crate) fn address(endpoint: &str) -> anyhow::Result<Uri> {
    let uri: Uri = endpoint.parse().context("this is no address")?;
    ensure!(
        uri.scheme_str() == Some("http") && uri.host().is_some() && uri.query().is_none(),
        "an address like http://127.0.0.1:4318, of a collector within reach"
    );
    let base = endpoint.trim_end_matches('/');
    Ok(format!("{base}{PATH}").parse()?)
}

/// Begins to tell a collector, as the process of these services.
pub fn start(endpoint: &str, services: &str) -> anyhow::Result<()> {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.namespace", "dipper"),
            KeyValue::new("service.name", services.to_owned()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build();
    let collector = Collector {
        address: address(endpoint)?,
        resource: (&resource).into(),
        runtime: Handle::current(),
    };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_scheduled_delay(EVERY)
        .build();
    let export = Export {
        processor: BatchSpanProcessor::new(collector, config),
        scope: InstrumentationScope::builder("dipper").build(),
    };
    EXPORT
        .set(export)
        .map_err(|_| anyhow::anyhow!("spans are told already"))
}

/// Whether there is a collector to be told.
pub(super) fn is_started() -> bool {
    EXPORT.get().is_some()
}

/// Hands a span that ends now to whoever sends it.
pub(super) fn take(span: Span) {
    let Some(export) = EXPORT.get() else {
        return;
    };
    metrics::counter!("dipper_spans_total", "outcome" => "ended").increment(1);
    export.processor.on_end(SpanData {
        span_context: context(span.place),
        parent_span_id: span
            .parent
            .map_or(SpanId::INVALID, |parent| parent.span.into()),
        parent_span_is_remote: false,
        span_kind: span.kind,
        name: span.name.into(),
        start_time: span.began,
        end_time: SystemTime::now(),
        attributes: span.attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if span.failed {
            Status::error("")
        } else {
            Status::Unset
        },
        instrumentation_scope: export.scope.clone(),
    });
}

fn context(place: TraceParent) -> SpanContext {
    SpanContext::new(
        TraceId::from(place.trace),
        SpanId::from(place.span),
        TraceFlags::new(place.flags),
        false,
        TraceState::NONE,
    )
}

/// Sends what still waits. A collector that is away keeps nobody from stopping.
pub async fn finish() {
    if let Some(export) = EXPORT.get() {
        let last =
            tokio::task::spawn_blocking(|| export.processor.shutdown_with_timeout(LAST_BATCHES));
        if !matches!(last.await, Ok(Ok(()))) {
            tracing::debug!("the last spans did not reach the collector");
        }
    }
}

/// Sends batches, from the processor's own thread.
#[derive(Debug)]
struct Collector {
    address: Uri,
    resource: ResourceAttributesWithSchema,
    runtime: Handle,
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let many = batch.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let sending = send(self.address.clone(), body.into());
        // The processor's thread has no runtime of its own, and so no clock either.
        let in_time = async move { tokio::time::timeout(PATIENCE, sending).await? };
        let sent = self.runtime.spawn(in_time).await;
        let sent = sent.unwrap_or_else(|died| Err(died.into()));
        let outcome = if sent.is_ok() { "sent" } else { "not-taken" };
        metrics::counter!("dipper_spans_total", "outcome" => outcome).increment(many);
        sent.map_err(|error| {
            tracing::debug!(error = format!("{error:#}"), "the collector took no spans");
            OTelSdkError::InternalFailure("the collector took no spans".to_owned())
        })
    }
}

/// One request on a connection of its own: there is one a second.
async fn send(address: Uri, body: Bytes) -> anyhow::Result<()> {
    let host = address.host().context("no host")?;
    let stream = TcpStream::connect((host, address.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::post(address.path())
        .header(
            header::HOST,
            address.authority().context("no host")?.as_str(),
        )
        .header(header::CONTENT_TYPE, "application/x-protobuf")
        .body(Full::new(body))?;
    let answer = sender.send_request(request).await?;
    ensure!(
        answer.status().is_success(),
        "it answered {}",
        answer.status()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_where_the_collector_listens() {
        for endpoint in ["http://127.0.0.1:4318", "http://collector:4318/"] {
            let address = address(endpoint).unwrap();
            assert_eq!(address.path(), "/v1/traces");
        }
        for wrong in ["collector", "https://collector", "http://", "http://a?b=c"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
