//! Log-ins with a provider: each step works once, and nothing of them is left of who is erased.

use super::*;
use crate::store::oidc;

#[tokio::test]
async fn a_step_is_taken_once_and_not_too_late() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let [step, late] = [(); 2].map(|()| Uuid::new_v4());
    for id in [step, late] {
        oidc::add_step(&mut work, id, NOW + 1).await.unwrap();
    }
    assert!(oidc::has_step(&mut work, step, NOW).await.unwrap());
    for expected in [true, false] {
        let taken = oidc::take_step(&mut work, step, NOW).await.unwrap();
        assert_eq!(taken, expected);
    }
    assert!(!oidc::has_step(&mut work, step, NOW).await.unwrap());
    assert!(!oidc::has_step(&mut work, late, NOW + 1).await.unwrap());
    assert!(!oidc::take_step(&mut work, late, NOW + 1).await.unwrap());
}

#[tokio::test]
async fn what_a_provider_calls_somebody_is_theirs_alone_until_they_are_erased() {
    let (database, _folder) = database().await;
    let mut work = database.begin().await.unwrap();
    let (ada, bob) = (user(), user());
    for (user, is_theirs) in [(ada, true), (bob, false)] {
        let linked = oidc::link(&mut work, "hash", user, NOW).await;
        assert_eq!(linked.unwrap(), is_theirs);
        let found = oidc::find(&mut work, "hash").await.unwrap();
        assert_eq!(found, Some(ada));
    }
    assert_eq!(erase(&mut work, ada).await.unwrap(), 1);
    assert_eq!(oidc::find(&mut work, "hash").await.unwrap(), None);
}
