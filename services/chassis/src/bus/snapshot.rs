//! A stream as bytes, with all its messages at their sequences and its readers' places, and back.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_nats::Subscriber;
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::Bus;

/// How long the server may take for the next part.
const NEXT_WITHIN: Duration = Duration::from_secs(30);
/// As large as a message may be by far.
const PART: usize = 128 * 1024;

/// A stream that is being read.
pub struct Snapshot {
    /// What the server wants to know when it takes it back.
    pub about: Value,
    bus: Bus,
    parts: Subscriber,
}

impl Bus {
    /// Begins to read a stream as it is now.
    pub async fn snapshot(&self, stream: &str) -> anyhow::Result<Snapshot> {
        let inbox = self.client.new_inbox();
        let parts = self.client.subscribe(inbox.clone()).await?;
        let question = json!({"deliver_subject": inbox, "no_consumers": false, "chunk_size": PART});
        let answer = self.ask_about(stream, "SNAPSHOT", &question).await?;
        Ok(Snapshot {
            about: json!({"config": answer.get("config"), "state": answer.get("state")}),
            bus: self.clone(),
            parts,
        })
    }

    /// Makes a stream from what was read of it. There must be none of its name.
    pub async fn restore(
        &self,
        (stream, about): (&str, &Value),
        mut parts: impl FnMut() -> anyhow::Result<Option<Vec<u8>>>,
    ) -> anyhow::Result<()> {
        let answer = self.ask_about(stream, "RESTORE", about).await?;
        let to = answer.get("deliver_subject").and_then(Value::as_str);
        let to = to.context("the broker does not say where to send it")?;
        while let Some(part) = parts()? {
            self.send_part(to, part.into()).await?;
        }
        let made = self.send_part(to, Bytes::new()).await?;
        let made: Value = serde_json::from_slice(&made).unwrap_or_default();
        refused(stream, &made)?;
        ensure!(
            made.get("config").is_some(),
            "the broker did not make {stream}"
        );
        Ok(())
    }

    async fn send_part(&self, to: &str, part: Bytes) -> anyhow::Result<Bytes> {
        let sending = self.client.request(to.to_owned(), part);
        let answer = tokio::time::timeout(NEXT_WITHIN, sending).await;
        let answer = answer.context("the broker does not take the next part")??;
        Ok(answer.payload)
    }

    async fn ask_about(&self, stream: &str, verb: &str, body: &Value) -> anyhow::Result<Value> {
        let subject = format!("$JS.API.STREAM.{verb}.{stream}");
        let body = Bytes::from(serde_json::to_vec(body)?);
        let asking = self.client.request(subject, body);
        let answer = tokio::time::timeout(NEXT_WITHIN, asking).await;
        let answer = answer.with_context(|| format!("the broker is silent about {stream}"))??;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        refused(stream, &answer)?;
        Ok(answer)
    }
}

impl Snapshot {
    /// The next part; none after the last.
    pub async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        let part = tokio::time::timeout(NEXT_WITHIN, self.parts.next()).await;
        let part = part.context("the broker does not send the next part")?;
        let part = part.context("the broker went away")?;
        if part.payload.is_empty() {
            // The end, or why there is no more.
            return match (part.status, part.description) {
                (Some(status), Some(why)) if status.as_u16() >= 400 => bail!("{why}"),
                _ => Ok(None),
            };
        }
        if let Some(reply) = part.reply {
            // The server waits for it before it sends more.
            self.bus.client.publish(reply, Bytes::new()).await?;
        }
        Ok(Some(part.payload))
    }
}

fn refused(stream: &str, answer: &Value) -> anyhow::Result<()> {
    match answer.pointer("/error/description").and_then(Value::as_str) {
        Some(why) => bail!("the broker refuses for {stream}: {why}"),
        None => Ok(()),
    }
}
