//! Ratings are the same in whichever version they come.

use std::collections::BTreeMap;

use envelope::rate::{Rated, v1_0, v2_0};
use envelope::{EventId, Metadata, Outgoing, decode, seal};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use crate::any;

fn read(outgoing: &Outgoing) -> Rated {
    decode(&outgoing.subject, outgoing.body.as_bytes())
        .unwrap()
        .read()
        .unwrap()
}

fn sealed(update: &v2_0::Update, place: usize, old: bool) -> Outgoing {
    let id = EventId(Uuid::from_u128(place as u128));
    let metadata = Metadata::new("services/TickAPI", chrono::DateTime::UNIX_EPOCH);
    if old {
        seal(id, metadata, &v1_0::Update::from(update.clone())).unwrap()
    } else {
        seal(id, metadata, update).unwrap()
    }
}

proptest! {
    #[test]
    fn any_mix_of_versions_reads_to_the_same_ratings(updates in vec((any::rating(), any::<bool>()), 1..12)) {
        let mut mixed = BTreeMap::new();
        let mut newest = BTreeMap::new();
        for (place, (update, old)) in updates.iter().enumerate() {
            let rated = read(&sealed(update, place, *old));
            prop_assert_eq!(rated.owner.is_none(), *old);
            mixed.insert((rated.user, rated.image), rated.rating);
            let rated = read(&sealed(update, place, false));
            prop_assert_eq!(rated.owner, Some(update.image.owner));
            newest.insert((rated.user, rated.image), rated.rating);
        }
        prop_assert_eq!(mixed, newest);
    }

    #[test]
    fn a_rating_published_in_both_versions_is_one_event_for_readers(update in any::rating()) {
        let (old, new) = (sealed(&update, 1, true), sealed(&update, 1, false));
        prop_assert_eq!(old.id, new.id);
        prop_assert_eq!(read(&old), Rated { owner: None, ..read(&new) });
    }
}
