//! Facts about ticks in a real database.

use chassis::database::Database;
use chassis::group_commit::Change as _;
use chassis::http::Cursor;
use chrono::{DateTime, Utc};
use envelope::{ImageId, ImageUrl, TickId, UserId, tick};
use uuid::Uuid;

use super::NewTick;
use crate::error::Error;
use crate::place::{Place, Visibility};
use crate::species::CHECKLIST;
use crate::store::images::{self, FeedOrder, NewImage};
use crate::store::lists::{self, Days};
use crate::store::testing::database;
use crate::store::ticks;

const ANNA: UserId = UserId(Uuid::from_u128(0xA));
const BERT: UserId = UserId(Uuid::from_u128(0xB));
const IMAGE: ImageId = ImageId(Uuid::from_u128(0x1));
const OTHER_IMAGE: ImageId = ImageId(Uuid::from_u128(0x2));

async fn upload(database: &Database, owner: UserId, id: ImageId) {
    let mut work = database.begin().await.unwrap();
    let (width, height) = (2048, 1365);
    let image = NewImage {
        id,
        owner,
        width,
        height,
        bytes: 1000,
        content_hash: id.0.to_string(),
    };
    images::insert(&mut work, &image, 1).await.unwrap();
    work.commit().await.unwrap();
}

fn tick(user: UserId, image: ImageId, id: u128) -> NewTick {
    NewTick {
        id: TickId(Uuid::from_u128(id)),
        event: tick::New {
            user: user.into(),
            image: ImageUrl::new("", image).into(),
            species: CHECKLIST.find("avibase-2247CB05").map(Into::into),
            seen_on: "2026-05-03".parse().ok(),
            count: Some(2),
            place: Place {
                lat: 48.1,
                lon: 11.5,
                visibility: Visibility::Obscured,
            }
            .shown(),
        },
        seen_on: "2026-05-03".parse().ok(),
        place: Some("00ff".to_owned()),
        note: None,
        fingerprint: "same".to_owned(),
        created_at: at(1_000_000 + i64::try_from(id).unwrap()),
        trace: None,
    }
}

fn at(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}

async fn make(database: &Database, ticks: &[NewTick]) -> Vec<Result<DateTime<Utc>, Error>> {
    let mut work = database.begin().await.unwrap();
    let answers = NewTick::apply(&mut work, ticks).await.unwrap();
    work.commit().await.unwrap();
    answers
}

async fn delete(database: &Database, user: UserId, id: u128) -> bool {
    let mut work = database.begin().await.unwrap();
    let id = TickId(Uuid::from_u128(id));
    let deleted = ticks::delete(&mut work, user, id, 5).await.unwrap();
    work.commit().await.unwrap();
    deleted
}

async fn count(database: &Database, sql: &'static str) -> i64 {
    let mut session = database.read().await.unwrap();
    chassis::sql!(session, c => sqlx::query_scalar(sql).fetch_one(c).await).unwrap()
}

async fn feed(database: &Database) -> Vec<Uuid> {
    let mut session = database.read().await.unwrap();
    let order = FeedOrder::New(Cursor::before_all(i64::MAX));
    let rows = images::feed(&mut session, None, order, 10).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_group_is_judged_one_by_one_and_only_good_ticks_are_told_of() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    upload(&database, BERT, OTHER_IMAGE).await;
    let answers = make(
        &database,
        &[
            tick(ANNA, IMAGE, 1),
            tick(ANNA, OTHER_IMAGE, 2),
            tick(ANNA, ImageId(Uuid::from_u128(9)), 3),
            tick(BERT, OTHER_IMAGE, 4),
        ],
    )
    .await;
    assert_eq!(answers[0].as_ref().ok(), Some(&at(1_000_001)));
    assert!(matches!(answers[1], Err(Error::NotOwnImage)));
    assert!(matches!(answers[2], Err(Error::UnknownImage)));
    assert!(answers[3].is_ok());
    assert_eq!(count(&database, "SELECT COUNT(*) FROM tick").await, 2);
    assert_eq!(count(&database, "SELECT COUNT(*) FROM outbox").await, 2);
}

