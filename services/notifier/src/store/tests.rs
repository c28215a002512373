//! The queue's rules, against a real database.

use chassis::clock::Clock;
use chassis::database::{Database, DatabaseUrl};
use chassis::keys::Keys;
use chassis::unit_of_work::Work;
use clients::notifier::AccountMail;
use envelope::{EventId, ImageId, UserId};
use uuid::Uuid;

use super::ratings::NewRating;
use super::{accounts, images, next_due, ratings, release_all, unsubscribes};
use crate::letter::Told;
use crate::{MIGRATIONS, NAME, erasure};

const OWNER: UserId = UserId(Uuid::from_u128(1));
const RATER: UserId = UserId(Uuid::from_u128(2));
const MAIL: Uuid = Uuid::from_u128(100);

async fn begin(folder: &tempfile::TempDir) -> Work {
    let url = DatabaseUrl::Sqlite(folder.path().to_owned());
    let key = Keys::from_secret("0123456789abcdef0123456789abcdef")
        .unwrap()
        .purpose("fence");
    let database = Database::open(&url, NAME, &MIGRATIONS, Clock::default(), key)
        .await
        .unwrap();
    database.begin().await.unwrap()
}

fn told(number: u128) -> Told {
    Told {
        event: EventId(Uuid::from_u128(number)),
        image: ImageId(Uuid::from_u128(7)),
        rating: 4,
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            .parse()
            .ok(),
    }
}

async fn queue(work: &mut Work, number: u128, now: i64) {
    let rating = NewRating {
        owner: OWNER,
        rater: RATER,
        told: told(number),
    };
    ratings::queue(work, rating, now).await.unwrap();
}

async fn turns(work: &mut Work, now: i64) -> Vec<ratings::Turn> {
    ratings::claim(work, (now, now + 10), 8).await.unwrap()
}

#[tokio::test]
async fn an_owner_is_claimed_by_one_at_a_time_until_the_claim_lapses() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    queue(&mut work, 1, 50).await;
    assert_eq!(turns(&mut work, 49).await, []);
    assert_eq!(turns(&mut work, 50).await.len(), 1);
    queue(&mut work, 2, 51).await;
    assert_eq!(turns(&mut work, 52).await, []);
    assert_eq!(next_due(&mut work).await.unwrap(), Some(60));
    assert_eq!(turns(&mut work, 60).await.len(), 1);
    release_all(&mut work).await.unwrap();
    assert_eq!(turns(&mut work, 61).await.len(), 1);
}

#[tokio::test]
async fn a_mail_that_is_settled_takes_only_what_it_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    queue(&mut work, 1, 50).await;
    turns(&mut work, 50).await;
    ratings::assign(&mut work, OWNER, MAIL, &[told(1).event])
        .await
        .unwrap();
    queue(&mut work, 2, 51).await;
    assert_eq!(
        ratings::of_mail(&mut work, OWNER, MAIL).await.unwrap(),
        [told(1)]
    );
    ratings::settle(&mut work, OWNER, MAIL, (Some(55), 55))
        .await
        .unwrap();
    assert_eq!(
        ratings::waiting(&mut work, OWNER, 9).await.unwrap(),
        [told(2)]
    );
    let turn = turns(&mut work, 55).await[0];
    assert_eq!((turn.last_sent_at, turn.mail), (Some(55), None));
}

#[tokio::test]
async fn a_mail_on_its_way_is_found_again_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    queue(&mut work, 1, 50).await;
    turns(&mut work, 50).await;
    ratings::assign(&mut work, OWNER, MAIL, &[told(1).event])
        .await
        .unwrap();
    assert_eq!(turns(&mut work, 60).await[0].mail, Some(MAIL));
}

#[tokio::test]
async fn nothing_is_due_when_nothing_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    assert_eq!(next_due(&mut work).await.unwrap(), None);
    queue(&mut work, 1, 50).await;
    turns(&mut work, 50).await;
    ratings::forget(&mut work, OWNER, 51).await.unwrap();
    assert_eq!(next_due(&mut work).await.unwrap(), None);
    assert_eq!(turns(&mut work, 99).await, []);
}

#[tokio::test]
async fn only_the_last_word_about_an_image_waits_to_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    queue(&mut work, 1, 50).await;
    queue(&mut work, 2, 51).await;
    assert_eq!(
        ratings::waiting(&mut work, OWNER, 9).await.unwrap(),
        [told(2)]
    );
    ratings::forget_one(&mut work, RATER, told(2).image)
        .await
        .unwrap();
    assert_eq!(ratings::waiting(&mut work, OWNER, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_rating_is_queued_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    queue(&mut work, 1, 50).await;
    queue(&mut work, 1, 51).await;
    assert_eq!(
        ratings::waiting(&mut work, OWNER, 9).await.unwrap(),
        [told(1)]
    );
}

#[tokio::test]
async fn a_mail_that_is_put_off_counts_its_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    let (id, kind) = (Uuid::from_u128(9), AccountMail::Confirm);
    accounts::queue(&mut work, id, (OWNER, kind), 50)
        .await
        .unwrap();
    let turn = accounts::claim(&mut work, (50, 60), 8).await.unwrap()[0];
    assert_eq!(
        (turn.id, turn.user, turn.kind, turn.attempts),
        (id, OWNER, kind, 0)
    );
    accounts::postpone(&mut work, id, 70, 1).await.unwrap();
    assert_eq!(accounts::claim(&mut work, (69, 80), 8).await.unwrap(), []);
    assert_eq!(
        accounts::claim(&mut work, (70, 80), 8).await.unwrap()[0].attempts,
        1
    );
    accounts::delete(&mut work, id).await.unwrap();
    assert_eq!(next_due(&mut work).await.unwrap(), None);
}

#[tokio::test]
async fn an_image_stays_with_whoever_ticked_it_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    for ticked in [OWNER, RATER].map(|user| (told(1).image, user)) {
        images::insert(&mut work, [ticked].into_iter())
            .await
            .unwrap();
    }
    let asked = [told(1).image, ImageId(MAIL)].into_iter();
    let owners = images::owners(&mut work, asked).await.unwrap();
    assert_eq!(owners, [(told(1).image, OWNER)].into());
}

#[tokio::test]
async fn an_erased_owner_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    let ticked = (told(1).image, OWNER);
    images::insert(&mut work, [ticked].into_iter())
        .await
        .unwrap();
    queue(&mut work, 1, 50).await;
    accounts::queue(&mut work, MAIL, (OWNER, AccountMail::Code), 50)
        .await
        .unwrap();
    unsubscribes::insert(&mut work, "hash", OWNER, 50)
        .await
        .unwrap();
    assert_eq!(
        unsubscribes::user(&mut work, "hash").await.unwrap(),
        Some(OWNER)
    );
    assert_eq!(erasure::erase(&mut work, OWNER).await.unwrap().1.rows, 5);
    assert_eq!(erasure::erase(&mut work, OWNER).await.unwrap().1.rows, 0);
    assert_eq!(next_due(&mut work).await.unwrap(), None);
    assert_eq!(unsubscribes::user(&mut work, "hash").await.unwrap(), None);
    assert!(work.is_erased(told(1).image.0).await.unwrap());
}

#[tokio::test]
async fn an_erased_raters_ratings_are_not_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = begin(&folder).await;
    queue(&mut work, 1, 50).await;
    assert_eq!(erasure::erase(&mut work, RATER).await.unwrap().1.rows, 1);
    assert_eq!(ratings::waiting(&mut work, OWNER, 9).await.unwrap(), []);
}
