//! A rating: one to five.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How much a user likes an image: 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rating(u8);

/// The number is no rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rating is a whole number from 1 to 5")]
pub struct NotARating;

impl Rating {
    /// The lowest rating.
    pub const MIN: Self = Self(1);
    /// The highest rating.
    pub const MAX: Self = Self(5);

    /// The number, 1 to 5.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for Rating {
    type Error = NotARating;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        match u8::try_from(number) {
            Ok(number @ 1..=5) => Ok(Self(number)),
            _ => Err(NotARating),
        }
    }
}

impl From<Rating> for u8 {
    fn from(rating: Rating) -> Self {
        rating.0
    }
}

impl From<Rating> for i64 {
    fn from(rating: Rating) -> Self {
        Self::from(rating.0)
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Rating {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Rating {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = crate::whole::number::<D, i64>(deserializer)?;
        Self::try_from(number).map_err(de::Error::custom)
    }
}

impl JsonSchema for Rating {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rating".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": 5})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ratings_go_from_one_to_five() {
        for good in 1..=5 {
            assert_eq!(Rating::try_from(good).map(i64::from), Ok(good));
        }
        for bad in [i64::MIN, -1, 0, 6, 257, 261, i64::MAX] {
            assert_eq!(Rating::try_from(bad), Err(NotARating), "{bad}");
        }
    }

    #[test]
    fn what_the_schema_calls_an_integer_is_read_as_one() {
        let read = |value| {
            serde_json::from_value::<Rating>(value)
                .ok()
                .map(Rating::get)
        };
        assert_eq!(read(json!(4)), Some(4));
        assert_eq!(read(json!(4.0)), Some(4));
        assert_eq!(read(json!(4.5)), None);
        assert_eq!(read(json!("4")), None);
        assert_eq!(read(json!(1e300)), None);
    }
}
