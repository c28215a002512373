//! What admins see of a dead letter: its fields with all that is personal masked, and the rest of it for a reason.

use serde_json::{Value, json};
use testkit::{Api, Birder, Wire, eventually};
use uuid::Uuid;

use crate::moderation::moderator;
use crate::setup::System;

const LETTERS: &str = "/api/v1/admin/dead-letters";

/// Publishes an event that no consumer takes, and answers where Statistics' letter of it is.
async fn dead_letter(system: &System, admin: &Birder, subject: &str, body: &[u8]) -> String {
    let wire = Wire::connect(system.folder(), "tick-api").await;
    wire.publish(subject, None, body).await;
    let event = subject.rsplit_once('.').unwrap().0;
    eventually("it is a dead letter", || async {
        let letters = system.api.get_as(admin, LETTERS).await.expect(200).json;
        let letters = letters["items"].as_array().unwrap().clone();
        let ours = letters
            .iter()
            .find(|one| one["consumer"] == "statistics" && one["origin_subject"] == event);
        ours.map(|one| format!("{LETTERS}/{}", one["id"].as_str().unwrap()))
    })
    .await
}

async fn audited(api: &Api, admin: &Birder) -> Vec<(String, String)> {
    let path = "/api/v1/admin/audit?action=dead-letters.unmask";
    let log = api.get_as(admin, path).await.expect(200).json;
    let entries = log["items"].as_array().unwrap().iter();
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    entries
        .map(|entry| (word(entry, "target"), word(entry, "reason")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_shows_personal_fields_for_a_reason_that_is_kept() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let (user, image) = (Uuid::new_v4(), Uuid::new_v4());
    let event = json!({
        "id": Uuid::new_v4(), "type": "update", "version": "1.0",
        "data": {"user": {"id": user}, "image_url": format!("/images/{image}"), "rating": 6},
        "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
    });
    let subject = format!("rate.update.v1.{user}");
    let letter = dead_letter(&system, &admin, &subject, event.to_string().as_bytes()).await;

    let masked = api.get_as(&admin, &letter).await.expect(200).json;
    for value in [user.to_string(), image.to_string(), "2026-05-02".to_owned()] {
        assert!(!masked.to_string().contains(&value), "{masked}");
    }
    assert_eq!(masked["is_masked"], true);
    assert_eq!(masked["body"]["metadata"]["source"], "services/OldClient");
    assert_eq!(masked["body"]["data"]["rating"], "masked: rating (number)");

    let unmasking = format!("{letter}/unmasking");
    let because = json!({"reason": "Its sender asks what is wrong with it."});
    let moderator = moderator(api, &admin).await;
    for birder in [&moderator, &api.join("Olga").await] {
        let refused = api.get_as(birder, &letter).await;
        refused.expect_problem(404, None);
        let refused = api.post_as(birder, &unmasking, &because).await;
        refused.expect_problem(404, None);
    }
    let idle = api
        .post_as(&admin, &unmasking, &json!({"reason": " "}))
        .await;
    idle.expect_problem(422, Some("/reason"));
    assert_eq!(audited(api, &admin).await, []);

    let shown = api.post_as(&admin, &unmasking, &because).await.expect(200);
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_eq!(shown.json["body"], event);
    assert_eq!(shown.json["is_masked"], false);
    let target = letter.replace("/api/v1/admin/dead-letters/", "dead-letter/");
    let reason = "Its sender asks what is wrong with it.".to_owned();
    assert_eq!(audited(api, &admin).await, [(target, reason)]);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_cannot_be_read_only_its_size_is_told() {
    let system = System::up().await;
    let api = &system.api;
    let admin = system.admin().await;
    let subject = format!("rate.update.v1.{}", Uuid::new_v4());
    let letter = dead_letter(&system, &admin, &subject, b"Olga lives in Uppsala").await;
    let told = api.get_as(&admin, &letter).await.expect(200).json;
    assert_eq!((&told["bytes"], &told["body"]), (&json!(21), &Value::Null));
    assert_eq!(told["unreadable"], "It is no JSON.");
    assert!(!told.to_string().contains("Olga"), "{told}");
    for unknown in ["x", "statistics:RATE.1.1", "nobody:RATE.1.1"] {
        let unknown = api.get_as(&admin, &format!("{LETTERS}/{unknown}")).await;
        unknown.expect_problem(404, None);
    }
    system.stop().await;
}
