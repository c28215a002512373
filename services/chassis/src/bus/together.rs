//! Atomic batches (nats-server 2.12 and later, ADR-50 of NATS): a stream stores many messages one after the other, or none of
//! them, and acknowledges them once. It costs the broker and the client a third of what as many single messages cost.
//!
//! The client library has no such thing, and `jetstream-extra`, which has, is made for an older version of it.

use async_nats::client::{Request, RequestErrorKind};
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::response::Response;
use async_nats::{HeaderMap, HeaderValue};
use serde::Deserialize;
use uuid::Uuid;

use super::{ANSWER_WITHIN, Bus, BusError, header_value, silence, without_key};
use crate::trace::spans;

/// What tells the server of a batch in a message's headers.
const BATCH: &str = "Nats-Batch-Id";
const PLACE: &str = "Nats-Batch-Sequence";
const COMMIT: &str = "Nats-Batch-Commit";

/// A message that goes together with others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub subject: &'a str,
    /// By which the stream recognises that it has the message.
    pub id: &'a str,
    pub body: &'a str,
}

/// Why messages were not stored together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTogether {
    /// The stream said no, e.g. because it has one of them already. It has stored none.
    #[error("the stream took none of the messages: {0}")]
    Refused(String),
    /// Nobody knows whether the stream has them.
    #[error(transparent)]
    Unknown(#[from] BusError),
}

#[derive(Deserialize)]
struct Stored {
    /// Where the last of them is in the stream.
    seq: u64,
}

impl Bus {
    /// Publishes messages of one stream, in this order and nothing between them. Answers the sequence of the last one. Servers
    /// refuse more than a thousand, unless they are configured otherwise.
    pub(crate) async fn publish_together(
        &self,
        messages: &[Message<'_>],
    ) -> Result<u64, NotTogether> {
        // Unlike any other that is under way; it stays with the messages, so it is short.
        let batch = HeaderValue::from(Uuid::new_v4().as_u64_pair().0);
        let Some((last, others)) = messages.split_last() else {
            return Err(NotTogether::Refused("there are none".to_owned()));
        };
        let public = without_key(last.subject);
        let spans = messages.iter().filter_map(|message| {
            spans::publishing(&self.service, message.subject, message.body.as_bytes())
        });
        let spans: Vec<_> = spans.collect();
        let failed = |why: String| BusError::NotPublished {
            subject: public.clone(),
            why,
        };
        for (message, place) in others.iter().zip(1..) {
            let (subject, body) = (message.subject.to_owned(), message.body.to_owned());
            let headers = headers(message, &batch, place)?;
            let sent = self
                .client
                .publish_with_headers(subject, headers, body.into());
            sent.await
                .map_err(|error| failed(error.kind().to_string()))?;
        }
        let mut headers = headers(last, &batch, messages.len())?;
        headers.insert(COMMIT, HeaderValue::from(1));
        let request = Request::new()
            .headers(headers)
            .payload(last.body.to_owned().into())
            .timeout(Some(ANSWER_WITHIN));
        let answer = self.client.send_request(last.subject.to_owned(), request);
        let answer = answer.await.map_err(|error| {
            if error.kind() == RequestErrorKind::TimedOut && self.is_connected() {
                silence::unanswered(&public);
            }
            failed(error.kind().to_string())
        })?;
        silence::answered(&public);
        match serde_json::from_slice(&answer.payload) {
            Ok(Response::Ok(Stored { seq })) => {
                spans.into_iter().for_each(spans::Span::end);
                Ok(seq)
            }
            Ok(Response::Err { error }) => Err(NotTogether::Refused(error.to_string())),
            Err(error) => Err(failed(error.to_string()).into()),
        }
    }
}

fn headers(
    message: &Message<'_>,
    batch: &HeaderValue,
    place: usize,
) -> Result<HeaderMap, BusError> {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, header_value(message.id)?);
    headers.insert(BATCH, batch.clone());
    headers.insert(PLACE, HeaderValue::from(place));
    Ok(headers)
}
