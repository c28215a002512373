//! Digests: how many events there are, and all their ids under exclusive or. Two that are equal hold
//! the same events; neither the order of the events nor how they came together matters.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use envelope::{Decoded, READERS};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use crate::database::{DatabaseError, Session, Sql};
use crate::sql;
use crate::unit_of_work::{Work, source};

/// Events of so much time share a digest: it is compared when that time is over.
pub(crate) const BUCKET: Duration = Duration::from_secs(10);
/// What is older came late, or is read again from the beginning of a stream: there the inbox is
/// asked, and no digest is kept.
const KEPT: Duration = Duration::from_hours(24);
/// A producer's clock may be ahead by so much.
const AHEAD: Duration = Duration::from_hours(1);

/// `a | b` without what both have is `a` exclusive or `b`, which only one of the databases has.
const RECORD: Sql = Sql {
    sqlite: "INSERT INTO digest (consumer, source, stream, bucket, events, xor_high, xor_low)
             SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 FROM json_each($1) WHERE true
             ON CONFLICT (consumer, source, stream, bucket) DO UPDATE SET events = digest.events + excluded.events,
                 xor_high = (digest.xor_high | excluded.xor_high) - (digest.xor_high & excluded.xor_high),
                 xor_low = (digest.xor_low | excluded.xor_low) - (digest.xor_low & excluded.xor_low)",
    postgres: "INSERT INTO digest (consumer, source, stream, bucket, events, xor_high, xor_low)
               SELECT value->>0, value->>1, value->>2, (value->>3)::bigint, (value->>4)::bigint, (value->>5)::bigint, (value->>6)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value)
               ON CONFLICT (consumer, source, stream, bucket) DO UPDATE SET events = digest.events + excluded.events,
                   xor_high = (digest.xor_high | excluded.xor_high) - (digest.xor_high & excluded.xor_high),
                   xor_low = (digest.xor_low | excluded.xor_low) - (digest.xor_low & excluded.xor_low)",
};
const READ: Sql = Sql {
    sqlite: "SELECT bucket, events, xor_high, xor_low FROM digest
             WHERE consumer = $1 AND source = $2 AND stream = $3 AND bucket IN (SELECT value FROM json_each($4))",
    postgres: "SELECT bucket, events, xor_high, xor_low FROM digest
               WHERE consumer = $1 AND source = $2 AND stream = $3
               AND bucket IN (SELECT value::bigint FROM jsonb_array_elements_text($4::jsonb) AS v(value))",
};
const PRUNE: &str = "DELETE FROM digest WHERE bucket < $1";

/// In which bucket a moment is.
pub(crate) fn bucket_of(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(BUCKET.as_secs().cast_signed())
}

/// How many events, and their ids under exclusive or.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Digest {
    /// How many.
    pub events: i64,
    /// The first half of the ids.
    pub xor_high: i64,
    /// The second half.
    pub xor_low: i64,
}

impl Digest {
    /// Takes one more event in. None may be taken in twice.
    pub fn add(&mut self, event: Uuid) {
        let (high, low) = event.as_u64_pair();
        self.events += 1;
        self.xor_high ^= high.cast_signed();
        self.xor_low ^= low.cast_signed();
    }
}

impl FromIterator<Uuid> for Digest {
    fn from_iter<I: IntoIterator<Item = Uuid>>(events: I) -> Self {
        let mut digest = Self::default();
        for event in events {
            digest.add(event);
        }
        digest
    }
}

/// A digest of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Bucket {
    /// When the events happened.
    pub bucket: i64,
    /// Which they are.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub digest: Digest,
}

