//! What erasure does at the broker: looks for messages in the streams and overwrites them. It asks
//! the stream's leader, never a replica, which may lag behind.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use async_nats::jetstream::consumer::{Info, PullConsumer, pull};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{
    DeleteMessageErrorKind, RawMessageError, RawMessageErrorKind, Stream,
};
use chassis::bus::Bus;
use chassis::lifecycle::Lifecycle;
use envelope::consumed_by;

use crate::NAME;

/// How often the index is asked whether it has caught up.
const INDEX_POLL: Duration = Duration::from_millis(100);

/// A stream and how far the index knows it.
pub(crate) type End = (&'static envelope::Stream, u64);

/// The next message at or after a sequence whose subject matches.
pub(crate) async fn next(
    bus: &Bus,
    stream: &str,
    filter: &str,
    sequence: u64,
) -> anyhow::Result<Option<StreamMessage>> {
    let handle = handle(bus, stream).await?;
    found(
        handle
            .get_first_raw_message_by_subject(filter, sequence)
            .await,
    )
    .with_context(|| format!("cannot look through the stream {stream}"))
}

/// The message at a sequence.
pub(crate) async fn get(
    bus: &Bus,
    stream: &str,
    sequence: u64,
) -> anyhow::Result<Option<StreamMessage>> {
    let handle = handle(bus, stream).await?;
    found(handle.get_raw_message(sequence).await)
        .with_context(|| format!("cannot read from the stream {stream}"))
}

/// Overwrites a message. Says whether it was there.
pub(crate) async fn erase(bus: &Bus, stream: &str, sequence: u64) -> anyhow::Result<bool> {
    let refused = match handle(bus, stream).await?.delete_message(sequence).await {
        Ok(was_there) => return Ok(was_there),
        Err(error) => error.kind(),
    };
    // The server has several words for a message that is not there; whether it is tells.
    let may_be_gone = matches!(refused, DeleteMessageErrorKind::JetStream(_));
    if may_be_gone && get(bus, stream, sequence).await?.is_none() {
        return Ok(false);
    }
    Err(anyhow!("cannot delete from the stream {stream}: {refused}"))
}

/// The sequence of the last message that the index has to know of a stream; 0 when there is none.
pub(crate) async fn last(bus: &Bus, stream: &envelope::Stream) -> anyhow::Result<u64> {
    let handle = handle(bus, stream.name).await?;
    let last = found(
        handle
            .get_last_raw_message_by_subject(&stream.filter())
            .await,
    )
    .with_context(|| format!("cannot read the end of the stream {}", stream.name))?;
    Ok(last.map_or(0, |message| message.sequence))
}

/// Whether the index has taken in everything of a stream up to a sequence.
async fn is_indexed_to(bus: &Bus, stream: &str, sequence: u64) -> anyhow::Result<bool> {
    let consumer: PullConsumer = bus
        .jetstream()
        .get_consumer_from_stream::<pull::Config, _, _>(NAME, stream)
        .await
        .with_context(|| format!("cannot look up the index's consumer on {stream}"))?;
    Ok(is_past(consumer.cached_info(), sequence))
}

/// Acknowledged up to there, or nothing left at all: the floor does not move over messages that
/// the consumer does not read.
fn is_past(info: &Info, sequence: u64) -> bool {
    let nothing_left = info.num_pending == 0 && info.num_ack_pending == 0;
    nothing_left || info.ack_floor.stream_sequence >= sequence
}

/// Waits until the index knows everything that is in the streams now. None at the stop.
pub(crate) async fn index_ends(
    bus: &Bus,
    lifecycle: &Lifecycle,
) -> anyhow::Result<Option<Vec<End>>> {
    let mut ends = Vec::new();
    for stream in indexed_streams() {
        let last = last(bus, stream).await?;
        while !is_indexed_to(bus, stream.name, last).await? {
            if !lifecycle.pause(INDEX_POLL).await {
                return Ok(None);
            }
        }
        ends.push((stream, last));
    }
    Ok(Some(ends))
}

/// The streams that the index reads.
pub(crate) fn indexed_streams() -> Vec<&'static envelope::Stream> {
    let mut streams: Vec<&'static envelope::Stream> = Vec::new();
    for contract in consumed_by(NAME) {
        if !streams
            .iter()
            .any(|known| known.name == contract.stream.name)
        {
            streams.push(contract.stream);
        }
    }
    streams
}

async fn handle(bus: &Bus, stream: &str) -> anyhow::Result<Stream<()>> {
    bus.jetstream()
        .get_stream_no_info(stream)
        .await
        .with_context(|| format!("cannot reach the stream {stream}"))
}

fn found(
    outcome: Result<StreamMessage, RawMessageError>,
) -> Result<Option<StreamMessage>, RawMessageError> {
    match outcome {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_reads_all_streams_but_the_dead_letters() {
        let read: Vec<_> = indexed_streams().iter().map(|stream| stream.name).collect();
        for stream in envelope::STREAMS {
            assert_eq!(
                read.contains(&stream.name),
                stream.name != "DEAD",
                "{}",
                stream.name
            );
        }
    }
}
