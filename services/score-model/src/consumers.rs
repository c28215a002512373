//! What is consumed, and what is answered to it.

use chassis::consumers::{BoundEffects, Effects, Failure, Received};
use chassis::unit_of_work::Draft;
use envelope::{ImageId, ImageRef, Outgoing, derived_id, score, tick};

use crate::quality::{self, Score};
use crate::{App, NAME, Scorer};

/// Most of an event's time is waiting for the broker.
const AT_ONCE: usize = 64;
/// The size that is scored: the largest that is kept.
const SIZE: u32 = 2048;

pub(crate) fn effects(app: App) -> BoundEffects {
    Effects::new()
        .on(on_tick)
        .on(on_corrected)
        .with_state(app, AT_ONCE)
}

async fn on_tick(app: App, received: Received<tick::New>) -> Result<Vec<Outgoing>, Failure> {
    app.permissions.require(received.event.user.id).await?;
    app.scorer.answer(&received, &received.event.image).await
}

/// The event that told of the tick first may be overwritten before it was read. If it was not, this is the same answer.
async fn on_corrected(
    app: App,
    received: Received<tick::Update>,
) -> Result<Vec<Outgoing>, Failure> {
    app.permissions.require(received.event.user.id).await?;
    app.scorer.answer(&received, &received.event.image).await
}

impl Scorer {
    async fn answer<T>(
        &self,
        received: &Received<T>,
        image: &ImageRef,
    ) -> Result<Vec<Outgoing>, Failure> {
        let score = score_of(self, image.url.image()).await?;
        let id = derived_id(NAME, received.decoded.answered_as());
        let answer = Draft::caused_by(NAME, received.cause(), update(image.clone(), score));
        let sealed = answer.with_id(id).seal(NAME, &self.clock);
        Ok(vec![
            sealed.map_err(|error| Failure::Poison(error.to_string()))?,
        ])
    }
}

/// The score of a picture in our store.
pub(crate) async fn score_of(scorer: &Scorer, image: ImageId) -> Result<Score, Failure> {
    if let Some(score) = scorer.recent.of(image) {
        return still_there(scorer, image).await.map(|()| score);
    }
    let _place = scorer.places.acquire().await;
    // Another tick of the same picture may have been first.
    if let Some(score) = scorer.recent.of(image) {
        return Ok(score);
    }
    let score = judge(read(scorer, image).await?).await?;
    scorer.recent.remember(image, score.clone());
    Ok(score)
}

/// The picture. It was stored before its tick was accepted, so one that is missing was deleted.
async fn read(scorer: &Scorer, image: ImageId) -> Result<Vec<u8>, Failure> {
    scorer
        .objects
        .get(image, SIZE)
        .await
        .map_err(unreadable)?
        .ok_or(Failure::Erased)
}

