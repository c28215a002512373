//! What somebody limited and consented to is so on the other instance as well.

use serde_json::json;
use testkit::eventually;

use super::{arrive, import, saved};
use crate::consents::{CONSENTS, decide, text};
use crate::export::{canary, download, exported};
use crate::limits::{LIMITS, limit};
use crate::setup::System;

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_limited_and_consented_to_goes_along() {
    let (there, here) = (System::up().await, System::up().await);
    let ada = canary(&there.api).await;
    let shown = text(&there.api, "places.sv").await;
    decide(&there.api, &ada.birder, &shown, true).await;
    limit(&there.api, &ada.birder, true, &["scoring"]).await;
    let decided = there.api.get_as(&ada.birder, CONSENTS).await.expect(200);
    let archive = download(&there.api, &exported(&there.api, &ada.birder).await).await;
    let (_kept, file) = saved(&archive);
    there.stop().await;

    let output = import(here.folder(), &file).await;
    let ada = arrive(&here.api, &ada, &output).await;

    let limits = here.api.get_as(&ada.birder, LIMITS).await.expect(200).json;
    assert_eq!(
        limits,
        json!({"restricted": true, "objections": ["scoring"]})
    );
    let consents = here.api.get_as(&ada.birder, CONSENTS).await.expect(200);
    assert_eq!(consents.json, decided.json);
    let page = format!("/api/v1/images/{}", ada.image);
    eventually("TickAPI has heard of it", || async {
        (here.api.get(&page).await.status == 404).then_some(())
    })
    .await;
    here.api.get_as(&ada.birder, &page).await.expect(200);
    eventually("Statistics has heard of it", || async {
        (here.api.figures().await["ticks"] == 0).then_some(())
    })
    .await;
    here.stop().await;
}
