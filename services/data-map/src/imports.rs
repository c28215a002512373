//! What of an export another instance takes, table by table: the mirror image of what an export holds.

use crate::tables::Table;

/// What becomes of a table's rows on another instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Import {
    /// Its service takes them as they are, and completes what an export leaves out.
    Rows,
    /// They follow from the person's events, or from the account that is made.
    Follow,
    /// They stay where they were, for this reason.
    Stay(&'static str),
}

/// Each table with somebody's rows, by its service.
pub static IMPORTS: &[(&str, &str, Import)] = &[
    ("tick-api", "image", Import::Rows),
    (
        "tick-api",
        "upload",
        Import::Stay("a photo that was just being stored, and has no file yet"),
    ),
    ("tick-api", "tick", Import::Rows),
    ("tick-api", "deleted_tick", Import::Rows),
    ("tick-api", "rating", Import::Rows),
    (
        "tick-api",
        "report",
        Import::Stay("what the other instance's moderators look into"),
    ),
    (
        "tick-api",
        "moderation_case",
        Import::Stay("what the other instance's moderators decide"),
    ),
    // UserAPI tells of what stands when the import ends.
    ("tick-api", "limited", Import::Follow),
    ("auth-api", "credential", Import::Follow),
    (
        "auth-api",
        "confirmation",
        Import::Stay("a link that leads to the other instance"),
    ),
    (
        "auth-api",
        "password_reset",
        Import::Stay("a link that leads to the other instance"),
    ),
    (
        "auth-api",
        "session",
        Import::Stay("who is logged in elsewhere is not logged in here"),
    ),
    (
        "auth-api",
        "mailed_code",
        Import::Stay("a code that the other instance asks for"),
    ),
    (
        "auth-api",
        "second_factor",
        Import::Stay("an app that is set up for the other instance"),
    ),
    (
        "auth-api",
        "recovery_code",
        Import::Stay("codes that the other instance takes"),
    ),
    (
        "auth-api",
        "oidc_identity",
        Import::Stay("a log-in with the other instance's provider"),
    ),
    (
        "auth-api",
        "suspension",
        Import::Stay("who is shut out elsewhere is not shut out here"),
    ),
    ("user-api", "identity", Import::Follow),
    (
        "user-api",
        "address_change",
        Import::Stay("a new address that the other instance has asked to confirm"),
    ),
    ("user-api", "processing_limit", Import::Rows),
    ("user-api", "consent", Import::Rows),
    ("user-api", "image_owner", Import::Follow),
    (
        "user-api",
        "erasure",
        Import::Stay("a request to be erased there"),
    ),
    (
        "user-api",
        "import",
        Import::Stay("that the account was being taken from a third instance"),
    ),
    ("notifier", "image_owner", Import::Follow),
    (
        "notifier",
        "pending",
        Import::Stay("the other instance tells of these ratings; nobody is told twice"),
    ),
    ("notifier", "recipient", Import::Rows),
    (
        "notifier",
        "account_mail",
        Import::Stay("a mail that the other instance sends"),
    ),
    (
        "notifier",
        "unsubscribe",
        Import::Stay("links that lead to the other instance"),
    ),
    ("statistics", "tick", Import::Follow),
    ("statistics", "rating", Import::Follow),
    ("statistics", "fact", Import::Follow),
    ("statistics", "image_score", Import::Follow),
    ("statistics", "limited", Import::Follow),
    // Whoever registered longer ago than the stream of accounts reaches.
    ("statistics", "person", Import::Rows),
    (
        "admin-api",
        "audit",
        Import::Stay("what the other instance's admins answer for"),
    ),
    (
        "admin-api",
        "decision",
        Import::Stay("what the other instance's admins answer for"),
    ),
];

/// What becomes of a table's rows; none for a table of nobody's.
pub fn import_of(table: &Table) -> Option<Import> {
    let mut all = IMPORTS.iter();
    let found = all.find(|(service, name, _)| (*service, *name) == (table.service, table.name));
    found.map(|(_, _, import)| *import)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{services, tables_of};

    #[test]
    fn every_table_that_is_exported_says_what_becomes_of_it() {
        let mut personal = 0;
        for table in services().flat_map(tables_of) {
            let is_exported = !table.owners().is_empty();
            let name = (table.service, table.name);
            assert_eq!(import_of(table).is_some(), is_exported, "{name:?}");
            personal += usize::from(is_exported);
        }
        assert_eq!(personal, IMPORTS.len());
    }
}
