//! A broker that would keep what is erased is refused at the start, by name.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Compression, Config, Source};
use testkit::broker::{Broker, BrokerSettings};
use testkit::{Launch, Wire, nats_server};

use crate::setup::{DIPPER, serve};

/// All services look at all streams.
const SERVICE: &str = "statistics";
const PERSON: &str = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";

fn expect_refusal(output: &Output, reason: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{text}");
    let complaint = text.lines().find(|line| line.starts_with("dipper: "));
    let complaint = complaint.expect("it says why");
    assert!(complaint.contains(&format!("{reason}: ")), "{complaint}");
    assert!(!text.contains(PERSON), "{text}");
}

async fn config(wire: &Wire, stream: &str) -> Config {
    let stream = wire.jetstream().get_stream(stream).await.unwrap();
    stream.cached_info().config.clone()
}

/// A stream is set up in another way, the service refuses it, and it is set up as before.
async fn is_refused(folder: &Path, wire: &Wire, reason: &str, change: fn(&mut Config)) {
    let sound = config(wire, "RATE").await;
    let mut changed = sound.clone();
    change(&mut changed);
    wire.jetstream().update_stream(&changed).await.unwrap();
    expect_refusal(&serve(SERVICE, folder).output().await, reason);
    wire.jetstream().update_stream(&sound).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_keeps_what_is_erased_is_refused_by_every_service() {
    let folder = tempfile::tempdir().unwrap();
    let settings = BrokerSettings {
        store: folder.path().join("store"),
        sync_interval: "100ms".to_owned(),
        more: String::new(),
    };
    let _broker = Broker::start(folder.path(), settings).await;
    let running = serve(SERVICE, folder.path()).start().await;
    assert_eq!(running.stop().await, Some(0));

    let wire = Wire::connect(folder.path(), "setup").await;
    is_refused(folder.path(), &wire, "compression", |config| {
        config.compression = Some(Compression::S2);
    })
    .await;
    is_refused(folder.path(), &wire, "sources", |config| {
        config.sources = Some(vec![Source {
            name: "USER".to_owned(),
            ..Source::default()
        }]);
    })
    .await;

    let spy = pull::Config {
        durable_name: Some("spy".to_owned()),
        filter_subject: format!("rate.update.v2.{PERSON}"),
        ..pull::Config::default()
    };
    let rate = wire.jetstream().get_stream("RATE").await.unwrap();
    rate.create_consumer(spy).await.unwrap();
    expect_refusal(
        &serve(SERVICE, folder.path()).output().await,
        "durable-filter",
    );
    rate.delete_consumer("spy").await.unwrap();

    let running = serve(SERVICE, folder.path()).start().await;
    assert_eq!(running.stop().await, Some(0));

    // That one cannot be taken back.
    let mut changed = config(&wire, "RATE").await;
    changed.deny_delete = true;
    wire.jetstream().update_stream(&changed).await.unwrap();
    expect_refusal(&serve(SERVICE, folder.path()).output().await, "deny-delete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_encrypts_its_streams_is_refused() {
    const ENCRYPTING: &str = r#"#!/bin/sh
if [ "$1" = -c ]; then
    sed -i 's/^jetstream {/&\n  key: "a key of its own"/' "$2"
fi
exec "$SERVER" "$@"
"#;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("nats-server");
    std::fs::write(&program, ENCRYPTING).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let data = folder.path().join("data");
    let up = Launch::new(
        DIPPER,
        &[
            "up",
            "--data-dir",
            &data.to_string_lossy(),
            "--listen",
            "127.0.0.1:0",
            "--nats-server",
            &program.to_string_lossy(),
        ],
    );
    let up = up.env("SERVER", &nats_server().to_string_lossy());
    expect_refusal(&up.output().await, "jetstream-encryption");
}
