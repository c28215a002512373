//! How rows of the outbox get to their streams: many together, and where a stream does not take them so, a key's one after
//! the other.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};

use super::redrive::Incarnations;
use crate::bus::Bus;
use crate::bus::together::{Message, NotTogether};
use crate::fault;

/// How many keys are published side by side; within a key one message at a time.
const KEYS_IN_FLIGHT: usize = 256;
/// Fewer than these are sooner there one by one.
const WORTH_A_BATCH: usize = 2;

/// A row that no stream has acknowledged yet.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Unsent {
    pub position: i64,
    pub subject: String,
    pub message_id: String,
    pub body: String,
}

impl Unsent {
    fn message(&self) -> Message<'_> {
        Message {
            subject: &self.subject,
            id: &self.message_id,
            body: &self.body,
        }
    }
}

/// Position, sequence in the stream, and when that stream was made.
pub(super) type Sent = (i64, u64, i64);

/// What became of rows.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub sent: Vec<Sent>,
    /// Why the others wait.
    pub stuck: Option<String>,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.sent.extend(other.sent);
        self.stuck = self.stuck.take().or(other.stuck);
    }
}

/// Publishes rows, which are in the order of their positions: so those of a key stay in their order.
pub(super) async fn publish(bus: &Bus, rows: Vec<Unsent>, incarnations: &Incarnations) -> Outcome {
    let mut outcome = Outcome::default();
    for rows in by_entity(rows) {
        outcome.add(publish_to_stream(bus, rows, incarnations).await);
    }
    outcome
}

async fn publish_to_stream(bus: &Bus, rows: Vec<Unsent>, incarnations: &Incarnations) -> Outcome {
    if rows.len() < WORTH_A_BATCH || !goes_together() {
        return publish_by_key(bus, rows, incarnations).await;
    }
    match publish_together(bus, &rows, incarnations).await {
        Ok(sent) => Outcome { sent, stuck: None },
        // It has one of them, say: a stream takes all of a batch or nothing.
        Err(NotTogether::Refused(why)) => {
            tracing::debug!(why, "publishing events one by one");
            publish_by_key(bus, rows, incarnations).await
        }
        Err(unknown) => Outcome {
            sent: Vec::new(),
            stuck: Some(unknown.to_string()),
        },
    }
}

/// What these mistakes are made of is one message at a time.
fn goes_together() -> bool {
    let alone = ["no-order", "new-id-on-retry", "sent-before-ack"];
    !alone.into_iter().any(fault::is)
}

async fn publish_together(
    bus: &Bus,
    rows: &[Unsent],
    incarnations: &Incarnations,
) -> Result<Vec<Sent>, NotTogether> {
    // Known before: if the stream is made anew meanwhile, the events are published once more.
    let made = rows.first().map_or(0, |row| incarnations.of(&row.subject));
    let messages: Vec<_> = rows.iter().map(Unsent::message).collect();
    let last = bus.publish_together(&messages).await?;
    // They lie one after the other.
    let backwards = rows.iter().rev().zip((0..=last).rev());
    Ok(backwards
        .map(|(row, sequence)| (row.position, sequence, made))
        .collect())
}

async fn publish_by_key(bus: &Bus, rows: Vec<Unsent>, incarnations: &Incarnations) -> Outcome {
    stream::iter(by_key(rows))
        .map(|rows| publish_in_order(bus, rows, incarnations))
        .buffer_unordered(KEYS_IN_FLIGHT)
        .fold(Outcome::default(), |mut all, one| async {
            all.add(one);
            all
        })
        .await
}

/// One message in flight: what follows a message of the same key never overtakes it.
async fn publish_in_order(
    bus: &Bus,
    mut rows: Vec<Unsent>,
    incarnations: &Incarnations,
) -> Outcome {
    let mut outcome = Outcome::default();
    if fault::is("no-order") {
        rows.reverse();
    }
    for row in rows {
        let Unsent {
            position,
            subject,
            message_id,
            body,
        } = row;
        // Known before, as above.
        let made = incarnations.of(&subject);
        if fault::is("new-id-on-retry") {
            let (message_id, body) = fault::with_another_id(&body);
            let _ = bus.publish(subject.clone(), &message_id, body.into()).await;
        }
        if fault::is("sent-before-ack") {
            let _ = bus.client().publish(subject, body.into()).await;
            outcome.sent.push((position, 0, made));
            continue;
        }
        match bus.publish(subject, &message_id, body.into()).await {
            Ok(sequence) => outcome.sent.push((position, sequence, made)),
            Err(error) => {
                outcome.stuck = Some(error.to_string());
                break;
            }
        }
    }
    outcome
}

/// The rows of each stream, in order: all events of an entity are in one.
fn by_entity(rows: Vec<Unsent>) -> impl Iterator<Item = Vec<Unsent>> {
    grouped(rows, |subject| subject.split('.').next())
}

/// The rows of each key, in order.
fn by_key(rows: Vec<Unsent>) -> impl Iterator<Item = Vec<Unsent>> {
    grouped(rows, |subject| subject.rsplit('.').next())
}

fn grouped(rows: Vec<Unsent>, part: fn(&str) -> Option<&str>) -> impl Iterator<Item = Vec<Unsent>> {
    let mut groups: BTreeMap<String, Vec<Unsent>> = BTreeMap::new();
    for row in rows {
        let name = part(&row.subject).unwrap_or_default().to_owned();
        groups.entry(name).or_default().push(row);
    }
    groups.into_values()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Unsent> {
        let row = |position: i64, subject: &str| Unsent {
            position,
            subject: subject.to_owned(),
            message_id: String::new(),
            body: String::new(),
        };
        vec![
            row(1, "tick.new.v1.a"),
            row(2, "tick.new.v1.b"),
            row(3, "rate.update.v2.a"),
            row(4, "tick.delete.v1.a"),
        ]
    }

    fn positions(groups: impl IntoIterator<Item = Vec<Unsent>>) -> Vec<Vec<i64>> {
        let positions = |group: Vec<Unsent>| group.iter().map(|row| row.position).collect();
        groups.into_iter().map(positions).collect()
    }

    #[test]
    fn rows_of_one_key_stay_in_order_and_together() {
        assert_eq!(positions(by_key(rows())), [vec![1, 3, 4], vec![2]]);
    }

    #[test]
    fn rows_of_one_stream_stay_in_order_and_together() {
        assert_eq!(positions(by_entity(rows())), [vec![3], vec![1, 2, 4]]);
    }
}
