//! What is known of pictures: which is the same, what they take, and who scored them.

use chassis::database::Database;

use super::*;
use crate::store::testing::with_image;
use crate::store::uploads;

const OWNER: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));
const IMAGE: ImageId = ImageId(Uuid::from_u128(3));

fn new(owner: UserId, id: u128, content: ImageId) -> NewImage {
    NewImage {
        id: ImageId(Uuid::from_u128(id)),
        owner,
        width: 2048,
        height: 1365,
        bytes: 500,
        content_hash: content.0.to_string(),
    }
}

async fn scored(database: &Database, model: Option<&str>) {
    let mut work = database.begin().await.unwrap();
    let score = Score {
        value: 4.0,
        reasons: Vec::new(),
        model: model.map(str::to_owned),
        at: 100,
    };
    set_scores(&mut work, &[(IMAGE, score)]).await.unwrap();
    work.commit().await.unwrap();
}

async fn by_others_than(database: &Database, model: &str, after: Option<ImageId>) -> Vec<ImageId> {
    let question = ScoredByOthers {
        model: model.to_owned(),
        after,
        limit: 10,
    };
    let mut session = database.read().await.unwrap();
    let found = scored_by_others(&mut session, &question).await.unwrap();
    assert!(found.iter().all(|one| one.owner == OWNER));
    found.into_iter().map(|one| one.image).collect()
}

#[tokio::test]
async fn only_the_owners_own_picture_is_the_same() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let mut session = database.read().await.unwrap();
    for (new, expected) in [
        (new(OWNER, 4, IMAGE), Some(IMAGE)),
        (new(OTHER, 4, IMAGE), None),
        (new(OWNER, 4, ImageId(Uuid::nil())), None),
    ] {
        assert_eq!(same(&mut session, &new).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn pictures_on_their_way_take_room_too() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let mut work = database.begin().await.unwrap();
    assert_eq!(uploads::bytes_of(&mut work, OWNER).await.unwrap(), 1000);
    let coming = new(OWNER, 4, IMAGE);
    uploads::begin(&mut work, &coming, 1).await.unwrap();
    assert_eq!(uploads::bytes_of(&mut work, OWNER).await.unwrap(), 1500);
    uploads::end(&mut work, coming.id).await.unwrap();
    assert_eq!(uploads::bytes_of(&mut work, OWNER).await.unwrap(), 1000);
    assert_eq!(uploads::bytes_of(&mut work, OTHER).await.unwrap(), 0);
}

#[tokio::test]
async fn a_model_is_told_what_it_has_not_scored_itself() {
    let (_folder, database) = with_image(OWNER, IMAGE).await;
    let none = Vec::<ImageId>::new();
    assert_eq!(by_others_than(&database, "niqa-2", None).await, none);
    for model in [None, Some("niqa-1")] {
        scored(&database, model).await;
        assert_eq!(by_others_than(&database, "niqa-2", None).await, [IMAGE]);
        assert_eq!(by_others_than(&database, "niqa-2", Some(IMAGE)).await, none);
    }
    assert_eq!(by_others_than(&database, "niqa-1", None).await, none);
}
