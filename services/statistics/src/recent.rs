//! Figures that were counted a moment ago: however many ask, counting takes a small part of the
//! time, so it is done more seldom the longer it takes.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a figure counts as new, at least: nobody who waits for theirs notices.
const NEW: Duration = Duration::from_millis(5);
/// Counting takes at most one part in so many of the time.
const SHARE: u32 = 10;

/// One figure as it was last counted; cheap to clone.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    last: Arc<Mutex<Option<(Instant, V)>>>,
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
    /// The figure if it is new; otherwise one asker counts and the others wait for it.
    pub(crate) async fn get<E>(
        &self,
        count: impl Future<Output = Result<V, E>> + Send,
    ) -> Result<V, E> {
        let mut last = self.last.lock().await;
        let began = Instant::now();
        if let Some((old_at, value)) = last.as_ref()
            && began < *old_at
        {
            return Ok(value.clone());
        }
        let value = count.await?;
        let new_for = (began.elapsed() * SHARE).max(NEW);
        *last = Some((Instant::now() + new_for, value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_figure_is_not_counted_again() {
        let recent = Recent::default();
        let slowly = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, ()>(1)
        };
        let first = recent.get(slowly).await;
        let second = recent.get(async { Ok::<_, ()>(2) }).await;
        assert_eq!((first, second), (Ok(1), Ok(1)));
    }

    #[tokio::test]
    async fn a_count_that_failed_is_tried_again() {
        let recent = Recent::default();
        assert_eq!(recent.get(async { Err::<i32, _>(()) }).await, Err(()));
        assert_eq!(recent.get(async { Ok::<_, ()>(2) }).await, Ok(2));
    }
}
