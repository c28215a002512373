//! What comes from another instance's export, completed: sealed with this deployment's keys, and checked as what a
//! client sends.

use chassis::access::Row;
use chassis::database::DatabaseError;
use chrono::NaiveDate;
use envelope::{ImageId, ImageUrl, TickId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::handlers::ticks::TickRequest;
use crate::place::Place;
use crate::private::Private;

/// What an export tells of a tick.
#[derive(Deserialize)]
struct Told {
    id: TickId,
    image: ImageId,
    species: Option<String>,
    seen_on: Option<NaiveDate>,
    birds: Option<i64>,
    place: Option<Place>,
    note: Option<String>,
}

/// Completes a row of a table.
pub(crate) fn complete(
    private: &Private,
    today: NaiveDate,
    table: &str,
    row: &mut Row,
) -> Result<(), DatabaseError> {
    if table != "tick" {
        return Ok(());
    }
    let bad = DatabaseError::Damaged("a tick of an archive");
    let Ok(told) = serde_json::from_value::<Told>(Value::Object(row.clone())) else {
        return Err(bad);
    };
    let Some(canonical) = told.request().and_then(|request| request.canonical(today)) else {
        return Err(bad);
    };
    let place = told.place.map(|place| private.seal_place(told.id, place));
    let note = told.note.map(|note| private.seal_note(told.id, &note));
    // Archives from before ticks could be corrected do not say how often they were.
    row.entry("revision").or_insert_with(|| 0.into());
    row.insert("place".to_owned(), bytes(place));
    row.insert("note".to_owned(), bytes(note));
    let fingerprint = private.fingerprint(&canonical);
    row.insert("fingerprint".to_owned(), fingerprint.into());
    Ok(())
}

/// Bytes in the text of a row.
fn bytes(sealed: Option<Vec<u8>>) -> Value {
    sealed.map_or(Value::Null, |sealed| {
        format!("\\x{}", hex::encode(sealed)).into()
    })
}

impl Told {
    /// What a client would have sent: sent again, it is this tick.
    fn request(&self) -> Option<TickRequest> {
        let request = json!({
            "image": {"url": ImageUrl::new("", self.image)},
            "species": self.species.as_ref().map(|id| json!({"id": id})),
            "seen_on": self.seen_on,
            "count": self.birds,
            "place": self.place,
            "note": self.note,
        });
        serde_json::from_value(request).ok()
    }
}

#[cfg(test)]
mod tests {
    use chassis::keys::Keys;
    use uuid::Uuid;

    use super::*;

    fn completed(change: impl FnOnce(&mut Value)) -> Option<Row> {
        let private = Private::new(&Keys::from_secret("0123456789abcdef0123456789abcdef").unwrap());
        let mut told = json!({
            "id": Uuid::from_u128(1), "owner": Uuid::from_u128(2), "image": Uuid::from_u128(3),
            "species": null, "seen_on": "2026-05-01", "day": "2026-05-01", "birds": 2,
            "place": {"lat": 59.8, "lon": -17.6}, "note": "nest in the old oak",
            "created_at": "2026-05-01T06:30:00.000000Z",
        });
        change(&mut told);
        let mut row = told.as_object().unwrap().clone();
        let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        complete(&private, today, "tick", &mut row)
            .ok()
            .map(|()| row)
    }

    #[test]
    fn what_nobody_else_may_read_is_sealed() {
        let row = completed(|_| ()).unwrap();
        for column in ["place", "note"] {
            assert!(row[column].as_str().unwrap().starts_with("\\x"), "{column}");
        }
        assert!(!Value::Object(row.clone()).to_string().contains("oak"));
        assert_eq!(row["fingerprint"].as_str().unwrap().len(), 64);
        let bare = completed(|told| told["note"] = Value::Null).unwrap();
        assert_eq!(bare["note"], Value::Null);
        assert_ne!(bare["fingerprint"], row["fingerprint"]);
        for visibility in ["private", "open"] {
            let other = completed(|told| told["place"]["visibility"] = visibility.into()).unwrap();
            assert_ne!(other["fingerprint"], row["fingerprint"]);
        }
    }

    #[test]
    fn what_no_client_could_send_is_refused() {
        for (field, bad) in [
            ("birds", json!(-1)),
            ("species", json!("no-such-bird")),
            ("seen_on", json!("2030-01-01")),
            ("place", json!({"lat": 91.0, "lon": 0.0})),
            ("note", json!("x".repeat(2001))),
        ] {
            assert!(completed(|told| told[field] = bad).is_none(), "{field}");
        }
    }
}
