//! Dead letters: what can never be handled is kept with its reason, and stops nobody.

use async_nats::HeaderMap;

use super::offered::Offered;
use super::parking::Lot;
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

/// What a server did by the headers of the original, it is not to do again.
const INSTRUCTIONS: &str = "Nats-";

fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, values) in headers.iter() {
        if !name.to_string().starts_with(INSTRUCTIONS) {
            for value in values {
                kept.append(name.clone(), value.clone());
            }
        }
    }
    kept
}

/// Keeps the original bytes in the stream DEAD, with a stable word and a sentence that say why.
pub(crate) async fn bury(
    bus: &Bus,
    lot: Lot,
    offered: &Offered,
    (reason, detail): (&str, &str),
) -> Result<(), BusError> {
    let (consumer, sequence) = (lot.consumer, offered.place.sequence);
    let mut map = kept(&offered.headers);
    let id = format!("{}:{sequence}:{consumer}", lot.stream);
    map.insert(async_nats::header::NATS_MESSAGE_ID, header_value(&id)?);
    let detail: String = detail
        .chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_DETAIL)
        .collect();
    for (name, value) in [
        (headers::CONSUMER, consumer),
        (headers::REASON, reason),
        (headers::DETAIL, &detail),
        (headers::ATTEMPTS, &(offered.attempts + 1).to_string()),
        (headers::ORIGIN_STREAM, lot.stream),
        (headers::ORIGIN_SEQUENCE, &sequence.to_string()),
    ] {
        map.insert(name, header_value(value)?);
    }
    let subject = format!("dead.{}", offered.subject);
    bus.publish_with_headers(subject, map, offered.body.clone())
        .await?;
    metrics::counter!("dipper_dead_letters_total", "consumer" => consumer, "reason" => reason.to_owned())
        .increment(1);
    tracing::warn!(
        consumer,
        reason,
        detail,
        user = offered.pseudonym(),
        "an event went to the dead letters"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_keeps_what_was_said_and_not_what_the_server_was_told() {
        let mut original = HeaderMap::new();
        original.append("traceparent", header_value("00-ab").unwrap());
        original.append("X-Two", header_value("one").unwrap());
        original.append("X-Two", header_value("two").unwrap());
        let mut sent = original.clone();
        sent.insert("Nats-Batch-Id", header_value("7").unwrap());
        sent.insert("Nats-Expected-Stream", header_value("TICK").unwrap());
        assert_eq!(kept(&sent), original);
    }
}
