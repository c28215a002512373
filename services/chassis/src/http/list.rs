//! Lists: `?limit=` and `?cursor=`, answered with `items` and `next_cursor`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// A part of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The things.
    pub items: Vec<T>,
    /// Asks for the next part; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// All of it.
    pub const fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// At most so many, 1 to 100; 20 if it is missing.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// From the answer before.
    pub cursor: Option<String>,
}

/// A checked [`ListQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<C> {
    /// At most so many.
    pub limit: i64,
    /// After this.
    pub after: Option<C>,
}

impl<C: std::str::FromStr> PageRequest<C> {
    /// Checks the limit and the cursor.
    pub fn new(limit: Option<i64>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=LARGEST_LIMIT).contains(&limit) {
            return Err(Problem::field(
                "/limit",
                format!("must be 1 to {LARGEST_LIMIT}"),
            ));
        }
        let after = cursor
            .map(str::parse)
            .transpose()
            .map_err(|_| Problem::field("/cursor", "is not one that this list gave out"))?;
        Ok(Self { limit, after })
    }

    /// How many rows to read: one more than wanted shows whether there is a next part.
    pub fn rows_to_read(&self) -> i64 {
        self.limit + 1
    }

    /// Cuts what was read to the limit; the cursor is made from the last thing shown.
    pub fn list<T>(&self, mut read: Vec<T>, cursor: impl Fn(&T) -> String) -> List<T> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let more = read.len() > limit;
        read.truncate(limit);
        let next_cursor = if more { read.last().map(cursor) } else { None };
        List {
            items: read,
            next_cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_has_no_cursor() {
        let page = PageRequest::<i64>::new(Some(2), None).unwrap();
        assert_eq!(
            page.list(vec![1, 2, 3], i32::to_string)
                .next_cursor
                .as_deref(),
            Some("2")
        );
        assert_eq!(page.list(vec![1, 2], i32::to_string).next_cursor, None);
    }

    #[test]
    fn wrong_limits_and_cursors_are_refused() {
        assert!(PageRequest::<i64>::new(Some(0), None).is_err());
        assert!(PageRequest::<i64>::new(Some(101), None).is_err());
        assert!(PageRequest::<i64>::new(None, Some("x")).is_err());
    }
}
