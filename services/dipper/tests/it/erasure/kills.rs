//! kill -9 at any step of an erasure only delays it.

use testkit::Api;

use super::{ask, ended, rated_canary, scan};
use crate::setup::up;

/// After so many looks at its progress the process is killed: from the first step on to the last.
const LOOKS: [usize; 12] = [0, 1, 3, 6, 12, 20, 35, 55, 80, 120, 180, 260];

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_an_erasure_only_delays_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = up(folder.path()).start().await;
    let rater = Api::new(&running.url).join("Eve").await;
    let mut needles = Vec::new();
    for looks in LOOKS {
        let api = Api::new(&running.url);
        let canary = rated_canary(&api, &rater).await;
        needles.extend(canary.needles());
        let status_url = ask(&api, &canary.birder).await;
        let state = watch(&api, &status_url, looks).await;
        running = running.kill().await.start().await;
        let status = ended(&Api::new(&running.url), &status_url).await;
        assert_eq!(
            status["found_in"],
            serde_json::Value::Null,
            "killed when {state}"
        );
    }
    assert_eq!(running.stop().await, Some(0));
    assert_eq!(scan(folder.path(), &needles).await, (Some(0), Vec::new()));
}

/// The state after so many looks.
async fn watch(api: &Api, status_url: &str, looks: usize) -> String {
    let mut state = "just asked for".to_owned();
    for _ in 0..looks {
        let status = api.get(status_url).await.expect(200).json;
        state = status["state"].to_string();
    }
    state
}
