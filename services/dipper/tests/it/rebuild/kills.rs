//! kill -9 while a rebuild runs: there is one live generation, and it has lost nothing.

use std::time::Duration;

use serde_json::json;
use testkit::eventually;

use super::{Instance, on_both};

on_both!(
    a_kill_while_it_reads_leaves_everything_as_it_was,
    a_kill_at_any_moment_leaves_one_whole_generation,
);

const KILLS: u64 = 6;

async fn a_kill_while_it_reads_leaves_everything_as_it_was(mut instance: Instance) {
    instance.add_scores(500).await;
    let before = instance.api.figures().await;
    instance.begin(json!({"events_per_second": 50})).await;
    eventually("it reads", || async {
        let newest = instance.newest().await;
        (newest["progress"]["events"].as_u64() > Some(10)).then_some(())
    })
    .await;
    instance.kill().await;
    let ended = instance.ended().await;
    assert_eq!(ended["state"], "failed", "{ended:#}");
    instance.has_one_generation().await;
    assert_eq!(instance.api.figures().await, before);
    instance.rebuild().await;
    assert_eq!(instance.api.figures().await, before);
    instance.stop().await;
}

async fn a_kill_at_any_moment_leaves_one_whole_generation(mut instance: Instance) {
    instance.add_scores(200).await;
    let before = instance.api.figures().await;
    instance.begin(json!({})).await;
    let began = std::time::Instant::now();
    instance.ended().await;
    let whole = began.elapsed();
    for kill in 1..=KILLS {
        instance.begin(json!({"switch": "always"})).await;
        // The later ones come about when it switches.
        let part = u32::try_from(KILLS + kill).unwrap();
        let moment = whole * part / u32::try_from(2 * KILLS).unwrap();
        tokio::time::sleep(moment.max(Duration::from_millis(1))).await;
        instance.kill().await;
        let ended = instance.ended().await;
        assert!(
            ["switched", "failed"].contains(&ended["state"].as_str().unwrap()),
            "{ended:#}"
        );
        instance.has_one_generation().await;
        assert_eq!(instance.api.figures().await, before);
    }
    instance.rebuild().await;
    assert_eq!(instance.api.figures().await, before);
    instance.stop().await;
}
