//! The broker: one connection a service, streams from the catalogue, publishing that waits for
//! the acknowledgement.

pub mod monitoring;
pub mod old_readers;
pub(crate) mod reading;
mod refusal;
pub(crate) mod silence;
pub mod snapshot;
pub mod streams;
pub(crate) mod together;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, Event, HeaderMap, HeaderValue};
use bytes::Bytes;
use tokio::sync::watch;

pub use refusal::Refused;

use crate::lifecycle::Lifecycle;
use crate::nats_server::inbox_prefix;
use crate::rpc::Circuits;
use crate::trace::spans;

/// How long a publish or a question waits for its answer.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// The oldest server that honours all stream settings we rely on.
const OLDEST_SERVER: (i64, i64, i64) = (2, 14, 0);

/// Why the broker did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// No connection could be made.
    #[error(
        "cannot connect to the broker at {address}: {why}; is a nats-server there, and do DIPPER_NATS_URL or DIPPER_NATS_CREDENTIALS name it and a login?"
    )]
    Unreachable {
        /// Where it was looked for, without credentials.
        address: String,
        /// What the client said.
        why: String,
    },
    /// The server is too old.
    #[error("the nats-server at {address} is version {version}; 2.14 or later is needed")]
    TooOld {
        /// Where it is.
        address: String,
        /// Its version.
        version: String,
    },
    /// A message was not acknowledged.
    #[error("the broker did not take a message on stream subject {subject}: {why}")]
    NotPublished {
        /// The subject without its key.
        subject: String,
        /// What the client said.
        why: String,
    },
    /// A header value holds characters that headers cannot hold.
    #[error("a header value cannot be sent")]
    BadHeader,
}

/// How to reach the broker as one service.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// `nats://host:port`, several separated by commas.
    pub url: String,
    /// User name and password, when they are not part of the address.
    pub login: Option<(String, String)>,
    /// How the connection is encrypted, if it is.
    pub tls: Tls,
}

/// The certificates of an encrypted connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Those that may have signed the server's; without it the connection is encrypted only if the address says so.
    pub authorities: Option<PathBuf>,
    /// Our own and its key, for servers that ask for one.
    pub own: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    fn apply(&self, mut options: ConnectOptions) -> ConnectOptions {
        if let Some(authorities) = &self.authorities {
            options = options
                .require_tls(true)
                .add_root_certificates(authorities.clone());
        }
        if let Some((certificate, key)) = &self.own {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        options
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access({})", self.place())
    }
}

