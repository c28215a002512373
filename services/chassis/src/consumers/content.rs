//! What an event says, as eight bytes: by them a repetition is told from another event under the same id.

use envelope::Decoded;

use crate::keys::PurposeKey;

/// So many bits at the end of a content are the major.
const MAJOR_BITS: u32 = 8;

/// What an event says: a keyed hash of its id, name and data, and its major at the end. Who published it when, and in which
/// minor, is no part of it.
///
/// An id that is derived from another event belongs to an answer, which a later version of its service may give in other words;
/// the first stands. So of those only name and key count.
pub(crate) fn content(key: &PurposeKey, event: &Decoded) -> i64 {
    let id = event.envelope.id.0;
    let is_derived = id.get_version_num() == 5;
    let data = (!is_derived).then(|| event.envelope.data.to_string());
    let data = data.unwrap_or_else(|| event.subject.key.to_string());
    let major = i64::from(event.subject.major) & mask();
    let text = format!("{id} {} {major} {data}", event.contract.name());
    let hash = key.digest(text.as_bytes());
    let hash = hash
        .first_chunk()
        .map_or(0, |first| i64::from_be_bytes(*first));
    hash & !mask() | major
}

/// Whether two contents under one id are of different events. One event may be published in several majors, whose data cannot be
/// compared.
pub(crate) fn are_different(one: i64, other: i64) -> bool {
    one != other && one & mask() == other & mask()
}

const fn mask() -> i64 {
    (1 << MAJOR_BITS) - 1
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use envelope::{
        Event, EventId, ImageId, ImageUrl, Metadata, OwnedImageRef, Rating, UserId, decode,
        derived_id, rate, score, seal,
    };
    use uuid::Uuid;

    use super::*;

    const ID: EventId = EventId(Uuid::from_u128(0x4000_8000_0000_0000_0001));

    fn rated(rating: i64) -> rate::v2_0::Update {
        rate::v2_0::Update {
            user: UserId(Uuid::from_u128(2)).into(),
            image: OwnedImageRef {
                url: ImageUrl::new("", ImageId(Uuid::from_u128(3))),
                owner: UserId(Uuid::from_u128(4)),
            },
            rating: Rating::try_from(rating).unwrap(),
        }
    }

    fn scored(score: f64) -> score::v1_1::Update {
        score::v1_1::Update {
            image: rated(1).image.url.into(),
            score,
            model: None,
            reasons: Vec::new(),
        }
    }

    fn said<E: Event>(id: EventId, event: &E, key: u8) -> i64 {
        let source = format!("services/{}", event.key());
        let sealed = seal(id, Metadata::new(&source, DateTime::UNIX_EPOCH), event).unwrap();
        let decoded = decode(&sealed.subject, sealed.body.as_bytes()).unwrap();
        content(&PurposeKey::from_bytes([key; 32]), &decoded)
    }

    #[test]
    fn the_same_id_with_other_data_is_another_event() {
        let first = said(ID, &rated(5), 1);
        assert!(!are_different(first, said(ID, &rated(5), 1)));
        assert!(are_different(first, said(ID, &rated(4), 1)));
        let old = said(ID, &rate::v1_0::Update::from(rated(5)), 1);
        assert!(are_different(old, said(ID, &scored(5.0), 1)));
    }

    #[test]
    fn an_event_in_two_majors_is_one() {
        let old = rate::v1_0::Update::from(rated(5));
        assert!(!are_different(said(ID, &rated(5), 1), said(ID, &old, 1)));
    }

    #[test]
    fn an_answer_that_is_given_again_in_other_words_is_the_same() {
        let id = derived_id("score-model", ID);
        assert!(!are_different(
            said(id, &scored(4.0), 1),
            said(id, &scored(4.5), 1)
        ));
    }

    #[test]
    fn nobody_without_the_key_can_try_what_was_said() {
        assert_ne!(said(ID, &rated(5), 1), said(ID, &rated(5), 2));
        let other = EventId(Uuid::from_u128(9));
        assert_ne!(
            said(ID, &rated(5), 1),
            said(other, &rated(5), 1),
            "nor compare two rows"
        );
    }
}
