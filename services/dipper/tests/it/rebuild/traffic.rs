//! Birders who go on while a rebuild runs, and a reader who watches the figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use testkit::{Api, PHOTO};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// What goes on.
pub struct Traffic {
    api: Api,
    before: Value,
    is_over: Arc<AtomicBool>,
    ticking: JoinHandle<u64>,
    watching: JoinHandle<u64>,
}

impl Traffic {
    /// Somebody ticks and rates, somebody watches.
    pub async fn begin(api: &Api) -> Self {
        let (owner, rater) = (api.join("Olga").await, api.join("Rolf").await);
        let (image, url) = api.upload(&owner, PHOTO).await;
        let before = api.figures().await;
        let is_over = Arc::new(AtomicBool::new(false));
        let (birders, until) = (api.clone(), Arc::clone(&is_over));
        let ticking = tokio::spawn(async move {
            let mut ticks = 0;
            while !until.load(Ordering::SeqCst) {
                let body = json!({"id": Uuid::new_v4(), "image": {"url": url}});
                birders
                    .post_as(&owner, "/api/v1/ticks", &body)
                    .await
                    .expect(201);
                ticks += 1;
                let path = format!("/api/v1/images/{image}/rating");
                let body = json!({"rating": 1 + ticks % 5});
                birders.put_as(&rater, &path, &body).await.expect(200);
            }
            ticks
        });
        let watching = tokio::spawn(watch(api.clone(), Arc::clone(&is_over)));
        Self {
            api: api.clone(),
            before,
            is_over,
            ticking,
            watching,
        }
    }

    /// Ends it; every tick is counted, once.
    pub async fn end(self) {
        self.is_over.store(true, Ordering::SeqCst);
        let ticks = self.ticking.await.unwrap();
        assert!(self.watching.await.unwrap() > 0);
        let figure = |of: &Value, name: &str| of[name].as_u64().unwrap();
        let mut expected = self.before.clone();
        expected["ticks"] = json!(figure(&self.before, "ticks") + ticks);
        expected["scores"] = json!(figure(&self.before, "scores") + ticks);
        expected["ratings"] = json!(1);
        expected["images"] = json!(1);
        let done = || async {
            let mut now = self.api.figures().await;
            // How many mails are sent depends on when.
            now["notifications"] = expected["notifications"].clone();
            now["users"] = expected["users"].clone();
            now["logins"] = expected["logins"].clone();
            (now == expected).then_some(())
        };
        testkit::eventually("everything is counted once", done).await;
    }
}

/// No figure falls, and there is always an answer.
async fn watch(api: Api, until: Arc<AtomicBool>) -> u64 {
    let mut last = api.figures().await;
    let mut looks = 0;
    while !until.load(Ordering::SeqCst) {
        let now = api.figures().await;
        for (name, value) in now.as_object().unwrap() {
            assert!(
                value.as_i64() >= last[name].as_i64(),
                "{name} fell from {last} to {now}"
            );
        }
        last = now;
        looks += 1;
    }
    looks
}
