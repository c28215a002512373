//! Scores of the pictures scored last: several ticks may show the same picture, and its pixels
//! never change.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use envelope::ImageId;

use crate::quality::Score;

/// About a megabyte of memory, where scoring one again costs tens of milliseconds.
const MOST: usize = 1024;

/// The last scores; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<Scores>>);

#[derive(Debug, Default)]
struct Scores {
    by_image: HashMap<ImageId, Score>,
    /// The oldest first.
    order: VecDeque<ImageId>,
}

impl Recent {
    /// The score of a picture, if it is one of the last.
    pub fn of(&self, image: ImageId) -> Option<Score> {
        self.scores().by_image.get(&image).cloned()
    }

    /// Remembers a score, and forgets the oldest when there are too many.
    pub fn remember(&self, image: ImageId, score: Score) {
        let mut scores = self.scores();
        if scores.by_image.insert(image, score).is_some() {
            return;
        }
        scores.order.push_back(image);
        if scores.order.len() > MOST
            && let Some(oldest) = scores.order.pop_front()
        {
            scores.by_image.remove(&oldest);
        }
    }

    fn scores(&self) -> MutexGuard<'_, Scores> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::quality::Parts;

    fn image(number: usize) -> ImageId {
        ImageId(Uuid::from_u128(number as u128))
    }

    fn score(value: f64) -> Score {
        Score {
            value,
            reasons: Vec::new(),
            parts: Parts::default(),
        }
    }

    #[test]
    fn the_oldest_is_forgotten_and_the_others_are_known() {
        let recent = Recent::default();
        for number in 0..=MOST {
            recent.remember(image(number), score(3.0));
            recent.remember(image(number), score(4.0));
        }
        assert!(recent.of(image(0)).is_none());
        for number in 1..=MOST {
            assert!(
                recent
                    .of(image(number))
                    .is_some_and(|known| known == score(4.0))
            );
        }
        assert_eq!(recent.scores().order.len(), MOST);
    }
}
