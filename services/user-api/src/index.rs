//! Keeping the subject index: every event is noted under each person and image that it names,
//! or handed to the guard when one of them is erased.

use std::collections::HashSet;

use chassis::consumers::Failure;
use chassis::unit_of_work::Work;
use envelope::Decoded;
use uuid::Uuid;

use crate::corrections::{self, Ticked, ticked};
use crate::store::{self, Place};

/// An event and where it lies.
pub(crate) struct Found<'a> {
    /// The event.
    pub decoded: &'a Decoded,
    /// Where it lies.
    pub place: Place,
}

/// What an event says to the index.
struct Entry<'a> {
    place: &'a Place,
    people: HashSet<Uuid>,
    ticked: Option<Ticked>,
}

impl Found<'_> {
    fn read(&self) -> Result<Entry<'_>, Failure> {
        Ok(Entry {
            place: &self.place,
            people: self.decoded.people().iter().map(|named| named.id).collect(),
            ticked: ticked(self.decoded)?,
        })
    }
}

/// What of the events that were noted has to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    /// How many name an erased person and will be deleted.
    pub late: usize,
    /// Whether some of them take the place of others.
    pub are_corrected: bool,
}

/// Notes events.
pub(crate) async fn record(work: &mut Work, found: &[Found<'_>]) -> Result<Recorded, Failure> {
    let entries: Vec<Entry<'_>> = found.iter().map(Found::read).collect::<Result<_, _>>()?;
    let people: HashSet<Uuid> = entries
        .iter()
        .flat_map(|entry| &entry.people)
        .copied()
        .collect();
    let people: Vec<Uuid> = people.into_iter().collect();
    let erased = work.erased_among(&people).await?;
    let (late, known): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|entry| !entry.people.is_disjoint(&erased));
    store::index::insert(work, &named(&known)).await?;
    store::index::insert_owners(work, &owners(&known)).await?;
    let told = known.iter().filter_map(|entry| entry.ticked.as_ref());
    let are_corrected = corrections::note(work, told).await?;
    for entry in &late {
        store::late::insert(work, entry.place).await?;
        let ticked = entry.ticked.as_ref();
        if let Some(ticked) = ticked.filter(|ticked| erased.contains(&ticked.user)) {
            fence_late_image(work, ticked).await?;
        }
    }
    let late = late.len();
    Ok(Recorded {
        late,
        are_corrected,
    })
}

fn named<'a>(entries: &[Entry<'a>]) -> Vec<(Uuid, &'a Place)> {
    let named = entries.iter().flat_map(|entry| {
        let people = entry.people.iter();
        people.map(|person| (*person, entry.place))
    });
    named.collect()
}

fn owners(entries: &[Entry<'_>]) -> Vec<(Uuid, Uuid)> {
    let ticked = entries.iter().filter_map(|entry| entry.ticked.as_ref());
    ticked.map(|ticked| (ticked.image, ticked.user)).collect()
}

/// When a person was fenced, their tick was on its way and its image unknown: what names the
/// image, before or after, must go as well. Somebody else's image stays theirs.
async fn fence_late_image(work: &mut Work, ticked: &Ticked) -> Result<(), Failure> {
    let owner = store::index::owner(work, ticked.image).await?;
    if owner.is_some_and(|owner| owner != ticked.user) {
        return Ok(());
    }
    work.fence(&[ticked.image]).await?;
    store::index::move_to_late(work, ticked.image).await?;
    store::late::insert_image(work, ticked.image).await?;
    Ok(())
}
