//! New ratings as they come: who looks at a picture sees its figures change.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chassis::bus::Bus;
use chassis::database::{Database, DatabaseError};
use chassis::lifecycle::Lifecycle;
use envelope::ImageId;
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::images::{self, ImageRow};

/// Said to all processes of TickAPI, by none of them kept: the image's id and nothing else.
const SUBJECT: &str = "live.tick-api.rated";

/// How many may listen to one process.
const LISTENERS: usize = 512;

/// Who falls behind by more misses what is oldest.
const BACKLOG: usize = 256;

/// Changes within this time are told together; those that an event brought are committed by then.
const GATHER: Duration = Duration::from_millis(200);

/// What is new; cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    bus: Bus,
    news: broadcast::Sender<Arc<ImageRow>>,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Live {
    /// Nobody listens yet.
    pub(crate) fn new(bus: Bus, lifecycle: &Lifecycle) -> Self {
        Self {
            bus,
            news: broadcast::Sender::new(BACKLOG),
            places: Arc::new(Semaphore::new(LISTENERS)),
            stop: lifecycle.requests.closing(),
        }
    }

    /// Tells all processes that an image's ratings changed. It is said once: who misses it sees the figures with the next.
    pub(crate) async fn tell(&self, image: ImageId) {
        let id = image.0.as_bytes().to_vec();
        if let Err(error) = self.bus.client().publish(SUBJECT, id.into()).await {
            tracing::debug!(%error, "listeners are not told of a rating");
        }
    }

    /// What is new from now on, until the process stops; none when too many listen already.
    pub(crate) fn listen(&self) -> Option<impl Stream<Item = Arc<ImageRow>> + use<>> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let news = stream::unfold((self.news.subscribe(), place), next);
        Some(news.take_until(self.stop.clone().cancelled_owned()))
    }

    /// Passes on what is told until the process stops.
    pub(crate) async fn pass_on(self, database: Database) -> anyhow::Result<()> {
        let Ok(told) = self.bus.client().subscribe(SUBJECT).await else {
            anyhow::ensure!(self.stop.is_cancelled(), "nobody says what is rated");
            return Ok(());
        };
        let ids = told.filter_map(async |message| Uuid::from_slice(&message.payload).ok());
        let mut ids = Box::pin(ids.take_until(self.stop.clone().cancelled_owned()));
        while let Some(first) = ids.next().await {
            let mut changed = HashSet::from([first]);
            let until = tokio::time::sleep(GATHER);
            let mut more = Box::pin(ids.by_ref().take_until(until));
            while let Some(id) = more.next().await {
                changed.insert(id);
            }
            if let Err(error) = self.show(&database, changed).await {
                tracing::warn!(%error, "listeners are not told of ratings");
            }
        }
        Ok(())
    }

    /// As everybody sees the images: what is hidden is not told of.
    async fn show(&self, database: &Database, changed: HashSet<Uuid>) -> Result<(), DatabaseError> {
        if self.news.receiver_count() == 0 {
            return Ok(());
        }
        let mut session = database.read().await?;
        for id in changed {
            if let Some(image) = images::find(&mut session, None, ImageId(id)).await? {
                // Whoever left in the meantime does not miss it.
                let _ = self.news.send(Arc::new(image));
            }
        }
        Ok(())
    }
}

type Listener = (broadcast::Receiver<Arc<ImageRow>>, OwnedSemaphorePermit);

async fn next((mut news, place): Listener) -> Option<(Arc<ImageRow>, Listener)> {
    loop {
        match news.recv().await {
            Ok(image) => return Some((image, (news, place))),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}
