//! Streams as the catalogue declares them: created when missing, compared field by field.

pub mod differences;
pub mod erasable;
pub mod replicas;
pub mod retirement;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind,
};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use envelope::catalogue::{RETURNED, RETURNED_BY};
use envelope::{CATALOGUE, Contract, STREAMS, Stream};
use futures::TryStreamExt as _;

use super::Bus;
use crate::lifecycle::Lifecycle;

/// What a deployment may set about streams.
#[derive(Clone, Debug, Default)]
pub struct StreamSettings {
    /// Shorter lives by stream name, for tests.
    pub retention: BTreeMap<String, Duration>,
    /// How long the broker itself refuses a message id that it has seen.
    pub duplicate_window: Duration,
    /// How many servers keep a copy.
    pub replicas: usize,
}

/// The streams that a producer's events are in.
pub(crate) fn streams_of(producer: &str) -> Vec<&'static Stream> {
    let is_in = |stream: &Stream, contract: &Contract| {
        contract.stream.name == stream.name && contract.is_published_by(producer)
    };
    let streams = STREAMS.iter().copied();
    let streams = streams.filter(|stream| CATALOGUE.iter().any(|one| is_in(stream, one)));
    streams.collect()
}

/// The streams that a producer may have sent something to: its own, and those whose events it
/// publishes for somebody who comes from another instance.
pub(crate) fn streams_sent_to(producer: &str) -> Vec<&'static Stream> {
    let mut streams = streams_of(producer);
    if producer == RETURNED_BY {
        streams.extend(RETURNED);
    }
    streams
}

/// How long a broker may take until it can answer.
const PATIENCE: Duration = Duration::from_mins(1);
const ASK_AGAIN: Duration = Duration::from_millis(250);

const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOKS_UNTIL_MADE: u32 = 3;

/// What to do when a stream of the broker is not as the catalogue says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDrift {
    /// Change the stream.
    Update,
    /// Stop with an error.
    Refuse,
}

/// Creates or checks all streams. Waits a while for a broker that cannot answer yet.
pub async fn ensure(bus: &Bus, settings: &StreamSettings, on_drift: OnDrift) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    for stream in STREAMS {
        loop {
            let ensured = ensure_one(bus, stream, config(stream, settings), on_drift).await;
            let Err(error) = ensured else { break };
            if !is_passing(&error) || tokio::time::Instant::now() >= deadline {
                return Err(error.context(format!("stream {}", stream.name)));
            }
            tracing::warn!(
                stream = stream.name,
                error = format!("{error:#}"),
                "the broker cannot say yet whether it has a stream; asking again"
            );
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
    Ok(())
}

/// Whether a broker may be able to answer a moment later: a cluster that chooses who leads does not.
fn is_passing(error: &anyhow::Error) -> bool {
    if let Some(error) = error.downcast_ref::<GetStreamError>() {
        return match error.kind() {
            GetStreamErrorKind::Request => true,
            GetStreamErrorKind::JetStream(inner) => inner.code() == UNAVAILABLE,
            _ => false,
        };
    }
    let error = error.downcast_ref::<CreateStreamError>();
    error.is_some_and(|error| match error.kind() {
        CreateStreamErrorKind::TimedOut | CreateStreamErrorKind::JetStreamUnavailable => true,
        CreateStreamErrorKind::JetStream(inner) => inner.code() == UNAVAILABLE,
        _ => false,
    })
}

/// Makes streams anew that somebody deleted, until the process stops. A server that is just
/// starting does not know its streams yet, and making one would delete what it is about to open:
/// so a stream has to be missing for a while on one connection.
pub async fn supervise(
    bus: Bus,
    settings: StreamSettings,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let mut connections = bus.connections();
    let mut missing = 0;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = connections.changed() => missing = 0,
            () = lifecycle.stopped() => {
                bus.close().await;
                return Ok(());
            }
        }
        match are_missing(&bus).await {
            Ok(true) => missing += 1,
            Ok(false) | Err(_) => missing = 0,
        }
        if missing >= LOOKS_UNTIL_MADE {
            tracing::warn!("a stream is gone; making it anew");
            if let Err(error) = ensure(&bus, &settings, OnDrift::Refuse).await {
                tracing::error!(
                    error = format!("{error:#}"),
                    "a stream is gone and cannot be made"
                );
            }
            missing = 0;
        }
    }
}

async fn are_missing(bus: &Bus) -> anyhow::Result<bool> {
    let names: Vec<String> = bus.jetstream().stream_names().try_collect().await?;
    Ok(STREAMS
        .iter()
        .any(|declared| !names.iter().any(|name| name == declared.name)))
}

