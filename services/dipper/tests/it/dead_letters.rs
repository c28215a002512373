//! What cannot be handled stops nobody: it is kept with its reason.

use serde_json::{Value, json};
use testkit::{Api, Wire, eventually};
use uuid::Uuid;

use crate::setup::up;

#[tokio::test(flavor = "multi_thread")]
async fn bad_events_land_in_dead_with_their_reason_and_good_ones_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let wire = Wire::connect(folder.path(), "tick-api").await;
    let reader = Wire::connect(folder.path(), "operator").await;
    let user = Uuid::new_v4();
    let subject = format!("rate.update.v1.{user}");
    let event = |version: &str, rating: i64| rated(user, version, rating);
    let bad = bad_events(user);
    for (_, body) in &bad {
        wire.publish(&subject, None, body).await;
    }
    let unknown = event("1.0", 3)
        .to_string()
        .replace("update", "upend")
        .into_bytes();
    let unknown_subject = format!("rate.upend.v1.{user}");
    wire.publish(&unknown_subject, None, &unknown).await;
    wire.publish_event(&subject, &event("1.0", 3)).await;
    eventually("the good event is counted", || async {
        (api.figures().await["ratings"] == 1).then_some(())
    })
    .await;

    let letters = eventually("the bad ones are in DEAD", || async {
        let letters = reader.messages("DEAD").await;
        let of_statistics: Vec<_> = letters
            .into_iter()
            .filter(|(_, headers, _)| headers.contains("statistics"))
            .collect();
        (of_statistics.len() >= bad.len()).then_some(of_statistics)
    })
    .await;
    assert_eq!(letters.len(), bad.len());
    expect_reasons(&letters, &bad, &subject);
    let letters = eventually("the unknown one is in DEAD", || async {
        let letters = reader.messages("DEAD").await;
        letters
            .iter()
            .any(|(_, headers, _)| headers.contains("unknown-event"))
            .then_some(letters)
    })
    .await;
    expect_reasons(&letters, &[("unknown-event", unknown)], &unknown_subject);
    assert_eq!(running.stop().await, Some(0));
}

fn rated(user: Uuid, version: &str, rating: i64) -> Value {
    let image = Uuid::new_v4();
    json!({
        "id": Uuid::new_v4(), "type": "update", "version": version,
        "data": {"user": {"id": user}, "image_url": format!("/images/{image}"), "rating": rating},
        "metadata": {"source": "services/OldClient", "time": "2026-05-02T10:00:00Z"},
    })
}

/// What may not be handled, and the reason that it is kept with.
fn bad_events(user: Uuid) -> Vec<(&'static str, Vec<u8>)> {
    let other_type = rated(user, "1.0", 3).to_string().replace("update", "upend");
    let oversized = format!("{}{}", rated(user, "1.0", 3), " ".repeat(100 * 1024));
    let texts = [
        ("schema", rated(user, "1.0", 6).to_string()),
        ("subject-mismatch", rated(user, "2.0", 3).to_string()),
        ("subject-mismatch", other_type),
        ("schema", json!({"id": 1}).to_string()),
        ("too-large", oversized),
        ("not-json", String::new()),
    ]
    .map(|(reason, text)| (reason, text.into_bytes()));
    let no_text = ("not-json", b"\xff\xfe no json".to_vec());
    texts.into_iter().chain([no_text]).collect()
}

/// Each bad message is among the letters, as it was, with its reason.
fn expect_reasons(letters: &[(String, String, Vec<u8>)], bad: &[(&str, Vec<u8>)], subject: &str) {
    for (reason, body) in bad {
        let (dead_subject, headers, _) = letters
            .iter()
            .find(|letter| letter.2 == *body)
            .expect("the letter is there");
        assert!(
            headers.contains("Dipper-Reason") && headers.contains(reason),
            "{reason}: {headers}"
        );
        assert_eq!(*dead_subject, format!("dead.{subject}"));
    }
}
