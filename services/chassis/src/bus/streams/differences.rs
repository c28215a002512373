//! In what the streams at a broker are not as the catalogue says; looked at only.

use anyhow::Context as _;
use envelope::STREAMS;
use futures::TryStreamExt as _;

use super::{Bus, StreamSettings, config, drift, erasable, replicas, retirement};

/// How a stream at the broker is, beside what the catalogue says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// As declared.
    AsDeclared,
    /// Not there: the next start makes it.
    Missing,
    /// Other in these fields.
    Differs(Vec<String>),
    /// It would keep what is erased, for this reason.
    Unerasable(String),
}

/// Looks at every stream of the catalogue, and changes none.
pub async fn look(
    bus: &Bus,
    settings: &StreamSettings,
) -> anyhow::Result<Vec<(&'static str, Found)>> {
    let names: Vec<String> = bus.jetstream().stream_names().try_collect().await?;
    let mut all = Vec::with_capacity(STREAMS.len());
    for declared in STREAMS {
        if !names.iter().any(|name| name == declared.name) {
            all.push((declared.name, Found::Missing));
            continue;
        }
        let stream = bus.jetstream().get_stream(declared.name).await;
        let stream = stream.with_context(|| format!("cannot look up {}", declared.name))?;
        let found = stream.cached_info().config.clone();
        if declared.personal
            && let Err(error) = erasable::check(&stream, &found).await
        {
            all.push((declared.name, Found::Unerasable(format!("{error:#}"))));
            continue;
        }
        let mut wanted = config(declared, settings);
        retirement::keep(&found, &mut wanted);
        replicas::keep(&found, &mut wanted);
        let differences = drift(&wanted, &found);
        let is_same = differences.is_empty();
        let state = if is_same {
            Found::AsDeclared
        } else {
            Found::Differs(differences)
        };
        all.push((declared.name, state));
    }
    Ok(all)
}
