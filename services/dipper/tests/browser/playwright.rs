//! What needs more than a keyboard and a mouse: no connection, lost answers, touch, two languages, dark and light. Scripts in
//! `playwright/` do it, each on an instance of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use testkit::Launch;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::DIPPER;
use crate::dashboard::{EMAIL, PASSWORD, create_admin, leave_a_dead_letter};
use crate::people::PHOTO_FILE;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/playwright/");
const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tick-api/assets");
/// No script takes longer.
const SCRIPT: Duration = Duration::from_mins(5);
const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/screenshots");

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_made_offline_is_sent_once_whatever_becomes_of_line_and_server() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let (url, pid) = (running.url.clone(), running.pid().to_string());
    let found = folder.path().join("found-again");
    let found_at = found.to_string_lossy();
    let killed_and_started = async {
        let launch = running.ended_within(SCRIPT).await;
        let again = launch.start().await;
        std::fs::write(&found, &again.url).unwrap();
        again
    };
    let arguments = [url.as_str(), &pid, &found_at];
    let (again, ()) = tokio::join!(killed_and_started, run("offline.js", &arguments));
    assert_eq!(again.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_is_corrected_and_deleted_by_keyboard_in_both_languages() {
    on_an_instance("corrections.js", &[PHOTO_FILE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ratings_by_touch_are_seen_by_others_at_once() {
    on_an_instance("live.js", &[PHOTO_FILE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_picture_is_its_owners_alone_who_may_object() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    create_admin(folder.path()).await;
    run("reports.js", &[&running.url, PHOTO_FILE, EMAIL, PASSWORD]).await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_reads_a_session_and_no_other_page_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    create_admin(folder.path()).await;
    run("session.js", &[&running.url, EMAIL, PASSWORD]).await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_and_a_forgotten_password_replaced_on_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    create_admin(folder.path()).await;
    run("factor.js", &[&running.url, EMAIL, PASSWORD]).await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_again_for_the_password_goes_on_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    create_admin(folder.path()).await;
    run("prove.js", &[&running.url, EMAIL, PASSWORD]).await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_with_a_provider_whom_the_operator_has_named() {
    const SECRET: &str = "between the provider and us";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    let mut script = start("provider.js", &[SECRET]);
    let mut said = BufReader::new(script.stdout.take().unwrap()).lines();
    let issuer = said.next_line().await.unwrap();
    let running = Launch::up(DIPPER, &folder.path().join("data"))
        .env("DIPPER_OIDC_ISSUER", &issuer.expect("the provider starts"))
        .env("DIPPER_OIDC_CLIENT_ID", "dipper")
        .env("DIPPER_OIDC_CLIENT_SECRET_FILE", &file.to_string_lossy())
        .start()
        .await;
    let mut told = script.stdin.take().unwrap();
    let url = format!("{}\n", running.url);
    told.write_all(url.as_bytes()).await.unwrap();
    drop(told);
    succeeds("provider.js", script).await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_markup_is_text_on_every_page_and_in_every_mail() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let letter = br#"{"id": "<img src=x onerror=alert(1)>", "<svg onload=alert(2)>": 1}"#;
    leave_a_dead_letter(folder.path(), letter).await;
    create_admin(folder.path()).await;
    let objects = folder.path().join("objects");
    let objects = objects.to_string_lossy();
    run(
        "markup.js",
        &[&running.url, PHOTO_FILE, EMAIL, PASSWORD, &objects],
    )
    .await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_and_dialog_of_the_dashboard_is_for_everybody_and_for_the_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    leave_a_dead_letter(folder.path(), br#"{"id": "no event"}"#).await;
    create_admin(folder.path()).await;
    let more = [PHOTO_FILE, EMAIL, PASSWORD, SCREENSHOTS];
    run(
        "dashboard.js",
        &[&[running.url.as_str()], &more[..]].concat(),
    )
    .await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_for_everybody_in_both_languages_light_and_dark() {
    on_an_instance("pages.js", &[PHOTO_FILE, SCREENSHOTS]).await;
}

#[tokio::test]
async fn both_languages_have_every_text_of_the_pages() {
    run("messages.js", &[ASSETS]).await;
}

async fn on_an_instance(script: &str, arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let url = running.url.clone();
    run(script, &[&[url.as_str()], arguments].concat()).await;
    assert_eq!(running.stop().await, Some(0));
}

/// Runs a script to its end.
async fn run(script: &str, arguments: &[&str]) {
    succeeds(script, start(script, arguments)).await;
}

fn start(script: &str, arguments: &[&str]) -> Child {
    let modules = std::env::var_os("DIPPER_TEST_PLAYWRIGHT")
        .expect("DIPPER_TEST_PLAYWRIGHT names the folder that deploy/get-playwright.sh prints");
    Command::new("node")
        .arg(Path::new(SCRIPTS).join(script))
        .args(arguments)
        .env("NODE_PATH", modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// What a script says about a failure is what the test says.
async fn succeeds(script: &str, running: Child) {
    let output = running.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
}
