//! Events that tell of a newer state of what another event began with. Whatever answers either of them gives the same answer,
//! so its id follows from the one that it began with, and nothing is answered twice.

use crate::{Decoded, EventId};

/// The names of such events, and where in their data the event stands that it began with.
const CONTINUED: &[(&str, &str)] = &[("tick.update", "/tick/id")];

/// Whether events whose subjects begin so, such as `tick.update.v1`, go on with another.
pub fn is_continued(kind: &str) -> bool {
    let mut names = CONTINUED.iter();
    names.any(|(name, _)| {
        kind.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

impl Decoded {
    /// The event that answers follow from: the one that this goes on with, or else this one.
    pub fn answered_as(&self) -> EventId {
        let name = self.contract.name();
        let mut pointers = CONTINUED.iter().filter(|(other, _)| *other == name);
        let first = pointers.next().and_then(|(_, pointer)| {
            let id = self.envelope.data.pointer(pointer)?.as_str()?;
            id.parse().ok()
        });
        first.unwrap_or(self.envelope.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue, decode};

    fn decoded(contract: &crate::Contract) -> Decoded {
        let sample = (contract.sample)();
        let key = sample["data"]["user"]["id"].as_str().unwrap();
        let subject = contract.subject(key.parse().unwrap());
        decode(&subject, sample.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_corrected_tick_is_answered_as_the_tick() {
        let (new, update) = (&catalogue::tick::NEW_V1_1, &catalogue::tick::UPDATE_V1_0);
        let tick = decoded(new).envelope.id;
        assert_eq!(decoded(new).answered_as(), tick);
        assert_eq!(decoded(update).answered_as(), tick);
        assert_ne!(decoded(update).envelope.id, tick);
    }

    #[test]
    fn only_whole_names_count() {
        assert!(is_continued("tick.update.v1"));
        assert!(!is_continued("tick.updated.v1") && !is_continued("tick.new.v1"));
    }
}
