//! Facts about limits in a real database.

use chassis::database::Database;
use chassis::group_commit::Change as _;
use envelope::{ImageId, ImageUrl, Rating, UserId, user};
use uuid::Uuid;

use super::{set, take_scores};
use crate::error::Error;
use crate::ranking;
use crate::store::images::{self, Score, SeenBy};
use crate::store::ratings::{RatingChange, Wish};
use crate::store::testing::with_image;

const OWNER: UserId = UserId(Uuid::from_u128(0xA));
const ANNA: UserId = UserId(Uuid::from_u128(0xB));
const IMAGE: ImageId = ImageId(Uuid::from_u128(0x1));

async fn limit(database: &Database, restricted: bool, scoring: bool, at: i64) {
    let limit = user::Limit {
        user: OWNER.into(),
        restricted,
        objections: user::Objections {
            scoring,
            statistics: false,
        },
        withdrawn: user::Withdrawn::default(),
    };
    let mut work = database.begin().await.unwrap();
    set(&mut work, &limit, at).await.unwrap();
    take_scores(&mut work, OWNER).await.unwrap();
    work.commit().await.unwrap();
}

async fn score(database: &Database, at: i64) {
    let mut work = database.begin().await.unwrap();
    let (value, reasons) = (4.5, vec!["sharp".to_owned()]);
    let model = Some("niqa-1".to_owned());
    let score = Score {
        value,
        reasons,
        model,
        at,
    };
    images::set_scores(&mut work, &[(IMAGE, score)])
        .await
        .unwrap();
    work.commit().await.unwrap();
}

/// Score and rank, as the owner sees them.
async fn scored(database: &Database) -> (Option<f64>, f64) {
    let mut session = database.read().await.unwrap();
    let row = images::find(&mut session, Some(OWNER), IMAGE).await;
    let row = row.unwrap().unwrap();
    (row.score, ranking::rounded(row.rank_value))
}

#[tokio::test]
async fn who_restricts_is_seen_by_nobody_else_and_rates_and_is_rated_by_nobody() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    limit(&database, true, false, 1).await;
    let mut session = database.read().await.unwrap();
    let seen_by = images::seen_by(&mut session, IMAGE).await.unwrap();
    assert_eq!(seen_by, Some(SeenBy::Owner(OWNER)));
    for (viewer, sees) in [(None, false), (Some(ANNA), false), (Some(OWNER), true)] {
        let found = images::find(&mut session, viewer, IMAGE).await.unwrap();
        assert_eq!(found.is_some(), sees, "{viewer:?}");
    }
    let rate = |rater| RatingChange {
        rater,
        url: ImageUrl::new("", IMAGE),
        wish: Wish::Rate(Rating::try_from(4).unwrap()),
        trace: None,
    };
    let mut work = database.begin().await.unwrap();
    let answers = RatingChange::apply(&mut work, &[rate(ANNA), rate(OWNER)]).await;
    let answers = answers.unwrap();
    assert!(matches!(answers[0], Err(Error::NoSuchImage)));
    assert!(matches!(answers[1], Err(Error::Restricted)));
}

#[tokio::test]
async fn an_objection_takes_the_score_away_and_lets_no_late_one_in() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let before = scored(&database).await;
    score(&database, 1).await;
    assert_eq!(scored(&database).await.0, Some(4.5));
    limit(&database, false, true, 10).await;
    assert_eq!(scored(&database).await, before);
    score(&database, 20).await;
    assert_eq!(scored(&database).await, before);
    limit(&database, false, false, 30).await;
    score(&database, 40).await;
    assert_eq!(scored(&database).await.0, Some(4.5));
}

#[tokio::test]
async fn what_was_told_later_stands_also_if_it_comes_first() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    limit(&database, false, false, 20).await;
    limit(&database, true, false, 10).await;
    let mut session = database.read().await.unwrap();
    let seen_by = images::seen_by(&mut session, IMAGE).await.unwrap();
    assert_eq!(seen_by, Some(SeenBy::Everybody));
}
