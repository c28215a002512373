use chassis::clock::Clock;
use chassis::database::{Database, DatabaseUrl};
use chassis::keys::PurposeKey;
use clients::auth::Role;
use tempfile::TempDir;
use uuid::Uuid;

use super::credentials::Standing;
use super::sessions::Row;
use super::*;

mod oidc;
mod proofs;

const NOW: i64 = 1_000;
const LATER: i64 = 2_000;

async fn database() -> (Database, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().to_owned());
    let key = PurposeKey::random();
    let opened = Database::open(&url, crate::NAME, &crate::MIGRATIONS, Clock::default(), key).await;
    (opened.unwrap(), folder)
}

fn user() -> UserId {
    UserId(Uuid::new_v4())
}

fn row(created_at: i64) -> Row {
    Row {
        id: Uuid::new_v4(),
        created_at,
        expires_at: LATER,
    }
}

#[tokio::test]
async fn registering_again_changes_the_password_until_it_is_confirmed() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let user = user();
    for (password, standing) in [("one", Standing::Pending), ("two", Standing::Pending)] {
        let found = credentials::register(&mut work, user, password, NOW).await;
        assert_eq!(found.unwrap(), standing);
    }
    assert!(
        credentials::confirm(&mut work, user, "two", NOW)
            .await
            .unwrap()
    );
    assert!(
        !credentials::confirm(&mut work, user, "two", NOW)
            .await
            .unwrap()
    );
    let found = credentials::register(&mut work, user, "three", NOW).await;
    assert_eq!(found.unwrap(), Standing::Confirmed);
    let credential = credentials::find(&mut work, user).await.unwrap().unwrap();
    assert_eq!(credential.password, "two");
}

#[tokio::test]
async fn a_link_works_once_in_time_and_for_the_password_it_was_mailed_for() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let user = user();
    assert!(
        !secrets::add_confirmation(&mut work, user, "early", LATER)
            .await
            .unwrap()
    );
    credentials::register(&mut work, user, "mine", NOW)
        .await
        .unwrap();
    assert!(
        secrets::add_confirmation(&mut work, user, "link", LATER)
            .await
            .unwrap()
    );
    credentials::register(&mut work, user, "somebody else's", NOW)
        .await
        .unwrap();

    assert_eq!(
        secrets::take_confirmation(&mut work, "link", LATER)
            .await
            .unwrap(),
        None
    );
    let taken = secrets::take_confirmation(&mut work, "link", NOW)
        .await
        .unwrap();
    assert_eq!(taken.unwrap().password, "mine");
    assert_eq!(
        secrets::take_confirmation(&mut work, "link", NOW)
            .await
            .unwrap(),
        None
    );

    credentials::confirm(&mut work, user, "mine", NOW)
        .await
        .unwrap();
    assert!(
        !secrets::add_confirmation(&mut work, user, "late", LATER)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn an_operator_replaces_a_registration_but_no_account() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let user = user();
    credentials::register(&mut work, user, "squatted", NOW)
        .await
        .unwrap();
    assert!(
        credentials::create(&mut work, user, "set", Role::Admin, NOW)
            .await
            .unwrap()
    );
    assert!(
        !credentials::create(&mut work, user, "again", Role::Birder, NOW)
            .await
            .unwrap()
    );
    let credential = credentials::find(&mut work, user).await.unwrap().unwrap();
    assert_eq!(
        (credential.password.as_str(), credential.standing),
        ("set", Standing::Confirmed)
    );
}

