//! One whole event of each version: examples in the schemas, on the page, and for tests.

use serde_json::{Value, json};

const USER: &str = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";
const OWNER: &str = "b2d9f0e4-8c1d-4a6e-9f52-7e60c1d8a933";
const IMAGE: &str = "/images/0e7c5b1a-94d2-4f3b-8a6d-52c1f09be874/2048.jpg";
const TICK: &str = "9a3df1c6-2b7e-4d58-8e01-c46fb92a7d35";
const RATE: &str = "d4c8a7e0-5f19-4b62-a3dd-1e8f70b6c954";
const REQUEST: &str = "3b5e91d7-c0a4-4f2e-b816-9d27f4e8a063";

/// An envelope; a second, derived, and the first of their kind differ only by id.
fn event(id: &str, kind: &str, version: &str, source: &str, data: &Value) -> Value {
    json!({
        "id": id,
        "type": kind,
        "version": version,
        "data": data,
        "metadata": {"source": source, "time": "2026-05-01T05:42:10Z"}
    })
}

pub(super) fn tick_new_v1_0() -> Value {
    let data = json!({"user": {"id": USER}, "image": {"url": IMAGE}});
    event(TICK, "new", "1.0", "services/TickAPI", &data)
}

pub(super) fn tick_new_v1_1() -> Value {
    let data = json!({
        "user": {"id": USER},
        "image": {"url": IMAGE},
        "species": {"id": "avibase-2247CB05", "scientific": "Struthio camelus", "english": "Common Ostrich"},
        "seen_on": "2026-05-01",
        "count": 2,
        "place": {"lat": -19.1, "lon": 15.9, "radius_m": 15700}
    });
    event(TICK, "new", "1.1", "services/TickAPI", &data)
}

pub(super) fn tick_update_v1_0() -> Value {
    let data = json!({
        "user": {"id": USER},
        "tick": {"id": TICK},
        "image": {"url": IMAGE},
        "revision": 1,
        "ticked_at": "2026-05-01T05:42:10Z",
        "species": {"id": "avibase-2247CB05", "scientific": "Struthio camelus", "english": "Common Ostrich"},
        "seen_on": "2026-04-30",
        "count": 3
    });
    event(
        "b60d2f7e-95a1-5c48-8e3b-1d7f04c9a652",
        "update",
        "1.0",
        "services/TickAPI",
        &data,
    )
}

pub(super) fn tick_delete_v1_0() -> Value {
    let data = json!({"user": {"id": USER}, "tick": {"id": TICK}});
    event(
        "51e7b3c0-7d4a-4b9c-8f26-a0c9d3e1f748",
        "delete",
        "1.0",
        "services/TickAPI",
        &data,
    )
}

pub(super) fn rate_update_v1_0() -> Value {
    let data = json!({"user": {"id": USER}, "image_url": IMAGE, "rating": 4});
    event(RATE, "update", "1.0", "services/TickAPI", &data)
}

pub(super) fn rate_update_v2_0() -> Value {
    let data = json!({"user": {"id": USER}, "image": {"url": IMAGE, "owner": OWNER}, "rating": 4});
    event(RATE, "update", "2.0", "services/TickAPI", &data)
}

pub(super) fn rate_delete_v1_0() -> Value {
    let data = json!({"user": {"id": USER}, "image": {"url": IMAGE}});
    event(
        "c7f2e6d1-0b83-4a95-9e4c-6d5a81f3b027",
        "delete",
        "1.0",
        "services/TickAPI",
        &data,
    )
}

pub(super) fn score_update_v1_0() -> Value {
    let data = json!({"image": {"url": IMAGE}, "score": 3.8});
    event(
        "a81d0c94-6e5b-5f37-b2c9-e7401d96f85a",
        "update",
        "1.0",
        "services/ScoreModel",
        &data,
    )
}

pub(super) fn score_update_v1_1() -> Value {
    let data = json!({
        "image": {"url": IMAGE},
        "score": 3.8,
        "model": "sharpness-1",
        "reasons": ["sharp", "a little noisy"]
    });
    event(
        "a81d0c94-6e5b-5f37-b2c9-e7401d96f85a",
        "update",
        "1.1",
        "services/ScoreModel",
        &data,
    )
}

pub(super) fn notification_email_v1_0() -> Value {
    let data = json!({
        "user": {"id": OWNER},
        "message_type": "rate.update",
        "source_event": {"name": "rate", "id": RATE, "type": "update"}
    });
    event(
        "74b9c2f8-1a6d-5e03-8d7b-f92e5c40a16b",
        "email",
        "1.0",
        "services/Notifier",
        &data,
    )
}

pub(super) fn gdpr_delete_v1_0() -> Value {
    event(
        REQUEST,
        "delete",
        "1.0",
        "services/TickAPI",
        &json!({"user": {"id": USER}}),
    )
}

pub(super) fn gdpr_purged_v1_0() -> Value {
    let data = json!({"request": {"id": REQUEST}, "service": "tick-api", "rows": 42});
    event(
        "e05f8a3b-d219-5c76-94e0-38b7d1c6f2a9",
        "purged",
        "1.0",
        "services/TickAPI",
        &data,
    )
}

pub(super) fn gdpr_purged_v1_1() -> Value {
    let data = json!({
        "request": {"id": REQUEST}, "service": "notifier", "rows": 7,
        "mails_under_way": ["91b7c0de-52f4-5b3e-8d60-a7f1e94c2b15"],
    });
    event(
        "5b0e6d21-93ca-5f48-b17e-d04a8c65f3b2",
        "purged",
        "1.1",
        "services/Notifier",
        &data,
    )
}

pub(super) fn gdpr_erased_v1_0() -> Value {
    let data = json!({
        "request": {"id": REQUEST},
        "subject": "5d1f0b9c7e3a84264fd2c8a16b90e7533c8ae41d27f6b05998e2d4710a6cb3f8"
    });
    event(
        "2c96d7e4-b8f1-5a03-a75d-4e0c19f3b68d",
        "erased",
        "1.0",
        "services/UserAPI",
        &data,
    )
}

pub(super) fn user_register_v1_0() -> Value {
    let data = json!({"user": {"id": USER}});
    event(
        "8e3a5d70-f6c4-4b18-9d2e-b1f70c94a65e",
        "register",
        "1.0",
        "services/AuthAPI",
        &data,
    )
}

pub(super) fn user_login_v1_0() -> Value {
    let data = json!({"user": {"id": USER}});
    event(
        "f19b4c63-07e8-4d5a-82a1-95d6e3c0b87f",
        "login",
        "1.0",
        "services/AuthAPI",
        &data,
    )
}

pub(super) fn user_limit_v1_0() -> Value {
    let data = json!({
        "user": {"id": USER},
        "restricted": false,
        "objections": {"scoring": true, "statistics": false},
        "withdrawn": {"places": false}
    });
    event(
        "5b0c9e27-8d41-4f63-a7e5-2c6f94d1b803",
        "limit",
        "1.0",
        "services/UserAPI",
        &data,
    )
}

pub(super) fn admin_audit_v1_0() -> Value {
    let data = json!({
        "admin": {"id": OWNER},
        "action": "user.suspend",
        "target": format!("user/{USER}"),
        "reason": "Uploads images of other people."
    });
    event(
        "0d72e8b5-4c9f-4a16-b3d8-7f5e1a6c2940",
        "audit",
        "1.0",
        "services/AdminAPI",
        &data,
    )
}
