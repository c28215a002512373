//! The erasure process as far as events drive it; the eraser does the rest. Every step may run
//! again and changes nothing then.

use chassis::consumers::Failure;
use chassis::keys::PurposeKey;
use chassis::unit_of_work::Work;
use chrono::DateTime;
use clients::caller::token_hash;
use clients::user::OpenedErasure;
use envelope::{EventId, UserId, gdpr};
use uuid::Uuid;

use crate::error::Error;
use crate::needles::NeedleCase;
use crate::progress::{OnDelete, State, due_at, participants};
use crate::store::erasures::{self, NewErasure};
use crate::store::{self, Place};

const REQUEST_ID_DIGITS: usize = 32;

/// A `gdpr.delete` event and its place.
pub(crate) struct Request {
    pub event: EventId,
    pub user: UserId,
    pub place: Place,
}

/// Opens a request; asking twice answers the one that is open.
pub(crate) async fn open(
    work: &mut Work,
    key: &PurposeKey,
    user: UserId,
) -> Result<OpenedErasure, Error> {
    if let Some(open) = open_of_user(work, key, user).await? {
        return Ok(open);
    }
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    let event = EventId(work.clock().id());
    let requested_at = work.clock().now();
    let new = NewErasure {
        event: event.0,
        request_hash: Some(request_hash(&request_id(key, event))),
        user: user.0,
        state: State::Planned,
        requested_at,
        due_at: due_at(requested_at),
    };
    erasures::insert(work, &new).await?;
    // When two ask at the same moment, the first one's request is the answer to both.
    open_of_user(work, key, user).await?.ok_or(Error::Erased)
}

async fn open_of_user(
    work: &mut Work,
    key: &PurposeKey,
    user: UserId,
) -> Result<Option<OpenedErasure>, Error> {
    let open = erasures::open_of_user(work, user.0).await?;
    Ok(open.map(|(event, due_at)| {
        let event = EventId(event);
        OpenedErasure {
            request_id: request_id(key, event),
            due_at: DateTime::from_timestamp_micros(due_at).unwrap_or_default(),
        }
    }))
}

/// The secret id of a request: 128 bits that only this deployment can derive.
pub(crate) fn request_id(key: &PurposeKey, event: EventId) -> String {
    let mut id = key.hash(event.0.as_bytes());
    id.truncate(REQUEST_ID_DIGITS);
    id
}

/// How a request's id is kept: as SHA-256, like tokens.
pub(crate) fn request_hash(request_id: &str) -> String {
    token_hash(request_id)
}

/// A person asked to be forgotten, here or by a foreign producer's event: fences them and their
/// images off and destroys the identity.
pub(crate) async fn begin(
    work: &mut Work,
    case: &NeedleCase,
    request: &Request,
) -> Result<(), Failure> {
    let user = request.user.0;
    let known = erasures::lock(work, request.event.0).await?;
    match OnDelete::decide(known, user) {
        OnDelete::Fence => fence(work, case, request, known.is_some()).await?,
        OnDelete::UnderWay => {}
        OnDelete::Over => return Ok(store::late::insert(work, &request.place).await?),
        OnDelete::Contradiction => {
            let why = "another person has the request with this id".to_owned();
            return Err(Failure::Poison(why));
        }
    }
    // The event names the person, so it goes with the others in the end.
    store::index::insert(work, &[(user, &request.place)]).await?;
    Ok(())
}

async fn fence(
    work: &mut Work,
    case: &NeedleCase,
    request: &Request,
    is_planned: bool,
) -> Result<(), Failure> {
    let (event, user) = (request.event.0, request.user.0);
    let now = work.clock().now();
    let images = store::index::images(work, user).await?;
    work.fence(&[vec![user], images].concat()).await?;
    // In the end nothing of this may be found any more.
    let needles = case.of(work, user).await?;
    let needles = case.seal(event, &needles)?;
    store::identities::destroy(work, user).await?;
    store::exports::end_of_user(work, user).await?;
    if !is_planned {
        let new = NewErasure {
            event,
            request_hash: None,
            user,
            state: State::Fenced,
            requested_at: now,
            due_at: due_at(now),
        };
        erasures::insert(work, &new).await?;
    }
    erasures::fence(work, event, now.timestamp_micros(), &participants()).await?;
    store::scans::set_needles(work, event, &needles).await?;
    go_on(work, event).await
}

/// A service says that it is done. A receipt that overtakes its request counts as well.
pub(crate) async fn receive(work: &mut Work, receipt: &gdpr::Purged) -> Result<(), Failure> {
    if !participants().contains(&receipt.service.as_str()) {
        return Ok(());
    }
    let event = receipt.request.id;
    // The lock comes first: of two last receipts, the later one must see the other.
    erasures::lock(work, event).await?;
    erasures::receipt(work, event, receipt).await?;
    go_on(work, event).await
}

/// Lets the eraser begin once nobody is waited for.
async fn go_on(work: &mut Work, event: Uuid) -> Result<(), Failure> {
    let Some(known) = erasures::lock(work, event).await? else {
        return Ok(());
    };
    let waiting = erasures::waiting(work, event).await?;
    let next = known.state.with_services_waiting(waiting);
    if next != known.state {
        erasures::set_state(work, event, next).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
