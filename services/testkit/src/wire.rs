//! A program that speaks to the broker directly, as a foreign producer or an operator does.

use std::path::Path;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context};
use async_nats::{HeaderMap, ServerAddr};
use chassis::nats_server::{Credentials, inbox_prefix};
use futures::TryStreamExt as _;
use serde_json::Value;
use uuid::Uuid;

use crate::eventually;

/// A message of a stream.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its place.
    pub sequence: u64,
    /// Its subject.
    pub subject: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as JSON; null when it is none.
    pub body: Value,
}

impl Stored {
    /// The event's id.
    pub fn id(&self) -> Option<Uuid> {
        self.body["id"].as_str()?.parse().ok()
    }
}

/// A connection to the broker of an instance.
#[derive(Clone, Debug)]
pub struct Wire {
    context: Context,
}

impl From<async_nats::jetstream::Message> for Stored {
    fn from(message: async_nats::jetstream::Message) -> Self {
        let sequence = message.info().unwrap().stream_sequence;
        let message = message.message;
        Self {
            sequence,
            subject: message.subject.to_string(),
            headers: message.headers.unwrap_or_default(),
            body: serde_json::from_slice(&message.payload).unwrap_or_default(),
        }
    }
}

impl Wire {
    /// Connects with a user of the instance in a folder.
    pub async fn connect(folder: &Path, user: &str) -> Self {
        let credentials = Credentials::read(&folder.join("nats").join("credentials.json")).unwrap();
        let login = &credentials.users[user];
        let servers: Vec<ServerAddr> = credentials
            .url
            .split(',')
            .map(|server| server.parse().unwrap())
            .collect();
        let client = async_nats::ConnectOptions::new()
            .user_and_password(login.user.clone(), login.password.clone())
            .custom_inbox_prefix(inbox_prefix(user))
            .connect(servers)
            .await
            .unwrap();
        Self {
            context: jetstream::new(client),
        }
    }

    /// Publishes bytes and waits for the acknowledgement; says whether the broker took it for one
    /// that it has seen.
    pub async fn publish(&self, subject: &str, message_id: Option<&str>, body: &[u8]) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(id) = message_id {
            headers.insert("Nats-Msg-Id", id);
        }
        let pending =
            self.context
                .publish_with_headers(subject.to_owned(), headers, body.to_vec().into());
        pending.await.unwrap().await.unwrap().duplicate
    }

    /// Publishes an event as its producer would.
    pub async fn publish_event(&self, subject: &str, event: &Value) -> bool {
        let major = subject.split('.').nth(2).unwrap();
        let id = format!("{}:{major}", event["id"].as_str().unwrap());
        self.publish(subject, Some(&id), event.to_string().as_bytes())
            .await
    }

    /// Has a stream lose the last message of a subject, as if its time were over.
    pub async fn lose(&self, stream: &str, subject: &str) {
        let stream = self.stream(stream).await;
        let message = stream.get_last_raw_message_by_subject(subject).await;
        let lost = stream.delete_message(message.unwrap().sequence).await;
        assert!(lost.unwrap());
    }

    /// How many messages a stream holds.
    pub async fn count(&self, stream: &str) -> u64 {
        self.stream(stream).await.cached_info().state.messages
    }

    /// A stream, as soon as it is there: one that was lost is made anew.
    async fn stream(&self, name: &str) -> Stream {
        eventually("the stream is there", || async {
            self.context.get_stream(name).await.ok()
        })
        .await
    }

    /// All messages of a stream: subject, headers as text, body.
    pub async fn messages(&self, stream: &str) -> Vec<(String, String, Vec<u8>)> {
        let stream = self.stream(stream).await;
        let state = stream.cached_info().state.clone();
        let mut messages = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            // Deleted ones are gaps.
            if let Ok(message) = stream.get_raw_message(sequence).await {
                let headers = format!("{:?}", message.headers);
                messages.push((
                    message.subject.to_string(),
                    headers,
                    message.payload.to_vec(),
                ));
            }
        }
        messages
    }

    /// All messages of a stream with their sequences, read in one go; once more if its leader
    /// changed meanwhile. What the server counts and cannot read any more is not waited for.
    pub async fn read(&self, stream: &str) -> Vec<Stored> {
        eventually("the stream can be read", || self.try_read(stream)).await
    }

    async fn try_read(&self, stream: &str) -> Option<Vec<Stored>> {
        const AT_ONCE: usize = 1000;
        let config = pull::Config {
            ack_policy: AckPolicy::None,
            ..pull::Config::default()
        };
        let stream = self.stream(stream).await;
        let consumer = stream.create_consumer(config).await.ok()?;
        let mut all = Vec::new();
        loop {
            let fetched = consumer.fetch().max_messages(AT_ONCE).messages();
            let fetched: Vec<_> = fetched.await.ok()?.try_collect().await.ok()?;
            if fetched.is_empty() {
                return Some(all);
            }
            all.extend(fetched.into_iter().map(Stored::from));
        }
    }

    /// The client itself.
    pub fn client(&self) -> async_nats::Client {
        self.context.client()
    }

    /// The JetStream interface.
    pub fn jetstream(&self) -> &Context {
        &self.context
    }

    /// Streams with a message whose subject, headers or body hold an id.
    pub async fn streams_naming(&self, id: Uuid) -> Vec<String> {
        let needle = id.to_string();
        let mut found = Vec::new();
        for stream in [
            "TICK",
            "RATE",
            "SCORE",
            "NOTIFICATION",
            "GDPR",
            "USER",
            "ADMIN",
            "DEAD",
        ] {
            for (subject, headers, body) in self.messages(stream).await {
                let body = String::from_utf8_lossy(&body).into_owned();
                if subject.contains(&needle) || headers.contains(&needle) || body.contains(&needle)
                {
                    found.push(format!("{stream} {subject}"));
                }
            }
        }
        found
    }
}
