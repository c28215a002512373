//! The dashboard: figures for everybody, the inside for admins.

use std::path::Path;

use testkit::browser::{Browser, Driver, Key};
use testkit::{Api, Birder, Launch, PHOTO, Wire, eventually};
use uuid::Uuid;

use crate::DIPPER;

pub const EMAIL: &str = "ada@example.org";
pub const PASSWORD: &str = "she keeps the ringing book";

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_live_figures_and_admins_see_the_inside() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let driver = Driver::start().await;
    let page = driver.browser(&running.url, "admin").await;

    sees_figures_change(&page, &Api::new(&running.url)).await;
    leave_a_dead_letter(folder.path(), b"no event").await;
    create_admin(folder.path()).await;
    is_refused_with_a_wrong_password(&page).await;
    log_in(&page).await;
    sees_the_inside(&page).await;
    page.click("#logout").await;
    page.await_text("#login-title", "Log in").await;
    page.await_gone("#sections").await;

    page.close().await;
    driver.stop().await;
    assert_eq!(running.stop().await, Some(0));
}

async fn sees_figures_change(page: &Browser, api: &Api) {
    page.visit("/admin/").await;
    page.await_text("#live-text", "Live").await;
    page.await_text("[data-figure=ticks]", "0").await;
    page.expect_phone_width().await;
    let birder = api.join("Olga").await;
    let (_, url) = api.upload(&birder, PHOTO).await;
    let tick = serde_json::json!({"id": Uuid::new_v4(), "image": {"url": url}});
    api.post_as(&birder, "/api/v1/ticks", &tick)
        .await
        .expect(201);
    // The page asks by itself; nobody loads it again.
    for figure in ["ticks", "images", "scores", "logins", "users"] {
        page.await_text(&format!("[data-figure={figure}]"), "1")
            .await;
    }
    page.await_text("#sparkline-text", "1 new in the last")
        .await;
}

/// Publishes what no service can read, and waits until it is put aside.
pub async fn leave_a_dead_letter(folder: &Path, body: &[u8]) {
    let wire = Wire::connect(folder, "tick-api").await;
    let subject = format!("rate.update.v1.{}", Uuid::new_v4());
    wire.publish(&subject, None, body).await;
    let reader = Wire::connect(folder, "operator").await;
    eventually("it is a dead letter", || async {
        (reader.count("DEAD").await > 0).then_some(())
    })
    .await;
}

/// `dipper user create`, beside the instance that runs.
pub async fn create_admin(folder: &Path) {
    testkit::create_admin(DIPPER, folder, EMAIL, PASSWORD).await;
}

async fn is_refused_with_a_wrong_password(page: &Browser) {
    assert_eq!(page.console().await, Vec::<String>::new());
    page.fill("#email", EMAIL).await;
    page.fill("#password", "not the right one").await;
    page.press(Key::Enter).await;
    page.await_text("#alert", "do not belong together").await;
    // A browser writes every refused request down; that is all it may have written.
    let console = page.console().await;
    assert_eq!(console.len(), 1, "{console:?}");
    assert!(console.concat().contains("status of 401"), "{console:?}");
    page.reload().await;
}

/// Logs the admin in.
pub async fn log_in(page: &Browser) {
    page.fill("#email", EMAIL).await;
    page.fill("#password", PASSWORD).await;
    page.press(Key::Enter).await;
    page.await_text("#flow-text", "events a second").await;
}

/// Goes to a section of the dashboard.
pub async fn turn_to(page: &Browser, section: &str) {
    page.click(&format!("#sections [href='#{section}']")).await;
    page.expect_phone_width().await;
}

async fn sees_the_inside(page: &Browser) {
    turn_to(page, "broker").await;
    page.await_text("#streams", "DEAD").await;
    page.await_text("#consumers", "statistics").await;
    page.await_text("#deliveries", "score-model").await;
    turn_to(page, "erasures").await;
    page.await_text("#requests", "Nothing here").await;
    page.await_text("#exports", "Nothing here").await;
    turn_to(page, "event").await;
    page.await_text("#events", "tick.new.v1").await;
    turn_to(page, "letters").await;
    page.await_text("#dead", "not-json").await;
    page.await_text("#dead", "rate.update.v1").await;
    page.click("#dead .decide button").await;
    page.await_text("#letter-text", "It is no JSON.").await;
    page.click("#letter-close").await;
    page.click("#dead .decide button:last-child").await;
    page.await_text("#decision-title", "Give this event up?")
        .await;
    page.fill("#decision-reason", "Nobody can read it.").await;
    page.press(Key::Enter).await;
    page.await_text("#message", "The event is given up").await;
    turn_to(page, "log").await;
    page.await_text("#audit", "dead-letters.skip").await;
    page.click("#audit-action [value='user.']").await;
    page.await_text("#audit", "Nothing here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_decides_about_a_photo_and_its_owner_with_the_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let api = Api::new(&running.url);
    let driver = Driver::start().await;
    let page = driver.browser(&running.url, "admin").await;
    let (owner, image) = reported_photo(&api).await;
    create_admin(folder.path()).await;
    page.visit("/admin/").await;
    log_in(&page).await;

    page.await_text("#reports-count", "1").await;
    hides_the_photo(&page).await;
    let hidden = api.get(&format!("/api/v1/images/{image}")).await;
    hidden.expect_problem(404, None);
    suspends_its_owner(&page).await;
    let sessions = api.get_as(&owner, "/api/v1/auth/sessions").await;
    assert_eq!(sessions.status, 401);

    page.close().await;
    driver.stop().await;
    assert_eq!(running.stop().await, Some(0));
}

/// Somebody whose photo somebody else reported, and that photo.
pub async fn reported_photo(api: &Api) -> (Birder, Uuid) {
    let (owner, other) = (api.join("Olga").await, api.join("Rolf").await);
    let image = api.tick(&owner).await;
    let path = format!("/api/v1/images/{image}/reports");
    let report = serde_json::json!({"category": "not-a-bird", "note": "That is a squirrel."});
    api.post_as(&other, &path, &report).await.expect(202);
    (owner, image)
}

async fn hides_the_photo(page: &Browser) {
    page.tab_to("#sections [href='#reports']").await;
    page.press(Key::Enter).await;
    page.await_text("#cases", "That is a squirrel.").await;
    let loaded = "return document.querySelector('#cases img').naturalWidth > 0";
    page.await_true("the photo is shown", loaded).await;
    page.tab_to(".case button").await;
    page.press(Key::Enter).await;
    page.await_text("#decision-title", "Hide this photo?").await;
    page.tab_to("#decision-reason").await;
    page.press(Key::Enter).await;
    page.await_text("#decision .error", "fill").await;
    page.type_keys("It is a squirrel.").await;
    page.press(Key::Enter).await;
    page.await_text("#cases", "Nothing to decide").await;
    page.click("#reports-decided").await;
    page.await_text("#cases", "hidden: No bird").await;
    page.expect_phone_width().await;
}

async fn suspends_its_owner(page: &Browser) {
    page.click(".case a").await;
    page.await_text("#account-facts", "birder").await;
    page.tab_to("#account-suspend").await;
    page.press(Key::Enter).await;
    page.tab_to("#decision-reason").await;
    page.type_keys("Posts squirrels only.").await;
    page.press(Key::Enter).await;
    page.await_text("#message", "The user is suspended").await;
    page.await_text("#account-facts", "until").await;
    page.expect_phone_width().await;
}