impl Access {
    /// The address without credentials.
    pub fn place(&self) -> String {
        let hosts = self
            .url
            .split(',')
            .map(|one| one.rsplit('@').next().unwrap_or_default());
        hosts
            .map(|host| host.trim_start_matches("nats://").to_owned())
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// A service's connection to the broker; cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    jetstream: Context,
    connections: watch::Receiver<u64>,
    circuits: Circuits,
    refusals: watch::Receiver<Option<Refused>>,
    service: Arc<str>,
}

impl Bus {
    /// Connects as a service and checks the server's version.
    pub async fn connect(access: &Access, service: &str) -> Result<Self, BusError> {
        let (count, connections) = watch::channel(0);
        let (refuse, refusals) = watch::channel(None);
        let mut options = ConnectOptions::new()
            .name(service)
            // A hung server is noticed only by pings.
            .ping_interval(Duration::from_secs(5))
            .connection_timeout(Duration::from_secs(5))
            .custom_inbox_prefix(inbox_prefix(service))
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis(50 * u64::try_from(attempt.min(40)).unwrap_or(40))
            })
            .event_callback({
                let service = service.to_owned();
                move |event| {
                    report(&service, &event);
                    if let Some(refused) = Refused::told_by(&service, &event) {
                        refuse.send_if_modified(|first| {
                            first.is_none() && first.replace(refused).is_none()
                        });
                    }
                    if event == Event::Connected {
                        count.send_modify(|connections| *connections += 1);
                    }
                    std::future::ready(())
                }
            });
        if let Some((user, password)) = &access.login {
            options = options.user_and_password(user.clone(), password.clone());
        }
        options = access.tls.apply(options);
        let addresses: Vec<String> = access.url.split(',').map(str::to_owned).collect();
        let client = options
            .connect(addresses)
            .await
            .map_err(|error| BusError::Unreachable {
                address: access.place(),
                why: error.kind().to_string(),
            })?;
        let (major, minor, patch) = OLDEST_SERVER;
        if !client.is_server_compatible(major, minor, patch) {
            return Err(BusError::TooOld {
                address: access.place(),
                version: client.server_info().version,
            });
        }
        let jetstream = jetstream::context::ContextBuilder::new()
            .timeout(Duration::from_secs(5))
            .ack_timeout(ANSWER_WITHIN)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            connections,
            circuits: Circuits::default(),
            refusals,
            service: service.into(),
        })
    }

    /// Publishes to a stream and waits for the acknowledgement: the sequence it was stored under.
    pub async fn publish(
        &self,
        subject: String,
        message_id: &str,
        body: Bytes,
    ) -> Result<u64, BusError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            async_nats::header::NATS_MESSAGE_ID,
            header_value(message_id)?,
        );
        self.publish_with_headers(subject, headers, body).await
    }

    /// As [`Bus::publish`], with headers of its own.
    pub async fn publish_with_headers(
        &self,
        subject: String,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<u64, BusError> {
        let public = without_key(&subject);
        let span = spans::publishing(&self.service, &subject, &body);
        let refused = |why: String| BusError::NotPublished {
            subject: public.clone(),
            why,
        };
        let pending = self
            .jetstream
            .publish_with_headers(subject, headers, body)
            .await
            .map_err(|error| refused(error.kind().to_string()))?;
        let ack = pending.await.map_err(|error| {
            if error.kind() == PublishErrorKind::TimedOut && self.is_connected() {
                silence::unanswered(&public);
            }
            refused(error.kind().to_string())
        })?;
        silence::answered(&public);
        if let Some(span) = span {
            span.end();
        }
        Ok(ack.sequence)
    }

    /// The JetStream interface.
    pub fn jetstream(&self) -> &Context {
        &self.jetstream
    }

    /// The core client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Which questions are answered just now.
    pub(crate) fn circuits(&self) -> &Circuits {
        &self.circuits
    }

    /// The service that this connection is for.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether the connection is up now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Changes with every new connection: what was asked on the one before is not answered.
    pub(crate) fn connections(&self) -> watch::Receiver<u64> {
        let mut connections = self.connections.clone();
        connections.mark_unchanged();
        connections
    }

    /// Ends when the broker refuses what this login does: a mistake of its configuration, which no waiting mends.
    pub async fn refused(&self) -> Refused {
        let mut refusals = self.refusals.clone();
        match refusals
            .wait_for(Option::is_some)
            .await
            .map(|found| found.clone())
        {
            Ok(Some(refused)) => refused,
            // The connection is gone, and nobody refuses anything any more.
            _ => std::future::pending().await,
        }
    }

    /// What comes of some work, or the refusal that it would wait for in vain.
    pub async fn unless_refused<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            refused = self.refused() => Err(refused.into()),
            outcome = work => outcome,
        }
    }

    /// Fails when the broker refuses what this login does, so that the process ends; ends at the stop.
    pub async fn end_when_refused(self, lifecycle: Lifecycle) -> anyhow::Result<()> {
        tokio::select! {
            refused = self.refused() => Err(refused.into()),
            () = lifecycle.stopped() => Ok(()),
        }
    }

    /// Sends what is waiting and closes.
    pub async fn close(&self) {
        if let Err(error) = self.client.drain().await {
            tracing::debug!(service = %self.service, %error, "the broker connection did not drain");
        }
    }
}

/// A header's value; unlike the library's own conversion it does not panic on line breaks.
pub fn header_value(text: &str) -> Result<HeaderValue, BusError> {
    text.parse().map_err(|_| BusError::BadHeader)
}

/// A subject's public part: the key behind the version may be a user's id.
pub fn without_key(subject: &str) -> String {
    subject
        .rsplit_once('.')
        .map_or(subject, |(front, _)| front)
        .to_owned()
}

fn report(service: &str, event: &Event) {
    match event {
        Event::Connected => tracing::debug!(service, "connected to the broker"),
        Event::Disconnected => {
            tracing::warn!(
                service,
                "lost the broker; accepted work waits until it is back"
            );
        }
        // The text may hold a subject with a key in it.
        Event::ServerError(_) => {
            metrics::counter!("dipper_broker_refusals_total", "service" => service.to_owned())
                .increment(1);
            tracing::error!(service, "the broker refused an operation");
        }
        Event::SlowConsumer(_) => tracing::warn!(service, "a subscription is falling behind"),
        other => tracing::debug!(service, event = %other, "broker connection"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_part_of_what_is_shown() {
        let access = Access {
            url: "nats://me:secret@host:4222".to_owned(),
            login: None,
            tls: Tls::default(),
        };
        assert_eq!(format!("{access:?}"), "Access(host:4222)");
    }

    #[test]
    fn a_header_with_a_line_break_is_refused() {
        assert!(header_value("a\r\nb").is_err());
        assert!(header_value("0190-abc:v1").is_ok());
    }
}
