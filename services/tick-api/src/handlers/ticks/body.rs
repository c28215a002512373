//! What a client sends to tick, and what is left once it is checked.

use axum::http::HeaderMap;
use chassis::http::{FieldError, Problem};
use chrono::{Datelike as _, Days, NaiveDate};
use envelope::{ImageId, ImageUrl, UserId, tick};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::place::Place;
use crate::species::{CHECKLIST, Species};

const FIRST_YEAR: i32 = 1900;
const LARGEST_COUNT: i64 = 100_000;
const LONGEST_NOTE: usize = 2000;

/// A bird that was seen.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewTick)]
#[serde(deny_unknown_fields)]
pub(crate) struct TickRequest {
    /// The tick's id, made by the client: sent again, it is still one tick.
    pub(super) id: Option<Uuid>,
    pub(super) image: WantedImage,
    pub(super) species: Option<WantedSpecies>,
    /// The day on which it was seen: not before 1900, not in the future.
    #[serde(default, deserialize_with = "day")]
    pub(super) seen_on: Option<NaiveDate>,
    /// How many there were.
    #[schema(minimum = 1, maximum = 100_000)]
    pub(super) count: Option<i64>,
    /// The precise place; others learn what its visibility says.
    pub(super) place: Option<Place>,
    /// Nobody else sees it.
    #[schema(max_length = 2000)]
    pub(super) note: Option<String>,
}

/// An image of one's own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedImage {
    /// The url from the answer to the upload.
    #[schema(value_type = String)]
    pub(super) url: ImageUrl,
}

/// A species of the checklist.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedSpecies {
    /// Its id there.
    #[schema(example = "avibase-895C12C1")]
    pub(super) id: String,
}

/// A request without mistakes in itself.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) image: ImageId,
    pub(super) species: Option<Species>,
    pub(super) seen_on: Option<NaiveDate>,
    pub(super) count: Option<u32>,
    pub(super) place: Option<Place>,
    pub(super) note: Option<String>,
}

/// What makes two requests the same: the image counts, not how its address is written.
#[derive(Serialize)]
struct Canonical<'a> {
    image: ImageId,
    species: Option<&'static str>,
    seen_on: Option<NaiveDate>,
    count: Option<u32>,
    place: Option<Place>,
    note: Option<&'a str>,
}

impl TickRequest {
    /// The id that the client chose: in the body, or else by its `Idempotency-Key`. A key that is
    /// no UUID is one among this user's keys.
    pub(super) fn id(&self, headers: &HeaderMap, user: UserId) -> Option<Uuid> {
        self.id.or_else(|| {
            let key = headers.get("idempotency-key")?.as_bytes().trim_ascii();
            let own = || Uuid::new_v5(&user.0, key);
            Some(Uuid::try_parse_ascii(key).unwrap_or_else(|_| own()))
        })
    }

    /// The request as bytes, the same for the same request; none if it would be refused.
    pub(crate) fn canonical(self, today: NaiveDate) -> Option<Vec<u8>> {
        self.check(today).ok().map(|checked| checked.canonical())
    }

    /// Checks every field and names all mistakes at once.
    pub(super) fn check(self, today: NaiveDate) -> Result<Checked, Problem> {
        let mut mistakes = Vec::new();
        let species = self.species.as_ref().and_then(|wanted| {
            let found = CHECKLIST.find(&wanted.id);
            if found.is_none() {
                mistakes.push(FieldError::new("/species/id", "is not on the checklist"));
            }
            found
        });
        if let Some(day) = self.seen_on {
            mistakes.extend(wrong_day(day, today));
        }
        let count = self.count.and_then(|count| {
            let checked = u32::try_from(count).ok();
            let checked = checked.filter(|_| (1..=LARGEST_COUNT).contains(&count));
            if checked.is_none() {
                let detail = format!("must be 1 to {LARGEST_COUNT}");
                mistakes.push(FieldError::new("/count", detail));
            }
            checked
        });
        mistakes.extend(self.place.into_iter().flat_map(Place::mistakes));
        if self
            .note
            .as_ref()
            .is_some_and(|note| note.chars().count() > LONGEST_NOTE)
        {
            let detail = format!("may have at most {LONGEST_NOTE} characters");
            mistakes.push(FieldError::new("/note", detail));
        }
        if !mistakes.is_empty() {
            return Err(Problem::fields(mistakes));
        }
        Ok(Checked {
            image: self.image.url.image(),
            species,
            seen_on: self.seen_on,
            count,
            place: self.place,
            note: self.note,
        })
    }
}

