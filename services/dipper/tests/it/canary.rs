//! Somebody whose data can be searched for, byte by byte.

use serde_json::json;
use testkit::{Api, Birder, NUTHATCH, PHOTO, eventually};
use uuid::Uuid;

use crate::erasure::rate;
use crate::round::rating_mails;
use crate::setup::System;

/// A birder all of whose data can be searched for.
pub struct Canary {
    pub birder: Birder,
    pub image: Uuid,
    pub name: String,
    pub note: String,
}

impl Canary {
    /// Joins, begins to set up a second factor, and ticks a bird with everything that can be told of it.
    pub async fn join(api: &Api) -> Self {
        let word = |what: &str| format!("{what}{}", Uuid::new_v4().as_fields().0);
        let (name, note) = (word("canary"), word("nesting"));
        let birder = api.join(&name).await;
        let password = json!({"password": birder.password});
        let begun = api.post_as(&birder, "/api/v1/auth/second-factor", &password);
        begun.await.expect(201);
        let (image, url) = api.upload(&birder, PHOTO).await;
        let body = json!({
            "image": {"url": url}, "species": {"id": NUTHATCH}, "seen_on": "2026-05-01",
            "place": {"lat": 59.858_641, "lon": 17.638_927}, "note": note,
        });
        let ticked = api.post_as(&birder, "/api/v1/ticks", &body).await;
        ticked.expect(201);
        Self {
            birder,
            image,
            name,
            note,
        }
    }

    /// What stands readable in databases and streams. Ids of events stay: they lead to nobody.
    pub fn ids(&self) -> [String; 2] {
        [self.birder.id, self.image].map(|id| id.to_string())
    }

    /// Whatever must be found nowhere in the end.
    pub fn needles(&self) -> Vec<String> {
        let mut needles = self.ids().to_vec();
        needles.extend([
            self.birder.email.clone(),
            self.name.clone(),
            self.note.clone(),
        ]);
        needles
    }
}

/// A canary who rates two others, and is rated by them; all is handled.
pub async fn befriended(system: &System) -> Canary {
    let api = &system.api;
    let canary = Canary::join(api).await;
    for name in ["Ada", "Ben"] {
        let other = api.join(name).await;
        let image = api.tick(&other).await;
        rate(api, &other, canary.image, 4).await;
        rate(api, &canary.birder, image, 4).await;
    }
    eventually("the canary is told of both ratings", || async {
        let mails = rating_mails(api, &canary.birder).await;
        let texts = mails.iter().filter_map(|mail| mail["text"].as_str());
        let told: usize = texts.map(|text| text.matches("/images/").count()).sum();
        (!mails.is_empty() && told > 0).then_some(())
    })
    .await;
    canary
}
