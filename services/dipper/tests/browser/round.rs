//! The birders' page: a tick goes round between two people.

use std::path::Path;

use testkit::Launch;
use testkit::browser::{Browser, Driver, Key};

use crate::DIPPER;
use crate::people::{OLGA, PHOTO_FILE, ROLF, join, rate, tick};

const PICTURE_SHOWN: &str =
    "const picture = document.querySelector('main .card:not([hidden] *) img');
    return Boolean(picture) && picture.complete && picture.naturalWidth > 0";
const CHOICES_SAVED: &str = "const chosen = (id) => document.getElementById(id).value;
    return chosen('choices-places') === 'false' && chosen('choices-scoring') === 'true'";

#[tokio::test(flavor = "multi_thread")]
async fn two_people_do_the_whole_round_in_their_browsers() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let driver = Driver::start().await;
    let owner = driver.browser(&running.url, "owner").await;
    let rater = driver.browser(&running.url, "rater").await;

    sees_an_empty_feed(&owner).await;
    join(&owner, &OLGA).await;
    tick(&owner, Path::new(PHOTO_FILE), "upside down on the old oak").await;
    sees_the_score(&owner).await;

    join(&rater, &ROLF).await;
    rate(&rater).await;
    sees_the_rating(&owner).await;

    takes_a_consent_back(&owner).await;
    is_given_everything(&owner).await;
    erases_everything(&owner).await;
    rater.reload().await;
    rater.await_text("#feed-empty", "No pictures yet").await;

    owner.close().await;
    rater.close().await;
    driver.stop().await;
    assert_eq!(running.stop().await, Some(0));
}

async fn sees_an_empty_feed(page: &Browser) {
    page.visit("/").await;
    page.await_text("#feed-empty", "No pictures yet").await;
    page.await_text("#figures", "ticks").await;
    page.expect_phone_width().await;
}

async fn sees_the_score(page: &Browser) {
    page.await_text("#ticks-list .badges", "Score ").await;
    page.await_true("the picture is shown", PICTURE_SHOWN).await;
    page.await_text("#ticks-list", "one bird").await;
    page.expect_phone_width().await;
}

async fn sees_the_rating(page: &Browser) {
    page.click("nav [href='#feed']").await;
    page.await_text("#feed-list .badges", "★ 4.0 · 1 rating")
        .await;
    page.await_text("#feed-list", "This one is yours.").await;
    page.await_true("the picture is shown", PICTURE_SHOWN).await;
    page.click("nav [href='#ticks']").await;
    page.await_text("#ticks-list .badges", "★ 4.0 · 1 rating")
        .await;
}

async fn takes_a_consent_back(page: &Browser) {
    page.visit("/#data").await;
    page.await_text("#choices-places-text", "The exact places of your sightings")
        .await;
    page.click("#choices-places option[value='false']").await;
    page.click("#choices-scoring option[value='true']").await;
    page.click("#choices-form [type=submit]").await;
    page.await_text("#notice-status", "Saved").await;
    page.expect_phone_width().await;
    page.reload().await;
    page.await_true("both are as they were saved", CHOICES_SAVED)
        .await;
}

async fn is_given_everything(page: &Browser) {
    page.visit("/#data").await;
    page.click("#export-form [type=submit]").await;
    page.await_text("#export-summary", "It is ready").await;
    page.await_text("#export-download", "Download").await;
    page.expect_phone_width().await;
}

async fn erases_everything(page: &Browser) {
    page.click("nav [href='#account']").await;
    page.await_text("#account-email", OLGA.email).await;
    page.click("[data-view=account] [href='#data']").await;
    page.expect_phone_width().await;
    page.fill("#erase-password", OLGA.password).await;
    page.press(Key::Enter).await;
    page.await_text("#ask-question", "Erase everything?").await;
    page.expect_phone_width().await;
    page.click("#ask-yes").await;
    page.await_text("#erasure-summary", "Everything about you is erased")
        .await;
    page.await_text("#erasure-steps .done:nth-child(5)", "It is erased")
        .await;
    page.await_text("#erasure-services", "done").await;
    page.expect_phone_width().await;
    // The address of the page is what keeps the request within reach.
    page.reload().await;
    page.await_text("#erasure-summary", "Everything about you is erased")
        .await;
    page.await_text("nav", "Register").await;
}