async fn ensure_one(
    bus: &Bus,
    declared: &Stream,
    mut wanted: Config,
    on_drift: OnDrift,
) -> anyhow::Result<()> {
    let found = match bus.jetstream().get_stream(&wanted.name).await {
        Ok(stream) => {
            let found = stream.cached_info().config.clone();
            if declared.personal {
                erasable::check(&stream, &found).await?;
            }
            found
        }
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(inner) if inner.error_code().0 == NOT_FOUND => bus
                .jetstream()
                .create_stream(wanted.clone())
                .await?
                .cached_info()
                .config
                .clone(),
            _ => return Err(anyhow::Error::from(error).context("cannot be looked up")),
        },
    };
    // What was retired at this broker stays so.
    retirement::keep(&found, &mut wanted);
    replicas::keep(&found, &mut wanted);
    let differences = drift(&wanted, &found);
    if differences.is_empty() {
        return Ok(());
    }
    if on_drift == OnDrift::Refuse {
        bail!(
            "differs from the catalogue: {}; run once with --update-streams",
            differences.join("; ")
        );
    }
    let updated = bus
        .jetstream()
        .update_stream(&wanted)
        .await
        .with_context(|| {
            format!(
                "differs from the catalogue and cannot be changed: {}",
                differences.join("; ")
            )
        })?;
    let left = drift(&wanted, &updated.config);
    if !left.is_empty() {
        bail!(
            "still differs from the catalogue after an update: {}",
            left.join("; ")
        );
    }
    tracing::info!(
        stream = wanted.name,
        changes = differences.join("; "),
        "updated a stream"
    );
    Ok(())
}

/// JetStream's error code for a stream that does not exist.
const NOT_FOUND: u64 = 10059;

/// The kind of JetStream's errors that pass, as in HTTP: no leader, no peers yet.
const UNAVAILABLE: usize = 503;

/// The settings of a stream: events are kept by age only,
/// a full stream refuses instead of forgetting, and single messages can be deleted for erasure.
pub fn config(stream: &Stream, settings: &StreamSettings) -> Config {
    let max_age = settings
        .retention
        .get(stream.name)
        .copied()
        .or(stream.retention)
        .unwrap_or_default();
    let window = settings.duplicate_window;
    Config {
        name: stream.name.to_owned(),
        description: Some(stream.description.to_owned()),
        subjects: vec![format!("{}.>", stream.entity)],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_age,
        max_bytes: stream.max_bytes,
        max_message_size: stream.max_message_size,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: settings.replicas.max(1),
        // The broker refuses a window that is longer than the life of the messages.
        duplicate_window: if max_age.is_zero() {
            window
        } else {
            window.min(max_age)
        },
        allow_direct: true,
        allow_atomic_publish: true,
        deny_delete: false,
        deny_purge: false,
        ..Config::default()
    }
}

/// The fields in which a stream differs from what was wanted.
fn drift(wanted: &Config, found: &Config) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |field: &str, wanted: String, found: String| {
        if wanted != found {
            differences.push(format!("{field} is {found}, should be {wanted}"));
        }
    };
    macro_rules! fields {
        ($($field:ident),+) => {
            $(compare(stringify!($field), format!("{:?}", wanted.$field), format!("{:?}", found.$field));)+
        };
    }
    fields!(
        subjects,
        retention,
        storage,
        discard,
        discard_new_per_subject,
        max_age,
        max_bytes,
        max_message_size,
        max_messages,
        max_messages_per_subject,
        num_replicas,
        duplicate_window,
        allow_direct,
        allow_atomic_publish,
        allow_message_schedules,
        allow_rollup,
        deny_delete,
        deny_purge,
        sealed,
        no_ack,
        mirror,
        sources,
        republish,
        subject_transform
    );
    let compression = format!("{:?}", found.compression);
    compare(
        "compression",
        "none".to_owned(),
        if compression.contains("S2") {
            "s2".to_owned()
        } else {
            "none".to_owned()
        },
    );
    compare(
        "persist_mode",
        "default".to_owned(),
        if format!("{:?}", found.persist_mode).contains("Async") {
            "async".to_owned()
        } else {
            "default".to_owned()
        },
    );
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> StreamSettings {
        StreamSettings {
            duplicate_window: Duration::from_mins(2),
            ..StreamSettings::default()
        }
    }

    #[test]
    fn user_events_live_for_thirty_days() {
        let stream = envelope::stream("USER").unwrap();
        assert_eq!(
            config(stream, &settings()).max_age,
            Duration::from_hours(30 * 24)
        );
    }

    #[test]
    fn a_shortened_life_shortens_the_duplicate_window() {
        let mut settings = settings();
        settings
            .retention
            .insert("USER".to_owned(), Duration::from_secs(5));
        let config = config(envelope::stream("USER").unwrap(), &settings);
        assert_eq!(
            (config.max_age, config.duplicate_window),
            (Duration::from_secs(5), Duration::from_secs(5))
        );
    }

    #[test]
    fn drift_names_the_field_and_both_values() {
        let wanted = config(envelope::stream("TICK").unwrap(), &settings());
        let found = Config {
            deny_delete: true,
            ..wanted.clone()
        };
        assert_eq!(
            drift(&wanted, &found),
            ["deny_delete is true, should be false"]
        );
        assert!(drift(&wanted, &wanted).is_empty());
    }
}