/// `2026-05-03`; chrono by itself would also take `+2026-5-3`.
pub(super) fn day<'de, D: Deserializer<'de>>(source: D) -> Result<Option<NaiveDate>, D::Error> {
    let text: Option<String> = Option::deserialize(source)?;
    let parse = |text: String| {
        let day: Option<NaiveDate> = text.parse().ok();
        day.filter(|day| day.to_string() == text)
            .ok_or_else(|| D::Error::custom("a day is expected, such as 2026-05-03"))
    };
    text.map(parse).transpose()
}

/// In the first time zones it is tomorrow already.
fn wrong_day(day: NaiveDate, today: NaiveDate) -> Option<FieldError> {
    let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default();
    let last = today.checked_add_days(Days::new(1)).unwrap_or(today);
    let mistake = match day {
        _ if day < first => "must not be before 1900",
        _ if day > last => "must not be in the future",
        _ => return None,
    };
    Some(FieldError::new("/seen_on", mistake))
}

impl Checked {
    /// What others learn of the tick: no note, and the place coarsely at most.
    pub(super) fn event(&self, public_url: &str, user: UserId) -> tick::New {
        tick::New {
            user: user.into(),
            image: ImageUrl::new(public_url, self.image).into(),
            species: self.species.map(Into::into),
            seen_on: self.told_day(),
            count: self.count,
            place: self.place.and_then(Place::shown),
        }
    }

    /// When others learn that it was seen: of a threatened species the month, which its first day stands for.
    fn told_day(&self) -> Option<NaiveDate> {
        let is_threatened = self.species.is_some_and(Species::is_threatened);
        self.seen_on.and_then(|day| {
            if is_threatened {
                day.with_day(1)
            } else {
                Some(day)
            }
        })
    }

