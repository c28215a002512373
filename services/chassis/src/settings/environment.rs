//! Settings from `DIPPER_*` variables, and how one source lies over another.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{Seconds, Secret, Settings};

const PREFIX: &str = "DIPPER_";
const RETENTION_PREFIX: &str = "retention_";
const LIMIT_PREFIX: &str = "limit_";
/// Variables of our scripts and tests, which are no settings.
const NOT_SETTINGS: [&str; 2] = ["config", "test_"];

pub(super) fn from_environment(
    environment: impl Iterator<Item = (String, String)>,
) -> (toml::Table, Vec<String>) {
    let known = toml::Table::try_from(all_set()).unwrap_or_default();
    let (mut table, mut unknown) = (toml::Table::new(), Vec::new());
    let (mut retention, mut limit) = (toml::Table::new(), toml::Table::new());
    for (name, value) in environment {
        let Some(key) = name.strip_prefix(PREFIX).map(str::to_lowercase) else {
            continue;
        };
        if let Some(stream) = key.strip_prefix(RETENTION_PREFIX) {
            retention.insert(stream.to_uppercase(), value.into());
        } else if let Some(name) = key.strip_prefix(LIMIT_PREFIX) {
            limit.insert(name.to_owned(), value.into());
        } else if let Some(example) = known.get(&key) {
            table.insert(key, typed(example, value));
        } else if !NOT_SETTINGS.iter().any(|front| key.starts_with(front)) {
            unknown.push(name);
        }
    }
    for (name, inner) in [("retention", retention), ("limit", limit)] {
        if !inner.is_empty() {
            table.insert(name.to_owned(), inner.into());
        }
    }
    (table, unknown)
}

/// Variables are texts; a setting that is a number gets one if the text is one.
fn typed(example: &toml::Value, value: String) -> toml::Value {
    match value.parse::<i64>() {
        Ok(number) if example.is_integer() => number.into(),
        _ => value.into(),
    }
}

/// Settings in which every key appears.
pub(super) fn all_set() -> Settings {
    let some = || Some(Secret::default());
    Settings {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        public_url: Some(String::new()),
        nats_url: some(),
        nats_credentials: Some(PathBuf::new()),
        nats_tls_ca: Some(PathBuf::new()),
        nats_tls_cert: Some(PathBuf::new()),
        nats_tls_key: Some(PathBuf::new()),
        nats_server: Some(PathBuf::new()),
        postgres_programs: Some(PathBuf::new()),
        nats_monitoring: Some(String::new()),
        nats_log: Some(PathBuf::new()),
        database_url: some(),
        smtp_url: some(),
        digest_interval: Some(Seconds(Duration::from_secs(1))),
        ledger: Some(PathBuf::new()),
        oidc_issuer: Some(String::new()),
        oidc_client_id: Some(String::new()),
        oidc_client_secret_file: Some(PathBuf::new()),
        otlp_endpoint: Some(String::new()),
        secret: some(),
        new_secret: some(),
        ..Settings::default()
    }
}

pub(super) fn merge(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => merge(inner, value),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}
