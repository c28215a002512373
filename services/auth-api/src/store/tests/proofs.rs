//! What proves who somebody is, replaced or asked for in addition.

use super::*;

#[tokio::test]
async fn a_link_to_a_new_password_is_for_confirmed_accounts_works_once_and_ends() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let user = user();
    credentials::register(&mut work, user, "old", NOW)
        .await
        .unwrap();
    assert!(!resets::add(&mut work, user, "early", LATER).await.unwrap());
    assert!(
        !credentials::set_password(&mut work, user, "new")
            .await
            .unwrap()
    );
    credentials::confirm(&mut work, user, "old", NOW)
        .await
        .unwrap();
    assert!(resets::add(&mut work, user, "link", LATER).await.unwrap());
    for (now, found) in [(LATER, None), (NOW, Some(user)), (NOW, None)] {
        let taken = resets::take(&mut work, "link", now).await.unwrap();
        assert_eq!(taken, found, "{now}");
    }
    assert!(
        credentials::set_password(&mut work, user, "new")
            .await
            .unwrap()
    );
    resets::add(&mut work, user, "unused", LATER).await.unwrap();
    resets::delete_all(&mut work, user).await.unwrap();
    let taken = resets::take(&mut work, "unused", NOW).await.unwrap();
    assert_eq!(taken, None);
}

#[tokio::test]
async fn a_second_factor_is_kept_from_its_confirmation_on_and_each_code_works_once() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let (ada, bob) = (user(), user());
    for secret in [b"one", b"two"] {
        assert!(second_factors::begin(&mut work, ada, secret).await.unwrap());
    }
    second_factors::confirm(&mut work, ada, NOW).await.unwrap();
    assert!(
        !second_factors::begin(&mut work, ada, b"three")
            .await
            .unwrap()
    );
    let kept = second_factors::find(&mut work, ada).await.unwrap().unwrap();
    assert_eq!(
        (kept.secret.as_slice(), kept.is_confirmed),
        (&b"two"[..], true)
    );

    for (step, is_new) in [(7, true), (7, false), (6, false), (8, true)] {
        let spent = second_factors::spend(&mut work, ada, step).await.unwrap();
        assert_eq!(spent, is_new, "{step}");
    }
    second_factors::add_recovery(&mut work, ada, "code")
        .await
        .unwrap();
    for (user, is_theirs) in [(bob, false), (ada, true), (ada, false)] {
        let taken = second_factors::take_recovery(&mut work, user, "code").await;
        assert_eq!(taken.unwrap(), is_theirs);
    }
    second_factors::add_recovery(&mut work, ada, "other")
        .await
        .unwrap();
    second_factors::delete(&mut work, ada).await.unwrap();
    let left = second_factors::count_recovery(&mut work, ada).await;
    assert_eq!(left.unwrap(), 0);
    let left = second_factors::find(&mut work, ada).await.unwrap();
    assert!(left.is_none());
}

#[tokio::test]
async fn a_session_knows_when_its_user_last_proved_who_they_are() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let (ada, bob) = (user(), user());
    let made = credentials::create(&mut work, ada, "x", Role::Birder, NOW).await;
    assert!(made.unwrap());
    let session = row(NOW);
    sessions::insert(&mut work, ada, "hash", &session)
        .await
        .unwrap();
    for (by, now, proved_at) in [(bob, NOW + 1, NOW), (ada, NOW + 2, NOW + 2)] {
        sessions::prove(&mut work, by, session.id, now)
            .await
            .unwrap();
        let found = sessions::find(&mut work, "hash", NOW).await.unwrap();
        assert_eq!(found.unwrap().proved_at.timestamp_micros(), proved_at);
    }
}

#[tokio::test]
async fn all_sessions_but_one_are_ended() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let (ada, bob) = (user(), user());
    let [kept, other, bobs] = [row(NOW), row(NOW), row(NOW)];
    for (user, session) in [(ada, &kept), (ada, &other), (bob, &bobs)] {
        let inserted = sessions::insert(&mut work, user, &session.id.to_string(), session).await;
        inserted.unwrap();
    }
    sessions::delete_others(&mut work, ada, kept.id)
        .await
        .unwrap();
    for (user, session, is_there) in [(ada, kept, true), (ada, other, false), (bob, bobs, true)] {
        let found = sessions::show(&mut work, user, session.id, NOW).await;
        assert_eq!(found.unwrap().is_some(), is_there);
    }
}
