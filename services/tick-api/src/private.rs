//! What only a tick's owner may read, or only moderators: sealed before it goes to the database.

use chassis::access::Sealed;
use chassis::database::DatabaseError;
use chassis::keys::{Keys, PurposeKey, SealingKey};
use envelope::TickId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::place::{Place, Visibility};

/// Stands behind the two numbers of a place of which others learn nothing.
const PRIVATE: &str = "private";
/// Stands behind those of a place that everybody may see.
const OPEN: &str = "open";

/// Seals and opens private columns; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Private {
    sealing: SealingKey,
    fingerprints: PurposeKey,
}

impl Private {
    /// With the deployment's keys.
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            sealing: keys.sealing("tick-api private"),
            fingerprints: keys.purpose("tick-api fingerprint"),
        }
    }

    /// By what a request is recognised when it is sent again. Keyed: a hash of few values can be guessed back.
    pub(crate) fn fingerprint(&self, request: &[u8]) -> String {
        self.fingerprints.hash(request)
    }

    /// By what a picture is known again. Keyed: nobody else can look up whether a file that they have is here.
    pub(crate) fn content_hash(&self, file: &[u8]) -> String {
        self.fingerprints.hash(file)
    }

    /// The precise place, sealed.
    pub(crate) fn seal_place(&self, tick: TickId, place: Place) -> Vec<u8> {
        let Place {
            lat,
            lon,
            visibility,
        } = place;
        let text = match visibility {
            Visibility::Obscured => format!("{lat} {lon}"),
            Visibility::Private => format!("{lat} {lon} {PRIVATE}"),
            Visibility::Open => format!("{lat} {lon} {OPEN}"),
        };
        self.seal_words(tick.0, "place", &text)
    }

    /// The note, sealed.
    pub(crate) fn seal_note(&self, tick: TickId, note: &str) -> Vec<u8> {
        self.seal_words(tick.0, "note", note)
    }

    /// The precise place again.
    pub(crate) fn open_place(&self, tick: TickId, sealed: &[u8]) -> Result<Place, DatabaseError> {
        let text = self.open_words(tick.0, "place", sealed)?;
        place_of(&text).ok_or(DatabaseError::Damaged("tick.place"))
    }

    /// The note again.
    pub(crate) fn open_note(&self, tick: TickId, sealed: &[u8]) -> Result<String, DatabaseError> {
        self.open_words(tick.0, "note", sealed)
    }

    /// Opens a private column, for an export.
    pub(crate) fn open_column(&self, sealed: &Sealed<'_>) -> Result<Value, DatabaseError> {
        let bytes = sealed.bytes()?;
        match (sealed.table, sealed.column) {
            ("tick", "place") => Ok(json!(self.open_place(TickId(sealed.id_of("id")?), &bytes)?)),
            ("tick" | "report", "note") => {
                Ok(self.open_words(sealed.id_of("id")?, "note", &bytes)?.into())
            }
            ("moderation_case", "appeal") => {
                let image = sealed.id_of("image")?;
                Ok(self.open_words(image, "appeal", &bytes)?.into())
            }
            _ => Err(DatabaseError::Damaged("a sealed column")),
        }
    }

    /// Words in a column of a row, sealed.
    pub(crate) fn seal_words(&self, row: Uuid, column: &str, words: &str) -> Vec<u8> {
        self.sealing.seal(&spot(row, column), words.as_bytes())
    }

    /// The words again.
    pub(crate) fn open_words(
        &self,
        row: Uuid,
        column: &str,
        sealed: &[u8],
    ) -> Result<String, DatabaseError> {
        self.sealing
            .open(&spot(row, column), sealed)
            .ok()
            .and_then(|plain| String::from_utf8(plain).ok())
            .ok_or(DatabaseError::Damaged("a sealed column"))
    }
}

/// A place as it is sealed: `48.137 11.575`, with a word more if it is not obscured.
fn place_of(text: &str) -> Option<Place> {
    let mut words = text.split(' ');
    let lat = words.next()?.parse().ok()?;
    let lon = words.next()?.parse().ok()?;
    let visibility = match words.next() {
        None => Visibility::Obscured,
        Some(PRIVATE) => Visibility::Private,
        Some(OPEN) => Visibility::Open,
        Some(_) => return None,
    };
    Some(Place {
        lat,
        lon,
        visibility,
    })
}

/// A sealed value opens in its own row and column only.
fn spot(row: Uuid, column: &str) -> String {
    format!("{row} {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private() -> Private {
        Private::new(&Keys::from_secret("0123456789abcdef0123456789abcdef").unwrap())
    }

    #[test]
    fn a_place_opens_exactly_as_it_was_in_its_own_row_only() {
        let (tick, other) = [1, 2].map(|n| TickId(uuid::Uuid::from_u128(n))).into();
        for visibility in [Visibility::Obscured, Visibility::Private, Visibility::Open] {
            let place = Place {
                lat: 48.137_154_2,
                lon: -0.1,
                visibility,
            };
            let sealed = private().seal_place(tick, place);
            assert_eq!(private().open_place(tick, &sealed).unwrap(), place);
            assert!(private().open_place(other, &sealed).is_err());
        }
    }

    #[test]
    fn a_sealed_note_shows_nothing_of_itself() {
        let tick = TickId(uuid::Uuid::from_u128(1));
        let sealed = private().seal_note(tick, "nest in the old oak");
        assert!(!sealed.windows(4).any(|part| part == b"nest"));
        assert_eq!(
            private().open_note(tick, &sealed).unwrap(),
            "nest in the old oak"
        );
    }
}