#[tokio::test]
async fn a_token_is_good_until_it_ends_and_shows_the_role_of_now() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let user = user();
    credentials::create(&mut work, user, "x", Role::Birder, NOW)
        .await
        .unwrap();
    let session = row(NOW);
    sessions::insert(&mut work, user, "hash", &session)
        .await
        .unwrap();
    assert!(
        credentials::set_role(&mut work, user, Role::Admin)
            .await
            .unwrap()
    );

    let found = sessions::find(&mut work, "hash", NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.session, found.user, found.role),
        (session.id, user, Role::Admin)
    );
    assert!(
        sessions::find(&mut work, "hash", LATER)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        sessions::find(&mut work, "other", NOW)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn only_ones_own_sessions_are_listed_and_ended() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let (ada, bob) = (user(), user());
    let rows = [row(1), row(2), row(2)];
    for session in &rows {
        sessions::insert(&mut work, ada, &session.id.to_string(), session)
            .await
            .unwrap();
    }
    let newest = (i64::MAX, Uuid::max());
    let first = sessions::list(&mut work, ada, NOW, newest, 2)
        .await
        .unwrap();
    assert_eq!(
        first.iter().map(|row| row.created_at).collect::<Vec<_>>(),
        [2, 2]
    );
    let last = (first[1].created_at, first[1].id);
    let rest = sessions::list(&mut work, ada, NOW, last, 2).await.unwrap();
    assert_eq!(rest, rows[..1]);
    assert!(
        sessions::list(&mut work, bob, NOW, newest, 2)
            .await
            .unwrap()
            .is_empty()
    );

    let shown = sessions::show(&mut work, ada, rows[0].id, NOW).await;
    assert_eq!(shown.unwrap().as_ref(), Some(&rows[0]));
    let shown = sessions::show(&mut work, bob, rows[0].id, NOW).await;
    assert_eq!(shown.unwrap(), None);

    assert!(!sessions::delete(&mut work, bob, rows[0].id).await.unwrap());
    assert!(sessions::delete(&mut work, ada, rows[0].id).await.unwrap());
    sessions::delete_all(&mut work, ada).await.unwrap();
    assert!(
        sessions::list(&mut work, ada, NOW, newest, 2)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_code_is_good_once_and_for_five_tries() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let user = user();
    secrets::set_code(&mut work, user, "right", LATER)
        .await
        .unwrap();
    assert!(
        !secrets::take_code(&mut work, user, "right", LATER)
            .await
            .unwrap()
    );
    assert!(
        secrets::take_code(&mut work, user, "right", NOW)
            .await
            .unwrap()
    );
    assert!(
        !secrets::take_code(&mut work, user, "right", NOW)
            .await
            .unwrap()
    );

    secrets::set_code(&mut work, user, "right", LATER)
        .await
        .unwrap();
    for _ in 0..secrets::MOST_TRIES {
        assert!(
            !secrets::take_code(&mut work, user, "wrong", NOW)
                .await
                .unwrap()
        );
    }
    assert!(
        !secrets::take_code(&mut work, user, "right", NOW)
            .await
            .unwrap()
    );
    secrets::set_code(&mut work, user, "newer", LATER)
        .await
        .unwrap();
    assert!(
        secrets::take_code(&mut work, user, "newer", NOW)
            .await
            .unwrap()
    );
}

/// Everything that this service can hold about somebody.
async fn fill(session: &mut Session, user: UserId) {
    let name = user.to_string();
    credentials::register(session, user, "x", NOW)
        .await
        .unwrap();
    secrets::add_confirmation(session, user, &name, LATER)
        .await
        .unwrap();
    secrets::set_code(session, user, "code", LATER)
        .await
        .unwrap();
    sessions::insert(session, user, &name, &row(NOW))
        .await
        .unwrap();
    credentials::confirm(session, user, "x", NOW).await.unwrap();
    resets::add(session, user, &name, LATER).await.unwrap();
    second_factors::begin(session, user, b"secret")
        .await
        .unwrap();
    second_factors::add_recovery(session, user, &name)
        .await
        .unwrap();
}

#[tokio::test]
async fn erasing_deletes_all_rows_of_that_person_and_no_others() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let (ada, bob) = (user(), user());
    fill(&mut work, ada).await;
    fill(&mut work, bob).await;
    assert_eq!(erase(&mut work, ada).await.unwrap(), 7);
    assert_eq!(erase(&mut work, ada).await.unwrap(), 0);
    assert_eq!(erase(&mut work, bob).await.unwrap(), 7);
}

#[tokio::test]
async fn no_token_of_somebody_who_is_shut_out_is_good_until_that_is_over() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let user = user();
    let made = credentials::create(&mut work, user, "hash", Role::Birder, NOW).await;
    assert!(made.unwrap());
    sessions::insert(&mut work, user, "token", &row(NOW))
        .await
        .unwrap();
    assert_eq!(sessions::count(&mut work, user, NOW).await.unwrap(), 1);

    suspensions::set(&mut work, user, NOW + 10).await.unwrap();
    for (now, is_good) in [(NOW, false), (NOW + 9, false), (NOW + 10, true)] {
        let found = sessions::find(&mut work, "token", now).await.unwrap();
        assert_eq!(found.is_some(), is_good, "{now}");
    }
    suspensions::lift(&mut work, user).await.unwrap();
    let until = suspensions::until(&mut work, user, NOW).await;
    assert_eq!(until.unwrap(), None);
    suspensions::set(&mut work, user, LATER).await.unwrap();
    assert_eq!(erase(&mut work, user).await.unwrap(), 3);
}
