//! Who still reads an old major of an event only: while somebody does, its producer publishes that
//! one too.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::consumer::Info;
use envelope::catalogue::{DEPRECATED, Deprecation};
use futures::TryStreamExt as _;

use super::Bus;
use super::streams::retirement;
use crate::lifecycle::Lifecycle;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Which old majors somebody reads; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct OldReaders {
    /// By name, e.g. `rate.update@1`: declared by whoever runs the deployment.
    declared: Arc<HashSet<String>>,
    seen: Arc<Mutex<HashSet<String>>>,
}

impl OldReaders {
    /// Some are known to read an old major, though the broker may not show them now.
    pub fn declared(names: impl IntoIterator<Item = String>) -> Self {
        Self {
            declared: Arc::new(names.into_iter().collect()),
            seen: Arc::default(),
        }
    }

    /// Whether somebody reads this old major.
    pub fn read(&self, old: &Deprecation) -> bool {
        let name = old.name();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.declared.contains(&name) || seen.contains(&name)
    }

    fn note(&self, old: &Deprecation, is_read: bool) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if is_read {
            seen.insert(old.name())
        } else {
            seen.remove(&old.name())
        }
    }
}

/// The consumers at the broker that get an old major of an event and no newer one.
pub async fn seen(bus: &Bus, old: &Deprecation) -> anyhow::Result<Vec<String>> {
    let Some(stream) = old.stream() else {
        return Ok(Vec::new());
    };
    let stream = bus.jetstream().get_stream(stream.name).await;
    let stream = stream.with_context(|| format!("cannot look up the readers of {}", old.name()))?;
    // Whoever comes after that finds what was published before.
    if retirement::is_retired(&stream.cached_info().config, old) {
        return Ok(Vec::new());
    }
    let all: Vec<Info> = stream
        .consumers()
        .try_collect()
        .await
        .with_context(|| format!("cannot list the readers of {}", old.name()))?;
    let old_ones = all.into_iter().filter(|info| {
        let config = &info.config;
        let mut filters = config.filter_subjects.clone();
        if !config.filter_subject.is_empty() {
            filters.push(config.filter_subject.clone());
        }
        old.is_all_that_pass(&filters)
    });
    Ok(old_ones.map(|info| info.name).collect())
}

/// Looks for readers of the old majors of a producer's events, until the stop.
pub async fn watch(
    bus: Bus,
    producer: String,
    readers: OldReaders,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let of_producer = |old: &&&Deprecation| {
        envelope::versions(old.entity, old.kind)
            .any(|contract| contract.producer.service == producer)
    };
    let ours: Vec<&Deprecation> = DEPRECATED.iter().filter(of_producer).copied().collect();
    if ours.is_empty() {
        return Ok(());
    }
    loop {
        for old in &ours {
            // While the broker does not tell, what was known stays.
            if let Ok(names) = seen(&bus, old).await
                && readers.note(old, !names.is_empty())
            {
                let (name, is_read) = (old.name(), !names.is_empty());
                tracing::info!(event = name, is_read, "readers of an old version changed");
            }
        }
        if !lifecycle.pause(LOOK_EVERY).await {
            return Ok(());
        }
    }
}
