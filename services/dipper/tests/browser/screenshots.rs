//! The pictures of the pages in the documentation.

use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use testkit::browser::{Browser, Driver, Key};
use testkit::{Api, Launch, PHOTO};

use crate::DIPPER;
use crate::dashboard::{create_admin, leave_a_dead_letter, log_in, reported_photo, turn_to};
use crate::people::{OLGA, PHOTO_FILE, ROLF, join, rate, tick};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// A picture that was loaded is drawn only when it is decoded, too.
const PICTURES_READY: &str =
    "const shown = [...document.images].filter(image => image.checkVisibility());
    return Promise.all(shown.map(image => image.decode())).then(() => true, () => false)";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes docs/*.png anew"]
async fn the_pages_look_like_this() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let driver = Driver::start().await;
    let owner = driver.browser(&running.url, "owner").await;
    let rater = driver.browser(&running.url, "rater").await;
    let admin = driver.browser(&running.url, "admin").await;
    create_admin(folder.path()).await;
    admin.visit("/admin/").await;
    log_in(&admin).await;

    join(&owner, &OLGA).await;
    tick(&owner, Path::new(PHOTO_FILE), "upside down on the old oak").await;
    admin.await_text("#sparkline-text", "1 new").await;
    tick(&owner, &close_up(folder.path()), "it looked back").await;
    owner
        .await_text("#ticks-list .card:first-child .badges", "Score ")
        .await;
    join(&rater, &ROLF).await;
    rate(&rater).await;
    rater.click("#notice-close").await;
    rater.click("#feed-title").await;
    take(&rater, (850, 690), "birders.png").await;

    admin.await_text("#sparkline-text", "2 new").await;
    admin.await_text("[data-figure=notifications]", "1").await;
    take(&admin, (1100, 1000), "dashboard.png").await;
    for browser in [owner, rater, admin] {
        browser.close().await;
    }
    driver.stop().await;
    assert_eq!(running.stop().await, Some(0));
}

/// Where the pictures of all views go that no document shows: for whoever changes them to look at.
const VIEWS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/views");

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes pictures of the dashboard to be looked at"]
async fn the_dashboard_looks_like_this_on_phones_and_desks_by_day_and_night() {
    let folder = tempfile::tempdir().unwrap();
    let running = Launch::up(DIPPER, folder.path()).start().await;
    let api = Api::new(&running.url);
    let driver = Driver::start().await;
    let page = driver.browser(&running.url, "admin").await;
    let (owner, _) = reported_photo(&api).await;
    leave_a_dead_letter(folder.path(), b"no event").await;
    create_admin(folder.path()).await;
    std::fs::create_dir_all(VIEWS).unwrap();
    page.visit("/admin/").await;
    log_in(&page).await;
    for section in [
        "overview", "reports", "people", "letters", "event", "broker", "erasures", "log",
    ] {
        turn_to(&page, section).await;
        if section == "people" {
            page.fill("#user-id", &owner.id.to_string()).await;
            page.press(Key::Enter).await;
            page.await_text("#account-facts", "birder").await;
        }
        for (device, size) in [("phone", (360, 740)), ("desk", (1200, 900))] {
            for colours in ["light", "dark"] {
                page.prefer(colours).await;
                save(
                    &page,
                    size,
                    &format!("{VIEWS}/{section}-{device}-{colours}.png"),
                )
                .await;
            }
        }
    }
    page.close().await;
    driver.stop().await;
    assert_eq!(running.stop().await, Some(0));
}

/// The same photograph with less around the bird.
fn close_up(folder: &Path) -> PathBuf {
    let file = folder.join("close-up.jpg");
    let whole = image::load_from_memory(PHOTO).unwrap();
    whole.crop_imm(560, 230, 560, 420).save(&file).unwrap();
    file
}

async fn take(page: &Browser, size: (u32, u32), name: &str) {
    save(page, size, &format!("{DOCS}/{name}")).await;
}

async fn save(page: &Browser, (width, height): (u32, u32), file: &str) {
    page.resize(width, height).await;
    page.hide_scrollbars().await;
    page.await_true("all pictures are ready to be shown", PICTURES_READY)
        .await;
    // Packed again: browsers pack quickly, not tightly.
    let picture = image::load_from_memory(&page.screenshot().await).unwrap();
    let file = std::fs::File::create(file).unwrap();
    let tight = PngEncoder::new_with_quality(file, CompressionType::Best, FilterType::Adaptive);
    picture.to_rgb8().write_with_encoder(tight).unwrap();
}
