//! Facts about reports and cases in a real database.

use chassis::database::Database;
use chassis::group_commit::Change as _;
use envelope::{ImageUrl, Rating};

use super::*;
use crate::error::Error;
use crate::store::images::{self, SeenBy};
use crate::store::ratings::{RatingChange, Wish};
use crate::store::testing::with_image;

const OWNER: UserId = UserId(Uuid::from_u128(0xA));
const ANNA: UserId = UserId(Uuid::from_u128(0xB));
const BERT: UserId = UserId(Uuid::from_u128(0xC));
const IMAGE: ImageId = ImageId(Uuid::from_u128(0x1));

async fn reported(database: &Database, reporter: UserId, at: i64) {
    let new = NewReport {
        id: Uuid::new_v4(),
        image: IMAGE,
        reporter,
        category: Category::NotABird,
        note: None,
        at,
    };
    let mut work = database.begin().await.unwrap();
    report(&mut work, &new, Uuid::new_v4()).await.unwrap();
    work.commit().await.unwrap();
}

async fn listed(database: &Database, state: CaseState) -> Vec<CaseRow> {
    let question = ListCases {
        state,
        after: None,
        limit: 10,
    };
    let mut session = database.read().await.unwrap();
    list(&mut session, &question).await.unwrap()
}

async fn decided(database: &Database, verdict: Verdict, now: i64) -> Decided {
    let all = [
        listed(database, CaseState::Open).await,
        listed(database, CaseState::Decided).await,
    ];
    let case = all.concat()[0].id;
    let mut work = database.begin().await.unwrap();
    let done = decide(&mut work, case, verdict, now).await.unwrap();
    work.commit().await.unwrap();
    done
}

#[tokio::test]
async fn a_photo_has_one_case_however_many_report_it_and_each_counts_once() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    for (reporter, at) in [(ANNA, 1), (ANNA, 2), (BERT, 3)] {
        reported(&database, reporter, at).await;
    }
    let open = listed(&database, CaseState::Open).await;
    assert_eq!(
        (open.len(), open[0].changed_at, open[0].owner),
        (1, 1, OWNER.0)
    );
    let mut session = database.read().await.unwrap();
    let counted = counts(&mut session, [IMAGE.0]).await.unwrap();
    assert_eq!(counted, [(IMAGE.0, "not-a-bird".to_owned(), 2)]);
    let newest = newest(&mut session, [IMAGE.0], 1).await.unwrap();
    assert_eq!(newest[&IMAGE.0][0].reported_at, 3);
}

#[tokio::test]
async fn a_case_that_was_decided_opens_again_with_the_next_persons_report_only() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    reported(&database, ANNA, 1).await;
    assert_eq!(decided(&database, Verdict::Dismiss, 2).await, Decided::Done);
    assert_eq!(
        decided(&database, Verdict::Dismiss, 3).await,
        Decided::NoChange
    );
    reported(&database, ANNA, 4).await;
    assert!(listed(&database, CaseState::Open).await.is_empty());
    reported(&database, BERT, 5).await;
    assert_eq!(listed(&database, CaseState::Open).await[0].changed_at, 5);
    let mut work = database.begin().await.unwrap();
    let unknown = decide(&mut work, Uuid::new_v4(), Verdict::Unhide, 6).await;
    assert_eq!(unknown.unwrap(), Decided::Unknown);
}

#[tokio::test]
async fn what_is_hidden_is_for_its_owner_and_moderators_and_rated_by_nobody() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    reported(&database, ANNA, 1).await;
    let hide = Verdict::Hide(Category::Privacy);
    assert_eq!(decided(&database, hide, 2).await, Decided::Done);
    assert_eq!(decided(&database, hide, 3).await, Decided::NoChange);
    let mut work = database.begin().await.unwrap();
    let seen_by = images::seen_by(&mut work, IMAGE).await.unwrap();
    assert_eq!(seen_by, Some(SeenBy::OwnerAndModerators(OWNER)));
    for (viewer, sees) in [(None, false), (Some(ANNA), false), (Some(OWNER), true)] {
        let found = images::find(&mut work, viewer, IMAGE).await.unwrap();
        assert_eq!(found.is_some(), sees, "{viewer:?}");
    }
    let rate = RatingChange {
        rater: ANNA,
        url: ImageUrl::new("", IMAGE),
        wish: Wish::Rate(Rating::try_from(4).unwrap()),
        trace: None,
    };
    let answers = RatingChange::apply(&mut work, &[rate]).await.unwrap();
    assert!(matches!(answers[0], Err(Error::NoSuchImage)));
}

#[tokio::test]
async fn an_owner_appeals_once_against_each_hiding() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    reported(&database, ANNA, 1).await;
    decided(&database, Verdict::Hide(Category::Other), 2).await;
    for (words, at) in [(b"first", 3), (b"again", 4)] {
        let mut work = database.begin().await.unwrap();
        appeal(&mut work, IMAGE, words, at).await.unwrap();
        work.commit().await.unwrap();
    }
    let open = listed(&database, CaseState::Open).await;
    assert_eq!(open[0].appeal.as_deref(), Some(b"first".as_slice()));
    assert_eq!(open[0].appealed_at, Some(3));

    decided(&database, Verdict::Unhide, 5).await;
    decided(&database, Verdict::Hide(Category::Other), 6).await;
    let hidden = listed(&database, CaseState::Decided).await;
    assert_eq!((hidden[0].appealed_at, hidden[0].changed_at), (None, 6));
}