/// Adds events that a consumer has just taken into its inbox to its digests, with one statement.
pub(crate) async fn record<'e>(
    work: &mut Work,
    consumer: &str,
    taken: impl IntoIterator<Item = &'e Decoded>,
) -> Result<(), DatabaseError> {
    let today = bucket_of(work.clock().now());
    let worth_keeping = today - buckets(KEPT)..today + buckets(AHEAD);
    let mut seen = HashSet::new();
    let mut digests: BTreeMap<(&str, &str, i64), Digest> = BTreeMap::new();
    for event in taken {
        let envelope = &event.envelope;
        let bucket = bucket_of(envelope.metadata.time);
        let producer = envelope.metadata.source.as_str();
        if worth_keeping.contains(&bucket) && is_ours(producer) && seen.insert(envelope.id) {
            let stream = event.contract.stream.name;
            let digest = digests.entry((producer, stream, bucket)).or_default();
            digest.add(envelope.id.0);
        }
    }
    if digests.is_empty() {
        return Ok(());
    }
    let rows = digests.iter().map(|((producer, stream, bucket), digest)| {
        let Digest {
            events,
            xor_high,
            xor_low,
        } = digest;
        (
            consumer, producer, stream, bucket, events, xor_high, xor_low,
        )
    });
    work.write_rows(RECORD, rows.collect()).await
}

/// Only our services have an outbox to compare with; anybody may write a source.
fn is_ours(name: &str) -> bool {
    static OURS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        READERS
            .iter()
            .map(|reader| source(reader.service))
            .collect()
    });
    OURS.contains(name)
}

/// What a consumer has of a producer's events.
pub(crate) async fn read(
    session: &mut Session,
    consumer: &str,
    (producer, stream): (&str, &str),
    buckets: &[i64],
) -> Result<Vec<Bucket>, DatabaseError> {
    let (text, list) = (READ.text(session.dialect()), json!(buckets).to_string());
    Ok(
        sql!(session, c => sqlx::query_as(text).bind(consumer).bind(producer).bind(stream).bind(&list)
        .fetch_all(c).await)?,
    )
}

/// Deletes digests that nobody asks for any more.
pub(crate) async fn prune(work: &mut Work) -> Result<(), DatabaseError> {
    let before = bucket_of(work.clock().now()) - buckets(KEPT);
    sql!(work, c => sqlx::query(PRUNE).bind(before).execute(c).await.map(drop))?;
    Ok(())
}

fn buckets(length: Duration) -> i64 {
    (length.as_secs() / BUCKET.as_secs()).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids() -> impl Strategy<Value = Vec<Uuid>> {
        let ids = proptest::collection::hash_set(any::<u128>(), 0..60);
        ids.prop_map(|ids| ids.into_iter().map(Uuid::from_u128).collect())
    }

    /// As the databases add digests up.
    fn plus(one: Digest, other: Digest) -> Digest {
        let xor = |a: i64, b: i64| (a | b) - (a & b);
        Digest {
            events: one.events + other.events,
            xor_high: xor(one.xor_high, other.xor_high),
            xor_low: xor(one.xor_low, other.xor_low),
        }
    }

    proptest! {
        #[test]
        fn neither_order_nor_batches_matter(
            ids in ids(),
            order in any::<prop::sample::Index>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole: Digest = ids.iter().copied().collect();
            let mut turned = ids.clone();
            turned.rotate_left(order.index(ids.len() + 1).min(ids.len()));
            let (first, rest) = turned.split_at(cut.index(ids.len() + 1));
            let first: Digest = first.iter().copied().collect();
            let rest: Digest = rest.iter().copied().collect();
            prop_assert_eq!(plus(first, rest), whole);
            prop_assert_eq!(plus(rest, first), whole);
        }

        #[test]
        fn one_event_more_or_another_one_shows(ids in ids(), other in any::<u128>()) {
            let other = Uuid::from_u128(other);
            prop_assume!(!ids.contains(&other));
            let whole: Digest = ids.iter().copied().collect();
            let mut more = whole;
            more.add(other);
            prop_assert_ne!(more, whole);
            if let Some((_, rest)) = ids.split_first() {
                let instead: Digest = rest.iter().copied().chain([other]).collect();
                prop_assert_ne!(instead, whole);
            }
        }
    }

    #[test]
    fn a_moment_before_1970_has_a_bucket_too() {
        let at = |seconds| bucket_of(DateTime::from_timestamp(seconds, 0).unwrap_or_default());
        assert_eq!((at(-1), at(0), at(9), at(10)), (-1, 0, 0, 1));
    }
}
