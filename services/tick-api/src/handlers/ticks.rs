//! Ticks: make, read, correct and delete one's own.

mod body;
mod patch;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use chassis::database::DatabaseError;
use chassis::http::{Cursor, Json, List, PageRequest, Path, Problem, Query};
use chassis::trace;
use chassis::unit_of_work::Draft;
use chrono::{DateTime, NaiveDate, Utc};
use clients::Caller;
use envelope::{ImageUrl, TickId, UserId, tick};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ImageRef, UserRef};
use crate::App;
use crate::error::Error;
use crate::place::Place;
use crate::species::{CHECKLIST, Species};
use crate::store::limits;
use crate::store::ticks::{self as store, Correction, NewTick, Revised, TickRow};

pub(crate) use body::TickRequest;
use body::{Checked, WantedImage, WantedSpecies};
use patch::TickPatch;

/// A tick as its owner sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Tick)]
pub(crate) struct TickView {
    id: Uuid,
    user: UserRef,
    image: ImageRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    species: Option<Species>,
    /// The day on which the bird was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_on: Option<NaiveDate>,
    /// How many there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    /// The precise place: its owner alone sees it, unless it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    /// Its owner alone sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    created_at: DateTime<Utc>,
}

/// Whose ticks are wanted, and which part of them.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicksQuery {
    /// Whose: `me`. Others' ticks are not to be seen.
    user: String,
    /// At most so many, 1 to 100; 20 if it is missing.
    limit: Option<i64>,
    /// From the answer before.
    cursor: Option<String>,
}

impl TickView {
    fn new(app: &App, caller: Caller, row: &TickRow) -> Result<Self, DatabaseError> {
        let id = TickId(row.id);
        let place = row.place.as_deref();
        let note = row.note.as_deref();
        Ok(Self {
            id: row.id,
            user: UserRef { id: caller.user.0 },
            image: ImageRef::new(app, row.image),
            species: row.species.as_deref().and_then(|id| CHECKLIST.find(id)),
            seen_on: row.seen_on,
            count: row.birds,
            place: place
                .map(|sealed| app.private.open_place(id, sealed))
                .transpose()?,
            note: note
                .map(|sealed| app.private.open_note(id, sealed))
                .transpose()?,
            created_at: DateTime::from_timestamp_micros(row.created_at).unwrap_or_default(),
        })
    }

    /// What a client would have sent to make it.
    fn request(&self) -> TickRequest {
        let species = self.species.map(|species| species.id.to_owned());
        TickRequest {
            id: None,
            image: WantedImage {
                url: ImageUrl::new("", self.image.id.into()),
            },
            species: species.map(|id| WantedSpecies { id }),
            seen_on: self.seen_on,
            count: self.count,
            place: self.place,
            note: self.note.clone(),
        }
    }
}

/// Ticks a bird with an image of one's own. The same id and body again is the same tick.
#[utoipa::path(
    post, path = "/api/v1/ticks", operation_id = "create_tick", tag = "ticks", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Stands for the tick's id, if the body does not name one.")),
    request_body = TickRequest,
    responses(
        (status = 201, description = "It is durable.", body = TickView, headers(("Location" = String, description = "The tick."))),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The image is somebody else's, or the caller restricted what is done with their data.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another tick has this id.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The tick with this id was deleted, or the account is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(request): Json<TickRequest>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<TickView>), Error> {
    let id = request.id(&headers, caller.user);
    let id = id.unwrap_or_else(|| app.clock.id());
    let now = app.clock.now();
    let checked = request.check(now.date_naive())?;
    let new = NewTick {
        id: TickId(id),
        event: checked.event(&app.public_url, caller.user),
        seen_on: checked.seen_on,
        place: checked
            .place
            .map(|place| hex::encode(app.private.seal_place(TickId(id), place))),
        note: checked
            .note
            .as_deref()
            .map(|note| hex::encode(app.private.seal_note(TickId(id), note))),
        fingerprint: app.private.fingerprint(&checked.canonical()),
        created_at: now,
        trace: trace::current(),
    };
    let created_at = app.ticks.submit(new).await.ok_or(Error::Stopping)???;
    let view = TickView {
        id,
        user: UserRef { id: caller.user.0 },
        image: ImageRef::new(&app, checked.image.0),
        species: checked.species,
        seen_on: checked.seen_on,
        count: checked.count.map(i64::from),
        place: checked.place,
        note: checked.note,
        created_at,
    };
    let location = [(header::LOCATION, format!("/api/v1/ticks/{id}"))];
    Ok((StatusCode::CREATED, location, Json(view)))
}

