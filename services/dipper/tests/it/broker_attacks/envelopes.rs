//! A producer that does not keep to the contract: what it sends is dead with a reason, and counts for nothing.

use serde_json::{Value, json};
use testkit::{Wire, eventually};
use uuid::Uuid;

use crate::setup::System;

fn rated(user: Uuid) -> Value {
    let image = Uuid::new_v4();
    json!({
        "id": Uuid::new_v4(), "type": "update", "version": "1.0",
        "data": {"user": {"id": user}, "image_url": format!("/images/{image}"), "rating": 3},
        "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
    })
}

/// What is done to an event, and the reason that it is dead for.
fn abuses(user: Uuid) -> Vec<(&'static str, Vec<u8>)> {
    let changed = |pointer: &str, value: Value| {
        let mut event = rated(user);
        *event.pointer_mut(pointer).unwrap() = value;
        event.to_string()
    };
    let texts = [
        ("subject-mismatch", changed("/type", json!("delete"))),
        ("schema", changed("/type", json!(7))),
        ("schema", changed("/version", json!("1"))),
        ("schema", changed("/version", json!(1.0))),
        ("subject-mismatch", changed("/version", json!("999.0"))),
        ("schema", changed("/data", Value::Null)),
        ("schema", changed("/data/rating", json!(6))),
        ("schema", changed("/data/rating", json!(4.5))),
        ("schema", changed("/id", json!("not an id"))),
        (
            "schema",
            changed("/metadata/time", json!("+1000000000-01-01T00:00:00Z")),
        ),
        ("schema", changed("/metadata/source", json!(""))),
        (
            "source",
            changed("/metadata/source", json!("services/Notifier")),
        ),
        (
            "source",
            changed("/metadata/source", json!("services/UserAPI")),
        ),
        (
            "subject-mismatch",
            changed("/data/user/id", json!(Uuid::new_v4())),
        ),
        (
            "too-large",
            rated(user).to_string() + &" ".repeat(300 * 1024),
        ),
        ("not-json", "{\"id\": ".to_owned() + &"[".repeat(10_000)),
    ];
    let mut abuses: Vec<_> = texts
        .map(|(reason, text)| (reason, text.into_bytes()))
        .into();
    abuses.push(("not-json", b"{\"id\": \"\xc3\x28\"}".to_vec()));
    abuses
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_contract_is_dead_with_its_reason() {
    let system = System::up().await;
    let producer = Wire::connect(system.folder(), "tick-api").await;
    let reader = Wire::connect(system.folder(), "operator").await;
    let user = Uuid::new_v4();
    let subject = format!("rate.update.v1.{user}");
    let abuses = abuses(user);
    for (_, body) in &abuses {
        producer.publish(&subject, None, body).await;
    }
    producer.publish_event(&subject, &rated(user)).await;
    let letters = eventually("each is dead for Statistics", || async {
        let letters = reader.messages("DEAD").await;
        let of_statistics = letters.into_iter();
        let of_statistics: Vec<_> = of_statistics
            .filter(|(_, headers, _)| headers.contains("statistics"))
            .collect();
        (of_statistics.len() >= abuses.len()).then_some(of_statistics)
    })
    .await;
    for (reason, body) in &abuses {
        let text = String::from_utf8_lossy(body)
            .chars()
            .take(200)
            .collect::<String>();
        let letter = letters.iter().find(|(_, _, kept)| kept == body);
        let headers = letter.map(|(_, headers, _)| headers.as_str());
        let headers = headers.unwrap_or_default();
        assert!(headers.contains(reason), "{reason}: {headers} {text}");
    }
    eventually("the good one counts", || async {
        (system.api.figures().await["ratings"] == 1).then_some(())
    })
    .await;
    system.stop().await;
}

/// The same event may come as often as it likes, and in another major; another event under its id is none.
#[tokio::test(flavor = "multi_thread")]
async fn another_event_under_a_known_id_is_dead_as_a_conflict() {
    let system = System::up().await;
    let producer = Wire::connect(system.folder(), "tick-api").await;
    let reader = Wire::connect(system.folder(), "operator").await;
    let user = Uuid::new_v4();
    let subject = format!("rate.update.v1.{user}");
    let event = rated(user);
    producer.publish_event(&subject, &event).await;
    eventually("it counts", || async {
        (system.api.figures().await["ratings"] == 1).then_some(())
    })
    .await;
    let mut forged = event.clone();
    forged["data"]["rating"] = json!(1);
    producer
        .publish(&subject, None, forged.to_string().as_bytes())
        .await;
    producer
        .publish(&subject, None, event.to_string().as_bytes())
        .await;
    producer.publish_event(&subject, &rated(user)).await;
    eventually("what came later of that person counts", || async {
        (system.api.figures().await["ratings"] == 2).then_some(())
    })
    .await;
    let letters = eventually("it is dead for Statistics", || async {
        let letters = reader.messages("DEAD").await.into_iter();
        let of_statistics: Vec<_> = letters
            .filter(|(_, headers, _)| headers.contains("statistics"))
            .collect();
        (!of_statistics.is_empty()).then_some(of_statistics)
    })
    .await;
    let [(_, headers, body)] = &letters[..] else {
        panic!("{} letters", letters.len());
    };
    assert!(headers.contains("conflict"), "{headers}");
    assert_eq!(*body, forged.to_string().into_bytes());
    system.stop().await;
}
