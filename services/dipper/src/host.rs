//! Runs services in this process: one listener, one lifecycle, a broker connection for each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use chassis::bus::monitoring::not_durable;
use chassis::bus::streams::erasable::Unerasable;
use chassis::bus::streams::{self, StreamSettings, erasable};
use chassis::bus::{Access, Bus};
use chassis::clock::Clock;
use chassis::http::{self, Json, Policy, Problem};
use chassis::lifecycle::Lifecycle;
use chassis::nats_server::log::count_refusals;
use chassis::objects::Objects;
use chassis::restored::{self, Gate};
use chassis::scrub::obstacles;
use chassis::service::Health;
use chassis::settings::{AuthMode, Settings};
use chassis::trace::export;
use chassis::{Chassis, Service, telemetry};
use tokio::net::TcpListener;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::docs;
use crate::names::{ALL, ServiceName};
use crate::say;

/// How long work in progress may take to end at a stop.
const PATIENCE: Duration = Duration::from_secs(20);
/// So long requests that are under way may take after a stop was asked for.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// So long a process that others stand beside goes on serving after it has said that it is about to stop: proxies
/// find out, and close the connections that they keep.
const HANDING_OVER: Duration = Duration::from_secs(1);

/// When to try again while nothing is served, in seconds.
const RETRY_AFTER: u64 = 5;

/// Says it if a power failure would take from a broker, for good, what it has acknowledged.
pub(crate) async fn tell_durability(address: &str) {
    match not_durable(address).await {
        Ok(None) => {}
        Ok(Some(why)) => say(&format!("NOT DURABLE: {why}")),
        Err(error) => say(&format!(
            "whether the broker is durable is not known: {error:#}"
        )),
    }
}

/// Refuses a broker that encrypts its streams, and says it if that cannot be seen from here: a server of a cluster that
/// is away just now keeps nobody from starting.
pub(crate) async fn refuse_encryption(address: &str) -> anyhow::Result<()> {
    match erasable::check_server(address).await {
        Ok(true) => {}
        Err(error) if error.is::<Unerasable>() => return Err(error),
        Ok(false) | Err(_) => say(&format!(
            "whether the broker at {address} encrypts its streams, and so keeps what is erased, cannot be seen from here"
        )),
    }
    Ok(())
}

/// Says what would keep deleted rows readable in the files of PostgreSQL.
async fn tell_what_keeps_deleted_rows(settings: &Settings) -> anyhow::Result<()> {
    match obstacles(&settings.database()?).await {
        Ok(obstacles) => {
            for why in obstacles {
                say(&format!(
                    "NOT ERASED FROM POSTGRESQL'S FILES: {why}; deploy/postgresql.conf and postgresql-role.sql have it all"
                ));
            }
        }
        Err(error) => say(&format!(
            "whether PostgreSQL keeps deleted rows in its files is not known: {error}"
        )),
    }
    Ok(())
}

/// Where HTTP is served, bound before anything else is started: a taken port costs nobody time.
pub(crate) struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Binds the address.
    pub async fn open(address: SocketAddr, settings: &Settings) -> anyhow::Result<Self> {
        ensure!(
            settings.auth_mode != AuthMode::Trust || address.ip().is_loopback(),
            "auth_mode trust believes anybody and so listens on loopback only, not on {address}"
        );
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!(
                "cannot listen on {address}; is it taken? choose another with --listen ADDR:PORT"
            )
        })?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
        })
    }

    /// `http://ADDR:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Services of one process.
pub(crate) struct Host {
    pub lifecycle: Lifecycle,
    services: Vec<Service>,
    health: Vec<Health>,
    gate: Gate,
    settings: Arc<Settings>,
    policy: Policy,
}

