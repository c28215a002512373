//! The dashboard: figures for everybody, the inside for admins.

use std::path::Path;

use testkit::browser::{Browser, Driver, Key};
use testkit::{Api, Launch, PHOTO, Wire, eventually};
use uuid::Uuid;

use crate::DIPPER;

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "she keeps the ringing book";

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_live_figures_and_admins_see_the_inside() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let driver = Driver::start().await;
    let page = driver.browser(&running.url, "admin").await;

    sees_figures_change(&page, &Api::new(&running.url)).await;
    leave_a_dead_letter(folder.path()).await;
    create_admin(folder.path()).await;
    is_refused_with_a_wrong_password(&page).await;
    log_in(&page).await;
    sees_the_inside(&page).await;
    page.click("#logout").await;
    page.await_text("#login-title", "Log in").await;
    page.await_gone("#inside").await;

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
async fn leave_a_dead_letter(folder: &Path) {
    let wire = Wire::connect(folder, "tick-api").await;
    let subject = format!("rate.update.v1.{}", Uuid::new_v4());
    wire.publish(&subject, None, b"no event").await;
    eventually("it is a dead letter", || async {
        (wire.count("DEAD").await > 0).then_some(())
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
    page.await_text("#streams", "TICK").await;
}

async fn sees_the_inside(page: &Browser) {
    page.await_text("#streams", "DEAD").await;
    page.await_text("#consumers", "statistics").await;
    page.await_text("#dead", "not-json").await;
    page.await_text("#dead", "rate.update.v1").await;
    page.await_text("#audit-title", "Audit log").await;
    page.expect_phone_width().await;
}