async fn still_there(scorer: &Scorer, image: ImageId) -> Result<(), Failure> {
    let there = scorer.objects.has(image, SIZE).await.map_err(unreadable)?;
    if there { Ok(()) } else { Err(Failure::Erased) }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn unreadable(error: std::io::Error) -> Failure {
    Failure::Dependency(format!("the picture store: {}", error.kind()))
}

async fn judge(picture: Vec<u8>) -> Result<Score, Failure> {
    tokio::task::spawn_blocking(move || quality::score(&picture))
        .await
        .map_err(|_| Failure::Poison("the model died of this picture".to_owned()))?
        .map_err(|error| Failure::Poison(error.to_string()))
}

/// What is told of a score.
pub(crate) fn update(image: ImageRef, score: Score) -> score::Update {
    score::Update {
        image,
        score: score.value,
        model: Some(quality::MODEL.to_owned()),
        reasons: score.reasons,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use chassis::clock::Clock;
    use chassis::objects::Objects;
    use chrono::Utc;
    use envelope::{Canonical, Event, EventId, ImageUrl, Metadata, TickId, UserId, decode, seal};
    use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
    use uuid::Uuid;

    use super::*;

    fn scorer(folder: &std::path::Path) -> Scorer {
        Scorer {
            clock: Clock::default(),
            public_url: "".into(),
            objects: Objects::open(folder).unwrap(),
            recent: crate::recent::Recent::default(),
            places: Arc::new(tokio::sync::Semaphore::new(1)),
        }
    }

    const TICK: EventId = EventId(Uuid::from_u128(2));

    fn tick(image: ImageId) -> Received<tick::New> {
        let event = tick::New {
            user: UserId(Uuid::from_u128(1)).into(),
            image: ImageUrl::new("", image).into(),
            species: None,
            seen_on: None,
            count: None,
            place: None,
        };
        received(TICK, &event)
    }

    fn corrected(image: ImageId) -> Received<tick::Update> {
        let event = tick::Update {
            user: UserId(Uuid::from_u128(1)).into(),
            tick: TickId::from(TICK).into(),
            image: ImageUrl::new("", image).into(),
            revision: 1,
            ticked_at: Utc::now(),
            species: None,
            seen_on: None,
            count: Some(2),
            place: None,
        };
        received(EventId(Uuid::from_u128(4)), &event)
    }

    fn received<T: Canonical + Event>(id: EventId, event: &T) -> Received<T> {
        let metadata = Metadata::new("services/TickAPI", Utc::now());
        let sealed = seal(id, metadata, event).unwrap();
        let decoded = decode(&sealed.subject, sealed.body.as_bytes()).unwrap();
        Received {
            id,
            time: decoded.envelope.metadata.time,
            event: T::read(decoded.envelope.version, &decoded.envelope.data).unwrap(),
            correlation: id.0,
            origin: ("TICK", 1),
            decoded: Arc::new(decoded),
        }
    }

    fn jpeg() -> Vec<u8> {
        let checks = RgbImage::from_fn(128, 96, |x, y| {
            Rgb([if (x / 8 + y / 8) % 2 == 0 { 40 } else { 200 }; 3])
        });
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(checks)
            .write_to(&mut bytes, ImageFormat::Jpeg)
            .unwrap();
        bytes.into_inner()
    }

    #[tokio::test]
    async fn the_same_tick_always_gives_the_same_score_event() {
        let folder = tempfile::tempdir().unwrap();
        let (scorer, image) = (scorer(folder.path()), ImageId(Uuid::from_u128(3)));
        scorer
            .objects
            .put(image, vec![(SIZE, jpeg())])
            .await
            .unwrap();
        let score_of =
            async |tick: Received<tick::New>| scorer.answer(&tick, &tick.event.image).await;
        let first = score_of(tick(image)).await.unwrap();
        let again = score_of(tick(image)).await.unwrap();
        let corrected = corrected(image);
        let corrected = scorer.answer(&corrected, &corrected.event.image).await;
        assert_eq!(first[0].id, derived_id(NAME, TICK));
        assert_eq!(first[0].message_id, again[0].message_id);
        assert_eq!(first[0].message_id, corrected.unwrap()[0].message_id);
        let decoded = decode(&first[0].subject, first[0].body.as_bytes()).unwrap();
        let update = decoded.read::<score::Update>().unwrap();
        assert_eq!(update.image.url.image(), image);
        assert_eq!(update.model.as_deref(), Some(quality::MODEL));
        assert!((1.0..=5.0).contains(&update.score));
        assert!(!update.reasons.is_empty());
        scorer.objects.delete(image).await.unwrap();
        assert!(matches!(score_of(tick(image)).await, Err(Failure::Erased)));
    }

    #[tokio::test]
    async fn a_deleted_picture_is_not_scored_and_a_broken_one_is_a_dead_letter() {
        let folder = tempfile::tempdir().unwrap();
        let (scorer, image) = (scorer(folder.path()), ImageId(Uuid::from_u128(3)));
        let tick = tick(image);
        let gone = scorer.answer(&tick, &tick.event.image).await;
        assert!(matches!(gone, Err(Failure::Erased)));
        scorer
            .objects
            .put(image, vec![(SIZE, b"no picture".to_vec())])
            .await
            .unwrap();
        let broken = scorer.answer(&tick, &tick.event.image).await;
        assert!(matches!(broken, Err(Failure::Poison(_))));
    }
}
