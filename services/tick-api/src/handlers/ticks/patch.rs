//! What a client sends to correct a tick: a JSON merge patch (RFC 7386).

use chassis::http::{FieldError, Problem};
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::body::{TickRequest, WantedSpecies, day};
use crate::place::{Place, Visibility};

/// What is to be otherwise: what is left out stays, `null` takes it away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TickPatch {
    #[serde(default)]
    #[schema(value_type = Option<WantedSpecies>)]
    species: Patched<WantedSpecies>,
    /// The day on which it was seen: not before 1900, not in the future.
    #[serde(default, deserialize_with = "patched_day")]
    #[schema(value_type = Option<NaiveDate>)]
    seen_on: Patched<NaiveDate>,
    /// How many there were.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100_000)]
    count: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<PlacePatch>)]
    place: Patched<PlacePatch>,
    /// Nobody else sees it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2000)]
    note: Patched<String>,
}

/// What a patch says of a field.
#[derive(Clone, Copy, Debug, Default)]
enum Patched<T> {
    /// Nothing: it stays as it is.
    #[default]
    Left,
    /// That it is this from now on, or nothing.
    Set(Option<T>),
}

impl<T> Patched<T> {
    fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Left => before,
            Self::Set(after) => after,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patched<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        Option::deserialize(source).map(Self::Set)
    }
}

fn patched_day<'de, D: Deserializer<'de>>(source: D) -> Result<Patched<NaiveDate>, D::Error> {
    day(source).map(Patched::Set)
}

/// The precise place, one of its two numbers, or what others learn of it.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlacePatch {
    /// Latitude in degrees, -90 to 90.
    #[serde(default, deserialize_with = "given")]
    #[schema(minimum = -90, maximum = 90)]
    lat: Option<f64>,
    /// Longitude in degrees, -180 to 180.
    #[serde(default, deserialize_with = "given")]
    #[schema(minimum = -180, maximum = 180)]
    lon: Option<f64>,
    /// What others learn of it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Visibility>)]
    visibility: Option<Visibility>,
}

/// Half a place is none: no part of it can be taken away.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(source: D) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}

impl TickPatch {
    /// The tick as it is to be.
    pub(super) fn apply(self, mut tick: TickRequest) -> Result<TickRequest, Problem> {
        tick.place = match self.place {
            Patched::Left => tick.place,
            Patched::Set(None) => None,
            Patched::Set(Some(patch)) => patch.apply(tick.place)?,
        };
        tick.species = self.species.over(tick.species);
        tick.seen_on = self.seen_on.over(tick.seen_on);
        tick.count = self.count.over(tick.count);
        tick.note = self.note.over(tick.note);
        Ok(tick)
    }
}

impl PlacePatch {
    fn apply(self, place: Option<Place>) -> Result<Option<Place>, Problem> {
        let lat = self.lat.or(place.map(|place| place.lat));
        let lon = self.lon.or(place.map(|place| place.lon));
        let visibility = self.visibility.or(place.map(|place| place.visibility));
        match (lat, lon) {
            (Some(lat), Some(lon)) => Ok(Some(Place {
                lat,
                lon,
                visibility: visibility.unwrap_or_default(),
            })),
            (lat, lon) => {
                let numbers = [("/place/lat", lat), ("/place/lon", lon)];
                let missing = numbers.into_iter().filter(|(_, number)| number.is_none());
                let missing = missing.map(|(pointer, _)| FieldError::new(pointer, "is missing"));
                Err(Problem::fields(missing.collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const IMAGE: &str = "/images/0e7c5b1a-94d2-4f3b-8a6d-52c1f09be874/2048.jpg";

    fn tick(more: &Value) -> TickRequest {
        let mut body = json!({"image": {"url": IMAGE}});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        serde_json::from_value(body).unwrap()
    }

    fn canonical(tick: TickRequest) -> Vec<u8> {
        let today = NaiveDate::from_ymd_opt(2026, 5, 3).unwrap();
        tick.canonical(today).unwrap()
    }

    fn patched(before: &Value, patch: &Value) -> Result<Vec<u8>, Problem> {
        let patch: TickPatch = serde_json::from_value(patch.clone()).unwrap();
        patch.apply(tick(before)).map(canonical)
    }

    #[test]
    fn what_is_left_out_stays_and_null_takes_it_away() {
        let before = json!({
            "species": {"id": "avibase-2247CB05"}, "seen_on": "2026-05-01", "count": 2,
            "place": {"lat": 59.8, "lon": 17.6}, "note": "nest",
        });
        for (patch, after) in [
            (json!({}), before.clone()),
            (
                json!({"species": null, "seen_on": null, "count": null, "place": null, "note": null}),
                json!({}),
            ),
            (json!({"count": 3, "note": null}), {
                let mut after = before.clone();
                after["count"] = 3.into();
                after["note"] = Value::Null;
                after
            }),
            (json!({"place": {"lat": 60.5}}), {
                let mut after = before.clone();
                after["place"]["lat"] = 60.5.into();
                after
            }),
            (json!({"place": {"visibility": "private"}}), {
                let mut after = before.clone();
                after["place"]["visibility"] = "private".into();
                after
            }),
            (json!({"place": {"visibility": "open"}}), {
                let mut after = before.clone();
                after["place"]["visibility"] = "open".into();
                after
            }),
        ] {
            let wanted = canonical(tick(&after));
            assert_eq!(patched(&before, &patch).unwrap(), wanted, "{patch}");
        }
    }

    #[test]
    fn half_a_place_is_refused() {
        let refused = patched(&json!({}), &json!({"place": {"lat": 60.5}})).unwrap_err();
        let problem = serde_json::to_value(refused).unwrap();
        assert_eq!(problem["errors"][0]["pointer"], "/place/lon");
    }

    #[test]
    fn what_cannot_be_corrected_is_refused() {
        for bad in [
            json!({"image": {"url": IMAGE}}),
            json!({"id": "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11"}),
            json!({"place": {"lat": null}}),
            json!({"place": {"visibility": null}}),
            json!({"place": {"visibility": "secret"}}),
            json!({"seen_on": "2026-5-1"}),
            json!({"count": "two"}),
        ] {
            assert!(
                serde_json::from_value::<TickPatch>(bad.clone()).is_err(),
                "{bad}"
            );
        }
    }
}
