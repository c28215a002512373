//! An open place is on its photo's own page, for everybody, and nowhere else. Whatever closes it does so at once.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, NUTHATCH, Wire, eventually};
use uuid::Uuid;

use crate::consents;
use crate::erasure::{erase, scan};
use crate::limits::limit;
use crate::moderation::{cases, decide, moderator, report};
use crate::round::tick_a_bird;
use crate::setup::System;

const STEPPE_EAGLE: &str = "avibase-A635F565";

/// A bird that somebody ticked, and its photo.
struct Sighting<'a> {
    api: &'a Api,
    owner: &'a Birder,
    image: Uuid,
    tick: Uuid,
}

impl Sighting<'_> {
    async fn correct(&self, changes: &Value) {
        let path = format!("/api/v1/ticks/{}", self.tick);
        let token = Some(&*self.owner.token);
        let corrected = self.api.send(Method::PATCH, &path, token, Some(changes));
        corrected.await.expect(200);
    }

    async fn show_to(&self, visibility: &str) {
        self.correct(&json!({"place": {"visibility": visibility}}))
            .await;
    }

    fn page(&self) -> String {
        format!("/api/v1/images/{}", self.image)
    }

    /// What somebody without an account reads of the place.
    async fn spot(&self) -> Value {
        self.api.get(&self.page()).await.expect(200).json["place"].clone()
    }
}

fn spot() -> Value {
    json!({"lat": 59.8586, "lon": 17.6389})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_place_is_on_its_photos_page_alone_on_sqlite() {
    opened_and_closed(System::up().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_place_is_on_its_photos_page_alone_on_postgres() {
    opened_and_closed(System::up_on_postgres().await).await;
}

async fn opened_and_closed(system: System) {
    let api = &system.api;
    let (owner, other) = (api.join("Olga").await, api.join("Rolf").await);
    let (image, tick) = tick_a_bird(api, &owner).await;
    let sighting = Sighting {
        api,
        owner: &owner,
        image,
        tick,
    };
    assert_eq!(sighting.spot().await, Value::Null, "it is obscured");
    let exactly = json!({"lat": 59.858_641, "lon": 17.638_93, "visibility": "open"});
    sighting.correct(&json!({"place": exactly})).await;
    assert_eq!(sighting.spot().await, spot());
    nothing_else_tells(&system, &sighting, &other).await;
    its_owner_closes_it(&sighting).await;
    other_ticks_close_it(&sighting).await;
    moderators_close_it(&system, &sighting, &other).await;
    rights_close_it(&sighting, &other).await;
    erase(api, &owner).await;
    api.get(&sighting.page()).await.expect_problem(410, None);
    system.stop().await;
}

async fn nothing_else_tells(system: &System, sighting: &Sighting<'_>, other: &Birder) {
    let api = sighting.api;
    let path = format!("{}/rating", sighting.page());
    let rated = api.put_as(other, &path, &json!({"rating": 4})).await;
    assert_eq!(rated.expect(200).json["image"]["place"], Value::Null);
    for sort in ["new", "best"] {
        let feed = api.get(&format!("/api/v1/feed?sort={sort}")).await;
        let items = feed.expect(200).json["items"].clone();
        assert_eq!(items[0]["id"], sighting.image.to_string());
        assert_eq!(items[0]["place"], Value::Null);
    }
    let wire = Wire::connect(system.folder(), "operator").await;
    let told = eventually("the event of the open place is in the stream", || async {
        let stored = wire.read("TICK").await.into_iter();
        let mut data = stored.map(|stored| stored.body["data"].clone());
        data.find(|data| data["revision"] == 1)
    })
    .await;
    let cell = json!({"lat": 59.9, "lon": 17.7, "radius_m": 16_000});
    assert_eq!(told["place"], cell);
    let found = scan(system.folder(), &["59.858641", "17.63893"]).await;
    assert_eq!(found, (Some(0), Vec::new()), "no store has it readable");
}

async fn its_owner_closes_it(sighting: &Sighting<'_>) {
    for visibility in ["private", "obscured"] {
        sighting.show_to(visibility).await;
        assert_eq!(sighting.spot().await, Value::Null, "{visibility}");
        sighting.show_to("open").await;
        assert_eq!(sighting.spot().await, spot());
    }
    let species = |id| json!({"species": {"id": id}});
    sighting.correct(&species(STEPPE_EAGLE)).await;
    assert_eq!(sighting.spot().await, Value::Null, "it is threatened");
    sighting.correct(&species(NUTHATCH)).await;
    assert_eq!(sighting.spot().await, spot());
}

async fn other_ticks_close_it(sighting: &Sighting<'_>) {
    let Sighting {
        api, owner, image, ..
    } = sighting;
    let url = format!("/images/{image}/2048.jpg");
    let private = json!({"lat": 59.8586, "lon": 17.6389, "visibility": "private"});
    for more in [
        json!({"image": {"url": url}, "place": private}),
        json!({"image": {"url": url}, "species": {"id": STEPPE_EAGLE}}),
    ] {
        let created = api.post_as(owner, "/api/v1/ticks", &more).await.expect(201);
        assert_eq!(sighting.spot().await, Value::Null, "{more}");
        let path = format!("/api/v1/ticks/{}", created.json["id"].as_str().unwrap());
        api.delete_as(owner, &path).await.expect(204);
        assert_eq!(sighting.spot().await, spot());
    }
}

async fn moderators_close_it(system: &System, sighting: &Sighting<'_>, other: &Birder) {
    let Sighting {
        api, owner, image, ..
    } = sighting;
    let moderator = moderator(api, &system.admin().await).await;
    report(api, other, *image).await;
    let case = &cases(api, &moderator, "open").await[0];
    let hide = json!({"action": "hide", "category": "not-a-bird", "reason": "It is a squirrel."});
    assert_eq!(decide(api, &moderator, case, &hide).await, 204);
    let seen = api.get_as(owner, &sighting.page()).await.expect(200).json;
    assert_eq!(seen["place"], Value::Null, "not even to its owner");
    let show = json!({"action": "unhide", "reason": "It is a bird."});
    assert_eq!(decide(api, &moderator, case, &show).await, 204);
    assert_eq!(sighting.spot().await, spot());
}

async fn rights_close_it(sighting: &Sighting<'_>, other: &Birder) {
    let Sighting { api, owner, .. } = sighting;
    limit(api, owner, true, &[]).await;
    eventually("nobody else sees the photo", || async {
        let page = api.get_as(other, &sighting.page()).await;
        (page.status == 404).then_some(())
    })
    .await;
    let seen = api.get_as(owner, &sighting.page()).await.expect(200).json;
    assert_eq!(seen["place"], Value::Null, "not even to its owner");
    limit(api, owner, false, &[]).await;
    eventually("it is open again", || async {
        let page = api.get(&sighting.page()).await;
        (page.status == 200 && page.json["place"] == spot()).then_some(())
    })
    .await;
    let shown = consents::text(api, "places.en").await;
    consents::decide(api, owner, &shown, false).await;
    eventually("what is not consented to is closed", || async {
        sighting.spot().await.is_null().then_some(())
    })
    .await;
}
