//! Whoever corrects a tick finds what they said now everywhere, and what they said before nowhere.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, NUTHATCH, PHOTO, databases, eventually};
use uuid::Uuid;

use crate::erasure::scan;
use crate::rebuild::{Instance, on_both};
use crate::rectification::holds;
use crate::round::{await_score, tick_a_bird};

/// Nobody else says this word.
const WRONG: [&str; 3] = ["avibase-2247CB05", "Struthio camelus", "1987-06-05"];
const SEALED: &str = "SELECT note FROM tick";
const OF_NUTHATCHES: &str =
    "SELECT COUNT(*) FROM tick WHERE species_id = 'avibase-9C2B53A0' AND stands = true";
const OF_NOTHING: &str = "SELECT COUNT(*) FROM tick WHERE species_id IS NULL AND stands = true";

on_both!(
    a_corrected_tick_is_right_everywhere,
    what_comes_in_another_order_ends_the_same,
);

async fn correct(api: &Api, birder: &Birder, tick: Uuid, changes: &Value) -> testkit::Answer {
    let path = format!("/api/v1/ticks/{tick}");
    api.send(Method::PATCH, &path, Some(&birder.token), Some(changes))
        .await
}

async fn a_corrected_tick_is_right_everywhere(mut instance: Instance) {
    let api = &instance.api;
    let owner = api.join("Olga").await;
    let (image, tick) = tick_a_bird(api, &owner).await;
    await_score(api, image).await;
    let path = format!("/api/v1/ticks/{tick}");
    let before = api.get_as(&owner, &path).await.expect(200).json;
    let same = json!({"count": 2, "species": {"id": NUTHATCH}});
    let unchanged = correct(api, &owner, tick, &same).await.expect(200);
    assert_eq!(unchanged.json, before);

    let changes = json!({"species": null, "count": 3, "place": {"lat": 60.5}, "note": null});
    let after = correct(api, &owner, tick, &changes).await.expect(200).json;
    assert_eq!(after["count"], 3);
    assert_eq!(after["place"], json!({"lat": 60.5, "lon": 17.6389}));
    assert_eq!(after["seen_on"], before["seen_on"]);
    assert_eq!(after["created_at"], before["created_at"]);
    assert!(after["species"].is_null() && after["note"].is_null());
    assert_eq!(api.get_as(&owner, &path).await.expect(200).json, after);
    in_the_stream_is_only(&instance, tick, 1).await;
    eventually("Statistics counts no nuthatch", || async {
        (instance.rows(OF_NUTHATCHES).await == 0).then_some(())
    })
    .await;
    refuses_what_is_wrong(api, &owner, tick).await;
    instance.rebuild().await;
    assert_eq!(instance.rows(OF_NOTHING).await, 1);

    let hidden = json!({"visibility": "private"});
    let changes = json!({"species": {"id": NUTHATCH}, "seen_on": "2026-04-30", "place": hidden});
    let after = correct(api, &owner, tick, &changes).await.expect(200).json;
    let place = json!({"lat": 60.5, "lon": 17.6389, "visibility": "private"});
    assert_eq!(after["place"], place);
    instance.kill().await;
    in_the_stream_is_only(&instance, tick, 2).await;
    assert!(told_of(&instance, tick).await[0]["place"].is_null());
    eventually("Statistics counts a nuthatch", || async {
        (instance.rows(OF_NUTHATCHES).await == 1).then_some(())
    })
    .await;
    is_audited(&instance).await;
    let figures = instance.api.figures().await;
    assert_eq!(
        (&figures["ticks"], &figures["scores"]),
        (&json!(1), &json!(1))
    );
    instance.api.delete_as(&owner, &path).await.expect(204);
    correct(&instance.api, &owner, tick, &json!({"count": 4}))
        .await
        .expect_problem(404, None);
    eventually("the tick counts no more", || async {
        (instance.api.figures().await["ticks"] == 0).then_some(())
    })
    .await;
    instance.rebuild().await;
    instance.stop().await;
}

async fn refuses_what_is_wrong(api: &Api, owner: &Birder, tick: Uuid) {
    let other = api.join("Rolf").await;
    let patch = json!({"count": 9});
    correct(api, &other, tick, &patch)
        .await
        .expect_problem(404, None);
    correct(api, owner, Uuid::new_v4(), &patch)
        .await
        .expect_problem(404, None);
    for (bad, pointer) in [
        (json!({"count": 0}), "/count"),
        (json!({"count": "two"}), "/count"),
        (json!({"seen_on": "1899-12-31"}), "/seen_on"),
        (json!({"species": {"id": "avibase-nothing"}}), "/species/id"),
        (json!({"place": {"lat": 91}}), "/place/lat"),
        (json!({"image": {"url": "/images/x"}}), "/image"),
    ] {
        let refused = correct(api, owner, tick, &bad).await;
        refused.expect_problem(422, Some(pointer));
    }
}

