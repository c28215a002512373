//! Mails about ratings: how many, to whom, how they end, and what a name can do in them.

use std::path::Path;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, Birder, Launch, eventually};
use uuid::Uuid;

use crate::round::rating_mails;
use crate::setup::{DIPPER, up};

/// Digests as they are without a setting: one an hour.
fn hourly(folder: &Path) -> Launch {
    Launch::up(DIPPER, folder)
}

async fn rate(api: &Api, raters: &[Birder], image: Uuid, rating: u8) {
    join_all(
        raters
            .iter()
            .map(|rater| api.try_rate(rater, image, rating)),
    )
    .await;
}

async fn await_mails(api: &Api, owner: &Birder, count: usize) -> Vec<Value> {
    eventually("the mails are there", || async {
        let mails = rating_mails(api, owner).await;
        assert!(mails.len() <= count, "{} mails", mails.len());
        (mails.len() == count).then_some(mails)
    })
    .await
}

async fn wish(api: &Api, birder: &Birder, wish: Value) {
    let path = "/api/v1/users/me";
    let changed = api.send(Method::PATCH, path, Some(&birder.token), Some(&wish));
    changed.await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_ratings_in_a_minute_are_one_mail_at_once_and_one_digest() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path())
        .env("DIPPER_DIGEST_INTERVAL", "20s")
        .start()
        .await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    let image = api.tick(&owner).await;
    let raters = join_all((0..20).map(|_| api.join("Rolf"))).await;

    rate(&api, &raters[..1], image, 4).await;
    let first = await_mails(&api, &owner, 1).await;
    assert_eq!(first[0]["subject"], "Your picture was rated 4 of 5");
    rate(&api, &raters[1..], image, 5).await;
    let both = await_mails(&api, &owner, 2).await;
    assert_eq!(both[0]["subject"], "Your picture was rated 19 times");
    let ids = [&both[0], &both[1]].map(|mail| mail["headers"]["Message-ID"].clone());
    assert_ne!(ids[0], ids[1]);
    assert_eq!(running.stop().await, Some(0));
}

/// Whoever has the mail has the link; it needs no session, and no cookie is set.
async fn unsubscribe(api: &Api, mail: &Value) {
    let link = mail["headers"]["List-Unsubscribe"].as_str().unwrap();
    let (_, path) = link
        .trim_matches(['<', '>'])
        .split_once("/unsubscribe/")
        .unwrap();
    let path = format!("/unsubscribe/{path}");
    for _ in 0..3 {
        let page = api.get(&path).await.expect(200);
        assert!(page.headers.get("set-cookie").is_none());
    }
    let request = api
        .request(Method::POST, &path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept-language", "sv")
        .body("List-Unsubscribe=One-Click");
    let done = api.try_send(request).await.unwrap().expect(200);
    assert!(
        String::from_utf8(done.bytes)
            .unwrap()
            .contains("<html lang=\"sv\">")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_end_with_a_post_and_with_nothing_less() {
    let folder = tempfile::tempdir().unwrap();
    let running = hourly(folder.path()).start().await;
    let api = Api::new(&running.url);
    let (owner, rater) = (api.join("Olga").await, [api.join("Rolf").await]);
    wish(
        &api,
        &owner,
        json!({"preferences": {"notifications": "instant", "locale": "sv-SE"}}),
    )
    .await;
    let images = [
        api.tick(&owner).await,
        api.tick(&owner).await,
        api.tick(&owner).await,
    ];
    rate(&api, &rater, images[0], 4).await;
    let mails = await_mails(&api, &owner, 1).await;
    assert_eq!(mails[0]["subject"], "Din bild fick betyget 4 av 5");

    let link = mails[0]["headers"]["List-Unsubscribe"].as_str().unwrap();
    let (_, token) = link
        .trim_end_matches('>')
        .split_once("/unsubscribe/")
        .unwrap();
    api.get(&format!("/unsubscribe/{token}")).await.expect(200);
    rate(&api, &rater, images[1], 3).await;
    await_mails(&api, &owner, 2).await;

    unsubscribe(&api, &mails[0]).await;
    let profile = api
        .get_as(&owner, "/api/v1/users/me")
        .await
        .expect(200)
        .json;
    assert_eq!(profile["preferences"]["notifications"], "off");
    rate(&api, &rater, images[2], 2).await;
    // What comes after it in the same queue is mailed; so this one was decided on, and not to be sent.
    wish(
        &api,
        &rater[0],
        json!({"preferences": {"notifications": "instant"}}),
    )
    .await;
    let others = api.tick(&rater[0]).await;
    rate(&api, std::slice::from_ref(&owner), others, 5).await;
    await_mails(&api, &rater[0], 1).await;
    assert_eq!(rating_mails(&api, &owner).await.len(), 2);
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_only_a_name_in_mails_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let running = hourly(folder.path()).start().await;
    let api = Api::new(&running.url);
    let rater = [api.join("Rolf").await];
    let owner = api.join("Olga").await;
    let header = json!({"name": "Olga\r\nBcc: eve@example.org"});
    let path = "/api/v1/users/me";
    let changed = api.send(Method::PATCH, path, Some(&owner.token), Some(&header));
    changed.await.expect_problem(422, Some("/name"));

    wish(
        &api,
        &owner,
        json!({"name": "<img src=x onerror=alert(1)>\"'"}),
    )
    .await;
    let image = api.tick(&owner).await;
    rate(&api, &rater, image, 4).await;
    let mail = &await_mails(&api, &owner, 1).await[0];
    assert!(mail["headers"]["Bcc"].is_null());
    let html = mail["html"].as_str().unwrap();
    assert!(!html.contains("<img src=x"), "{html}");
    let caught = api.get("/dev/mail").await.expect(200);
    assert!(
        !String::from_utf8(caught.bytes)
            .unwrap()
            .contains("<img src=x")
    );
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_can_be_looked_at_before_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let page = api.get("/dev/mail/preview").await.expect(200);
    let page = String::from_utf8(page.bytes).unwrap();
    let frames: Vec<&str> = page.split("src=\"").skip(1).collect();
    assert_eq!(frames.len(), 40, "20 mails at two widths");
    for frame in frames {
        let path = frame.split('"').next().unwrap();
        let mail = api.get(path).await.expect(200);
        let policy = mail.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"));
    }
    let picture = api
        .get("/dev/mail/preview/images/1/400.jpg")
        .await
        .expect(200);
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    api.get("/dev/mail/preview/en/none")
        .await
        .expect_problem(404, None);
    assert_eq!(running.stop().await, Some(0));
}
