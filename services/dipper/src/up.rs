//! `dipper up`: everything in one process, kept in one folder.

use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use chassis::bus::Bus;
use chassis::bus::streams::{self, OnDrift};
use chassis::clock::Clock;
use chassis::keys::create_private_folder;
use chassis::lifecycle::Lifecycle;
use chassis::nats_server::{Credentials, NatsServer, log_of};
use chassis::settings::{AuthMode, Secret, Settings};
use clients::permissions;
use data_map::CAUGHT_MAIL;
use mail_catcher::MailCatcher;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::backup;
use crate::host::{Door, Host, refuse_encryption, tell_durability};
use crate::names::{ALL, ServiceName};
use crate::say;
use crate::stop::Signals;

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// How often caught mails are looked through for old ones.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// Runs until asked to stop.
pub(crate) async fn run(mut settings: Settings) -> anyhow::Result<()> {
    let Some(_lock) = lock(&settings.data_dir)? else {
        bail!(
            "{} is in use by another dipper; stop it or choose another folder with --data-dir",
            settings.data_dir.display()
        );
    };
    backup::clear_up(&settings.data_dir);
    let door = Door::open(settings.listen.unwrap_or(DEFAULT_LISTEN), &settings).await?;
    let url = door.url();
    say(&format!(
        "Dipper keeps everything in {}",
        settings.data_dir.display()
    ));
    if settings.auth_mode == AuthMode::Trust {
        say(
            "NOT SECURE: auth_mode is trust, so any token is believed. For trying things out only.",
        );
    }
    let mut signals = Signals::take()?;
    let post = Post::open(&mut settings).await?;
    settings.nats_log = Some(log_of(&settings.data_dir.join("nats")));
    let Some((broker, setup)) = signals
        .unless_asked(Box::pin(Broker::start(&settings)))
        .await?
    else {
        return Ok(());
    };
    say(&format!("  broker     {}", broker.credentials.url));

    let starting = async {
        let wanted = settings.streams();
        let host = start(settings, door, &url, &broker.credentials, post).await?;
        host.watch_streams(setup, wanted);
        Ok(host)
    };
    let starting = Box::pin(starting);
    let outcome = match signals.unless_asked(starting).await {
        Ok(Some(host)) => run_until_asked(host, &mut signals).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    let broker_outcome = broker.stop().await;
    outcome.and(broker_outcome)
}

async fn start(
    settings: Settings,
    door: Door,
    url: &str,
    credentials: &Credentials,
    post: Post,
) -> anyhow::Result<Host> {
    let catches_mail = post.0.is_some();
    let mut host = Host::build(settings, url, &ALL, |user| Ok(credentials.access(user))).await?;
    let routes = post.start(&host);
    host.start(Some(door), routes).await?;
    for (what, path) in [
        ("birders", "/"),
        ("dashboard", "/admin/"),
        ("mail", "/dev/mail"),
        ("API", "/docs/"),
        ("events", "/docs/events"),
    ] {
        if what != "mail" || catches_mail {
            say(&format!("  {what:<10} {url}{path}"));
        }
    }
    host.wait_until_open().await?;
    say(&format!("dipper ready {url}"));
    Ok(host)
}

/// Starts some services of an instance that does not run, for its operator's questions: no HTTP.
pub(crate) async fn without_door(
    mut settings: Settings,
    names: &[ServiceName],
) -> anyhow::Result<(Host, Broker)> {
    let post = Post::open(&mut settings).await?;
    let (broker, setup) = Broker::start(&settings).await?;
    setup.close().await;
    let credentials = broker.credentials.clone();
    let access = |user: &str| Ok(credentials.access(user));
    let mut host = Host::build(settings, "http://127.0.0.1:8080", names, access).await?;
    // Its routes are not served.
    post.start(&host);
    host.start(None, OpenApiRouter::new()).await?;
    Ok((host, broker))
}

async fn run_until_asked(host: Host, signals: &mut Signals) -> anyhow::Result<()> {
    signals.asked_or_stopped(&host.lifecycle).await;
    tracing::info!("stopping");
    host.finish().await
}

/// Keeps other processes out of a data folder for as long as the file is held; `None` when
/// another has it.
pub(crate) fn lock(folder: &Path) -> anyhow::Result<Option<File>> {
    create_private_folder(folder)?;
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| {
        format!(
            "cannot write to {}; choose another folder with --data-dir",
            folder.display()
        )
    })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock the data folder"),
    }
}

/// The mail catcher, unless a mail server is configured.
struct Post(Option<(MailCatcher, TcpListener)>);

impl Post {
    async fn open(settings: &mut Settings) -> anyhow::Result<Self> {
        if settings.smtp_url.is_some() {
            return Ok(Self(None));
        }
        let catcher = MailCatcher::open(&settings.data_dir.join("mail"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        settings.smtp_url = Some(Secret::new(format!("smtp://{address}")));
        Ok(Self(Some((catcher, listener))))
    }

    /// Begins to take mail; the routes that show it.
    fn start(self, host: &Host) -> OpenApiRouter {
        let Some((catcher, listener)) = self.0 else {
            return OpenApiRouter::new();
        };
        let routes = catcher.router().merge(notifier::preview::router());
        let stop = host.lifecycle.token();
        let sweeping = sweep(catcher.clone(), host.lifecycle.clone());
        host.lifecycle.spawn("mail catcher's sweeper", sweeping);
        host.lifecycle.spawn("mail catcher", async move {
            catcher.serve_smtp(listener, stop).await
        });
        routes
    }
}

/// Erases caught mails whose time is over, until the stop.
async fn sweep(catcher: MailCatcher, lifecycle: Lifecycle) -> anyhow::Result<()> {
    loop {
        let (catcher, before) = (catcher.clone(), Clock::default().now() - CAUGHT_MAIL);
        let swept = tokio::task::spawn_blocking(move || catcher.delete_before(before)).await?;
        if let Err(error) = swept {
            tracing::warn!(%error, "old mails cannot be erased; trying again later");
        }
        if !lifecycle.pause(SWEEP_EVERY).await {
            return Ok(());
        }
    }
}

/// The nats-server child.
pub(crate) struct Broker {
    pub credentials: Credentials,
    end: CancellationToken,
    supervisor: JoinHandle<anyhow::Result<()>>,
}

impl Broker {
    /// Starts it and brings its streams to what the catalogue says. Also answers the connection
    /// that may do so.
    pub async fn start(settings: &Settings) -> anyhow::Result<(Self, Bus)> {
        let program = settings
            .nats_server
            .clone()
            .unwrap_or_else(|| PathBuf::from("nats-server"));
        let folder = settings.data_dir.join("nats");
        let server = NatsServer::start(&program, &folder, &permissions::on_one_machine()).await?;
        let monitoring = server.monitoring()?;
        tell_durability(&monitoring).await;
        let credentials = server.credentials().clone();
        let end = CancellationToken::new();
        let supervisor = tokio::spawn(server.supervise(end.clone()));
        let broker = Self {
            credentials,
            end,
            supervisor,
        };
        let setup = Bus::connect(&broker.credentials.access("setup"), "setup").await?;
        let wanted = settings.streams();
        let ensuring = streams::ensure(&setup, &wanted, OnDrift::Update);
        setup.unless_refused(ensuring).await?;
        refuse_encryption(&monitoring).await?;
        Ok((broker, setup))
    }

    /// Ends it and waits for it.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.end.cancel();
        self.supervisor.await?
    }
}