impl Host {
    /// Builds services, each with its own way to the broker.
    pub async fn build(
        settings: Settings,
        public_url: &str,
        names: &[ServiceName],
        access: impl Fn(&str) -> anyhow::Result<Access>,
    ) -> anyhow::Result<Self> {
        tell_what_keeps_deleted_rows(&settings).await?;
        let lifecycle = Lifecycle::default();
        if let Some(collector) = &settings.otlp_endpoint {
            export::start(collector, &process_name(names))?;
        }
        if let Some(log) = &settings.nats_log {
            let counting = count_refusals(log.clone(), lifecycle.clone());
            lifecycle.spawn("refusals of the broker", counting);
        }
        let keys = settings.keys()?;
        telemetry::name_people_by(&keys);
        let objects = Objects::open(&settings.data_dir.join("objects"))?;
        let settings = Arc::new(settings);
        let public_url = settings.public_url.as_deref().unwrap_or(public_url);
        let policy = Policy::new(&settings, public_url).map_err(anyhow::Error::msg)?;
        let mut services = Vec::with_capacity(names.len());
        for name in names {
            let bus = Bus::connect(&access(name.as_str())?, name.as_str()).await?;
            let refused = bus.clone().end_when_refused(lifecycle.clone());
            lifecycle.spawn(format!("{}'s permissions", name.as_str()), refused);
            let chassis = Chassis {
                settings: Arc::clone(&settings),
                public_url: public_url.trim_end_matches('/').into(),
                clock: Clock::default(),
                lifecycle: lifecycle.clone(),
                bus,
                keys: keys.clone(),
                objects: objects.clone(),
            };
            services.push(name.build(&chassis).await.with_context(|| name.as_str())?);
        }
        let health = services.iter().map(Service::health).collect();
        // Now: UserAPI may just have found that its database was restored.
        let gate = Gate::look(&settings.data_dir)?;
        lifecycle.spawn("gate", gate.clone().keep(lifecycle.clone()));
        Ok(Self {
            lifecycle,
            services,
            health,
            gate,
            settings,
            policy,
        })
    }

    /// Begins to answer questions, to consume and to serve. With a door, also HTTP, and `extra`
    /// routes beside those of the services.
    pub async fn start(&mut self, door: Option<Door>, extra: OpenApiRouter) -> anyhow::Result<()> {
        let lifecycle = self.lifecycle.clone();
        tokio::select! {
            outcome = Box::pin(self.begin(door, extra)) => outcome,
            // Whatever failed says why better than what waits for it.
            () = lifecycle.stopped() => {
                lifecycle.finish(PATIENCE).await?;
                bail!("stopped while starting")
            }
        }
    }

    async fn begin(&mut self, door: Option<Door>, extra: OpenApiRouter) -> anyhow::Result<()> {
        let mut services = std::mem::take(&mut self.services);
        let mut router = OpenApiRouter::with_openapi(docs::describe()).merge(extra);
        for service in &mut services {
            service.start_answering(&self.lifecycle).await?;
            router = router.merge(service.take_router());
        }
        for service in services {
            service.start(&self.lifecycle).await?;
        }
        if let Some(door) = door {
            self.serve(door, router)?;
        }
        self.wait_until_healthy().await
    }

    /// Keeps the streams there, with a connection that may make them.
    pub fn watch_streams(&self, setup: Bus, wanted: StreamSettings) {
        let refused = setup.clone().end_when_refused(self.lifecycle.clone());
        self.lifecycle.spawn("setup's permissions", refused);
        let watching = streams::supervise(setup, wanted, self.lifecycle.clone());
        self.lifecycle.spawn("streams", watching);
    }

