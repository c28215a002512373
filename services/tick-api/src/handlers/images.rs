//! Images: upload, and what is known of one.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use chassis::database::DatabaseError;
use chassis::http::{Json, Path, Problem, body_within};
use clients::Caller;
use clients::moderation::Category;
use envelope::{ImageId, TickId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ImageRef;
use crate::App;
use crate::error::Error;
use crate::moderation;
use crate::picture::{Format, MAX_BYTES};
use crate::place::{Spot, open_spot};
use crate::ranking;
use crate::species::{CHECKLIST, Species};
use crate::store::images::{self as store, ImageRow, NewImage};
use crate::store::places;
use crate::uploads;

/// Of a photo with more ticks than anybody sees birds in it no place is shown: each place has to be opened.
const MOST_PLACES: u8 = 100;

/// An image that was uploaded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Uploaded {
    id: Uuid,
    /// Where its largest size is; a tick names it by this.
    url: String,
    /// Width of the largest size in pixels.
    width: u32,
    /// Height of the largest size in pixels.
    height: u32,
    /// The caller's own image that is the same picture, the first of them. Nothing is refused for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<Uuid>,
}

/// An image as people see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Image)]
pub(crate) struct ImageView {
    id: Uuid,
    /// Where its largest size is.
    url: String,
    /// What its first tick that names a species calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    species: Option<Species>,
    /// ScoreModel's score, 1 to 5; null until it is there.
    #[schema(required)]
    score: Option<f64>,
    /// Why the score is what it is, the weightiest reason first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reasons: Vec<String>,
    /// The model that gave the score, with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "niqa-1")]
    model: Option<String>,
    /// What the people say.
    rating: RatingFigures,
    /// Score and ratings in one figure, 1 to 5: what the best-first feed is ordered by.
    rank: f64,
    /// What the caller rated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 5)]
    my_rating: Option<i64>,
    /// Moderators hid it: its owner alone is told so, and nobody else sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<Hiding>,
}

/// An image on its own page.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Photo)]
pub(crate) struct PhotoView {
    #[serde(flatten)]
    image: ImageView,
    /// Where it was taken, if its owner shows that to everybody: all its ticks with a place say that it is open, and none names a
    /// threatened species.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Spot>,
}

/// Why others do not see an image.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Hiding {
    /// What is wrong with it.
    category: Category,
    /// Whether its owner objected.
    is_appealed: bool,
}

/// The ratings of an image in figures.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct RatingFigures {
    /// Their mean; null when there are none.
    #[schema(required)]
    mean: Option<f64>,
    /// How many there are.
    count: i64,
}

impl From<&ImageRow> for RatingFigures {
    fn from(row: &ImageRow) -> Self {
        Self {
            mean: ranking::mean(row.rating_count, row.rating_sum),
            count: row.rating_count,
        }
    }
}

impl ImageView {
    /// From its row.
    pub(crate) fn new(app: &App, row: &ImageRow) -> Result<Self, DatabaseError> {
        let ImageRef { id, url } = ImageRef::new(app, row.id);
        Ok(Self {
            id,
            url,
            species: row.species.as_deref().and_then(|id| CHECKLIST.find(id)),
            score: row.score,
            reasons: row.reasons()?,
            model: row.model.clone(),
            rating: RatingFigures::from(row),
            rank: ranking::rounded(row.rank_value),
            my_rating: row.my_rating,
            hidden: Hiding::new(row)?,
        })
    }

    /// As a viewer sees it now.
    pub(crate) async fn find(
        app: &App,
        viewer: Option<UserId>,
        image: ImageId,
    ) -> Result<Self, Error> {
        let mut session = app.database.read().await?;
        let row = store::find(&mut session, viewer, image).await?;
        drop(session);
        match row {
            Some(row) => Ok(Self::new(app, &row)?),
            None => Err(missing(app, image).await),
        }
    }
}

impl PhotoView {
    async fn find(app: &App, viewer: Option<UserId>, id: ImageId) -> Result<Self, Error> {
        let image = ImageView::find(app, viewer, id).await?;
        let place = spot_of(app, id).await?;
        Ok(Self { image, place })
    }
}

