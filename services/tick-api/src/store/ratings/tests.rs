//! Facts about ratings, scores and erasure in a real database.

use chassis::database::Database;
use chassis::group_commit::Change as _;
use envelope::{EventId, ImageId, ImageUrl, Rating, UserId, user};
use uuid::Uuid;

use super::{Entry, RatingChange, Wish, hear, recount};
use crate::error::Error;
use crate::store::erasure;
use crate::store::images::{self, ImageRow, Score};
use crate::store::limits;
use crate::store::testing::with_image;

const OWNER: UserId = UserId(Uuid::from_u128(0xA));
const ANNA: UserId = UserId(Uuid::from_u128(0xB));
const BERT: UserId = UserId(Uuid::from_u128(0xC));
const IMAGE: ImageId = ImageId(Uuid::from_u128(0x1));

fn stars(number: i64) -> Rating {
    Rating::try_from(number).unwrap()
}

fn rate(rater: UserId, rating: i64) -> RatingChange {
    change(rater, Wish::Rate(stars(rating)))
}

fn change(rater: UserId, wish: Wish) -> RatingChange {
    let url = ImageUrl::new("", IMAGE);
    RatingChange {
        rater,
        url,
        wish,
        trace: None,
    }
}

async fn make(database: &Database, changes: &[RatingChange]) -> Vec<Result<(), Error>> {
    let mut work = database.begin().await.unwrap();
    let answers = RatingChange::apply(&mut work, changes).await.unwrap();
    work.commit().await.unwrap();
    answers
}

async fn heard(database: &Database, rater: UserId, event: u128, at: i64, rating: Option<i64>) {
    let mut work = database.begin().await.unwrap();
    let event = EventId(Uuid::from_u128(event));
    let rating = rating.map(stars);
    let entry = Entry { rating, event, at };
    hear(&mut work, &[((IMAGE, rater), entry)]).await.unwrap();
    work.commit().await.unwrap();
}

async fn seen_by(database: &Database, viewer: UserId) -> ImageRow {
    let mut session = database.read().await.unwrap();
    let row = images::find(&mut session, Some(viewer), IMAGE)
        .await
        .unwrap();
    row.unwrap()
}

async fn figures(database: &Database) -> (i64, i64) {
    let row = seen_by(database, OWNER).await;
    (row.rating_count, row.rating_sum)
}

fn assert_rank(row: &ImageRow, wanted: f64) {
    assert!((row.rank_value - wanted).abs() < 1e-9, "{}", row.rank_value);
}

#[tokio::test]
async fn a_later_rating_takes_the_place_of_the_one_before() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let group = [rate(ANNA, 1), rate(BERT, 4), rate(ANNA, 5)];
    assert!(make(&database, &group).await.iter().all(Result::is_ok));
    assert_eq!(figures(&database).await, (2, 9));
    let row = seen_by(&database, ANNA).await;
    assert_eq!(row.my_rating, Some(5));
    assert_rank(&row, (4.0 * 3.0 + 9.0) / 6.0);
}

#[tokio::test]
async fn nobody_rates_their_own_image_or_one_that_is_not_there() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let unknown = RatingChange {
        url: ImageUrl::new("", ImageId(Uuid::from_u128(9))),
        ..rate(ANNA, 4)
    };
    let answers = make(&database, &[rate(OWNER, 5), unknown]).await;
    assert!(matches!(answers[0], Err(Error::OwnImage)));
    assert!(matches!(answers[1], Err(Error::NoSuchImage)));
    assert_eq!(figures(&database).await, (0, 0));
}

#[tokio::test]
async fn a_withdrawn_rating_counts_no_more_and_is_withdrawn_once() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    make(&database, &[rate(ANNA, 4)]).await;
    let withdraw = change(ANNA, Wish::Withdraw);
    let answers = make(&database, &[withdraw.clone(), withdraw]).await;
    assert!(answers[0].is_ok());
    assert!(matches!(answers[1], Err(Error::NoSuchRating)));
    assert_eq!(figures(&database).await, (0, 0));
    assert_eq!(seen_by(&database, ANNA).await.my_rating, None);
}

#[tokio::test]
async fn ratings_of_other_producers_count_unless_they_are_old_news() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    heard(&database, ANNA, 1, 100, Some(4)).await;
    heard(&database, ANNA, 2, 90, Some(1)).await;
    heard(&database, ANNA, 1, 200, Some(2)).await;
    heard(&database, OWNER, 3, 300, Some(5)).await;
    assert_eq!(figures(&database).await, (1, 4));
    heard(&database, ANNA, 4, 400, None).await;
    heard(&database, ANNA, 5, 399, Some(5)).await;
    assert_eq!(figures(&database).await, (0, 0));
}

#[tokio::test]
async fn our_own_events_change_nothing_when_they_come_back() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let before = database.begin().await.unwrap().clock().micros();
    make(&database, &[rate(ANNA, 4), change(ANNA, Wish::Withdraw)]).await;
    heard(&database, ANNA, 1, before, Some(4)).await;
    assert_eq!(figures(&database).await, (0, 0));
}

