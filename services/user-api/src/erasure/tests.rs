use std::path::Path;

use chassis::clock::Clock;
use chassis::database::{Database, DatabaseUrl};
use chassis::keys::Keys;
use envelope::{ImageId, ImageUrl, decode};
use serde_json::json;

use super::*;
use crate::index::{Found, record};
use crate::needles::Needles;
use crate::progress::Known;
use crate::store::scans::{self, Seen};
use crate::{MIGRATIONS, NAME};

fn keys() -> Keys {
    Keys::from_secret("0123456789abcdef0123456789abcdef").unwrap()
}

async fn database(folder: &Path) -> Database {
    let url = DatabaseUrl::Sqlite(folder.to_owned());
    let fence = keys().purpose("fence");
    Database::open(&url, NAME, &MIGRATIONS, Clock::default(), fence)
        .await
        .unwrap()
}

fn case() -> NeedleCase {
    NeedleCase::new(&keys())
}

fn place(sequence: u64) -> Place {
    Place::new("GDPR", sequence).unwrap()
}

fn request(event: EventId, user: UserId) -> Request {
    Request {
        event,
        user,
        place: place(1),
    }
}

fn receipt(event: EventId, service: &str) -> gdpr::Purged {
    gdpr::Purged {
        request: event.0.into(),
        service: service.to_owned(),
        rows: 2,
        mails_under_way: Vec::new(),
    }
}

fn new_tick(user: UserId, image: ImageId) -> envelope::Decoded {
    let url: ImageUrl = format!("https://birds.example/images/{image}/2048.jpg")
        .parse()
        .unwrap();
    let event = json!({
        "id": Uuid::new_v4(), "type": "new", "version": "1.0",
        "data": {"user": {"id": user}, "image": {"url": url}},
        "metadata": {"source": "services/TickAPI", "time": "2026-05-01T06:30:00Z"},
    });
    decode(&format!("tick.new.v1.{user}"), event.to_string().as_bytes()).unwrap()
}

async fn is_late(work: &mut Work, decoded: &envelope::Decoded, sequence: u64) -> bool {
    let place = place(sequence);
    record(work, &[Found { decoded, place }])
        .await
        .unwrap()
        .late
        == 1
}

async fn named(work: &mut Work, image: ImageId, sequence: u64) {
    let place = place(sequence);
    store::index::insert(work, &[(image.0, &place)])
        .await
        .unwrap();
}

fn ids() -> (EventId, UserId, ImageId) {
    (
        EventId(Uuid::new_v4()),
        UserId(Uuid::new_v4()),
        ImageId(Uuid::new_v4()),
    )
}

#[tokio::test]
async fn asking_twice_is_asking_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let (key, (_, user, _)) = (keys().purpose("request"), ids());
    let first = open(&mut work, &key, user).await.unwrap();
    let second = open(&mut work, &key, user).await.unwrap();
    assert_eq!(first.request_id, second.request_id);
    assert_eq!(first.request_id.len(), 32);
}

#[tokio::test]
async fn erasing_begins_when_the_last_service_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let (event, user, _) = ids();
    // One receipt overtakes the request, and a stranger's counts for nothing.
    receive(&mut work, &receipt(event, "tick-api"))
        .await
        .unwrap();
    receive(&mut work, &receipt(event, "stranger"))
        .await
        .unwrap();
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    for service in ["auth-api", "notifier", "statistics"] {
        receive(&mut work, &receipt(event, service)).await.unwrap();
    }
    assert!(erasures::ready(&mut work).await.unwrap().is_empty());
    receive(&mut work, &receipt(event, "admin-api"))
        .await
        .unwrap();
    assert_eq!(erasures::ready(&mut work).await.unwrap(), [user.0]);
    // Repetitions change nothing.
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    receive(&mut work, &receipt(event, "tick-api"))
        .await
        .unwrap();
    assert_eq!(erasures::ready(&mut work).await.unwrap(), [user.0]);
}

