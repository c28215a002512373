//! The databases: whether they can be reached, how far their tables are, and what PostgreSQL would keep.

use chassis::database::schema::{self, Schema};
use chassis::database::{DatabaseError, DatabaseUrl};
use chassis::scrub::obstacles;
use chassis::settings::Settings;

use super::Report;
use crate::names;

const WHAT: &str = "database";

pub(super) async fn examine(settings: &Settings, report: &mut Report) {
    let url = match settings.database() {
        Ok(url) => url,
        Err(error) => {
            return report.fail(WHAT, &format!("{error:#}"), "correct DIPPER_DATABASE_URL");
        }
    };
    match schema::server_time(&url).await {
        Ok(Some(theirs)) => {
            report.clock("PostgreSQL", theirs);
            deleted_rows(&url, report).await;
        }
        Ok(None) => {}
        Err(error) => return unreachable(&error, report),
    }
    for (service, migrations) in names::TABLES {
        match schema::look(&url, service, migrations).await {
            Ok(schema) => tell(service, schema, report),
            Err(error) => unreachable(&error, report),
        }
    }
}

fn unreachable(error: &DatabaseError, report: &mut Report) {
    let advice = "start it, or correct DIPPER_DATABASE_URL";
    report.fail(WHAT, &error.to_string(), advice);
}

fn tell(service: &str, schema: Option<Schema>, report: &mut Report) {
    let Some(schema) = schema else {
        let found = format!("{service} has none yet");
        return report.warn(WHAT, &found, "its first start makes it");
    };
    let list = |versions: &[i64]| {
        let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
        versions.join(", ")
    };
    if !schema.damaged.is_empty() {
        report.fail(
            WHAT,
            &format!(
                "{service}: other or unfinished migrations {}",
                list(&schema.damaged)
            ),
            "restore the database, or run the program that made it",
        );
    }
    if !schema.missing.is_empty() {
        report.warn(
            WHAT,
            &format!("{service} lacks migrations {}", list(&schema.missing)),
            "its next start applies them",
        );
    }
    if !schema.unknown.is_empty() {
        report.warn(
            WHAT,
            &format!(
                "{service} has migrations of a newer program, {}",
                list(&schema.unknown)
            ),
            "fine during an upgrade; otherwise run the newer program",
        );
    }
    if schema == Schema::default() {
        report.ok(WHAT, &format!("{service}'s tables are up to date"));
    }
}

async fn deleted_rows(url: &DatabaseUrl, report: &mut Report) {
    const WHAT: &str = "erasure";
    let found = match obstacles(url).await {
        Ok(found) => found,
        Err(error) => return unreachable(&error, report),
    };
    if found.is_empty() {
        report.ok(
            WHAT,
            "PostgreSQL is set up so that deleted rows leave its files",
        );
    }
    for why in found {
        let advice = "deploy/postgresql.conf and postgresql-role.sql have it all";
        report.fail(WHAT, &why, advice);
    }
}
