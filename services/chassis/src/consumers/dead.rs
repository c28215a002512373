//! Dead letters: what can never be handled is kept with its reason, and stops nobody.

use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};

use crate::bus::{Bus, BusError, header_value};

/// Names of the headers that a dead letter carries beside its original ones.
pub mod headers {
    /// Which consumer gave it up.
    pub const CONSUMER: &str = "Dipper-Consumer";
    /// Why, as a stable word.
    pub const REASON: &str = "Dipper-Reason";
    /// Why, in words without values.
    pub const DETAIL: &str = "Dipper-Detail";
    /// How often it was delivered.
    pub const ATTEMPTS: &str = "Dipper-Attempts";
    /// The stream that it came from.
    pub const ORIGIN_STREAM: &str = "Dipper-Origin-Stream";
    /// Its sequence there.
    pub const ORIGIN_SEQUENCE: &str = "Dipper-Origin-Sequence";
}

/// Headers are lines; longer details help nobody.
const LONGEST_DETAIL: usize = 500;

/// Keeps the original bytes in the stream DEAD, then acknowledges the message. If the dead letter
/// cannot be kept, the message comes again.
pub(crate) async fn bury(bus: &Bus, message: &Message, group: &str, reason: &str, detail: &str) {
    match publish(bus, message, group, reason, detail).await {
        Ok(()) => {
            metrics::counter!("dipper_dead_letters_total", "consumer" => group.to_owned(), "reason" => reason.to_owned())
                .increment(1);
            tracing::warn!(
                consumer = group,
                reason,
                detail,
                "an event went to the dead letters"
            );
            acknowledge(message).await;
        }
        Err(error) => {
            tracing::error!(consumer = group, %error, "a dead letter could not be kept; the event comes again");
            postpone(message, Duration::from_secs(5)).await;
        }
    }
}

async fn publish(
    bus: &Bus,
    message: &Message,
    group: &str,
    reason: &str,
    detail: &str,
) -> Result<(), BusError> {
    let (stream, sequence, attempts) = place(message);
    let mut map = message.headers.clone().unwrap_or_default();
    let id = format!("{stream}:{sequence}:{group}");
    map.insert(async_nats::header::NATS_MESSAGE_ID, header_value(&id)?);
    let detail: String = detail
        .chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_DETAIL)
        .collect();
    for (name, value) in [
        (headers::CONSUMER, group),
        (headers::REASON, reason),
        (headers::DETAIL, &detail),
        (headers::ATTEMPTS, &attempts.to_string()),
        (headers::ORIGIN_STREAM, &stream),
        (headers::ORIGIN_SEQUENCE, &sequence.to_string()),
    ] {
        map.insert(name, header_value(value)?);
    }
    let subject = format!("dead.{}", message.subject);
    bus.publish_with_headers(subject, map, message.payload.clone())
        .await?;
    Ok(())
}

/// Stream, sequence there, and how often the message was delivered.
pub(crate) fn place(message: &Message) -> (String, u64, i64) {
    message.info().map_or_else(
        |_| (String::new(), 0, 1),
        |info| (info.stream.to_owned(), info.stream_sequence, info.delivered),
    )
}

pub(crate) async fn acknowledge(message: &Message) {
    if let Err(error) = message.ack().await {
        tracing::debug!(%error, "an acknowledgement was not sent; the event comes again");
    }
}

pub(crate) async fn postpone(message: &Message, delay: Duration) {
    if let Err(error) = message.ack_with(AckKind::Nak(Some(delay))).await {
        tracing::debug!(%error, "a postponement was not sent; the event comes again");
    }
}
