//! What `dipper doctor` says of an instance that is well, and of one that is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use testkit::broker::{Broker, BrokerSettings};
use testkit::{Launch, Postgres, Wire, databases};

use crate::setup::{DIPPER, serve, up};

const NEWER: &str =
    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (9001, 'from tomorrow', true, '', 0)";

fn doctor(folder: &Path) -> Launch {
    let folder = folder.to_string_lossy();
    Launch::new(DIPPER, &["doctor", "--data-dir", &folder])
}

/// How it ended, and what it told line by line.
async fn says(doctor: &Launch) -> (Option<i32>, Vec<String>) {
    let output = doctor.output().await;
    let text = String::from_utf8(output.stdout).unwrap();
    (
        output.status.code(),
        text.lines().map(str::to_owned).collect(),
    )
}

/// The first line with a verdict about something that holds a text.
#[track_caller]
fn line<'l>(lines: &'l [String], verdict: &str, what: &str, part: &str) -> &'l str {
    let front = format!("{verdict:<4}  {what:<13}  ");
    let found = lines
        .iter()
        .find(|line| line.starts_with(&front) && line.contains(part));
    assert!(found.is_some(), "no {front:?} with {part:?} in {lines:#?}");
    found.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_examined_while_it_runs_and_after_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let (code, lines) = says(&doctor(folder.path()).env("DIPPER_LISTN", "oops")).await;
    assert_eq!(code, Some(0), "{lines:#?}");
    let (verdicts, end) = lines.split_at(lines.len() - 1);
    let words = ["ok  ", "warn", "fail"];
    assert!(
        verdicts
            .iter()
            .all(|line| words.iter().any(|word| line.starts_with(word))),
        "{lines:#?}"
    );
    assert!(end[0].starts_with("0 failed, "), "{end:?}");
    line(
        &lines,
        "warn",
        "configuration",
        "DIPPER_LISTN is no setting",
    );
    line(&lines, "ok", "keys", "seals");
    line(&lines, "ok", "ledger", "all links hold");
    line(&lines, "ok", "broker", "nats-server 2.");
    line(&lines, "ok", "streams", "as the catalogue says");
    line(&lines, "ok", "durability", "survives a power failure");
    line(&lines, "ok", "erasure", "does not encrypt");
    line(&lines, "ok", "clock", "ms from");
    for service in [
        "tick-api",
        "auth-api",
        "user-api",
        "notifier",
        "statistics",
        "admin-api",
    ] {
        line(
            &lines,
            "ok",
            "database",
            &format!("{service}'s tables are up to date"),
        );
    }
    assert_eq!(running.stop().await, Some(0));

    let keys = folder.path().join("keys");
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, lines) = says(&doctor(folder.path())).await;
    assert_eq!(code, Some(1), "{lines:#?}");
    line(&lines, "fail", "data folder", "chmod go-rwx");
    line(&lines, "fail", "broker", "start it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_databases_but_no_keys_is_beyond_help_until_they_are_back() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("db")).unwrap();
    let (code, lines) = says(&doctor(folder.path())).await;
    assert_eq!(code, Some(1), "{lines:#?}");
    line(&lines, "fail", "keys", "bring back the keys");
    line(&lines, "warn", "database", "tick-api has none yet");
    line(&lines, "warn", "broker", "none yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_differs_from_the_catalogue_or_flushes_too_seldom_fails() {
    let folder = tempfile::tempdir().unwrap();
    let settings = BrokerSettings {
        store: folder.path().join("store"),
        sync_interval: "30m".to_owned(),
        more: String::new(),
    };
    let broker = Broker::start(folder.path(), settings).await;
    let running = serve("statistics", folder.path()).start().await;
    assert_eq!(running.stop().await, Some(0));
    let wire = Wire::connect(folder.path(), "setup").await;
    let stream = wire.jetstream().get_stream("RATE").await.unwrap();
    let mut config = stream.cached_info().config.clone();
    config.max_messages = 7;
    wire.jetstream().update_stream(&config).await.unwrap();

    let monitoring = broker.monitoring();
    let monitoring = monitoring.trim_start_matches("http://");
    let doctor = doctor(folder.path()).env("DIPPER_NATS_MONITORING", monitoring);
    let (code, lines) = says(&doctor).await;
    assert_eq!(code, Some(1), "{lines:#?}");
    let drift = line(&lines, "fail", "streams", "RATE");
    assert!(drift.contains("max_messages is 7"), "{drift}");
    assert!(drift.contains("--update-streams"), "{drift}");
    line(&lines, "fail", "durability", "sync_interval");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_examined_too() {
    let (postgres, folder) = (Postgres::start().await, tempfile::tempdir().unwrap());
    let url = postgres.url();
    let running = up(folder.path()).env("DIPPER_DATABASE_URL", &url);
    let running = running.start().await;
    databases::postgres_execute(&url, "tick_api", NEWER).await;
    let (_, lines) = says(&doctor(folder.path()).env("DIPPER_DATABASE_URL", &url)).await;
    line(&lines, "ok", "clock", "PostgreSQL");
    line(&lines, "ok", "database", "user-api's tables are up to date");
    line(
        &lines,
        "warn",
        "database",
        "tick-api has migrations of a newer program, 9001",
    );
    assert_eq!(running.stop().await, Some(0));

    let nobody = "postgres://nobody@127.0.0.1:1/nothing";
    let unreachable = doctor(Path::new("nowhere")).env("DIPPER_DATABASE_URL", nobody);
    let (code, lines) = says(&unreachable).await;
    assert_eq!(code, Some(1), "{lines:#?}");
    line(&lines, "fail", "database", "DIPPER_DATABASE_URL");
}
