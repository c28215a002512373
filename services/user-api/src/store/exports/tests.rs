use std::path::Path;

use chassis::clock::Clock;
use chassis::database::{Database, DatabaseUrl};
use chassis::keys::Keys;
use chassis::unit_of_work::Work;

use super::*;
use crate::{MIGRATIONS, NAME};

const USER: Uuid = Uuid::from_u128(1);

async fn work(folder: &Path) -> Work {
    let url = DatabaseUrl::Sqlite(folder.to_owned());
    let fence = Keys::from_secret("0123456789abcdef0123456789abcdef")
        .unwrap()
        .purpose("fence");
    let database = Database::open(&url, NAME, &MIGRATIONS, Clock::default(), fence);
    database.await.unwrap().begin().await.unwrap()
}

async fn ask(work: &mut Work, id: u128) {
    let new = NewExport {
        id: Uuid::from_u128(id),
        request_hash: format!("hash {id}"),
        user: USER,
        requested_at: 1,
        expires_at: 100,
    };
    insert(work, &new).await.unwrap();
}

async fn write(work: &mut Work, attempt: Uuid) -> bool {
    let written = Written {
        attempt,
        key_sealed: vec![1],
        bytes: 9,
        expires_at: 200,
    };
    ready(work, &written).await.unwrap()
}

async fn state(work: &mut Work, id: u128, now: i64) -> State {
    let found = by_request(work, &format!("hash {id}")).await.unwrap();
    found.unwrap().state(now).unwrap()
}

#[tokio::test]
async fn a_user_has_one_open_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path()).await;
    ask(&mut work, 10).await;
    ask(&mut work, 11).await;
    let open = open_of_user(&mut work, USER).await.unwrap();
    assert_eq!(open, Some(Uuid::from_u128(10)));
    assert!(by_request(&mut work, "hash 11").await.unwrap().is_none());
}

#[tokio::test]
async fn who_is_silent_loses_the_claim_and_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path()).await;
    let (first, second) = (Uuid::from_u128(21), Uuid::from_u128(22));
    ask(&mut work, 10).await;
    let claimed = claim(&mut work, first, 50, 40).await.unwrap();
    assert_eq!(claimed.unwrap().user_id, USER);
    assert!(claim(&mut work, second, 55, 45).await.unwrap().is_none());
    assert!(hold(&mut work, first, 60).await.unwrap());
    assert!(claim(&mut work, second, 65, 55).await.unwrap().is_none());
    assert!(claim(&mut work, second, 75, 65).await.unwrap().is_some());
    assert!(!hold(&mut work, first, 80).await.unwrap());
    assert!(!write(&mut work, first).await);
    assert!(write(&mut work, second).await);
    assert_eq!(state(&mut work, 10, 70).await, State::Ready);
    assert_eq!(attempts(&mut work).await.unwrap(), [second]);
}

#[tokio::test]
async fn a_newer_archive_takes_the_place_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path()).await;
    for (id, attempt) in [(10, Uuid::from_u128(21)), (11, Uuid::from_u128(22))] {
        ask(&mut work, id).await;
        claim(&mut work, attempt, 50, 40).await.unwrap().unwrap();
        assert!(write(&mut work, attempt).await);
    }
    assert_eq!(state(&mut work, 10, 60).await, State::Expired);
    assert_eq!(state(&mut work, 11, 60).await, State::Ready);
    let kept = attempts(&mut work).await.unwrap();
    assert_eq!(kept, [Uuid::from_u128(22)]);
}

#[tokio::test]
async fn what_ended_names_nobody_and_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path()).await;
    ask(&mut work, 10).await;
    let attempt = Uuid::from_u128(21);
    claim(&mut work, attempt, 50, 40).await.unwrap();
    assert!(write(&mut work, attempt).await);
    assert_eq!(state(&mut work, 10, 200).await, State::Expired);
    assert_eq!(end_old(&mut work, 199).await.unwrap(), 0);
    assert_eq!(end_old(&mut work, 200).await.unwrap(), 1);
    assert_eq!(end_old(&mut work, 200).await.unwrap(), 0);
    let ended = by_request(&mut work, "hash 10").await.unwrap().unwrap();
    assert!(ended.key_sealed.is_none() && ended.attempt.is_none());
}

#[tokio::test]
async fn an_erased_persons_exports_end_at_any_stage() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path()).await;
    ask(&mut work, 10).await;
    let attempt = Uuid::from_u128(21);
    claim(&mut work, attempt, 50, 40).await.unwrap();
    end_of_user(&mut work, USER).await.unwrap();
    assert!(!write(&mut work, attempt).await);
    assert_eq!(state(&mut work, 10, 60).await, State::Expired);
    assert!(claim(&mut work, attempt, 90, 80).await.unwrap().is_none());
}
