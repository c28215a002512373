//! The running system: a nats-server of ours, the services as processes, a mailbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures::future::join_all;
use mail_catcher::MailCatcher;
use tempfile::TempDir;
use testkit::broker::{BrokerSettings, SERVICES, TESTER};
use testkit::{Api, Broker, Launch, Mailbox, Running, Wire, program};
use tokio_util::sync::CancellationToken;

use crate::programs::Setting;
use crate::tables::Tables;

/// Which listener serves a path: the first whose beginning fits.
const FRONTS: [(&str, &str); 10] = [
    ("/api/v1/auth", "auth-api"),
    ("/api/v1/users/me/lists", "tick-api"),
    ("/api/v1/users", "user-api"),
    ("/api/v1/gdpr/requests", "user-api"),
    ("/api/v1/gdpr/export", "user-api"),
    ("/unsubscribe", "notifier"),
    ("/api/v1/statistics", "statistics"),
    ("/api/v1/admin", "admin-api"),
    ("/admin", "admin-api"),
    ("", "tick-api"),
];

/// What differs between the worlds of programs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which processes there are, and which services each runs.
    pub processes: Vec<Vec<&'static str>>,
    /// How often the broker flushes.
    pub sync_interval: String,
    /// Where the broker keeps its streams, if not in the folder.
    pub store: Option<PathBuf>,
    /// `DIPPER_*` variables of the services.
    pub environment: Vec<(String, String)>,
    /// How many servers form the broker.
    pub servers: usize,
    /// Where the SQLite files are, if not in the folder.
    pub databases: Option<PathBuf>,
    /// A PostgreSQL to use instead.
    pub database_url: Option<String>,
}

impl Plan {
    /// Each service in a process of its own.
    pub fn each_alone() -> Self {
        Self::of(SERVICES.iter().map(|name| vec![*name]).collect())
    }

    /// All services in one process.
    pub fn together() -> Self {
        Self::of(vec![SERVICES.to_vec()])
    }

    /// One service alone, the others in one process.
    pub fn apart(service: &'static str) -> Self {
        Self::some_apart(&[service])
    }

    /// Some services alone, the others in one process.
    pub fn some_apart(services: &[&'static str]) -> Self {
        let others = SERVICES.iter().copied();
        let others = others.filter(|name| !services.contains(name)).collect();
        let mut processes = vec![others];
        processes.extend(services.iter().map(|name| vec![*name]));
        Self::of(processes)
    }

    /// Some services only, each in a process of its own.
    pub fn only(services: &[&'static str]) -> Self {
        Self::of(services.iter().map(|name| vec![*name]).collect())
    }

    fn database_folder(&self, folder: &Path) -> PathBuf {
        self.databases.clone().unwrap_or_else(|| folder.join("db"))
    }

    fn of(processes: Vec<Vec<&'static str>>) -> Self {
        Self {
            processes,
            sync_interval: "100ms".to_owned(),
            store: None,
            environment: Vec::new(),
            servers: 1,
            databases: None,
            database_url: None,
        }
    }
}

#[derive(Debug)]
enum Process {
    Runs(Box<Running>),
    Stopped(Launch),
}

/// The system, gone when it is dropped.
pub struct World {
    /// Its client.
    pub api: Api,
    /// Where its mails arrive.
    pub mail: MailCatcher,
    /// Its broker.
    pub broker: Broker,
    /// The other servers of its cluster.
    pub others: Vec<Broker>,
    processes: BTreeMap<&'static str, Process>,
    listeners: BTreeMap<&'static str, String>,
    smtp: String,
    databases: PathBuf,
    database_url: Option<String>,
    folder: TempDir,
    end_of_mail: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.end_of_mail.cancel();
    }
}

impl World {
    /// Starts everything.
    pub async fn start(setting: &Setting, plan: &Plan) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("dipper-proof-").tempdir()?;
        let (broker, others) = brokers(folder.path(), plan).await?;
        let mail = MailCatcher::open(&folder.path().join("mail"))?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let smtp = format!("smtp://{}", listener.local_addr()?);
        let end_of_mail = CancellationToken::new();
        let (sink, end) = (mail.clone(), end_of_mail.clone());
        tokio::spawn(async move { sink.serve_smtp(listener, end).await });

        let mut processes = BTreeMap::new();
        let mut listeners = BTreeMap::new();
        for services in &plan.processes {
            let address = format!("127.0.0.1:{}", testkit::free_port());
            let launch = launch(setting, plan, folder.path(), (services, &address));
            let launch = launch.env("DIPPER_SMTP_URL", &smtp);
            let name = services.first().copied().unwrap_or_default();
            processes.insert(name, Process::Stopped(launch));
            for service in services {
                listeners.insert(*service, address.clone());
            }
        }
        let mut world = Self {
            api: api_of(&listeners, Mailbox::Catcher(mail.clone())),
            listeners,
            smtp,
            mail,
            broker,
            others,
            processes,
            databases: plan.database_folder(folder.path()),
            database_url: plan.database_url.clone(),
            folder,
            end_of_mail,
        };
        world.begin_all().await;
        Ok(world)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where a service listens.
    pub fn address(&self, service: &str) -> &str {
        self.listeners.get(service).map_or("", String::as_str)
    }

    /// The mail server that its services are given.
    pub fn smtp(&self) -> &str {
        &self.smtp
    }

    /// Names of its processes: each is called after its first service.
    pub fn names(&self) -> Vec<&'static str> {
        self.processes.keys().copied().collect()
    }

    /// A connection to its broker, for what nobody is permitted.
    pub async fn wire(&self) -> Wire {
        Wire::connect(self.folder(), TESTER).await
    }