/// Where everybody may see that an image was taken.
async fn spot_of(app: &App, image: ImageId) -> Result<Option<Spot>, DatabaseError> {
    let mut session = app.database.read().await?;
    let rows = places::of_image(&mut session, image, i64::from(MOST_PLACES) + 1).await?;
    drop(session);
    if rows.len() > usize::from(MOST_PLACES) {
        return Ok(None);
    }
    let ticks = rows.iter().map(|row| {
        let species = row.species.as_deref().and_then(|id| CHECKLIST.find(id));
        let place = row.place.as_deref();
        let place = place.map(|sealed| app.private.open_place(TickId(row.id), sealed));
        place.transpose().map(|place| (species, place))
    });
    let ticks: Vec<_> = ticks.collect::<Result<_, DatabaseError>>()?;
    match (open_spot(&ticks), rows.first()) {
        // While an erasure runs, its rows are there for a moment.
        (Some(spot), Some(row)) if !app.database.is_erased(row.owner).await? => Ok(Some(spot)),
        _ => Ok(None),
    }
}

impl Hiding {
    /// From an image's row.
    fn new(row: &ImageRow) -> Result<Option<Self>, DatabaseError> {
        let category = row.hidden_for.as_deref().map(moderation::category);
        Ok(category.transpose()?.map(|category| Self {
            category,
            is_appealed: row.appealed_at.is_some(),
        }))
    }
}

/// Uploads a picture. It is turned upright and kept as JPEG without any metadata.
#[utoipa::path(
    post, path = "/api/v1/images", operation_id = "upload_image", tag = "images", security(("bearer" = [])),
    request_body(
        content((String = "image/jpeg"), (String = "image/png"), (String = "image/webp")),
        description = "The bytes of the picture: at most 20 MB and 50 megapixels."
    ),
    responses(
        (status = 201, description = "It is kept; tick with its url. Names the caller's own image that is the same picture.", body = Uploaded, headers(("Location" = String, description = "What is known of it."))),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller restricted what is done with their data.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The account is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than 20 MB, or more than the pictures of one person may take.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither JPEG nor PNG nor WebP, or not the one that Content-Type says.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Damaged, cut off, too small, or too much to decode: too many pixels, or of too demanding a kind.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Uploaded>), Error> {
    let declared = headers.get(header::CONTENT_TYPE);
    let declared = declared.and_then(|value| value.to_str().ok());
    let format = Format::from_content_type(declared.unwrap_or_default())?;
    let bytes = body_within(body, MAX_BYTES).await?;
    let picture = uploads::decode(&app, format, bytes).await?;
    let image = NewImage {
        id: ImageId(app.clock.random_id()),
        owner: caller.user,
        width: picture.width,
        height: picture.height,
        bytes: picture.bytes(),
        content_hash: app.private.content_hash(picture.largest()),
    };
    let duplicate_of = uploads::keep(&app, &image, picture).await?;
    let ImageRef { id, url } = ImageRef::new(&app, image.id.0);
    let (width, height) = (image.width, image.height);
    let uploaded = Uploaded {
        id,
        url,
        width,
        height,
        duplicate_of: duplicate_of.map(|image| image.0),
    };
    let location = [(header::LOCATION, format!("/api/v1/images/{id}"))];
    Ok((StatusCode::CREATED, location, Json(uploaded)))
}

/// What is known of an image. It alone tells an open place.
#[utoipa::path(
    get, path = "/api/v1/images/{id}", operation_id = "show_image", tag = "images", security((), ("bearer" = [])),
    params(("id" = Uuid, Path, description = "The image's id.")),
    responses(
        (status = 200, body = PhotoView),
        (status = 401, description = "A token was sent and is not good.", body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It was deleted.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Option<Caller>,
    Path(id): Path<Uuid>,
) -> Result<Json<PhotoView>, Error> {
    let viewer = caller.map(|caller| caller.user);
    PhotoView::find(&app, viewer, id.into()).await.map(Json)
}

/// Why an image is not there: it was erased, or never was.
pub(crate) async fn missing(app: &App, image: ImageId) -> Error {
    match app.database.is_erased(image.0).await {
        Ok(true) => Error::ImageGone,
        Ok(false) => Error::NoSuchImage,
        Err(error) => error.into(),
    }
}
