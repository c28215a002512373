//! What goes wrong at the start is said in one line that tells what to do.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use testkit::Launch;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::setup::{DIPPER, up};

fn expect_complaint(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("dipper: "))
        .collect();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(complaints.len(), 1, "one line: {text}");
    for word in words {
        assert!(
            complaints[0].contains(word),
            "{word:?} is not in {}",
            complaints[0]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = folder.path().to_string_lossy().into_owned();
    let output = Launch::new(DIPPER, &["up", "--data-dir", &data, "--listen", &address])
        .output()
        .await;
    expect_complaint(&output, &[&address, "--listen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_is_used_by_one_instance_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let output = up(folder.path()).output().await;
    expect_complaint(&output, &["in use", "--data-dir"]);
    assert_eq!(running.stop().await, Some(0));
    // Once it is free again, it goes on where it was.
    let again = up(folder.path()).start().await;
    assert_eq!(again.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("data");
    expect_complaint(&up(&below).output().await, &["a-file", "--data-dir"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_old_nats_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_string_lossy().into_owned();
    let start = |server: String| {
        let data = data.clone();
        async move {
            let arguments = [
                "up",
                "--data-dir",
                &data,
                "--listen",
                "127.0.0.1:0",
                "--nats-server",
                &server,
            ];
            Launch::new(DIPPER, &arguments).output().await
        }
    };
    expect_complaint(
        &start("/nowhere/nats-server".to_owned()).await,
        &["2.15.1", "--nats-server"],
    );
    let old = folder.path().join("old-nats-server");
    std::fs::write(&old, "#!/bin/sh\necho 'nats-server: v2.9.10'\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    expect_complaint(
        &start(old.to_string_lossy().into_owned()).await,
        &["2.9.10", "2.15.1"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dipper.toml");
    let path = file.to_string_lossy().into_owned();
    for (text, word) in [
        ("listen = \"everywhere\"", "configuration"),
        ("listn = \"127.0.0.1:1\"", "listn"),
        ("this is no TOML", "configuration"),
    ] {
        std::fs::write(&file, text).unwrap();
        expect_complaint(
            &Launch::new(DIPPER, &["config", "--config", &path])
                .output()
                .await,
            &[word],
        );
    }
    std::fs::remove_file(&file).unwrap();
    expect_complaint(
        &Launch::new(DIPPER, &["config", "--config", &path])
            .output()
            .await,
        &["dipper.toml"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_database_or_broker_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = up(folder.path())
        .env(
            "DIPPER_DATABASE_URL",
            &format!("postgres://me:secret@{nobody}/x"),
        )
        .output()
        .await;
    expect_complaint(&output, &[&nobody.to_string(), "DIPPER_DATABASE_URL"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"));

    let serve = ["serve", "statistics", "--listen", "127.0.0.1:0"];
    expect_complaint(
        &Launch::new(DIPPER, &serve).output().await,
        &["DIPPER_NATS_URL"],
    );
    let output = Launch::new(DIPPER, &serve)
        .env("DIPPER_NATS_URL", &format!("nats://me:secret@{nobody}"))
        .output()
        .await;
    expect_complaint(&output, &[&nobody.to_string(), "DIPPER_NATS_URL"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    let output = Launch::new(
        DIPPER,
        &["up", "--data-dir", &data, "--listen", "0.0.0.0:0"],
    )
    .env("DIPPER_AUTH_MODE", "trust")
    .output()
    .await;
    expect_complaint(&output, &["trust", "loopback"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_does_not_hold_up_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let address = running.url.trim_start_matches("http://").to_owned();
    let mut stalled = TcpStream::connect(address).await.unwrap();
    stalled
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: dipper\r\n")
        .await
        .unwrap();
    let asked = Instant::now();
    assert_eq!(running.stop().await, Some(0));
    assert!(asked.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_can_be_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    // It listens, but nobody answers: the start waits for the database.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let database = format!("postgres://me@{}/x", silent.local_addr().unwrap());
    let server = testkit::nats_server().to_string_lossy().into_owned();
    let arguments = ["up", "--data-dir", &data, "--listen", "127.0.0.1:0"];
    let mut child = tokio::process::Command::new(DIPPER)
        .args(arguments)
        .args(["--nats-server", &server])
        .env("DIPPER_DATABASE_URL", database)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("broker") {
            break;
        }
    }
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}
