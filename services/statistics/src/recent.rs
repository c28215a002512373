//! Figures that were counted a moment ago: however many ask, counting takes a small part of the
//! time, and nothing is counted again while nothing has changed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long nobody looks whether anything has changed.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// A net for changes that the mark does not show, such as another database taking over.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// Counting takes at most one part in so many of the time.
const SHARE: u32 = 10;

/// One figure as it was last counted; cheap to clone.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    last: Arc<Mutex<Option<Last<V>>>>,
}

#[derive(Debug)]
struct Last<V> {
    value: V,
    /// What stood for the state that was counted.
    mark: i64,
    counted_at: Instant,
    took: Duration,
    looked_at: Instant,
}

impl<V> Clone for Recent<V> {
    fn clone(&self) -> Self {
        Self {
            last: Arc::clone(&self.last),
        }
    }
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self {
            last: Arc::default(),
        }
    }
}

impl<V: Clone> Recent<V> {
    /// The figure if it is new, by its age or because the state still has the same `mark`;
    /// otherwise one asker counts and the others wait for it.
    pub(crate) async fn get<E>(
        &self,
        mark: impl Future<Output = Result<i64, E>> + Send,
        count: Pin<Box<dyn Future<Output = Result<V, E>> + Send + '_>>,
    ) -> Result<V, E> {
        let mut last = self.last.lock().await;
        if let Some(last) = last.as_ref()
            && last.is_new(Instant::now())
        {
            return Ok(last.value.clone());
        }
        // Looked at first: what is counted may be newer, never older.
        let mark = mark.await?;
        if let Some(last) = last.as_mut()
            && last.is_unchanged(mark, Instant::now())
        {
            last.looked_at = Instant::now();
            return Ok(last.value.clone());
        }
        let began = Instant::now();
        let value = count.await?;
        let now = Instant::now();
        *last = Some(Last {
            value: value.clone(),
            mark,
            counted_at: now,
            took: now - began,
            looked_at: now,
        });
        Ok(value)
    }
}

impl<V> Last<V> {
    fn is_new(&self, now: Instant) -> bool {
        now - self.looked_at < LOOK_EVERY || now - self.counted_at < self.took * SHARE
    }

    fn is_unchanged(&self, mark: i64, now: Instant) -> bool {
        self.mark == mark && now - self.counted_at < COUNT_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn counted(at: Instant, took: Duration) -> Last<i32> {
        Last {
            value: 1,
            mark: 7,
            counted_at: at,
            took,
            looked_at: at,
        }
    }

    #[test]
    fn the_longer_counting_takes_the_longer_a_figure_is_new() {
        let at = Instant::now();
        assert!(counted(at, 50 * MS).is_new(at + 499 * MS));
        assert!(!counted(at, 50 * MS).is_new(at + 501 * MS));
        assert!(!counted(at, MS / 100).is_new(at + 2 * MS));
    }

    #[test]
    fn what_has_not_changed_is_counted_again_after_a_second() {
        let at = Instant::now();
        assert!(counted(at, MS).is_unchanged(7, at + 999 * MS));
        assert!(!counted(at, MS).is_unchanged(7, at + 1001 * MS));
        assert!(!counted(at, MS).is_unchanged(8, at + 20 * MS));
    }

    #[tokio::test]
    async fn a_count_that_failed_is_tried_again() {
        let recent = Recent::default();
        let failing = recent.get(async { Ok(7) }, Box::pin(async { Err::<i32, _>(()) }));
        assert_eq!(failing.await, Err(()));
        let counting = recent.get(async { Ok::<_, ()>(7) }, Box::pin(async { Ok(2) }));
        assert_eq!(counting.await, Ok(2));
    }
}
