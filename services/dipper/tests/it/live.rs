//! New ratings as they come.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Api, eventually};

use crate::setup::up;

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_hears_of_ratings_but_of_nobody_until_the_program_stops() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let (owner, rater) = (api.join("Olga").await, api.join("Rolf").await);
    let image = api.tick(&owner).await;
    let page = format!("/api/v1/images/{image}");
    // Its score moves the rank, too.
    let scored = || async { api.get(&page).await.json["score"].is_number().then_some(()) };
    eventually("the picture is scored", scored).await;
    let request = api.request(Method::GET, "/api/v1/feed/live");
    let mut news = request.send().await.unwrap();
    assert_eq!(news.headers()["content-type"], "text/event-stream");

    api.try_rate(&rater, image, 4).await;
    let (kind, data) = next(&mut news).await;
    assert_eq!(kind, "rating");
    let rank = api.get(&page).await.json["rank"].clone();
    let expected =
        json!({"image": {"id": image}, "rating": {"mean": 4.0, "count": 1}, "rank": rank});
    assert_eq!(data, expected);

    assert_eq!(running.stop().await, Some(0));
    assert!(!matches!(news.chunk().await, Ok(Some(_))));
}

/// The next event's name and data; comments are passed over.
async fn next(news: &mut reqwest::Response) -> (String, Value) {
    let mut text = String::new();
    loop {
        let chunk = news.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        if let (true, Some(kind), Some(data)) =
            (text.ends_with("\n\n"), field("event: "), field("data: "))
        {
            return (kind.to_owned(), serde_json::from_str(data).unwrap());
        }
    }
}