#[tokio::test]
async fn a_score_moves_the_rank_unless_a_later_one_is_there() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    make(&database, &[rate(ANNA, 5)]).await;
    let mut work = database.begin().await.unwrap();
    for (value, at) in [(4.5, 200), (1.0, 100)] {
        let reasons = vec!["sharp".to_owned()];
        let model = Some("niqa-1".to_owned());
        let score = Score {
            value,
            reasons,
            model,
            at,
        };
        let unknown = ImageId(Uuid::from_u128(9));
        let scores = [(unknown, score.clone()), (IMAGE, score)];
        images::set_scores(&mut work, &scores).await.unwrap();
    }
    work.commit().await.unwrap();
    let row = seen_by(&database, ANNA).await;
    assert_eq!(row.score, Some(4.5));
    assert_eq!(row.reasons().unwrap(), ["sharp"]);
    assert_rank(&row, (4.0 * 4.5 + 5.0) / 5.0);
}

#[tokio::test]
async fn an_erased_image_cannot_be_rated_any_more() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let mut work = database.begin().await.unwrap();
    work.fence(&[IMAGE.0, BERT.0]).await.unwrap();
    work.commit().await.unwrap();
    let answers = make(&database, &[rate(ANNA, 4), rate(BERT, 4)]).await;
    assert!(matches!(answers[0], Err(Error::ImageGone)));
    assert!(matches!(answers[1], Err(Error::CallerGone)));
}

#[tokio::test]
async fn an_erased_rater_leaves_the_figures_of_others() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    make(&database, &[rate(ANNA, 1), rate(BERT, 5)]).await;
    let mut work = database.begin().await.unwrap();
    let because = EventId(Uuid::from_u128(7));
    let rows = erasure::delete_rows(&mut work, ANNA, because)
        .await
        .unwrap();
    assert_eq!(rows, 1);
    work.commit().await.unwrap();
    assert_eq!(figures(&database).await, (1, 5));
    assert_rank(&seen_by(&database, BERT).await, (4.0 * 3.0 + 5.0) / 5.0);
}

#[tokio::test]
async fn an_erased_owner_takes_images_and_their_ratings_along() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    make(&database, &[rate(ANNA, 1), rate(BERT, 5)]).await;
    let mut work = database.begin().await.unwrap();
    assert_eq!(erasure::images_of(&mut work, OWNER).await.unwrap(), [IMAGE]);
    let because = EventId(Uuid::from_u128(7));
    assert_eq!(
        erasure::delete_rows(&mut work, OWNER, because)
            .await
            .unwrap(),
        3
    );
    assert_eq!(
        erasure::delete_rows(&mut work, OWNER, because)
            .await
            .unwrap(),
        0
    );
    assert_eq!(images::seen_by(&mut work, IMAGE).await.unwrap(), None);
}

async fn restrict(database: &Database, rater: UserId, restricted: bool, at: i64) -> Vec<ImageId> {
    let limit = user::Limit {
        user: rater.into(),
        restricted,
        objections: user::Objections::default(),
        withdrawn: user::Withdrawn::default(),
    };
    let mut work = database.begin().await.unwrap();
    limits::set(&mut work, &limit, at).await.unwrap();
    let changed = recount(&mut work, rater).await.unwrap();
    work.commit().await.unwrap();
    changed
}

#[tokio::test]
async fn ratings_of_who_restricts_are_kept_and_count_again_afterwards() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    make(&database, &[rate(ANNA, 1), rate(BERT, 4)]).await;
    assert_eq!(restrict(&database, ANNA, true, 1).await, [IMAGE]);
    assert_eq!(figures(&database).await, (1, 4));
    let row = seen_by(&database, ANNA).await;
    assert_eq!(row.my_rating, Some(1), "it is kept");
    assert_rank(&row, (4.0 * 3.0 + 4.0) / 5.0);
    assert_eq!(restrict(&database, ANNA, true, 2).await, []);
    // What was told before stays older.
    assert_eq!(restrict(&database, ANNA, false, 1).await, []);
    make(&database, &[rate(BERT, 5)]).await;
    assert_eq!(restrict(&database, ANNA, false, 3).await, [IMAGE]);
    assert_eq!(figures(&database).await, (2, 6));
}

#[tokio::test]
async fn what_a_restricted_person_rated_counts_as_it_is_when_that_is_lifted() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    make(&database, &[rate(ANNA, 1), rate(BERT, 4)]).await;
    restrict(&database, ANNA, true, 1).await;
    heard(&database, ANNA, 9, i64::MAX - 1, Some(5)).await;
    assert_eq!(figures(&database).await, (1, 4));
    restrict(&database, ANNA, false, 2).await;
    assert_eq!(figures(&database).await, (2, 9));
    restrict(&database, ANNA, true, 3).await;
    heard(&database, ANNA, 10, i64::MAX, None).await;
    restrict(&database, ANNA, false, 4).await;
    assert_eq!(figures(&database).await, (1, 4));
}