#[tokio::test]
async fn the_same_request_again_is_the_same_tick_and_any_other_a_conflict() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    upload(&database, BERT, OTHER_IMAGE).await;
    let first = tick(ANNA, IMAGE, 1);
    let later = NewTick {
        created_at: at(9_000_000),
        ..first.clone()
    };
    let other = NewTick {
        fingerprint: "other".to_owned(),
        ..first.clone()
    };
    let answers = make(&database, &[first.clone(), later.clone(), other.clone()]).await;
    assert_eq!(answers[1].as_ref().ok(), Some(&first.created_at));
    assert!(matches!(answers[2], Err(Error::TickExists)));
    let answers = make(&database, &[later, other, tick(BERT, OTHER_IMAGE, 1)]).await;
    assert_eq!(answers[0].as_ref().ok(), Some(&first.created_at));
    assert!(matches!(answers[1], Err(Error::TickExists)));
    assert!(matches!(answers[2], Err(Error::TickExists)));
    assert_eq!(count(&database, "SELECT COUNT(*) FROM tick").await, 1);
    assert_eq!(count(&database, "SELECT COUNT(*) FROM outbox").await, 1);
}

#[tokio::test]
async fn a_tick_reads_back_as_it_was_made() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    make(&database, &[tick(ANNA, IMAGE, 1)]).await;
    let mut session = database.read().await.unwrap();
    let id = TickId(Uuid::from_u128(1));
    let row = ticks::find(&mut session, ANNA, id).await.unwrap().unwrap();
    assert_eq!((row.id, row.image), (id.0, IMAGE.0));
    assert_eq!(row.species.as_deref(), Some("avibase-2247CB05"));
    assert_eq!(row.seen_on, "2026-05-03".parse().ok());
    assert_eq!((row.birds, row.created_at), (Some(2), 1_000_001));
    assert_eq!(row.place.as_deref(), Some([0x00, 0xff].as_slice()));
    assert_eq!(row.note, None);
    assert!(ticks::find(&mut session, BERT, id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_deleted_tick_does_not_come_back() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    make(&database, &[tick(ANNA, IMAGE, 1)]).await;
    assert!(!delete(&database, BERT, 1).await);
    assert!(delete(&database, ANNA, 1).await);
    assert!(!delete(&database, ANNA, 1).await);
    let answers = make(&database, &[tick(ANNA, IMAGE, 1)]).await;
    assert!(matches!(answers[0], Err(Error::TickGone)));
}

#[tokio::test]
async fn the_feed_shows_an_image_while_a_tick_does() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    assert!(feed(&database).await.is_empty());
    make(&database, &[tick(ANNA, IMAGE, 1), tick(ANNA, IMAGE, 2)]).await;
    assert_eq!(feed(&database).await, [IMAGE.0]);
    delete(&database, ANNA, 1).await;
    assert_eq!(feed(&database).await, [IMAGE.0]);
    delete(&database, ANNA, 2).await;
    assert!(feed(&database).await.is_empty());
}

#[tokio::test]
async fn whoever_was_erased_ticks_no_more() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    let mut work = database.begin().await.unwrap();
    work.fence(&[ANNA.0]).await.unwrap();
    work.commit().await.unwrap();
    let answers = make(&database, &[tick(ANNA, IMAGE, 1)]).await;
    assert!(matches!(answers[0], Err(Error::CallerGone)));
}

#[tokio::test]
async fn ticks_are_paged_newest_first_without_gap_or_repetition() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    let all: Vec<NewTick> = (1..=5).map(|id| tick(ANNA, IMAGE, id)).collect();
    make(&database, &all).await;
    let mut session = database.read().await.unwrap();
    let mut after = Cursor::before_all(i64::MAX);
    let mut seen = Vec::new();
    loop {
        let rows = ticks::list(&mut session, ANNA, after, 2).await.unwrap();
        let Some(last) = rows.last() else { break };
        let cursor = Cursor {
            key: last.created_at,
            id: last.id,
        };
        after = cursor.to_string().parse().unwrap();
        seen.extend(rows.iter().map(|row| row.id.as_u128()));
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_list_has_each_species_once_with_its_first_tick() {
    let (_folder, database) = database().await;
    upload(&database, ANNA, IMAGE).await;
    let mut early = tick(ANNA, IMAGE, 3);
    early.seen_on = "2024-01-01".parse().ok();
    let mut unnamed = tick(ANNA, IMAGE, 4);
    unnamed.event.species = None;
    make(
        &database,
        &[tick(ANNA, IMAGE, 1), tick(ANNA, IMAGE, 2), early, unnamed],
    )
    .await;
    let mut session = database.read().await.unwrap();
    let day = |text: &str| text.parse().unwrap();
    for (first, found) in [("1900-01-01", 3), ("2026-01-01", 1)] {
        let days = Days {
            first: day(first),
            last: day("2026-12-31"),
        };
        let after = Cursor::before_all(days.last);
        let firsts = lists::first_ticks(&mut session, ANNA, days, after, 10)
            .await
            .unwrap();
        let ids: Vec<u128> = firsts.iter().map(|first| first.id.as_u128()).collect();
        assert_eq!(ids, [found], "{first}");
    }
}
