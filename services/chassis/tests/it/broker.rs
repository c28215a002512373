//! A broker of one test's own.

use async_nats::jetstream::stream::RawMessageErrorKind;
use chassis::bus::streams::{self, OnDrift, StreamSettings};
use chassis::bus::{Access, Bus};
use chassis::lifecycle::Lifecycle;
use chassis::nats_server::{NatsServer, Permissions};
use envelope::Outgoing;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use testkit::eventually;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const USER: &str = "birding";

/// A running nats-server that comes back when it is killed.
pub struct Broker {
    pub bus: Bus,
    pub lifecycle: Lifecycle,
    access: Access,
    process: u32,
    end: CancellationToken,
    supervisor: JoinHandle<anyhow::Result<()>>,
    folder: TempDir,
}

/// A message as a stream keeps it.
pub struct Kept {
    pub subject: String,
    pub headers: async_nats::HeaderMap,
    pub body: Vec<u8>,
}

impl Kept {
    /// The id of the event in it.
    pub fn event_id(&self) -> Uuid {
        self.event()["id"].as_str().unwrap().parse().unwrap()
    }

    /// The event in it.
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().as_str()
    }
}

/// The streams' settings of a fresh deployment.
pub fn settings() -> StreamSettings {
    StreamSettings {
        duplicate_window: Duration::from_mins(2),
        ..StreamSettings::default()
    }
}

impl Broker {
    /// Starts a server without streams.
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/harmed-nats-server.sh"
        ));
        let server = NatsServer::start(
            program,
            &folder.path().join("nats"),
            &[Permissions::all(USER)],
        )
        .await
        .unwrap();
        let access = server.credentials().access(USER);
        let process = server.pid().unwrap();
        let end = CancellationToken::new();
        Self {
            bus: Bus::connect(&access, "notifier").await.unwrap(),
            lifecycle: Lifecycle::default(),
            access,
            process,
            supervisor: tokio::spawn(server.supervise(end.clone())),
            end,
            folder,
        }
    }

    /// Starts a server with all streams.
    pub async fn start() -> Self {
        let broker = Self::empty().await;
        streams::ensure(&broker.bus, &settings(), OnDrift::Refuse)
            .await
            .unwrap();
        broker
    }

    /// Deletes a stream with all that is in it, and makes it anew.
    pub async fn make_anew(&self, stream: &str) {
        self.bus.jetstream().delete_stream(stream).await.unwrap();
        streams::ensure(&self.bus, &settings(), OnDrift::Refuse)
            .await
            .unwrap();
    }

    /// Deletes a consumer.
    pub async fn delete_consumer(&self, stream: &str, consumer: &str) {
        let jetstream = self.bus.jetstream();
        let deleted = jetstream
            .delete_consumer_from_stream(consumer, stream)
            .await;
        assert!(deleted.unwrap().success);
    }

    /// Another connection, as another service.
    pub async fn connect(&self, service: &str) -> Bus {
        Bus::connect(&self.access, service).await.unwrap()
    }

    /// kill -9.
    pub async fn kill(&self) {
        let killed = Command::new("kill")
            .args(["-9", &self.process.to_string()])
            .status();
        assert!(killed.await.unwrap().success());
    }

    /// The file in which a stream's first messages are, and where this text is in it.
    pub async fn block_with(&self, stream: &str, text: &str) -> (PathBuf, usize) {
        let messages = format!("nats/store/jetstream/$G/streams/{stream}/msgs/1.blk");
        let file = self.folder.path().join(messages);
        let place = eventually("the text is in the store", || async {
            let bytes = std::fs::read(&file).ok()?;
            let mut windows = bytes.windows(text.len());
            windows.position(|window| window == text.as_bytes())
        });
        let place = place.await;
        (file, place)
    }

    /// Ends the server, does something to its files with the shell, and lets it start again.
    pub async fn harm(&self, command: &str) {
        let nats = self.folder.path().join("nats");
        std::fs::write(nats.join("harm.sh"), command).unwrap();
        let process = std::fs::read_to_string(nats.join("nats-server.pid")).unwrap();
        let ended = Command::new("kill").arg(process.trim()).status().await;
        assert!(ended.unwrap().success());
        eventually("the harm is done", || async {
            (!nats.join("harm.sh").exists()).then_some(())
        })
        .await;
        eventually("the server is back", || async {
            self.bus.client().flush().await.ok()?;
            self.count("RATE").await.map(drop)
        })
        .await;
    }

    /// Publishes an event as its producer does.
    pub async fn publish(&self, event: &Outgoing) -> u64 {
        let (subject, body) = (event.subject.clone(), event.body.clone().into());
        let published = self.bus.publish(subject, &event.message_id, body);
        published.await.unwrap()
    }

    /// Publishes an event in such a way that the broker does not recognise a repetition, as after
    /// its duplicate window.
    pub async fn publish_anew(&self, event: &Outgoing) -> u64 {
        let message_id = Uuid::new_v4().to_string();
        let (subject, body) = (event.subject.clone(), event.body.clone().into());
        let published = self.bus.publish(subject, &message_id, body);
        published.await.unwrap()
    }

    /// How many messages a stream keeps; none when the broker is away.
    pub async fn count(&self, stream: &str) -> Option<u64> {
        let stream = self.bus.jetstream().get_stream(stream).await.ok()?;
        Some(stream.cached_info().state.messages)
    }

    /// Waits until a stream keeps so many messages.
    pub async fn has_kept(&self, stream: &str, wanted: u64) {
        eventually("the stream keeps the messages", || async {
            (self.count(stream).await? >= wanted).then_some(())
        })
        .await;
    }

    /// The messages of a stream, in order.
    pub async fn messages(&self, stream: &str) -> Vec<Kept> {
        let stream = self.bus.jetstream().get_stream(stream).await.unwrap();
        let state = &stream.cached_info().state;
        let mut kept = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            let message = match stream.get_raw_message(sequence).await {
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => continue,
                other => other.unwrap(),
            };
            kept.push(Kept {
                subject: message.subject.to_string(),
                headers: message.headers,
                body: message.payload.to_vec(),
            });
        }
        kept
    }

    /// Waits until a consumer has nothing more to do: all of the stream is acknowledged.
    pub async fn is_settled(&self, stream: &str, consumer: &str) {
        use async_nats::jetstream::consumer::{PullConsumer, pull};
        let jetstream = self.bus.jetstream();
        eventually("the consumer has handled everything", || async {
            let found = jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer, stream);
            let consumer: PullConsumer = found.await.ok()?;
            let acknowledged = consumer.cached_info().ack_floor.stream_sequence;
            let stream = jetstream.get_stream(stream).await.ok()?;
            (acknowledged == stream.cached_info().state.last_sequence).then_some(())
        })
        .await;
    }

    /// Ends all; a task that failed fails the test.
    pub async fn end(self) {
        self.lifecycle
            .finish(Duration::from_secs(20))
            .await
            .unwrap();
        self.bus.close().await;
        self.end.cancel();
        self.supervisor.await.unwrap().unwrap();
    }
}
