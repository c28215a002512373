//! `deploy/cluster.sh` runs the whole deployment on one machine: three servers of the broker with TLS, PostgreSQL, every
//! service apart.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::broker::SERVICES;
use testkit::{Launch, nats_server, postgres_programs, program};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use uuid::Uuid;

use crate::setup::DIPPER;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/cluster.sh");
/// Seven processes make their tables and streams while other tests run.
const PATIENCE: Duration = Duration::from_mins(4);
/// How many ports it uses, from the first on.
const PORTS: u16 = 100;

/// The first of as many ports in a row that are free.
fn free_ports() -> u16 {
    loop {
        // Below what is given to the connections that other tests make meanwhile.
        let first = 20_000 + PORTS * u16::from(Uuid::new_v4().as_bytes()[0] / 3);
        let mut ports = first..first + PORTS;
        if ports.all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}

/// `dipper doctor` with the login of one service.
fn doctor(folder: &Path, first: u16) -> Launch {
    let secrets = folder.join("secrets");
    let settings = std::fs::read_to_string(secrets.join("dipper.env")).unwrap();
    let data = folder.join("data").display().to_string();
    let monitoring: Vec<String> = (11..14)
        .map(|place| format!("127.0.0.1:{}", first + place))
        .collect();
    let mut doctor = Launch::new(DIPPER, &["doctor", "--data-dir", &data])
        .env("DIPPER_NATS_REPLICAS", "3")
        .env("DIPPER_NATS_MONITORING", &monitoring.join(","))
        .env(
            "DIPPER_NATS_CREDENTIALS",
            &secrets.join("user-api.json").to_string_lossy(),
        )
        .env(
            "DIPPER_NATS_TLS_CA",
            &secrets.join("tls/authority.pem").to_string_lossy(),
        );
    for (name, value) in settings.lines().filter_map(|line| line.split_once('=')) {
        doctor = doctor.env(name, value);
    }
    doctor
}

/// The logins that a service is given.
fn logins_of(folder: &Path, service: &str) -> BTreeSet<String> {
    let file = folder.join(format!("secrets/{service}.json"));
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    file["users"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_deployment_starts_with_tls_is_sound_and_stops() {
    let (folder, first) = (tempfile::tempdir().unwrap(), free_ports());
    let mut cluster = Command::new(SCRIPT)
        .args([folder.path(), Path::new(DIPPER)])
        .env("CLUSTER_PORT", first.to_string())
        // Services at ports of their own.
        .env("CADDY", "none")
        .env("DIPPER_NATS_SERVER", nats_server())
        .env("DIPPER_TEST_POSTGRES", postgres_programs())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(cluster.stdout.take().unwrap()).lines();
    let is_ready = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("cluster ready ") {
                return true;
            }
        }
        false
    });
    assert!(is_ready.await.expect("it becomes ready in time"));

    for service in SERVICES {
        let streams = (service == "user-api").then_some("setup");
        let own: BTreeSet<&str> = [service].into_iter().chain(streams).collect();
        let logins = logins_of(folder.path(), service);
        assert!(logins.iter().eq(&own), "{logins:?}");
    }

    let output = doctor(folder.path(), first).output().await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let survivors = said
        .lines()
        .filter(|line| line.starts_with("ok    durability"));
    assert_eq!(survivors.count(), 3, "{said}");
    assert!(said.contains("as the catalogue says"), "{said}");

    program::signal(cluster.id().unwrap(), "TERM").await;
    let ended = tokio::time::timeout(PATIENCE, cluster.wait()).await;
    assert!(ended.expect("it stops in time").unwrap().success());
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "cluster stopped");
}