#[tokio::test]
async fn another_request_of_the_same_user_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let (event, user, _) = ids();
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    for service in participants() {
        receive(&mut work, &receipt(event, service)).await.unwrap();
    }
    let (other, _, _) = ids();
    begin(&mut work, &case(), &request(other, user))
        .await
        .unwrap();
    assert!(erasures::ready(&mut work).await.unwrap().is_empty());
}

#[tokio::test]
async fn after_the_end_no_row_says_who_it_was_and_a_repeated_event_is_late() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let (event, user, _) = ids();
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    scans::begin(&mut work, event.0, 1).await.unwrap();
    let ended = |state| Known { state, user: None };
    let known = erasures::lock(&mut work, event.0).await.unwrap();
    assert_eq!(known, Some(ended(State::Scanning)));
    assert!(scans::finish(&mut work, event.0).await.unwrap());
    assert!(!scans::finish(&mut work, event.0).await.unwrap(), "once");
    let known = erasures::lock(&mut work, event.0).await.unwrap();
    assert_eq!(known, Some(ended(State::Erased)));
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    assert_eq!(store::late::first(&mut work, 9).await.unwrap(), [place(1)]);
    let key = keys().purpose("request");
    assert!(matches!(
        open(&mut work, &key, user).await,
        Err(Error::Erased)
    ));
}

#[tokio::test]
async fn what_to_look_for_is_kept_sealed_until_nothing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let (event, user, _) = ids();
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    let due = scans::due(&mut work, 9, 9).await.unwrap();
    assert!(due.is_empty(), "nothing is deleted yet");
    scans::begin(&mut work, event.0, 5).await.unwrap();
    let due = scans::due(&mut work, 9, 9).await.unwrap();
    let needles = case().open(event.0, &due[0].needles_sealed).unwrap();
    assert_eq!(needles, Needles::by_id(user.0));
    let seen = |look_at| Seen {
        event: event.0,
        scan: "{}".to_owned(),
        now: 9,
        look_at,
    };
    scans::note(&mut work, &seen(Some(20))).await.unwrap();
    assert!(scans::due(&mut work, 19, 9).await.unwrap().is_empty());
    assert_eq!(scans::due(&mut work, 20, 9).await.unwrap().len(), 1);
    scans::note(&mut work, &seen(None)).await.unwrap();
    assert!(scans::due(&mut work, 99, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_index_finds_a_persons_events_and_those_of_their_images() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let (_, user, image) = ids();
    let tick = new_tick(user, image);
    assert!(!is_late(&mut work, &tick, 7).await);
    named(&mut work, image, 9).await;
    let places = store::index::places(&mut work, user.0, 9).await.unwrap();
    assert_eq!(places, [place(7), place(9)]);
    store::index::forget_places(&mut work, &places)
        .await
        .unwrap();
    assert!(
        store::index::places(&mut work, user.0, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_late_tick_takes_along_what_names_its_image() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let (event, user, image) = ids();
    // The image's score was indexed before anybody knew whose it is.
    named(&mut work, image, 9).await;
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    let tick = new_tick(user, image);
    assert!(is_late(&mut work, &tick, 7).await);
    assert_eq!(
        store::late::first(&mut work, 9).await.unwrap(),
        [place(7), place(9)]
    );
    assert!(work.is_erased(image.0).await.unwrap());
}

#[tokio::test]
async fn an_erased_person_cannot_claim_somebody_elses_image() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = database(folder.path()).await.begin().await.unwrap();
    let ((event, user, image), (_, owner, _)) = (ids(), ids());
    assert!(!is_late(&mut work, &new_tick(owner, image), 3).await);
    begin(&mut work, &case(), &request(event, user))
        .await
        .unwrap();
    assert!(is_late(&mut work, &new_tick(user, image), 7).await);
    assert!(!work.is_erased(image.0).await.unwrap());
}
