//! What stands in `deploy/` fits what the code has: figures, settings, services, runbooks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chassis::settings::Settings;
use testkit::broker::SERVICES;

use crate::architecture::sources;

/// What Prometheus learns of disks, from its node exporter.
const FOREIGN: [&str; 2] = ["node_filesystem_avail_bytes", "node_filesystem_size_bytes"];
/// What Prometheus makes of a histogram.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_count", "_sum"];
/// Ways in which all seven services are run.
const WAYS: [&str; 3] = ["compose.yaml", "kubernetes/base", "systemd"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

/// What is written in a file, or in all files below a folder.
fn written(path: &Path) -> String {
    if path.is_file() {
        return std::fs::read_to_string(path).unwrap();
    }
    let entries = std::fs::read_dir(path).unwrap();
    entries
        .map(|entry| written(&entry.unwrap().path()))
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c != '_' && !c.is_alphanumeric())
}

/// Whether the code measures it.
fn is_measured(figure: &str, code: &str) -> bool {
    let is_named = |name: &str| code.contains(&format!("\"{name}\""));
    let of_histogram = OF_HISTOGRAMS.map(|ending| figure.strip_suffix(ending));
    is_named(figure) || of_histogram.into_iter().flatten().any(is_named)
}

#[test]
fn alerts_and_dashboards_are_about_figures_that_are_measured() {
    let measuring = ["chassis", "user-api", "notifier"];
    let folders = measuring.map(|name| root().join("services").join(name).join("src"));
    let code: String = folders.iter().map(|folder| sources(folder)).collect();
    let alerts = read("deploy/alerts.yml");
    let dashboards = written(&root().join("deploy/grafana"));
    for text in [alerts, dashboards] {
        let figures = words(&text).filter(|word| {
            let is_ours = word.starts_with("dipper_");
            is_ours || word.starts_with("node_")
        });
        let figures: BTreeSet<&str> = figures.collect();
        assert!(figures.len() >= 5, "{figures:?}");
        for figure in figures {
            assert!(
                FOREIGN.contains(&figure) || is_measured(figure, &code),
                "{figure} is measured by nobody"
            );
        }
    }
}

/// The name by which a page links to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

#[test]
fn every_alert_leads_to_a_section_of_the_runbooks() {
    let runbooks = read("docs/runbooks.md");
    let headings = runbooks.lines().filter_map(|line| line.strip_prefix("## "));
    let anchors: BTreeSet<String> = headings.map(anchor).collect();
    let alerts = read("deploy/alerts.yml");
    let mut all = alerts.split("- alert: ").skip(1).peekable();
    assert!(all.peek().is_some());
    for alert in all {
        let name = alert.lines().next().unwrap();
        let mut lines = alert.lines().map(str::trim);
        let link = lines.find_map(|line| line.strip_prefix("runbook: docs/runbooks.md#"));
        let link = link.expect(name);
        assert!(anchors.contains(link), "{name}: no section {link}");
        assert!(
            runbooks.contains(&format!("`{name}`")),
            "the runbooks do not name {name}"
        );
    }
}

/// Each alert is provoked once by the rules' own tests, which `deploy/check.sh` runs.
#[test]
fn every_alert_is_provoked_in_a_test() {
    let (alerts, tests) = (read("deploy/alerts.yml"), read("deploy/alerts.test.yml"));
    for alert in alerts.split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap();
        let provoked = format!("alertname: {name}\n");
        assert!(tests.contains(&provoked), "nothing provokes {name}");
    }
}

#[test]
fn each_way_of_deploying_runs_all_services() {
    for way in WAYS {
        let text = written(&root().join("deploy").join(way));
        for service in SERVICES {
            assert!(text.contains(service), "{way} does not run {service}");
        }
    }
}

#[test]
fn what_is_set_in_deployments_are_settings() {
    let all = Settings::default();
    let set = toml::Table::try_from(&all).unwrap();
    let known: BTreeSet<String> = set.keys().cloned().chain(all.unset()).collect();
    for way in WAYS {
        let text = written(&root().join("deploy").join(way));
        let named = words(&text).filter_map(|word| word.strip_prefix("DIPPER_"));
        let named: BTreeSet<String> = named.map(str::to_lowercase).collect();
        assert!(named.len() >= 3, "{way}: {named:?}");
        for name in named {
            assert!(known.contains(&name), "{way}: {name} is no setting");
        }
    }
}
