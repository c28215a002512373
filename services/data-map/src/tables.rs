//! Columns of the services' tables.

mod admin_api;
mod auth_api;
mod notifier;
mod shared;
mod statistics;
mod tick_api;
mod user_api;

pub use shared::SHARED;

use crate::activities::Activity;
use crate::model::{Erasure, Item, Part, Place, Retention, part as column, technical};

/// A table, and what is the same for all its columns.
#[derive(Debug)]
pub struct Table {
    /// The service; `*` is every service that has a database.
    pub service: &'static str,
    /// The table's name.
    pub name: &'static str,
    activity: &'static Activity,
    retention: Retention,
    erasure: Erasure,
    /// Its columns.
    pub columns: &'static [Part],
}

/// A table whose rows go with whom they are about.
const fn personal(
    service: &'static str,
    name: &'static str,
    activity: &'static Activity,
    retention: Retention,
    columns: &'static [Part],
) -> Table {
    Table {
        service,
        name,
        activity,
        retention,
        erasure: Erasure::RowGoes,
        columns,
    }
}

/// The tables of one service each.
pub static TABLES: &[&[Table]] = &[
    tick_api::TABLES,
    auth_api::TABLES,
    user_api::TABLES,
    notifier::TABLES,
    statistics::TABLES,
    admin_api::TABLES,
];

fn all() -> impl Iterator<Item = &'static Table> {
    SHARED.iter().chain(TABLES.iter().copied().flatten())
}

/// The tables and columns that a service's database must have, and no others.
pub fn columns_of(service: &str) -> Vec<(&'static str, &'static str)> {
    all()
        .filter(|table| table.service == service || table.service == "*")
        .flat_map(|table| table.columns.iter().map(|column| (table.name, column.name)))
        .collect()
}

pub(crate) fn items() -> Vec<Item> {
    all().flat_map(items_of).collect()
}

fn items_of(table: &'static Table) -> impl Iterator<Item = Item> {
    table.columns.iter().map(|column| Item {
        place: Place::Column {
            service: table.service,
            table: table.name,
            column: column.name,
        },
        whose: column.whose,
        category: column.category,
        activity: table.activity,
        retention: table.retention,
        erasure: table.erasure,
        means: column.means,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Whose;

    #[test]
    fn what_stays_after_an_erasure_names_nobody() {
        for table in all() {
            if let Erasure::Stays(why) = table.erasure {
                let names = table
                    .columns
                    .iter()
                    .find(|column| column.whose != Whose::Nobody);
                let name = names.map(|column| column.name);
                assert_eq!(name, None, "{}.{} stays: {why}", table.service, table.name);
            }
        }
    }

    #[test]
    fn what_names_somebody_does_not_last_for_ever() {
        let mut for_ever = all().filter(|table| matches!(table.retention, Retention::Unlimited));
        let named = for_ever.find(|table| {
            table
                .columns
                .iter()
                .any(|column| column.whose != Whose::Nobody)
        });
        assert!(named.is_none(), "{named:?}");
    }
}