    /// A service's tables.
    pub async fn tables(&self, service: &str) -> anyhow::Result<Tables> {
        match &self.database_url {
            Some(address) => Tables::postgres(address, service).await,
            None => Tables::open(&self.databases, service).await,
        }
    }

    /// A service's tables, to change them behind its back.
    pub async fn tables_to_write(&self, service: &str) -> anyhow::Result<Tables> {
        Tables::open_to_write(&self.databases, service).await
    }

    /// Starts a process that does not run, and waits until it is ready.
    pub async fn begin(&mut self, name: &'static str) {
        if let Some(process) = self.processes.remove(name) {
            let running = match process {
                Process::Stopped(launch) => Box::new(launch.start().await),
                Process::Runs(running) => running,
            };
            self.processes.insert(name, Process::Runs(running));
        }
    }

    /// Starts all that do not run. The first makes the streams.
    pub async fn begin_all(&mut self) {
        let mut stopped = Vec::new();
        for name in self.names() {
            match self.processes.remove(name) {
                Some(Process::Stopped(launch)) => stopped.push((name, launch)),
                Some(runs) => drop(self.processes.insert(name, runs)),
                None => {}
            }
        }
        let rest = stopped.split_off(stopped.len().min(1));
        for together in [stopped, rest] {
            let starting = together
                .into_iter()
                .map(async |(name, launch)| (name, Process::Runs(Box::new(launch.start().await))));
            self.processes.extend(join_all(starting).await);
        }
    }

    /// kill -9.
    pub async fn kill(&mut self, name: &'static str) {
        if let Some(process) = self.processes.remove(name) {
            let launch = match process {
                Process::Runs(running) => running.kill().await,
                Process::Stopped(launch) => launch,
            };
            self.processes.insert(name, Process::Stopped(launch));
        }
    }

    /// Stops a process and starts another program in its place.
    pub async fn restart_as(&mut self, name: &'static str, binary: &Path) {
        self.stop(name).await;
        if let Some(Process::Stopped(launch)) = self.processes.remove(name) {
            let launch = launch.by(binary);
            self.processes.insert(name, Process::Stopped(launch));
        }
        self.begin(name).await;
    }

    /// kill -9 of all.
    pub async fn kill_all(&mut self) {
        for name in self.names() {
            self.kill(name).await;
        }
    }

    /// SIGSTOP to all, and to the broker: nobody answers anybody any more.
    pub async fn freeze_all(&self) {
        for process in self.processes.values() {
            if let Process::Runs(running) = process {
                running.signal("STOP").await;
            }
        }
        program::signal(self.broker.pid(), "STOP").await;
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(&mut self, name: &'static str) {
        self.ask_to_stop(name).await;
        self.ended(name).await;
    }

    /// SIGTERM.
    pub async fn ask_to_stop(&self, name: &'static str) {
        if let Some(Process::Runs(running)) = self.processes.get(name) {
            running.signal("TERM").await;
        }
    }

    /// Waits for the end of one that was asked to stop.
    pub async fn ended(&mut self, name: &'static str) {
        if let Some(process) = self.processes.remove(name) {
            let launch = match process {
                Process::Runs(running) => running.ended().await,
                Process::Stopped(launch) => launch,
            };
            self.processes.insert(name, Process::Stopped(launch));
        }
    }

    /// SIGTERM to all.
    pub async fn stop_all(&mut self) {
        for name in self.names() {
            self.stop(name).await;
        }
    }

    /// The process id of one that runs.
    pub fn pid(&self, name: &str) -> Option<u32> {
        match self.processes.get(name)? {
            Process::Runs(running) => Some(running.pid()),
            Process::Stopped(_) => None,
        }
    }
}

/// A client of services that listen at these addresses.
pub fn api_of(listeners: &BTreeMap<&'static str, String>, mailbox: Mailbox) -> Api {
    let listener = |(front, service): (&str, &str)| {
        let address = listeners.get(service).cloned().unwrap_or_default();
        (front.to_owned(), format!("http://{address}"))
    };
    Api::spread(FRONTS.map(listener).to_vec(), mailbox)
}

async fn brokers(folder: &Path, plan: &Plan) -> anyhow::Result<(Broker, Vec<Broker>)> {
    if plan.servers > 1 {
        let mut servers = Broker::start_cluster(folder, plan.servers).await;
        let first = servers.pop().context("a cluster of none")?;
        return Ok((first, servers));
    }
    let settings = BrokerSettings {
        store: plan
            .store
            .clone()
            .unwrap_or_else(|| folder.join("nats/store")),
        sync_interval: plan.sync_interval.clone(),
        more: String::new(),
    };
    Ok((Broker::start(folder, settings).await, Vec::new()))
}

/// How a process is started.
pub fn launch(
    setting: &Setting,
    plan: &Plan,
    folder: &Path,
    (services, address): (&[&str], &str),
) -> Launch {
    let data = folder.to_string_lossy();
    let mut arguments = vec!["serve"];
    arguments.extend(services);
    arguments.extend(["--listen", address, "--data-dir", &*data]);
    let credentials = folder.join("nats/credentials.json");
    let database = plan.database_url.clone();
    let database = database.unwrap_or_else(|| {
        let databases = plan.database_folder(folder);
        format!("sqlite:{}", databases.display())
    });
    let mut launch = Launch::new(&setting.binary.to_string_lossy(), &arguments)
        .env("DIPPER_NATS_CREDENTIALS", &credentials.to_string_lossy())
        .env("DIPPER_DATABASE_URL", &database)
        .env("DIPPER_LOG", "warn")
        .log_to(&folder.join("services.log"));
    for (name, value) in plan.environment.iter().chain(&setting.environment) {
        launch = launch.env(name, value);
    }
    launch
}
