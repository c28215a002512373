//! How old rows are, and who ends those whose time is over.

use crate::tables::{Table, tables_of};

/// What tells how old a table's rows are. Times are microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// A column that says since when a row is there.
    Since(&'static str),
    /// A column that says until when it may be.
    Until(&'static str),
    /// A row is as old as the one of another table that one of its columns leads to.
    With {
        /// The column.
        column: &'static str,
        /// The other table, of the same service, whose age is a [`Age::Since`].
        table: &'static str,
        /// That table's column of the same values.
        key: &'static str,
    },
}

/// Who deletes rows whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The sweeper that all services have, by the table's retention.
    Sweeper,
    /// The service's own rules, which end them earlier or later than by their age alone.
    Service,
}

/// A table whose rows have an age.
#[derive(Clone, Copy, Debug)]
pub struct Aged {
    /// The service; `*` is every service that has a database.
    pub service: &'static str,
    /// The table.
    pub table: &'static str,
    /// How old they are.
    pub age: Age,
    /// Who ends them.
    pub ended_by: EndedBy,
}

const fn swept(service: &'static str, table: &'static str, age: Age) -> Aged {
    Aged {
        service,
        table,
        age,
        ended_by: EndedBy::Sweeper,
    }
}

const fn kept(service: &'static str, table: &'static str, since: &'static str) -> Aged {
    Aged {
        service,
        table,
        age: Age::Since(since),
        ended_by: EndedBy::Service,
    }
}

/// The tables whose rows have an age. Those that go with others come before them.
pub static AGES: &[Aged] = &[
    kept("*", "outbox", "sent_at"),
    kept("*", "parked", "parked_at"),
    kept("tick-api", "upload", "begun_at"),
    swept("auth-api", "confirmation", Age::Until("expires_at")),
    swept("auth-api", "password_reset", Age::Until("expires_at")),
    swept("auth-api", "session", Age::Until("expires_at")),
    swept("auth-api", "oidc_step", Age::Until("expires_at")),
    swept("auth-api", "mailed_code", Age::Until("expires_at")),
    swept("auth-api", "suspension", Age::Until("suspended_until")),
    swept("user-api", "address_change", Age::Until("expires_at")),
    kept("user-api", "export", "requested_at"),
    Aged {
        service: "user-api",
        table: "erasure_service",
        age: Age::With {
            column: "event_id",
            table: "erasure",
            key: "event_id",
        },
        ended_by: EndedBy::Service,
    },
    kept("user-api", "erasure", "finished_at"),
    kept("user-api", "import", "begun_at"),
    kept("notifier", "pending", "queued_at"),
    kept("notifier", "account_mail", "queued_at"),
    swept("notifier", "unsubscribe", Age::Since("made_at")),
    kept("statistics", "fact", "at"),
    swept("admin-api", "audit", Age::Since("at")),
    swept(
        "admin-api",
        "decision_event",
        Age::With {
            column: "decision",
            table: "decision",
            key: "id",
        },
    ),
    swept("admin-api", "decision", Age::Since("made_at")),
];

/// The tables of a service whose rows have an age.
pub fn aged_in(service: &str) -> impl Iterator<Item = (&'static Aged, &'static Table)> {
    let of_service = move |aged: &&Aged| aged.service == service || aged.service == "*";
    let with_table = move |aged: &'static Aged| {
        let table = tables_of(service).find(|table| table.name == aged.table);
        table.map(|table| (aged, table))
    };
    AGES.iter().filter(of_service).filter_map(with_table)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Retention;
    use crate::tables::services;

    fn has(table: &Table, column: &str) -> bool {
        table.columns.iter().any(|one| one.name == column)
    }

    #[test]
    fn every_age_is_told_by_a_column_that_is_there() {
        let found: usize = services().map(|service| aged_in(service).count()).sum();
        let shared = AGES.iter().filter(|aged| aged.service == "*").count();
        let own = AGES.len() - shared;
        assert_eq!(found, own + shared * services().count());
        for service in services() {
            for (aged, table) in aged_in(service) {
                let is_there = match aged.age {
                    Age::Since(column) | Age::Until(column) => has(table, column),
                    Age::With {
                        column,
                        table: other,
                        key,
                    } => {
                        let other = tables_of(service).find(|table| table.name == other);
                        has(table, column) && other.is_some_and(|other| has(other, key))
                    }
                };
                assert!(is_there, "{}", aged.table);
            }
        }
    }

    #[test]
    fn what_is_kept_for_a_time_has_an_age() {
        // Its rows stand for ten seconds each, and are numbered by them.
        const BY_NUMBER: &str = "digest";
        let aged: BTreeSet<&str> = AGES.iter().map(|aged| aged.table).collect();
        for service in services() {
            for table in tables_of(service) {
                let for_a_time =
                    matches!(table.retention, Retention::For(_) | Retention::Stream(_));
                if for_a_time && table.name != BY_NUMBER {
                    assert!(aged.contains(table.name), "{}", table.name);
                }
            }
        }
    }
}