    fn serve(&self, door: Door, router: OpenApiRouter) -> anyhow::Result<()> {
        let state = Operations {
            gate: self.gate.clone(),
            health: self.health.clone().into(),
            lifecycle: self.lifecycle.clone(),
            metrics: telemetry::start_metrics()?,
        };
        let operations = OpenApiRouter::new()
            .routes(routes!(healthz))
            .routes(routes!(readyz))
            .routes(routes!(metrics))
            .with_state(state);
        let router = docs::serve(router.merge(operations));
        let gate = middleware::from_fn_with_state(self.gate.clone(), unless_closed);
        let router = http::around(router.layer(gate), &self.policy);
        let connections = self.policy.connections(&self.settings);
        let (lifecycle, open) = (self.lifecycle.clone(), self.lifecycle.requests.hold());
        let closing = lifecycle.requests.closing();
        self.lifecycle.spawn("http", async move {
            let _open = open;
            tokio::select! {
                () = http::serve(door.listener, router, connections, lifecycle) => {}
                // Whoever does not end their request does not keep the process.
                () = async { closing.cancelled().await; tokio::time::sleep(LAST_ANSWERS).await } => {
                    tracing::info!("connections that did not end were closed");
                }
            }
            Ok(())
        });
        Ok(())
    }

    /// Ends when everything is served: after a restore, once who was erased since is erased again.
    pub async fn wait_until_open(&self) -> anyhow::Result<()> {
        if self.gate.is_closed() {
            say(restored::REASON);
        }
        self.gate.opened(&self.lifecycle).await;
        ensure!(
            !self.lifecycle.is_stopping(),
            "stopped before everybody who was erased since the backup was erased again"
        );
        Ok(())
    }

    async fn wait_until_healthy(&self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let complaints = complaints(&self.health).await;
            if complaints.is_empty() {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline || self.lifecycle.is_stopping() {
                bail!("not ready: {}", complaints.join("; "));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Says that it is not ready any more, while it still serves: other processes of its services take over.
    pub async fn hand_over(&self) {
        self.lifecycle.leave();
        self.lifecycle.pause(HANDING_OVER).await;
    }

    /// Stops everything in order and tells of the first task that failed.
    pub async fn finish(self) -> anyhow::Result<()> {
        let outcome = self.lifecycle.finish(PATIENCE).await;
        for health in &self.health {
            health.close().await;
        }
        export::finish().await;
        outcome
    }
}

/// What a collector calls this process: by its services, or all of them by one word.
fn process_name(names: &[ServiceName]) -> String {
    if names.len() == ALL.len() {
        return "dipper".to_owned();
    }
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    names.join("+")
}

async fn complaints(health: &[Health]) -> Vec<String> {
    let mut complaints = Vec::new();
    for one in health {
        complaints.extend(one.complaints().await);
    }
    complaints
}

/// What is answered while nothing may be served: whether the process lives, and what it waits for.
const ALWAYS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

async fn unless_closed(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if gate.is_closed() && !ALWAYS.contains(&request.uri().path()) {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Problem::new(status, "restored-from-backup", restored::REASON);
        return problem.retry_after(RETRY_AFTER).into_response();
    }
    next.run(request).await
}

#[derive(Clone)]
struct Operations {
    gate: Gate,
    health: Arc<[Health]>,
    lifecycle: Lifecycle,
    metrics: telemetry::Metrics,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "It lives")))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// What a process that is not ready waits for.
#[derive(serde::Serialize, utoipa::ToSchema)]
struct Readiness {
    /// Whether requests can be answered.
    ready: bool,
    /// Why not.
    reasons: Vec<String>,
}

/// Whether requests can be answered, or why not.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "Ready", body = Readiness), (status = 503, description = "Not ready, with reasons", body = Readiness))
)]
async fn readyz(State(operations): State<Operations>) -> Response {
    let mut reasons = complaints(&operations.health).await;
    if operations.gate.is_closed() {
        reasons.push(restored::REASON.to_owned());
    }
    if operations.lifecycle.is_leaving() {
        reasons.push("stopping".to_owned());
    }
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, reasons })).into_response()
}

/// Metrics as Prometheus reads them.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Metrics", body = String), (status = 500, description = "Failure", body = Problem))
)]
async fn metrics(State(operations): State<Operations>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, operations.metrics.render()).into_response()
}
