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
use crate::belongs::{Belongs, Owner};
use crate::model::{Category, Erasure, Item, Part, Place, Retention, part as column, technical};

/// A table, and what is the same for all its columns.
#[derive(Debug)]
pub struct Table {
    /// The service; `*` is every service that has a database.
    pub service: &'static str,
    /// The table's name.
    pub name: &'static str,
    /// What it is for.
    pub activity: &'static Activity,
    /// For how long its rows are kept.
    pub retention: Retention,
    erasure: Erasure,
    /// Whose its rows are.
    pub belongs: Belongs,
    /// Its columns.
    pub columns: &'static [Part],
}

impl Table {
    /// Whether nothing in it leads to anybody.
    pub fn is_technical(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.all(|column| column.category == Category::Technical)
    }

    /// Says whom its rows belong to.
    const fn of(mut self, owners: &'static [Owner]) -> Self {
        self.belongs = Belongs::To(owners);
        self
    }

    /// Says what its rows repeat.
    const fn copies(mut self, what: &'static str) -> Self {
        self.belongs = Belongs::Copies(what);
        self
    }

    /// What an erasure does to its rows.
    pub const fn erasure(&self) -> Erasure {
        self.erasure
    }

    /// Those whose rows these are; none for a table of nobody's.
    pub const fn owners(&self) -> &'static [Owner] {
        match self.belongs {
            Belongs::To(owners) => owners,
            Belongs::ToNobody | Belongs::Copies(_) => &[],
        }
    }
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
        belongs: Belongs::ToNobody,
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

/// The tables that a service's database must have, and no others.
pub fn tables_of(service: &str) -> impl Iterator<Item = &'static Table> {
    all().filter(move |table| table.service == service || table.service == "*")
}

/// The tables and columns that a service's database must have, and no others.
pub fn columns_of(service: &str) -> Vec<(&'static str, &'static str)> {
    tables_of(service)
        .flat_map(|table| table.columns.iter().map(|column| (table.name, column.name)))
        .collect()
}

/// The services that have a database.
pub fn services() -> impl Iterator<Item = &'static str> {
    let first = TABLES.iter().filter_map(|tables| tables.first());
    first.map(|table| table.service)
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
        activity: column.activity.unwrap_or(table.activity),
        retention: table.retention,
        erasure: table.erasure,
        means: column.means,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belongs::Export;
    use crate::model::{Category, Whose};

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
    fn what_names_somebody_says_whose_it_is_by_columns_that_are_there() {
        for table in all() {
            let mut columns = table.columns.iter();
            let names_somebody = columns.any(|column| column.whose != Whose::Nobody);
            let belongs = !matches!(table.belongs, Belongs::ToNobody);
            assert_eq!(names_somebody, belongs, "{}.{}", table.service, table.name);
            for owner in table.owners() {
                let mut columns = table.columns.iter();
                let known = columns.any(|column| column.name == owner.column);
                assert!(known, "{}.{}", table.name, owner.column);
            }
        }
    }

    #[test]
    fn an_export_holds_nothing_that_proves_who_somebody_is() {
        let columns = all().flat_map(|table| table.columns);
        let secret = columns.filter(|column| column.category == Category::Credential);
        let shown = secret.filter(|column| !matches!(column.export, Export::LeftOut(_)));
        let shown: Vec<&str> = shown.map(|column| column.name).collect();
        assert_eq!(shown, ["role"], "a role is no secret");
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
