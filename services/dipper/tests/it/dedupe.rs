//! The same event, however often and in whichever version, counts once.

use serde_json::{Value, json};
use testkit::{Api, Birder, Wire, eventually};
use uuid::Uuid;

use crate::round::{rating_mails, tick_a_bird};
use crate::setup::up;

fn rate_v1(id: Uuid, rater: Uuid, image: Uuid, rating: u8) -> Value {
    json!({
        "id": id, "type": "update", "version": "1.0",
        "data": {"user": {"id": rater}, "image_url": format!("/images/{image}"), "rating": rating},
        "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
    })
}

fn rate_v2(id: Uuid, rater: Uuid, image: Uuid, owner: &Birder, rating: u8) -> Value {
    json!({
        "id": id, "type": "update", "version": "2.0",
        "data": {
            "user": {"id": rater}, "image": {"url": format!("/images/{image}"), "owner": owner.id},
            "rating": rating,
        },
        "metadata": {"source": "services/OtherClient", "time": "2026-05-02T10:00:00Z"},
    })
}

async fn until_ratings(api: &Api, count: i64) {
    eventually("the ratings are counted", || async {
        (api.figures().await["ratings"] == count).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rating_published_again_and_in_both_versions_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path())
        .env("DIPPER_DUPLICATE_WINDOW", "1s")
        .start()
        .await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    let (image, _) = tick_a_bird(&api, &owner).await;
    let wire = Wire::connect(folder.path(), "tick-api").await;
    let (event, rater) = (Uuid::new_v4(), Uuid::new_v4());
    let (v1, v2) = (
        format!("rate.update.v1.{rater}"),
        format!("rate.update.v2.{rater}"),
    );

    // A foreign producer's event reaches the owner as mail, and the statistics.
    wire.publish_event(&v1, &rate_v1(event, rater, image, 5))
        .await;
    until_ratings(&api, 1).await;
    let mails = || rating_mails(&api, &owner);
    eventually("the mail arrives", || async {
        (mails().await.len() == 1).then_some(())
    })
    .await;

    // Beyond the broker's window it takes the id again; we do not.
    eventually("the duplicate window closes", || async {
        let duplicate = wire
            .publish_event(&v1, &rate_v1(event, rater, image, 5))
            .await;
        (!duplicate).then_some(())
    })
    .await;
    assert!(
        !wire
            .publish_event(&v2, &rate_v2(event, rater, image, &owner, 5))
            .await
    );

    // A later rating by somebody else shows that the repeats have been passed.
    let other = Uuid::new_v4();
    wire.publish_event(
        &format!("rate.update.v1.{other}"),
        &rate_v1(Uuid::new_v4(), other, image, 3),
    )
    .await;
    until_ratings(&api, 2).await;
    eventually("the second mail arrives", || async {
        (mails().await.len() >= 2).then_some(())
    })
    .await;
    assert_eq!(mails().await.len(), 2, "one mail for each rating");
    let view = api
        .get(&format!("/api/v1/images/{image}"))
        .await
        .expect(200)
        .json;
    assert_eq!(view["rating"], json!({"mean": 4.0, "count": 2}));
    assert_eq!(running.stop().await, Some(0));
}
