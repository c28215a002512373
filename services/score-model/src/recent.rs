//! Scores of the pictures scored last: several ticks may show the same picture, and its pixels
//! never change.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use envelope::ImageId;

use crate::quality::Score;

/// A few kilobytes of memory.
const MOST: usize = 64;

/// The last scores; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<VecDeque<(ImageId, Score)>>>);

impl Recent {
    /// The score of a picture, if it is one of the last.
    pub fn of(&self, image: ImageId) -> Option<Score> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent
            .iter()
            .find(|(known, _)| *known == image)
            .map(|(_, score)| score.clone())
    }

    /// Remembers a score and forgets the oldest.
    pub fn remember(&self, image: ImageId, score: Score) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.truncate(MOST - 1);
        recent.push_front((image, score));
    }
}
