//! Many ratings in one transaction.

use std::collections::HashSet;

use chassis::group_commit::Change;
use chassis::trace::TraceParent;
use chassis::unit_of_work::{Draft, Work, WorkError};
use envelope::{EventId, ImageUrl, OwnedImageRef, Rating, UserId, rate};
use uuid::Uuid;

use super::{Board, Entry, Pair};
use crate::error::Error;
use crate::store::limits;

/// A change of somebody's rating.
#[derive(Clone, Debug)]
pub(crate) struct RatingChange {
    /// Who rates.
    pub rater: UserId,
    /// What is rated.
    pub url: ImageUrl,
    /// What is wanted.
    pub wish: Wish,
    /// By which request.
    pub trace: Option<TraceParent>,
}

/// What somebody wants of their rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It should be this.
    Rate(Rating),
    /// It should not stand any more.
    Withdraw,
}

impl Change for RatingChange {
    type Answer = Result<(), Error>;

    async fn apply(work: &mut Work, changes: &[Self]) -> Result<Vec<Self::Answer>, WorkError> {
        let named = changes.iter().flat_map(|change| {
            let (image, rater) = change.pair();
            [image.0, rater.0]
        });
        let named: HashSet<Uuid> = named.collect();
        let named: Vec<Uuid> = named.into_iter().collect();
        let erased = work.erased_among(&named).await?;
        let pairs: Vec<Pair> = changes.iter().map(Self::pair).collect();
        let mut board = Board::read(work, &pairs).await?;
        let people = pairs
            .iter()
            .flat_map(|pair| [Some(pair.1), board.owner(pair.0)]);
        let people: HashSet<Uuid> = people.flatten().map(|person| person.0).collect();
        let restricted = limits::of(work, people).await?.restricted;
        let mut answers = Vec::with_capacity(changes.len());
        for change in changes {
            let answer = match change.judge(&board, (&erased, &restricted)) {
                Ok(Verdict::Stands) => Ok(()),
                Ok(Verdict::New(owner)) => {
                    let event = change.publish(work, owner)?;
                    // Read after the event was dated: when it comes back, it is not newer than this.
                    let at = work.clock().micros();
                    let rating = change.wish.rating();
                    board.set(change.pair(), Entry { rating, event, at });
                    Ok(())
                }
                Err(refusal) => Err(refusal),
            };
            answers.push(answer);
        }
        board.write(work).await?;
        Ok(answers)
    }
}

/// What is to be done about a wish that may be fulfilled.
enum Verdict {
    /// Nothing: it is so already. A client that repeats itself makes no second event.
    Stands,
    /// A change, to be told to others; this is whose image it is.
    New(UserId),
}

impl Wish {
    fn rating(self) -> Option<Rating> {
        match self {
            Self::Rate(rating) => Some(rating),
            Self::Withdraw => None,
        }
    }
}

impl RatingChange {
    fn pair(&self) -> Pair {
        (self.url.image(), self.rater)
    }

    /// Whether the change may be made, and whether there is anything to change.
    fn judge(
        &self,
        board: &Board,
        (erased, restricted): (&HashSet<Uuid>, &HashSet<Uuid>),
    ) -> Result<Verdict, Error> {
        let (image, rater) = self.pair();
        if erased.contains(&rater.0) {
            return Err(Error::CallerGone);
        }
        if erased.contains(&image.0) {
            return Err(Error::ImageGone);
        }
        let owner = board.owner(image).ok_or(Error::NoSuchImage)?;
        let stands = board.entry(self.pair()).and_then(|entry| entry.rating);
        match self.wish {
            Wish::Rate(_) if restricted.contains(&rater.0) => Err(Error::Restricted),
            Wish::Rate(_) if restricted.contains(&owner.0) => Err(Error::NoSuchImage),
            Wish::Rate(_) if owner == rater => Err(Error::OwnImage),
            Wish::Rate(_) if board.is_hidden(image) => Err(Error::NoSuchImage),
            Wish::Withdraw if stands.is_none() => Err(Error::NoSuchRating),
            Wish::Rate(rating) if stands == Some(rating) => Ok(Verdict::Stands),
            _ => Ok(Verdict::New(owner)),
        }
    }

    fn publish(&self, work: &mut Work, owner: UserId) -> Result<EventId, WorkError> {
        let (user, url) = (self.rater.into(), self.url.clone());
        match self.wish {
            Wish::Rate(rating) => {
                let image = OwnedImageRef { url, owner };
                let event = rate::Update {
                    user,
                    image,
                    rating,
                };
                work.publish(Draft::new(event).traced(self.trace))
            }
            Wish::Withdraw => {
                let image = url.into();
                let event = rate::Delete { user, image };
                work.publish(Draft::new(event).traced(self.trace))
            }
        }
    }
}
