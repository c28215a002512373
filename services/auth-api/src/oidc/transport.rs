//! Requests to the provider: by TLS, to where it was asked and no further, within a time and a size.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::http;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
/// More than any provider's keys and claims take.
const LARGEST_ANSWER: usize = 1_000_000;

/// Sends requests; a redirect is an answer like others.
pub(super) struct Transport(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error(transparent)]
    Sending(#[from] hyper_util::client::legacy::Error),
    #[error("the answer ended early or is too large: {0}")]
    Reading(Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer within {PATIENCE:?}")]
    TooLate,
}

impl Transport {
    pub(super) fn new() -> Result<Self, rustls::Error> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
            // Without TLS only on this machine: the settings see to it.
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let answer = self.0.request(request.map(Full::from)).await?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body.map_err(TransportError::Reading)?.to_bytes();
        Ok(http::Response::from_parts(head, body.into()))
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let sent = timeout(PATIENCE, self.send(request)).await;
            sent.unwrap_or(Err(TransportError::TooLate))
        })
    }
}
