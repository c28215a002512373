//! What a process is configured with: flags over `DIPPER_*` variables over a TOML file over
//! defaults. The environment is read here and nowhere else.

mod environment;
mod oidc;
mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use data_map::BACKUP_LIFE;
use serde::{Deserialize, Serialize};

use crate::bus::streams::StreamSettings;
use crate::bus::{Access, Tls};
use crate::database::DatabaseUrl;
use crate::http::{LIMITS, Policy};
use crate::keys::Keys;
use crate::ledger::Ledger;
use crate::nats_server::Credentials;
use crate::trace::export;
use environment::{all_set, from_environment, merge};
pub use oidc::Oidc;
pub use values::{AgeGate, AuthMode, LogFormat, Rate, Seconds, Secret};

/// Whoever is erased is to be gone from backups within a time that they live to see.
const LONGEST_BACKUP_LIFE: Duration = Duration::from_hours(10 * 365 * 24);
/// All settings. Each can be written in the TOML file under its name, or set as `DIPPER_<NAME>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Folder of `up`'s stores, of pictures and of keys.
    pub data_dir: PathBuf,
    /// Address that HTTP listens on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// What links in mails and picture URLs begin with; by default the listening address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// The broker for `serve`: `nats://user:password@host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_url: Option<Secret>,
    /// A credentials file with a login per service, as `up` writes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_credentials: Option<PathBuf>,
    /// The certificates that may have signed the broker's own: the connection is encrypted then, or there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_tls_ca: Option<PathBuf>,
    /// Our certificate for a broker that asks for one, with its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_tls_cert: Option<PathBuf>,
    /// The key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_tls_key: Option<PathBuf>,
    /// The nats-server that `up` starts; by default the one on the PATH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_server: Option<PathBuf>,
    /// The folder that holds PostgreSQL's client programs, for backups; by default those on the PATH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_programs: Option<PathBuf>,
    /// Where the monitoring of the broker's servers listens, for `serve`: `host:port`, separated by
    /// commas. At the start they are asked whether what they acknowledge survives a power failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_monitoring: Option<String>,
    /// The log of a nats-server on this machine, for `serve`: refusals that it tells of are counted, as a login that somebody else
    /// uses meets them in no process of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_log: Option<PathBuf>,
    /// How many servers keep a copy of each stream.
    pub nats_replicas: usize,
    /// How long the broker itself refuses a message id that it has seen.
    pub duplicate_window: Seconds,
    /// `sqlite:FOLDER` or `postgres://user:password@host/database`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<Secret>,
    /// The mail server: `smtp://host:port` or `smtps://user:password@host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_url: Option<Secret>,
    /// The sender of our mails.
    pub mail_from: String,
    /// Old majors of events that somebody is known to read, though the broker may not show it,
    /// separated by commas: `rate.update@1`. They are published beside the newer ones.
    pub old_readers: String,
    /// At most one mail about ratings in this time; by default as the person chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_interval: Option<Seconds>,
    /// How many bytes the pictures of one person may take, in all sizes that are kept.
    pub storage_quota: u64,
    /// How long the archive of an export is kept.
    pub export_life: Seconds,
    /// What an erasure looks through at its end beside the data folder, separated by commas: the
    /// folders of PostgreSQL's data and of the broker's servers, as far as they are within reach.
    pub scan: String,
    /// Folder of the ledger of erased people, best on another disk; by default in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<PathBuf>,
    /// How long a backup lives: then it is deleted, cannot be restored any more, and the ledger lets go of
    /// those who were erased before.
    pub backup_life: Seconds,
    /// How bearer tokens are judged.
    pub auth_mode: AuthMode,
    /// Whether a registration without a birth date is refused: `optional` or `required`.
    pub age_gate: AgeGate,
    /// Who is younger, in years, cannot register: 13 to 16 by the member state, Art. 8 GDPR.
    pub minimum_age: u32,
    /// An OpenID Connect provider that people may log in with, by its issuer: `https://id.example.org`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc_issuer: Option<String>,
    /// What that provider calls us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc_client_id: Option<String>,
    /// The file with the secret that it gave us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// The deployment's secret, at least 32 characters; by default made and kept in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// The secret that follows it, for `dipper keys rotate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_secret: Option<Secret>,
    /// For how long a rotation keeps the old key after the new one seals: longer than any request takes.
    pub key_overlap: Seconds,
    /// Proxies in front, separated by commas, as addresses or networks (`10.0.0.0/8`): only they are believed whom they ask
    /// for (`X-Forwarded-For`).
    pub trusted_proxies: String,
    /// Origins of apps that browsers may let use the API, separated by commas: `https://app.example.org`.
    pub cors_origins: String,
    /// How many HTTP connections may be open at once.
    pub connections: usize,
    /// The same from one address, but for proxies and this machine itself; 0 for any number.
    pub connections_per_address: usize,
    /// How often somebody may do something, by its name: `login = "60/60s"`, or `off`.
    pub limit: BTreeMap<String, Rate>,
    /// Shorter lives of streams by name, for tests: `USER = "60s"`.
    pub retention: BTreeMap<String, Seconds>,
    /// The collector that is told by OTLP of what is done and how long it takes: `http://host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<String>,
    /// Which log lines are written, e.g. `info` or `chassis=debug`.
    pub log: String,
    /// How they look.
    pub log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./dipper-data"),
            listen: None,
            public_url: None,
            nats_url: None,
            nats_credentials: None,
            nats_tls_ca: None,
            nats_tls_cert: None,
            nats_tls_key: None,
            nats_server: None,
            postgres_programs: None,
            nats_monitoring: None,
            nats_log: None,
            nats_replicas: 1,
            duplicate_window: Seconds(Duration::from_mins(2)),
            database_url: None,
            smtp_url: None,
            mail_from: "Dipper <no-reply@dipper.invalid>".to_owned(),
            old_readers: String::new(),
            digest_interval: None,
            storage_quota: 5_000_000_000,
            export_life: Seconds(Duration::from_hours(7 * 24)),
            scan: String::new(),
            ledger: None,
            backup_life: Seconds(BACKUP_LIFE),
            auth_mode: AuthMode::default(),
            age_gate: AgeGate::default(),
            minimum_age: 16,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret_file: None,
            secret: None,
            new_secret: None,
            key_overlap: Seconds(Duration::from_secs(30)),
            trusted_proxies: String::new(),
            cors_origins: String::new(),
            connections: 10_000,
            connections_per_address: 200,
            limit: BTreeMap::new(),
            retention: BTreeMap::new(),
            otlp_endpoint: None,
            log: "info,async_nats=error,sqlx=warn".to_owned(),
            log_format: LogFormat::default(),
        }
    }
}

