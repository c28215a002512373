//! The copies of a stream in a cluster. A server that was away while messages were overwritten, and is brought up to date by
//! a snapshot, keeps their bytes for good and says that it is current. So who overwrites looks first whether all are
//! there, and has the copies of a server that was away made anew.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{ClusterInfo, Config, Info, PeerInfo};
use envelope::STREAMS;
use serde::Deserialize;
use tokio::time::Instant;

use crate::bus::Bus;

/// In a stream's metadata while its copies are made anew: how many there are to be.
const MAKING: &str = "dipper-replicas";
/// Servers of a cluster hear of each other every second; a dead one is called current for ten.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(100);
/// The largest streams take a while to be copied.
const COPIED_WITHIN: Duration = Duration::from_mins(10);

/// Who keeps copies of the streams with personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Whether there are several of any stream.
    pub are_several: bool,
    /// The servers that have one and are not up to date.
    pub away: BTreeSet<String>,
}

impl Copies {
    fn add(&mut self, cluster: &ClusterInfo, heard_within: Duration) {
        self.are_several |= !cluster.replicas.is_empty();
        let copies = cluster.replicas.iter();
        let away = copies.filter(|copy| !is_here(copy, heard_within));
        self.away.extend(away.map(|copy| copy.name.clone()));
    }
}

fn is_here(copy: &PeerInfo, heard_within: Duration) -> bool {
    copy.current && !copy.offline && copy.active < heard_within
}

/// Looks who is there.
pub async fn look(bus: &Bus) -> anyhow::Result<Copies> {
    look_within(bus, HEARD_WITHIN).await
}