/// One of the caller's ticks.
#[utoipa::path(
    get, path = "/api/v1/ticks/{id}", operation_id = "show_tick", tag = "ticks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The tick's id.")),
    responses(
        (status = 200, body = TickView),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The caller has no such tick.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<TickView>, Error> {
    let mut session = app.database.read().await?;
    let row = store::find(&mut session, caller.user, TickId(id)).await?;
    let row = row.ok_or(Error::NoSuchTick)?;
    Ok(Json(TickView::new(&app, caller, &row)?))
}

/// The caller's ticks, the newest first.
#[utoipa::path(
    get, path = "/api/v1/ticks", operation_id = "list_ticks", tag = "ticks", security(("bearer" = [])), params(TicksQuery),
    responses(
        (status = 200, body = List<TickView>),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TicksQuery>,
) -> Result<Json<List<TickView>>, Error> {
    if query.user != "me" {
        return Err(Problem::field("/user", "must be me").into());
    }
    let page = PageRequest::<Cursor<i64>>::new(query.limit, query.cursor.as_deref())?;
    let after = page.after.unwrap_or(Cursor::before_all(i64::MAX));
    let mut session = app.database.read().await?;
    let rows = store::list(&mut session, caller.user, after, page.rows_to_read()).await?;
    drop(session);
    let rows = page.list(rows, |row| {
        let (key, id) = (row.created_at, row.id);
        Cursor { key, id }.to_string()
    });
    let items = rows
        .items
        .iter()
        .map(|row| TickView::new(&app, caller, row));
    Ok(Json(List {
        items: items.collect::<Result<_, _>>()?,
        next_cursor: rows.next_cursor,
    }))
}

/// Corrects one of the caller's ticks: a JSON merge patch (RFC 7386) of what is to be otherwise; `null` takes a field
/// away. What it said before is overwritten everywhere.
#[utoipa::path(
    patch, path = "/api/v1/ticks/{id}", operation_id = "update_tick", tag = "ticks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The tick's id.")),
    request_body = TickPatch,
    responses(
        (status = 200, description = "The tick as it is now.", body = TickView),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller does not consent to exact places.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The caller has no such tick.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The account is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(patch): Json<TickPatch>,
) -> Result<Json<TickView>, Error> {
    let mut work = app.database.begin().await?;
    if work.is_erased(caller.user.0).await? {
        return Err(Error::CallerGone);
    }
    let revised = store::revise(&mut work, caller.user, TickId(id)).await?;
    let revised = revised.ok_or(Error::NoSuchTick)?;
    let before = TickView::new(&app, caller, &revised.row)?;
    let today = app.clock.now().date_naive();
    let was = before.request();
    let checked = patch.apply(was.clone())?.check(today)?;
    if was.canonical(today) == Some(checked.canonical()) {
        // What was begun is undone: nothing changed, and there is nothing to tell.
        return Ok(Json(before));
    }
    let unplaced = limits::of(&mut work, [caller.user.0]).await?.unplaced;
    if checked.place.is_some() && !unplaced.is_empty() {
        return Err(Error::PlaceWithdrawn);
    }
    let correction = correction(&app, caller.user, &revised, &checked);
    let after = TickView::new(&app, caller, &correction.row)?;
    store::correct(&mut work, correction).await?;
    work.commit().await?;
    Ok(Json(after))
}

/// The tick as it is stored and told of from now on.
fn correction(app: &App, user: UserId, revised: &Revised, checked: &Checked) -> Correction {
    let was = &revised.row;
    let (id, image) = (TickId(was.id), was.image);
    let ticked_at = DateTime::from_timestamp_micros(was.created_at).unwrap_or_default();
    let tick::New {
        user,
        image: told,
        species,
        seen_on,
        count,
        place,
    } = checked.event(&app.public_url, user);
    let event = tick::Update {
        user,
        tick: id.into(),
        image: told,
        revision: u32::try_from(revised.revision).unwrap_or(u32::MAX),
        ticked_at,
        species,
        seen_on,
        count,
        place,
    };
    let private = &app.private;
    let row = TickRow {
        id: id.0,
        image,
        species: checked.species.map(|species| species.id.to_owned()),
        seen_on: checked.seen_on,
        birds: checked.count.map(i64::from),
        place: checked.place.map(|place| private.seal_place(id, place)),
        note: checked
            .note
            .as_deref()
            .map(|note| private.seal_note(id, note)),
        created_at: was.created_at,
    };
    Correction {
        event,
        row,
        day: checked.seen_on.unwrap_or(ticked_at.date_naive()),
        fingerprint: private.fingerprint(&checked.canonical()),
    }
}

/// Takes one of the caller's ticks back. The image stays.
#[utoipa::path(
    delete, path = "/api/v1/ticks/{id}", operation_id = "delete_tick", tag = "ticks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The tick's id.")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The caller has no such tick.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The account is being deleted.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Error> {
    let mut work = app.database.begin().await?;
    if work.is_erased(caller.user.0).await? {
        return Err(Error::CallerGone);
    }
    let now = app.clock.micros();
    if !store::delete(&mut work, caller.user, TickId(id), now).await? {
        return Err(Error::NoSuchTick);
    }
    work.publish(Draft::new(tick::Delete {
        user: caller.user.into(),
        tick: TickId(id).into(),
    }))?;
    work.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
