//! Events as a foreign producer publishes them.

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use testkit::Wire;
use uuid::Uuid;

const TIME: &str = "2026-05-02T10:00:00Z";
/// How many are on their way at once; the broker takes them in the order in which they are sent.
const IN_FLIGHT: usize = 64;

/// A subject and what is published there.
pub type Published = (String, Value);

/// A tick by a user with an image of its own.
pub fn tick(id: Uuid, user: Uuid) -> Published {
    let image = format!("/images/{}", Uuid::new_v5(&id, b"image"));
    let event = json!({
        "id": id, "type": "new", "version": "1.1",
        "data": {"user": {"id": user}, "image": {"url": image}},
        "metadata": {"source": "services/Proof", "time": TIME},
    });
    (format!("tick.new.v1.{user}"), event)
}

/// A log-in.
pub fn login(id: Uuid, user: Uuid) -> Published {
    let event = json!({
        "id": id, "type": "login", "version": "1.0",
        "data": {"user": {"id": user}},
        "metadata": {"source": "services/Proof", "time": TIME},
    });
    (format!("user.login.v1.{user}"), event)
}

/// Something at a tick's subject that no consumer can read.
pub fn unreadable_tick(id: Uuid, user: Uuid) -> Published {
    (format!("tick.new.v1.{user}"), json!({"id": id, "type": 1}))
}

/// Publishes events and waits for the broker's acknowledgements.
pub async fn publish_all(wire: &Wire, events: Vec<Published>) {
    let sending = events.into_iter().map(|(subject, event)| {
        let wire = wire.clone();
        async move { wire.publish_event(&subject, &event).await }
    });
    let mut sending = stream::iter(sending).buffered(IN_FLIGHT);
    while sending.next().await.is_some() {}
}
