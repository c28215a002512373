//! What every journey has in it: coming in, ticking and rating.

use std::path::Path;

use testkit::browser::{Browser, Key};

/// The file of a photograph of a nuthatch.
pub const PHOTO_FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../data/photos/eurasian-nuthatch.jpg"
);

/// Somebody who uses the page.
pub struct Person {
    /// As they like to be called.
    pub name: &'static str,
    /// E-mail address.
    pub email: &'static str,
    /// Password.
    pub password: &'static str,
}

/// Who ticks.
pub const OLGA: Person = Person {
    name: "Olga",
    email: "olga@example.org",
    password: "a nuthatch walks head down",
};

/// Who rates.
pub const ROLF: Person = Person {
    name: "Rolf",
    email: "rolf@example.org",
    password: "the river is cold in may",
};

/// Registers on the page, opens the link in the mail, and logs in.
pub async fn join(page: &Browser, person: &Person) {
    page.visit("/").await;
    page.click("nav [href='#register']").await;
    page.fill("#register-name", person.name).await;
    page.fill("#register-email", person.email).await;
    page.fill("#register-password", person.password).await;
    page.expect_phone_width().await;
    page.press(Key::Enter).await;
    page.await_text("#mailed-title", "Look in your mail").await;
    page.expect_phone_width().await;

    page.click_to_new_tab("[data-view=mailed] a.button").await;
    open_mailed_link(page, person).await;
    page.await_text("#confirm-title", "Your address is confirmed")
        .await;
    page.expect_phone_width().await;
    page.click("#confirm-login").await;
    log_in(page, person).await;
    page.await_text("#ticks-empty", "No ticks yet").await;
}

/// The mail may still be on its way when the mailbox is opened.
async fn open_mailed_link(mailbox: &Browser, person: &Person) {
    testkit::eventually("the mail is in the mailbox", || async {
        let newest = mailbox.text("article:first-of-type").await;
        if newest.contains(person.email) {
            return Some(());
        }
        mailbox.reload().await;
        None
    })
    .await;
    mailbox
        .click("article:first-of-type a[href*='token=']")
        .await;
}

async fn log_in(page: &Browser, person: &Person) {
    page.fill("#login-email", person.email).await;
    page.fill("#login-password", person.password).await;
    page.expect_phone_width().await;
    page.press(Key::Enter).await;
}

/// Ticks a nuthatch: the photo by its file, everything else by the keyboard.
pub async fn tick(page: &Browser, photo: &Path, note: &str) {
    page.click("nav [href='#new']").await;
    let photo = photo.canonicalize().unwrap();
    page.fill("#photo-file", &photo.to_string_lossy()).await;
    page.await_true(
        "the chosen photo is shown",
        "return document.querySelector('#photo-preview').naturalWidth > 0",
    )
    .await;
    page.tab_to("#species").await;
    page.type_keys("eur nuth").await;
    page.await_text("#species-list", "Eurasian Nuthatch").await;
    page.expect_phone_width().await;
    page.press(Key::Down).await;
    page.press(Key::Enter).await;
    page.await_gone("#species-list").await;
    page.tab_to("#note").await;
    page.type_keys(note).await;
    page.tab_to("#tick-form button[type=submit]").await;
    page.press(Key::Enter).await;
    page.await_text("#ticks-list", note).await;
}

/// Rates the newest picture of the feed with four of five stars, by the keyboard.
pub async fn rate(page: &Browser) {
    page.click("nav [href='#feed']").await;
    page.await_text("#feed-list", "Eurasian Nuthatch").await;
    page.expect_phone_width().await;
    page.tab_to("#feed-list input[type=radio]").await;
    page.type_keys(" ").await;
    for _ in 1..4 {
        page.press(Key::Right).await;
    }
    page.await_text("#notice-status", "Rated 4 of 5.").await;
    page.await_text("#feed-list .badges", "★ 4.0 · 1 rating")
        .await;
}
