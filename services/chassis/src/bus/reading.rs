//! Reading a stream message by message: no consumer is made for it, so whoever reads needs no permission to make one.

use anyhow::Context as _;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};
use futures::{Stream as Messages, StreamExt as _, stream};

const LOOKS_AT_ONCE: usize = 64;

/// The messages at these sequences, in that order; what was deleted or is too old is left out.
pub(crate) fn messages(
    from: &Stream,
    sequences: impl Iterator<Item = u64>,
) -> impl Messages<Item = anyhow::Result<StreamMessage>> {
    let looks = sequences.map(move |sequence| async move {
        match from.direct_get(sequence).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("cannot read a message"),
        }
    });
    let looked = stream::iter(looks).buffered(LOOKS_AT_ONCE);
    looked.filter_map(|found| std::future::ready(found.transpose()))
}