impl Settings {
    /// Merges flags, `DIPPER_*` variables and the file over the defaults. Also returns the names
    /// of variables that are no settings.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: toml::Table,
    ) -> anyhow::Result<(Self, Vec<String>)> {
        let mut table = file.map(read_file).transpose()?.unwrap_or_default();
        let (variables, unknown) = from_environment(environment);
        merge(&mut table, variables);
        merge(&mut table, flags);
        let settings: Self = serde_path_to_error::deserialize(table).map_err(|error| {
            let setting = error.path().to_string();
            anyhow::anyhow!("configuration: {setting}: {}", one_line(error.inner()))
        })?;
        settings.check()?;
        Ok((settings, unknown))
    }

    /// The names of settings that have no value; what happens then, their descriptions say.
    pub fn unset(&self) -> Vec<String> {
        let set = toml::Table::try_from(self).unwrap_or_default();
        let all = toml::Table::try_from(all_set()).unwrap_or_default();
        all.into_iter()
            .map(|(name, _)| name)
            .filter(|name| !set.contains_key(name))
            .collect()
    }

    fn check(&self) -> anyhow::Result<()> {
        for name in self.retention.keys() {
            ensure!(
                envelope::stream(name).is_some(),
                "configuration: retention of {name}: there is no such stream; there are {}",
                envelope::STREAMS
                    .iter()
                    .map(|stream| stream.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        for name in self.limit.keys() {
            ensure!(
                LIMITS.iter().any(|limit| limit.name == name),
                "configuration: limit of {name}: there is no such limit; there are {}",
                LIMITS
                    .iter()
                    .map(|limit| limit.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        ensure!(
            self.connections > 0,
            "configuration: connections: at least 1"
        );
        self.check_oidc()?;
        Policy::new(self, "").map_err(|why| anyhow::anyhow!("configuration: {why}"))?;
        ensure!(
            self.backup_life.0 <= LONGEST_BACKUP_LIFE,
            "configuration: backup_life: at most {}s, ten years",
            LONGEST_BACKUP_LIFE.as_secs()
        );
        if let Some(endpoint) = &self.otlp_endpoint {
            export::address(endpoint)
                .map_err(|why| anyhow::anyhow!("configuration: otlp_endpoint: {why}"))?;
        }
        if let Some(url) = &self.database_url {
            url.reveal()
                .parse::<DatabaseUrl>()
                .map_err(|why| anyhow::anyhow!("configuration: database_url: {why}"))?;
        }
        Ok(())
    }

    /// Where the databases are; by default in the data folder.
    pub fn database(&self) -> anyhow::Result<DatabaseUrl> {
        match &self.database_url {
            Some(url) => url
                .reveal()
                .parse()
                .map_err(|why: String| anyhow::anyhow!(why)),
            None => Ok(DatabaseUrl::Sqlite(self.data_dir.join("db"))),
        }
    }

    /// How one user reaches the broker.
    pub fn broker(&self, user: &str) -> anyhow::Result<Access> {
        match (&self.nats_credentials, &self.nats_url) {
            (Some(path), url) => {
                let mut access = Credentials::read(path)?.access(user);
                if let Some(url) = url {
                    url.reveal().clone_into(&mut access.url);
                }
                access.tls = self.broker_tls()?;
                Ok(access)
            }
            (None, Some(url)) => Ok(Access {
                url: url.reveal().to_owned(),
                login: None,
                tls: self.broker_tls()?,
            }),
            (None, None) => bail!(
                "no broker: set DIPPER_NATS_URL, e.g. nats://127.0.0.1:4222, or run `dipper up`, which brings its own"
            ),
        }
    }

    /// Where the monitoring of the broker's servers listens, `host:port` each.
    pub fn monitored_servers(&self) -> Vec<String> {
        let named = self.nats_monitoring.as_deref().unwrap_or_default();
        let named = named.split(',').map(str::trim);
        named
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn broker_tls(&self) -> anyhow::Result<Tls> {
        let own = match (&self.nats_tls_cert, &self.nats_tls_key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            _ => bail!("nats_tls_cert and nats_tls_key are set together or not at all"),
        };
        Ok(Tls {
            authorities: self.nats_tls_ca.clone(),
            own,
        })
    }

    /// Whether the broker's credentials hold a user's login; an address is for everybody.
    pub fn has_login(&self, user: &str) -> anyhow::Result<bool> {
        self.nats_credentials.as_ref().map_or(Ok(true), |path| {
            Ok(Credentials::read(path)?.users.contains_key(user))
        })
    }

    /// How a person at the command line reaches the broker: the configured one, or that of the
    /// instance in the data folder.
    pub fn broker_of_instance(&self, user: &str) -> anyhow::Result<Access> {
        let own = self.data_dir.join("nats").join("credentials.json");
        if self.nats_url.is_none() && self.nats_credentials.is_none() && own.exists() {
            return Ok(Credentials::read(&own)?.access(user));
        }
        self.broker(user)
    }

    /// The folders that hold what the deployment keeps, as far as this machine sees them.
    pub fn scanned_places(&self) -> Vec<PathBuf> {
        let others = self.scan.split(',').map(str::trim);
        let others = others.filter(|folder| !folder.is_empty());
        std::iter::once(self.data_dir.clone())
            .chain(others.map(PathBuf::from))
            .collect()
    }

    /// The deployment's keys.
    pub fn keys(&self) -> anyhow::Result<Keys> {
        match &self.secret {
            Some(secret) => Keys::with_secret(secret.reveal(), &self.keys_folder()),
            None => Keys::open(&self.keys_folder()),
        }
    }

    /// Where the secret and the key ring are.
    pub fn keys_folder(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    /// The ledger of erased people.
    pub fn ledger(&self, keys: &Keys) -> Ledger {
        let own = || self.data_dir.join("ledger");
        Ledger::new(&self.ledger.clone().unwrap_or_else(own), keys)
    }

    /// The streams' settings.
    pub fn streams(&self) -> StreamSettings {
        StreamSettings {
            retention: self
                .retention
                .iter()
                .map(|(name, life)| (name.clone(), life.0))
                .collect(),
            duplicate_window: self.duplicate_window.0,
            replicas: self.nats_replicas,
        }
    }
}

fn read_file(path: &Path) -> anyhow::Result<toml::Table> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    text.parse().map_err(|error: toml::de::Error| {
        let before = error
            .span()
            .map_or("", |span| text.get(..span.start).unwrap_or_default());
        let line = before.matches('\n').count() + 1;
        let (path, why) = (path.display(), one_line(&error));
        anyhow::anyhow!("configuration {path}: line {line}: {why}")
    })
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> anyhow::Result<(Settings, Vec<String>)> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::load(None, variables, toml::Table::new())
    }

    #[test]
    fn variables_are_read_and_unknown_ones_named() {
        let (settings, unknown) = load(&[
            ("DIPPER_LISTEN", "127.0.0.1:9000"),
            ("DIPPER_RETENTION_USER", "60s"),
            ("DIPPER_LIMIT_LOGIN", "5/10s"),
            ("DIPPER_NATS_REPLICAS", "3"),
            ("DIPPER_AUTH_MODE", "trust"),
            ("DIPPER_TEST_POSTGRES", "/usr/bin"),
            ("DIPPER_LISTN", "oops"),
            ("HOME", "/root"),
        ])
        .unwrap();
        assert_eq!(settings.listen.unwrap().port(), 9000);
        assert_eq!(settings.streams().retention["USER"], Duration::from_mins(1));
        assert_eq!(
            (settings.nats_replicas, settings.auth_mode),
            (3, AuthMode::Trust)
        );
        assert_eq!(settings.limit["login"], "5/10s".parse().unwrap());
        assert_eq!(unknown, ["DIPPER_LISTN"]);
    }

    #[test]
    fn flags_win_over_variables() {
        let flags = toml::Table::from_iter([("listen".to_owned(), "127.0.0.1:1".into())]);
        let variables = [("DIPPER_LISTEN".to_owned(), "127.0.0.1:2".to_owned())];
        let (settings, _) = Settings::load(None, variables.into_iter(), flags).unwrap();
        assert_eq!(settings.listen.unwrap().port(), 1);
    }

    #[test]
    fn wrong_values_are_refused_in_one_line() {
        for (name, value) in [
            ("DIPPER_RETENTION_NOPE", "60s"),
            ("DIPPER_RETENTION_USER", "soon"),
            ("DIPPER_DUPLICATE_WINDOW", "0s"),
            ("DIPPER_LISTEN", "everywhere"),
            ("DIPPER_AUTH_MODE", "open"),
            ("DIPPER_DATABASE_URL", "mysql://x"),
            ("DIPPER_LIMIT_NOPE", "1/1s"),
            ("DIPPER_LIMIT_LOGIN", "often"),
            ("DIPPER_CORS_ORIGINS", "null"),
            ("DIPPER_TRUSTED_PROXIES", "the proxy"),
            ("DIPPER_CONNECTIONS", "0"),
            ("DIPPER_OIDC_CLIENT_ID", "dipper"),
            ("DIPPER_OTLP_ENDPOINT", "https://collector"),
        ] {
            let error = format!("{:#}", load(&[(name, value)]).unwrap_err());
            assert!(error.starts_with("configuration"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn secrets_are_masked_when_shown() {
        let (settings, _) = load(&[("DIPPER_SECRET", "0123456789abcdef0123456789abcdef")]).unwrap();
        assert!(
            !toml::to_string(&settings)
                .unwrap()
                .contains("0123456789abcdef")
        );
        assert!(!format!("{settings:?}").contains("0123456789abcdef"));
        assert!(settings.unset().contains(&"listen".to_owned()));
        assert!(!settings.unset().contains(&"secret".to_owned()));
    }
}
