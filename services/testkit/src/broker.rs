//! A nats-server that its test kills, stops, damages and starts again, always at the same address.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use chassis::nats_server::{Credentials, LIMITS, Permissions, free_port};
use clients::permissions;
use tokio::process::{Child, Command};

use crate::{eventually, nats_server, program};

/// The services, each of which has a login of its name.
pub const SERVICES: [&str; 7] = [
    "tick-api",
    "auth-api",
    "user-api",
    "score-model",
    "notifier",
    "statistics",
    "admin-api",
];

/// A login that may do everything, for what tests do to a broker behind everybody's back.
pub const TESTER: &str = "tester";

/// The logins of the system, and that of a tester.
pub fn permissions() -> Vec<Permissions> {
    let mut all = permissions::on_one_machine();
    all.push(Permissions::all(TESTER));
    all
}

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// Where it keeps its streams.
    pub store: PathBuf,
    /// How often it flushes them to the disk, e.g. `100ms`, `2m` or `always`.
    pub sync_interval: String,
    /// More of its configuration.
    pub more: String,
}

/// A nats-server that ends with its test.
#[derive(Debug)]
pub struct Broker {
    settings: BrokerSettings,
    config: PathBuf,
    url: String,
    monitoring: u16,
    child: Option<Child>,
}

impl Broker {
    /// Writes configuration and credentials into `nats` of a folder, and starts.
    pub async fn start(folder: &Path, settings: BrokerSettings) -> Self {
        let nats = folder.join("nats");
        let mut brokers = Self::prepare(&nats, vec![settings]);
        let mut broker = brokers.pop().unwrap();
        broker.begin().await;
        broker
    }

    /// Servers that form a cluster, with one set of logins; `nats/credentials.json` names all.
    pub async fn start_cluster(folder: &Path, servers: usize) -> Vec<Self> {
        let nats = folder.join("nats");
        let routes: Vec<String> = (0..servers)
            .map(|_| format!("127.0.0.1:{}", free_port().unwrap()))
            .collect();
        let urls: Vec<String> = routes.iter().map(|one| format!("nats://{one}")).collect();
        let settings = routes.iter().enumerate().map(|(number, own)| BrokerSettings {
            store: nats.join(format!("store-{number}")),
            sync_interval: "100ms".to_owned(),
            more: format!(
                "server_name: \"dipper-{number}\"\ncluster {{\n  name: \"dipper\"\n  listen: \"{own}\"\n  routes: [{}]\n}}",
                urls.join(", ")
            ),
        });
        let mut brokers = Self::prepare(&nats, settings.collect());
        // None is healthy before the others are there.
        for broker in &mut brokers {
            broker.spawn();
        }
        for broker in &mut brokers {
            broker.is_healthy().await;
        }
        brokers
    }

    fn prepare(nats: &Path, all: Vec<BrokerSettings>) -> Vec<Self> {
        std::fs::create_dir_all(nats).unwrap();
        let urls: Vec<String> = all
            .iter()
            .map(|_| format!("nats://127.0.0.1:{}", free_port().unwrap()))
            .collect();
        let permissions = permissions();
        let credentials = Credentials::new(urls.join(","), &permissions);
        let text = serde_json::to_string_pretty(&credentials).unwrap();
        std::fs::write(nats.join("credentials.json"), text).unwrap();
        let servers = all.into_iter().zip(urls).enumerate();
        let prepared = servers.map(|(number, (settings, url))| {
            let monitoring = free_port().unwrap();
            let config = nats.join(format!("nats-{number}.conf"));
            let log = nats.join(format!("nats-{number}.log"));
            let own = format!("log_file: \"{}\"\n", log.display());
            let text =
                own + &configuration((&credentials, &permissions), &settings, (&url, monitoring));
            std::fs::write(&config, text).unwrap();
            Self {
                settings,
                config,
                url,
                monitoring,
                child: None,
            }
        });
        prepared.collect()
    }

    /// Starts it again; it is healthy when this returns.
    pub async fn begin(&mut self) {
        self.spawn();
        self.is_healthy().await;
    }

    fn spawn(&mut self) {
        let child = Command::new(nats_server())
            .arg("-c")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the nats-server starts");
        self.child = Some(child);
    }

    async fn is_healthy(&mut self) {
        let address = format!("{}/healthz", self.monitoring());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let healthy = eventually("the nats-server is healthy", || async {
            let answer = client.get(&address).send().await.ok()?;
            answer.status().is_success().then_some(())
        });
        let child = self.child.as_mut().expect("it runs");
        tokio::select! {
            () = healthy => {}
            ended = child.wait() => {
                let log = std::fs::read_to_string(self.config.with_extension("log"));
                panic!("the nats-server ended ({ended:?}): {}", log.unwrap_or_default());
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its monitoring answers.
    pub fn monitoring(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitoring)
    }

    /// Where it keeps its streams.
    pub fn store(&self) -> &Path {
        &self.settings.store
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("it can be killed");
        }
    }

    /// SIGTERM, and waits for its end.
    pub async fn stop(&mut self) {
        program::signal(self.pid(), "TERM").await;
        if let Some(mut child) = self.child.take() {
            child.wait().await.unwrap();
        }
    }
}

fn configuration(
    (credentials, permissions): (&Credentials, &[Permissions]),
    settings: &BrokerSettings,
    (url, monitoring): (&str, u16),
) -> String {
    format!(
        "listen: \"{}\"\nhttp: \"127.0.0.1:{monitoring}\"\n{LIMITS}\
         jetstream {{\n  max_file_store: 64GB\n  store_dir: \"{}\"\n  sync_interval: \"{}\"\n}}\n\
         {}{}\n",
        url.trim_start_matches("nats://"),
        settings.store.display(),
        settings.sync_interval,
        credentials.authorization(permissions),
        settings.more,
    )
}