/// Looks who is heard of from now on: they have what was done before.
pub async fn look_from_now(bus: &Bus) -> anyhow::Result<Copies> {
    let began = Instant::now();
    loop {
        let copies = look_within(bus, began.elapsed()).await?;
        if copies.away.is_empty() || began.elapsed() > HEARD_WITHIN {
            return Ok(copies);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn look_within(bus: &Bus, heard_within: Duration) -> anyhow::Result<Copies> {
    let mut copies = Copies::default();
    for stream in STREAMS.iter().filter(|stream| stream.personal) {
        if let Some(cluster) = info(bus, stream.name).await?.cluster {
            copies.add(&cluster, heard_within);
        }
    }
    Ok(copies)
}

/// Makes the copies of all streams with personal data anew from one that is not on these servers:
/// for a moment that is the only one.
pub async fn make_anew(bus: &Bus, away: &BTreeSet<String>) -> anyhow::Result<()> {
    for stream in STREAMS.iter().filter(|stream| stream.personal) {
        let name = stream.name;
        let making = make_stream_anew(bus, name, away);
        making
            .await
            .with_context(|| format!("the copies of the stream {name} are not made anew yet"))?;
    }
    Ok(())
}

async fn make_stream_anew(bus: &Bus, stream: &str, away: &BTreeSet<String>) -> anyhow::Result<()> {
    let config = info(bus, stream).await?.config;
    let wanted = wanted(&config);
    if wanted < 2 {
        return Ok(());
    }
    if config.num_replicas > 1 {
        leave_leader(bus, stream, away).await?;
        let mut alone = config;
        let metadata = &mut alone.metadata;
        metadata.insert(MAKING.to_owned(), wanted.to_string());
        set_replicas(bus, alone, 1).await?;
    }
    until(bus, stream, |cluster| {
        cluster.leader.is_some() && cluster.replicas.is_empty()
    })
    .await?;
    let mut all = info(bus, stream).await?.config;
    all.metadata.remove(MAKING);
    set_replicas(bus, all, wanted).await?;
    until(bus, stream, |cluster| {
        cluster.replicas.len() + 1 == wanted
            && cluster
                .replicas
                .iter()
                .all(|copy| is_here(copy, HEARD_WITHIN))
    })
    .await
}

/// How many copies a stream is to have, also while they are made anew.
fn wanted(config: &Config) -> usize {
    let noted = config.metadata.get(MAKING);
    let noted = noted.and_then(|text| text.parse().ok());
    noted.unwrap_or(config.num_replicas)
}

/// Whoever was killed while copies are made anew goes on with it: it is no drift.
pub(super) fn keep(found: &Config, wanted: &mut Config) {
    if let Some(noted) = found.metadata.get(MAKING) {
        wanted.num_replicas = found.num_replicas;
        let metadata = &mut wanted.metadata;
        metadata.insert(MAKING.to_owned(), noted.clone());
    }
}

async fn set_replicas(bus: &Bus, mut config: Config, number: usize) -> anyhow::Result<()> {
    config.num_replicas = number;
    let updating = bus.jetstream().update_stream(&config);
    updating
        .await
        .with_context(|| format!("it cannot be given {number} copies"))?;
    Ok(())
}

/// The copy that stays is the leader's.
async fn leave_leader(bus: &Bus, stream: &str, away: &BTreeSet<String>) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Done {}
    let began = Instant::now();
    loop {
        let leader = info(bus, stream)
            .await?
            .cluster
            .and_then(|cluster| cluster.leader);
        match leader {
            Some(leader) if !away.contains(&leader) => return Ok(()),
            Some(_) => {
                let subject = format!("STREAM.LEADER.STEPDOWN.{stream}");
                let nothing = HashMap::<String, String>::new();
                let asked: Response<Done> = bus.jetstream().request(subject, &nothing).await?;
                if let Response::Err { error } = asked {
                    bail!("its leader does not step down: {error}");
                }
            }
            None => {}
        }
        patience(began)?;
        tokio::time::sleep(POLL).await;
    }
}

async fn until(
    bus: &Bus,
    stream: &str,
    is_so: impl Fn(&ClusterInfo) -> bool,
) -> anyhow::Result<()> {
    let began = Instant::now();
    // While it changes, nobody may answer for it.
    while !info(bus, stream)
        .await
        .is_ok_and(|info| info.cluster.as_ref().is_some_and(&is_so))
    {
        patience(began)?;
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

fn patience(began: Instant) -> anyhow::Result<()> {
    if began.elapsed() > COPIED_WITHIN {
        bail!(
            "the servers do not agree on it within {} minutes",
            COPIED_WITHIN.as_secs() / 60
        );
    }
    Ok(())
}

async fn info(bus: &Bus, stream: &str) -> anyhow::Result<Info> {
    let handle = bus.jetstream().get_stream(stream).await;
    let handle = handle.with_context(|| format!("nobody answers for the stream {stream}"))?;
    Ok(handle.cached_info().clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn copy(current: bool, seconds_ago: u64, offline: bool) -> PeerInfo {
        let told = json!({
            "name": "one", "current": current, "active": seconds_ago * 1_000_000_000, "offline": offline,
        });
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn a_copy_is_here_that_was_heard_of_lately() {
        assert!(is_here(&copy(true, 1, false), HEARD_WITHIN));
        assert!(!is_here(&copy(false, 1, false), HEARD_WITHIN), "it lags");
        assert!(!is_here(&copy(true, 1, true), HEARD_WITHIN));
        assert!(
            !is_here(&copy(true, 4, false), HEARD_WITHIN),
            "its end is not noticed yet"
        );
    }

    #[test]
    fn copies_that_are_made_anew_are_no_drift() {
        let mut wanted = Config {
            num_replicas: 3,
            ..Config::default()
        };
        let mut found = wanted.clone();
        keep(&found, &mut wanted);
        assert_eq!(wanted, found);
        found.num_replicas = 1;
        found.metadata.insert(MAKING.to_owned(), "3".to_owned());
        keep(&found, &mut wanted);
        assert_eq!(wanted, found);
        assert_eq!(super::wanted(&found), 3);
    }
}
