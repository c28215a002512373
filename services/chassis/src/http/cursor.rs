//! Cursors: the place in a list at which its next part begins.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A place in a list that is read from its greatest key to its least: after this row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cursor<K> {
    /// What the list is ordered by.
    pub key: K,
    /// Rows of one key are ordered by their id.
    pub id: Uuid,
}

impl<K> Cursor<K> {
    /// The place before all rows, given a key that none exceeds.
    pub fn before_all(greatest: K) -> Self {
        Self {
            key: greatest,
            id: Uuid::max(),
        }
    }
}

impl<K: fmt::Display> fmt::Display for Cursor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.key, self.id.simple())
    }
}

/// The text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACursor;

impl<K: FromStr> FromStr for Cursor<K> {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (key, id) = text.rsplit_once('_').ok_or(NotACursor)?;
        Ok(Self {
            key: key.parse().map_err(|_| NotACursor)?,
            id: Uuid::try_parse(id).map_err(|_| NotACursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn a_cursor_reads_back_as_the_place_it_names() {
        let id = Uuid::from_u128(7);
        for key in [0.1 + 0.2, 3.0, f64::MAX] {
            let cursor = Cursor { key, id };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for key in [-5_i64, 17] {
            let cursor = Cursor { key, id };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let day = NaiveDate::from_ymd_opt(2026, 5, 3).unwrap();
        let cursor = Cursor { key: day, id };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn anything_else_is_no_cursor() {
        for text in [
            "",
            "_",
            "1",
            "1_",
            "_1",
            "x_00000000000000000000000000000001",
            "1_2",
            "17",
            "x.y",
            "17.",
            ".00000000-0000-0000-0000-000000000005",
        ] {
            assert_eq!(text.parse::<Cursor<i64>>(), Err(NotACursor), "{text}");
        }
    }
}
