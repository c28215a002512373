//! The table of answered questions, and the answers: an erasure that may begin, somebody who comes from
//! another instance, pictures that a new model is to score, and what moderators see and decide.

use chassis::rpc::{Answers, BoundAnswers, Refusal};
use chassis::unit_of_work::Draft;
use clients::import::{AnyKnown, PhotoPart, RatingsGiven};
use clients::tick::{BeginErasure, ScoredByOther, ScoredByOthers};
use envelope::{UserId, gdpr};

use crate::App;
use crate::error::Error;
use crate::moderation;
use crate::picture::{self, Size};
use crate::store::ratings::{Entry, hear};
use crate::store::{images, imports};

pub(crate) fn table(app: App) -> BoundAnswers {
    Answers::new()
        .on(begin_erasure)
        .on(any_known)
        .on(photo_part)
        .on(ratings_given)
        .on(scored_by_others)
        .on(moderation::list)
        .on(moderation::decide)
        .with_state(app)
}

/// Publishes the event, if its person was promised it: the fence is the promise. Asked again, because
/// an answer was lost, the same event is published twice, and counts once.
async fn begin_erasure(app: App, question: BeginErasure) -> Result<(), Refusal> {
    let BeginErasure { user, event } = question;
    let mut work = app.database.begin().await?;
    if !work.is_erased(user.0).await? {
        return Err(Refusal::new("not-asked"));
    }
    let draft = Draft::new(gdpr::Delete { user: user.into() }).with_id(event);
    work.publish(draft).map_err(Error::from)?;
    work.commit().await?;
    app.authenticator.forget(user);
    Ok(())
}

async fn scored_by_others(
    app: App,
    question: ScoredByOthers,
) -> Result<Vec<ScoredByOther>, Refusal> {
    let mut session = app.database.read().await?;
    Ok(images::scored_by_others(&mut session, &question).await?)
}

async fn any_known(app: App, question: AnyKnown) -> Result<bool, Refusal> {
    let mut session = app.database.read().await?;
    Ok(imports::any_known(&mut session, &question).await?)
}

/// Written in the transaction that asks the fence: an erasure finds the file, or comes first.
async fn photo_part(app: App, part: PhotoPart) -> Result<(), Refusal> {
    let bad = || Refusal::new("bad-photo");
    let size = Size::from_longest_edge(part.size).ok_or_else(bad)?;
    let bytes = hex::decode(&part.bytes).map_err(|_| bad())?;
    let end = part.offset.checked_add(bytes.len() as u64);
    let end = end.filter(|end| *end <= part.length && part.length <= picture::MAX_BYTES as u64);
    let is_last = end.ok_or_else(bad)? == part.length;
    let mut work = app.database.begin().await?;
    if !work
        .erased_among(&[part.user.0, part.image.0])
        .await?
        .is_empty()
    {
        return Err(Error::CallerGone.into());
    }
    let standing = images::standing(&mut work, [part.image.0]).await?;
    let owner = standing.get(&part.image.0).map(|image| UserId(image.owner));
    if owner != Some(part.user) {
        return Err(Refusal::new("unknown-photo"));
    }
    let at = (part.offset, bytes);
    let written = app.objects.put_part(part.image, part.size, at).await;
    written.map_err(Error::from)?;
    if is_last {
        let file = app.objects.get(part.image, part.size).await;
        let file = file.map_err(Error::from)?.unwrap_or_default();
        let is_whole = file.len() as u64 == part.length;
        if !is_whole || picture::check_kept(size, &file).is_err() {
            return Err(bad());
        }
    }
    Ok(work.commit().await?)
}

/// The photos are elsewhere: rows that are nobody's stand for them, so that the ratings have something to be of.
async fn ratings_given(app: App, given: RatingsGiven) -> Result<(), Refusal> {
    let images: Vec<_> = given.ratings.iter().map(|rating| rating.image).collect();
    let named = images.iter().map(|image| image.0).chain([given.user.0]);
    let mut work = app.database.begin().await?;
    if !work
        .erased_among(&named.collect::<Vec<_>>())
        .await?
        .is_empty()
    {
        return Err(Error::CallerGone.into());
    }
    if !imports::stand_in(&mut work, &images).await? {
        return Err(Refusal::new("taken"));
    }
    let heard = given.ratings.iter().map(|rating| {
        let entry = Entry {
            rating: rating.rating,
            event: rating.event,
            at: rating.at.timestamp_micros(),
        };
        ((rating.image, given.user), entry)
    });
    hear(&mut work, &heard.collect::<Vec<_>>()).await?;
    Ok(work.commit().await?)
}
