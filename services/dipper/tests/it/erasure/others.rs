//! Everybody else is left as they were.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use testkit::{Api, Birder, Wire, eventually};

use super::{erase, rate, rated_canary};
use crate::canary::Canary;
use crate::round::rating_mails;
use crate::setup::System;

/// Messages by stream and sequence.
type Messages = BTreeMap<(String, u64), (String, Value)>;

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_changes_nothing_of_others() {
    let system = System::up().await;
    let api = &system.api;
    let [ben, cyd] = [api.join("Ben").await, api.join("Cyd").await];
    let [bens, cyds] = [api.tick(&ben).await, api.tick(&cyd).await];
    rate(api, &cyd, bens, 5).await;
    rate(api, &ben, cyds, 3).await;
    let canary = rated_canary(api, &ben).await;
    rate(api, &canary.birder, cyds, 1).await;
    for (birder, mails) in [(&ben, 1), (&cyd, 1), (&canary.birder, 1)] {
        eventually("the owners are told", || async {
            let known = rating_mails(api, birder).await.len();
            (known >= mails).then_some(())
        })
        .await;
    }
    let before = (
        messages(system.folder(), &canary).await,
        seen_of(api, &ben).await,
    );
    let photos = (system.files_of(bens), system.files_of(cyds));

    erase(api, &canary.birder).await;

    let (was, now) = (before.0, messages(system.folder(), &canary).await);
    for (place, message) in &was {
        assert_eq!(now.get(place), Some(message), "{place:?}");
    }
    assert_eq!(seen_of(api, &ben).await, before.1);
    assert_eq!((system.files_of(bens), system.files_of(cyds)), photos);
    let view = api.get(&format!("/api/v1/images/{cyds}")).await.expect(200);
    assert_eq!(
        view.json["rating"]["count"], 1,
        "exactly the erased one's is gone"
    );
    assert_eq!(view.json["rating"]["mean"], 3.0);
    system.stop().await;
}

/// All messages that do not name somebody.
async fn messages(folder: &Path, canary: &Canary) -> Messages {
    let wire = Wire::connect(folder, "operator").await;
    let ids = [canary.birder.id, canary.image].map(|id| id.to_string());
    let mut all = Messages::new();
    for stream in envelope::STREAMS {
        for stored in wire.read(stream.name).await {
            let text = format!("{} {}", stored.subject, stored.body);
            if !ids.iter().any(|id| text.contains(id)) {
                let place = (stream.name.to_owned(), stored.sequence);
                all.insert(place, (stored.subject, stored.body));
            }
        }
    }
    all
}

/// What somebody sees of their own.
async fn seen_of(api: &Api, birder: &Birder) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        "/api/v1/users/me",
        "/api/v1/ticks?user=me",
        "/api/v1/users/me/lists/life",
    ] {
        seen.push(api.get_as(birder, path).await.expect(200).json);
    }
    seen.push(Value::from(rating_mails(api, birder).await));
    seen
}
