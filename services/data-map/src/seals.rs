//! What is sealed with the deployment's key, and so is sealed anew when that is rotated.

use std::fmt::Display;

/// A sealed column.
#[derive(Clone, Copy, Debug)]
pub struct Seal {
    /// The service.
    pub service: &'static str,
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The column of the id that tells the rows apart.
    pub id: &'static str,
    /// What the key is made for.
    pub purpose: &'static str,
    /// What of a row it is, said behind the row's id, so that it opens nowhere else; empty if it is all.
    part: &'static str,
}

impl Seal {
    /// Where a value of a row opens.
    pub fn place(&self, row: impl Display) -> String {
        format!("{row} {}", self.part).trim_end().to_owned()
    }
}

/// All columns that are sealed with the deployment's key. What is sealed with a key of its own, as addresses and
/// names are, has that key among them.
pub static SEALS: &[Seal] = &[
    private("tick", "place", "id"),
    private("tick", "note", "id"),
    own_key("identity"),
    own_key("address_change"),
    private("report", "note", "id"),
    private("moderation_case", "appeal", "image"),
    Seal {
        service: "auth-api",
        table: "second_factor",
        column: "secret_sealed",
        id: "user_id",
        purpose: "auth-api second factor",
        part: "secret",
    },
    Seal {
        service: "user-api",
        table: "export",
        column: "key_sealed",
        id: "id",
        purpose: "user-api export",
        part: "key",
    },
    Seal {
        service: "user-api",
        table: "erasure",
        column: "needles_sealed",
        id: "event_id",
        purpose: "user-api needles",
        part: "",
    },
];

/// A person's own key.
const fn own_key(table: &'static str) -> Seal {
    Seal {
        service: "user-api",
        table,
        column: "key_sealed",
        id: "user_id",
        purpose: "user-api vault",
        part: "key",
    }
}

const fn private(table: &'static str, column: &'static str, id: &'static str) -> Seal {
    Seal {
        service: "tick-api",
        table,
        column,
        id,
        purpose: "tick-api private",
        part: column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::tables_of;

    #[test]
    fn sealed_columns_are_columns() {
        for seal in SEALS {
            let table = tables_of(seal.service).find(|table| table.name == seal.table);
            let columns = table.map(|table| table.columns).unwrap_or_default();
            for name in [seal.column, seal.id] {
                assert!(columns.iter().any(|column| column.name == name), "{name}");
            }
        }
    }

    #[test]
    fn a_place_is_a_row_and_a_part_of_it() {
        let places: Vec<_> = SEALS.iter().map(|seal| seal.place("row")).collect();
        assert_eq!(places[..3], ["row place", "row note", "row key"]);
        assert_eq!(places.last().map(String::as_str), Some("row"));
    }
}
