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
use openidconnect::url::Url;
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
    /// For a provider at this address: one that is asked by TLS cannot name places that are not.
    pub(super) fn new(issuer: &Url) -> Result<Self, rustls::Error> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?;
        let connector = match issuer.scheme() {
            // On this machine: the settings see to it.
            "http" => connector.https_or_http(),
            _ => connector.https_only(),
        };
        let connector = connector.enable_http1().build();
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn nothing_goes_in_clear_text_to_what_a_provider_with_tls_names() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = format!("http://{}/token", listener.local_addr().unwrap());
        let issuer = Url::parse("https://id.example.org").unwrap();
        let transport = Transport::new(&issuer).unwrap();
        let request = http::Request::get(elsewhere).body(Vec::new()).unwrap();
        let refused = transport.call(request).await;
        assert!(
            matches!(refused, Err(TransportError::Sending(_))),
            "{refused:?}"
        );
    }
}