/// Of all events that tell what the tick is, the stream has the one of this state only.
async fn in_the_stream_is_only(instance: &Instance, tick: Uuid, revision: u32) {
    eventually("older states are overwritten", || async {
        let told = told_of(instance, tick).await;
        let mut revisions = told.iter().map(|data| &data["revision"]);
        (revisions.next() == Some(&json!(revision)) && revisions.next().is_none()).then_some(())
    })
    .await;
}

/// The data of all events about a tick that the stream has.
async fn told_of(instance: &Instance, tick: Uuid) -> Vec<Value> {
    let wire = instance.wire("operator").await;
    let stored = wire.read("TICK").await.into_iter();
    stored
        .filter(|stored| stored.body.to_string().contains(&tick.to_string()))
        .map(|stored| stored.body["data"].clone())
        .collect()
}

/// All consumers have what was sent, and nothing had to be sent again.
async fn is_audited(instance: &Instance) {
    let path = "/api/v1/admin/deliveries";
    eventually("everything is matched", || async {
        let all = instance.api.get_as(&instance.admin, path).await;
        let all = all.expect(200).json;
        let mut audits = all["items"].as_array().unwrap().iter();
        let is_quiet = audits.all(|service| {
            let audit = &service["audit"];
            assert!(audit.is_null() || audit["missing"] == 0, "{service}");
            audit.is_null() || audit["unmatched"] == 0
        });
        is_quiet.then_some(())
    })
    .await;
}

/// As a consumer sees it whose events were overwritten before, and one that is set back to the beginning.
async fn what_comes_in_another_order_ends_the_same(instance: Instance) {
    let api = &instance.api;
    let owner = api.join("Olga").await;
    let (image, _) = api.upload(&owner, PHOTO).await;
    let tick = Uuid::new_v4();
    let data = json!({"user": {"id": owner.id}, "image": {"url": format!("/images/{image}")}});
    let event = |id: Uuid, kind: &str, version: &str, data: &Value| {
        json!({
            "id": id, "type": kind, "version": version, "data": data,
            "metadata": {"source": "services/TickAPI", "time": "2026-05-02T10:00:00Z"},
        })
    };
    let mut update = data.clone();
    update["tick"] = json!({"id": tick});
    update["revision"] = json!(2);
    update["ticked_at"] = json!("2026-05-01T10:00:00Z");
    let mut older = update.clone();
    older["revision"] = json!(1);
    older["species"] =
        json!({"id": NUTHATCH, "scientific": "Sitta europaea", "english": "Eurasian Nuthatch"});
    let mut new = data;
    new["species"] = older["species"].clone();
    let wire = instance.wire("tick-api").await;
    for (id, kind, version, data) in [
        (Uuid::new_v4(), "update", "1.0", &update),
        (tick, "new", "1.1", &new),
        (Uuid::new_v4(), "update", "1.0", &older),
    ] {
        let subject = format!("tick.{kind}.v1.{}", owner.id);
        wire.publish_event(&subject, &event(id, kind, version, data))
            .await;
    }
    in_the_stream_is_only(&instance, tick, 2).await;
    await_score(api, image).await;
    eventually("it counts once", || async {
        let figures = api.figures().await;
        (figures["ticks"] == 1 && figures["scores"] == 1).then_some(())
    })
    .await;
    instance.rebuild().await;
    assert_eq!(instance.rows(OF_NOTHING).await, 1);
    assert_eq!(instance.rows(OF_NUTHATCHES).await, 0);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tick_said_before_is_nowhere_any_more_not_even_sealed() {
    let instance = Instance::on_sqlite().await;
    let api = &instance.api;
    let owner = api.join("Olga").await;
    let (image, url) = api.upload(&owner, PHOTO).await;
    let tick = Uuid::new_v4();
    let body = json!({
        "id": tick, "image": {"url": url}, "species": {"id": WRONG[0]}, "seen_on": WRONG[2],
        "place": {"lat": 59.8586, "lon": 17.6389}, "note": "a nest in the old oak",
    });
    api.post_as(&owner, "/api/v1/ticks", &body)
        .await
        .expect(201);
    await_score(api, image).await;
    let folder = instance.folder.path();
    let sealed = databases::sqlite_bytes(&folder.join("db").join("tick-api.db"), SEALED).await;
    assert!(holds(&folder.join("db"), &sealed), "it is there before");
    let found = scan(folder, &WRONG).await.1.join("\n");
    for store in ["nats/", "tick-api.db", "statistics"] {
        assert!(found.contains(store), "{store} is not in {found}");
    }

    let patch = json!({"species": {"id": NUTHATCH}, "seen_on": "2026-05-01", "note": "a hole"});
    correct(api, &owner, tick, &patch).await.expect(200);

    eventually("what was wrong is overwritten", || async {
        let found = scan(folder, &WRONG).await;
        (found == (Some(0), Vec::new()) && !holds(&folder.join("db"), &sealed)).then_some(())
    })
    .await;
    instance.stop().await;
}