    /// The request as bytes, the same for the same request.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let canonical = Canonical {
            image: self.image,
            species: self.species.map(|species| species.id),
            seen_on: self.seen_on,
            count: self.count,
            place: self.place,
            note: self.note.as_deref(),
        };
        // Plain values with texts as keys: there is nothing that JSON could not hold.
        serde_json::to_vec(&canonical).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::{Value, json};

    use super::*;

    const IMAGE: &str = "/images/0e7c5b1a-94d2-4f3b-8a6d-52c1f09be874/2048.jpg";

    fn request(more: &Value) -> TickRequest {
        let mut body = json!({"image": {"url": IMAGE}});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        serde_json::from_value(body).unwrap()
    }

    fn check(more: &Value) -> Result<Checked, Vec<String>> {
        let today = NaiveDate::from_ymd_opt(2026, 5, 3).unwrap();
        request(more).check(today).map_err(|problem| {
            let problem = serde_json::to_value(problem).unwrap();
            let errors = problem["errors"].as_array().unwrap().iter();
            errors
                .map(|error| error["pointer"].as_str().unwrap().to_owned())
                .collect()
        })
    }

    #[test]
    fn an_image_is_enough() {
        let checked = check(&json!({})).unwrap();
        assert_eq!(checked.species, None);
        let event = checked.event("https://birds.example", UserId(Uuid::from_u128(1)));
        assert_eq!(
            event.image.url.as_str(),
            format!("https://birds.example{IMAGE}")
        );
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let wrong = json!({
            "species": {"id": "avibase-nothing"}, "seen_on": "2026-05-05", "count": 0,
            "place": {"lat": 91, "lon": -181}, "note": "x".repeat(2001),
        });
        let pointers = [
            "/species/id",
            "/seen_on",
            "/count",
            "/place/lat",
            "/place/lon",
            "/note",
        ];
        assert_eq!(check(&wrong).unwrap_err(), pointers);
    }

    #[test]
    fn the_ends_of_all_ranges_are_taken() {
        for good in [
            json!({"seen_on": "1900-01-01"}),
            json!({"seen_on": "2026-05-04"}),
            json!({"count": 1}),
            json!({"count": 100_000}),
            json!({"place": {"lat": -90, "lon": 180}}),
            json!({"note": "ü".repeat(2000)}),
        ] {
            assert!(check(&good).is_ok(), "{good}");
        }
        for bad in [
            json!({"seen_on": "1899-12-31"}),
            json!({"count": 100_001}),
            json!({"count": -1}),
            json!({"count": i64::MAX}),
        ] {
            assert!(check(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_written_in_one_way_only() {
        for text in [
            "2026-2-3",
            "+2026-02-03",
            " 2026-02-03",
            "2026-02-30",
            "today",
            "",
        ] {
            let body = json!({"image": {"url": IMAGE}, "seen_on": text});
            assert!(
                serde_json::from_value::<TickRequest>(body).is_err(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_event_holds_neither_note_nor_precise_place() {
        let checked = check(&json!({
            "place": {"lat": 48.137_154, "lon": 11.576_124}, "note": "nest in the old oak",
            "species": {"id": "avibase-2247CB05"}, "count": 2, "seen_on": "2026-05-03",
        }));
        let event = checked.unwrap().event("", UserId(Uuid::from_u128(1)));
        let text = serde_json::to_string(&event).unwrap();
        assert!(
            !text.contains("oak") && !text.contains("48.13") && !text.contains("11.57"),
            "{text}"
        );
        assert!(
            text.contains("Common Ostrich") && text.contains("48.1"),
            "{text}"
        );
    }

    #[test]
    fn the_event_of_a_threatened_species_names_its_month() {
        let told = |species: &str| {
            let checked = check(&json!({"species": {"id": species}, "seen_on": "2026-04-23"}));
            let event = checked.unwrap().event("", UserId(Uuid::from_u128(1)));
            event.seen_on.unwrap().to_string()
        };
        let species = |name: &str| CHECKLIST.search(name, 1)[0];
        let (threatened, common) = (species("Aquila nipalensis"), species("Passer domesticus"));
        assert_eq!(told(threatened.id), "2026-04-01");
        assert_eq!(told(common.id), "2026-04-23");
    }

    #[test]
    fn the_event_of_a_private_place_holds_none() {
        let place = |visibility| {
            let place = json!({"lat": 48.1, "lon": 11.5, "visibility": visibility});
            check(&json!({"place": place})).unwrap()
        };
        let told = |checked: &Checked| checked.event("", UserId(Uuid::from_u128(1))).place;
        assert!(told(&place("private")).is_none());
        assert!(told(&place("obscured")).is_some());
        assert_eq!(told(&place("open")), told(&place("obscured")));
        let unsaid = check(&json!({"place": {"lat": 48.1, "lon": 11.5}})).unwrap();
        assert_eq!(place("obscured").canonical(), unsaid.canonical());
        assert_ne!(place("private").canonical(), unsaid.canonical());
        assert_ne!(place("open").canonical(), unsaid.canonical());
    }

    #[test]
    fn how_an_images_address_is_written_makes_no_other_request() {
        let plain = check(&json!({})).unwrap().canonical();
        let url = format!("https://birds.example{IMAGE}");
        assert_eq!(
            check(&json!({"image": {"url": url}})).unwrap().canonical(),
            plain
        );
        assert_ne!(check(&json!({"count": 1})).unwrap().canonical(), plain);
    }

    #[test]
    fn an_idempotency_key_stands_for_the_id_that_the_body_does_not_name() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (anna, bert) = (UserId(one), UserId(two));
        let id = |body: Option<Uuid>, key: Option<&str>, user| {
            let mut headers = HeaderMap::new();
            if let Some(key) = key {
                headers.insert("idempotency-key", HeaderValue::from_str(key).unwrap());
            }
            request(&json!({"id": body})).id(&headers, user)
        };
        assert_eq!(id(None, None, anna), None);
        assert_eq!(id(Some(one), None, anna), Some(one));
        assert_eq!(id(None, Some(&two.to_string()), anna), Some(two));
        assert_eq!(id(Some(one), Some(&two.to_string()), anna), Some(one));
        assert_eq!(id(None, Some("mine"), anna), id(None, Some(" mine "), anna));
        assert_ne!(id(None, Some("mine"), anna), id(None, Some("mine"), bert));
        assert_ne!(id(None, Some("mine"), anna), id(None, Some("other"), anna));
    }
}
