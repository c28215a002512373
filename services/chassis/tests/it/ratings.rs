//! Ratings to publish.

use chassis::clock::Clock;
use envelope::{EventId, ImageId, ImageUrl, Metadata, Outgoing, OwnedImageRef, Rating, UserId};
use envelope::{rate, seal};
use uuid::Uuid;

/// One user's rating of another's image: an event with an id of its own.
#[derive(Clone, Debug)]
pub struct Rated {
    pub id: EventId,
    pub rater: UserId,
    pub image: ImageId,
    pub owner: UserId,
}

impl Rated {
    /// By anybody.
    pub fn new() -> Self {
        Self::by(UserId(Uuid::new_v4()))
    }

    /// By this user.
    pub fn by(rater: UserId) -> Self {
        Self {
            id: EventId(Uuid::now_v7()),
            rater,
            image: ImageId(Uuid::new_v4()),
            owner: UserId(Uuid::new_v4()),
        }
    }

    /// Another event under the same id.
    pub fn of_another_image(&self) -> Self {
        Self {
            image: ImageId(Uuid::new_v4()),
            ..self.clone()
        }
    }

    /// What is said about it.
    pub fn event(&self) -> rate::v2_0::Update {
        rate::v2_0::Update {
            user: self.rater.into(),
            image: OwnedImageRef {
                url: ImageUrl::new("", self.image),
                owner: self.owner,
            },
            rating: Rating::MAX,
        }
    }

    /// As version 1, which does not name the owner.
    pub fn as_v1(&self) -> Outgoing {
        let event = rate::v1_0::Update::from(self.event());
        seal(self.id, metadata(), &event).unwrap()
    }

    /// As version 2.
    pub fn as_v2(&self) -> Outgoing {
        seal(self.id, metadata(), &self.event()).unwrap()
    }
}

fn metadata() -> Metadata {
    Metadata::new("services/TickAPI", Clock::default().now())
}
