//! Logs (for people or as JSON) and metrics (Prometheus).

mod pseudonym;

use std::io::IsTerminal as _;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings::{LogFormat, Settings};

pub use pseudonym::{name_people_by, pseudonym};

/// Upper bounds in seconds: an answer within 20 ms is good, one over 1 s is not.
const SECONDS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Starts logging to standard error; standard output belongs to what a command answers.
pub fn start_logging(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log).with_context(|| {
        format!(
            "configuration: log: {:?} is no filter; try \"info\"",
            settings.log
        )
    })?;
    // These libraries show subjects, addresses and mails when asked for details, so they never are.
    let filter = ["async_nats=warn", "lettre=warn", "sqlx=warn"]
        .into_iter()
        .flat_map(str::parse)
        .fold(filter, EnvFilter::add_directive);
    let registry = tracing_subscriber::registry().with(filter);
    let mut lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    if !std::io::stderr().is_terminal() {
        lines.set_ansi(false);
    }
    match settings.log_format {
        LogFormat::Human => registry.with(lines.compact()).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    count_panics();
    Ok(())
}

/// What was counted since the start; cheap to clone.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Starts counting.
pub fn start_metrics() -> anyhow::Result<Metrics> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    Ok(Metrics(handle))
}

/// A panic is a mistake of ours: it is counted and its place logged. Its message is not, since it
/// may hold personal data.
fn count_panics() {
    std::panic::set_hook(Box::new(|info| {
        metrics::counter!("dipper_panics_total").increment(1);
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic; the request or task ended");
    }));
}
