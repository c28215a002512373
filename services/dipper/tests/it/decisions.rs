//! What admins see of events that failed, and decide about them.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{Answer, Api, Birder, Wire, eventually};
use uuid::Uuid;

use crate::setup::{admin_of, up};

const LETTERS: &str = "/api/v1/admin/dead-letters";
const DECISIONS: &str = "/api/v1/admin/dead-letters/decisions";

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_decides_about_dead_letters_and_all_of_it_is_audited() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let admin = admin_of(&api, folder.path()).await;
    let letters = leave_dead_letters(&api, &admin, folder.path()).await;
    sees_where_events_are(&api, &admin).await;

    let asked = json!({"action": "replay", "consumer": "statistics", "reason": "It was repaired."});
    let replayed = decide(&api, &admin, &asked).await;
    let events = replayed["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!(event["state"], "failed");
        assert!(event["detail"].as_str().unwrap().starts_with("schema: "));
    }

    let of_scores = letters.iter().find(|one| one["consumer"] == "score-model");
    let of_scores = of_scores.unwrap()["id"].as_str().unwrap();
    let fingerprint = letters
        .iter()
        .find(|one| one["consumer"] == "statistics")
        .map(|one| one["fingerprint"].clone());
    for chosen in [
        json!({"fingerprint": fingerprint}),
        json!({"ids": [of_scores]}),
    ] {
        let mut asked = json!({"action": "skip", "reason": "Nobody misses it."});
        asked
            .as_object_mut()
            .unwrap()
            .extend(chosen.as_object().unwrap().clone());
        let skipped = decide(&api, &admin, &asked).await;
        assert_eq!(skipped["events"][0]["state"], "done");
    }
    let left = api.get_as(&admin, LETTERS).await.expect(200).json;
    assert_eq!(left["items"].as_array().unwrap().len(), letters.len() - 2);

    let audit = api.get_as(&admin, "/api/v1/admin/audit").await.expect(200);
    let actions: Vec<&str> = audit.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        [
            "dead-letters.skip",
            "dead-letters.skip",
            "dead-letters.replay"
        ]
    );
    is_refused(&api, &admin).await;
    assert_eq!(running.stop().await, Some(0));
}

/// A rating and a tick that break their schemas.
async fn leave_dead_letters(api: &Api, admin: &Birder, folder: &Path) -> Vec<Value> {
    let wire = Wire::connect(folder, "tick-api").await;
    for event in ["rate.update.v1", "tick.new.v1"] {
        let subject = format!("{event}.{}", Uuid::new_v4());
        wire.publish(&subject, None, br#"{"id": 1}"#).await;
    }
    eventually("all who read them have given them up", || async {
        let letters = api.get_as(admin, LETTERS).await.expect(200).json;
        let letters = letters["items"].as_array().unwrap().clone();
        let by = |consumer: &str| {
            letters
                .iter()
                .filter(|one| one["consumer"] == consumer)
                .count()
        };
        let all = [
            ("tick-api", 1),
            ("user-api", 2),
            ("notifier", 2),
            ("statistics", 2),
            ("score-model", 1),
        ];
        all.iter()
            .all(|(consumer, many)| by(consumer) == *many)
            .then_some(letters)
    })
    .await
}

async fn sees_where_events_are(api: &Api, admin: &Birder) {
    let path = "/api/v1/admin/deliveries";
    let all = api.get_as(admin, path).await.expect(200).json;
    let all = all["items"].as_array().unwrap();
    assert_eq!(all.len(), 7);
    for service in all {
        assert_eq!(service["answers"], true, "{service}");
        let keeps_nothing = service["service"] == "score-model";
        assert_eq!(service["audit"].is_null(), keeps_nothing, "{service}");
    }
    let statistics = all
        .iter()
        .find(|one| one["service"] == "statistics")
        .unwrap();
    let streams = statistics["streams"].as_array().unwrap();
    let rate = streams.iter().find(|one| one["stream"] == "RATE").unwrap();
    assert_eq!(
        (&rate["failed"], &rate["unprocessed"]),
        (&json!(1), &json!(0))
    );

    let path = format!("{path}/statistics?status=FAILED");
    let parked = api.get_as(admin, &path).await.expect(200).json;
    assert_eq!(parked["items"].as_array().unwrap().len(), 2);
    assert_eq!(parked["items"][0]["status"], "FAILED");
}

/// Decides, and waits until everything is done.
async fn decide(api: &Api, admin: &Birder, asked: &Value) -> Value {
    let made = api.post_as(admin, DECISIONS, asked).await.expect(201);
    let path = format!("{DECISIONS}/{}", made.json["id"].as_str().unwrap());
    eventually("the decision is carried out", || async {
        let decision = api.get_as(admin, &path).await.expect(200).json;
        (decision["is_done"] == true).then_some(decision)
    })
    .await
}

async fn is_refused(api: &Api, admin: &Birder) {
    let decide = |body: Value| async move { api.post_as(admin, DECISIONS, &body).await };
    let expect = |answer: Answer, pointer: &str| answer.expect_problem(422, Some(pointer));
    let reason = "A reason.";
    expect(
        decide(json!({"action": "skip", "reason": reason})).await,
        "/ids",
    );
    expect(
        decide(json!({"action": "skip", "reason": "", "ids": []})).await,
        "/reason",
    );
    expect(
        decide(json!({"action": "burn", "reason": reason, "ids": []})).await,
        "/action",
    );
    expect(
        decide(json!({"action": "skip", "reason": reason, "ids": ["x"]})).await,
        "/ids/0",
    );
    expect(
        decide(json!({"action": "skip", "reason": reason, "consumer": "x"})).await,
        "/consumer",
    );
    let unknown = format!("{DECISIONS}/{}", Uuid::new_v4());
    api.get_as(admin, &unknown).await.expect_problem(404, None);
    let path = "/api/v1/admin/deliveries/nobody";
    api.get_as(admin, path).await.expect_problem(404, None);
    let path = "/api/v1/admin/deliveries/statistics?status=LOST";
    api.get_as(admin, path)
        .await
        .expect_problem(422, Some("/status"));
}
