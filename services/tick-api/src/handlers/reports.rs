//! Reports about photos, and what their owners say against what came of them.

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{Json, Path, Problem};
use chassis::unit_of_work::Work;
use clients::Caller;
use clients::moderation::Category;
use envelope::ImageId;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::error::Error;
use crate::store::images::{self, Standing};
use crate::store::limits;
use crate::store::moderation::{self as store, NewReport};

const LONGEST_NOTE: usize = 500;

/// What is wrong with a photo.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReportBody {
    /// What is wrong.
    category: Category,
    /// The same in the caller's words, for moderators only.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// What an owner says against the hiding of their photo.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAppeal {
    /// In their words, for moderators only.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// Reports somebody else's photo to the moderators. Reporting it again changes nothing; nobody learns who reported.
#[utoipa::path(
    post, path = "/api/v1/images/{id}/reports", operation_id = "report_image", tag = "images", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The image's id.")),
    request_body = NewReportBody,
    responses(
        (status = 202, description = "A moderator will look at it."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The image is the caller's own, or the caller restricted what is done with their data.", body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The image was deleted, or the account is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(new): Json<NewReportBody>,
) -> Result<StatusCode, Error> {
    let note = new.note.as_deref().map(parse_note).transpose()?;
    let report = app.clock.random_id();
    let mut work = app.database.begin().await?;
    let image = standing(&mut work, caller, id).await?;
    if image.owner == caller.user.0 {
        return Err(Error::OwnImage);
    }
    let is_seen = !image.is_hidden && !image.stands_in();
    if !is_seen || limits::is_restricted(&mut work, image.owner.into()).await? {
        return Err(Error::NoSuchImage);
    }
    let new = NewReport {
        id: report,
        image: ImageId(id),
        reporter: caller.user,
        category: new.category,
        note: note.map(|note| app.private.seal_words(report, "note", note)),
        at: app.clock.micros(),
    };
    store::report(&mut work, &new, app.clock.random_id()).await?;
    work.commit().await?;
    Ok(StatusCode::ACCEPTED)
}

/// Objects to the hiding of one's own photo: a moderator looks at it again. The first appeal against a hiding counts.
#[utoipa::path(
    post, path = "/api/v1/images/{id}/appeal", operation_id = "appeal_image", tag = "images", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The image's id.")),
    request_body = NewAppeal,
    responses(
        (status = 202, description = "A moderator will look at it."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller restricted what is done with their data.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The caller has no such image.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not hidden.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The image was deleted, or the account is being deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn appeal(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(new): Json<NewAppeal>,
) -> Result<StatusCode, Error> {
    let note = parse_note(&new.note)?;
    let mut work = app.database.begin().await?;
    let image = standing(&mut work, caller, id).await?;
    if image.owner != caller.user.0 {
        return Err(Error::NoSuchImage);
    }
    if !image.is_hidden {
        return Err(Error::NotHidden);
    }
    let sealed = app.private.seal_words(id, "appeal", note);
    store::appeal(&mut work, ImageId(id), &sealed, app.clock.micros()).await?;
    work.commit().await?;
    Ok(StatusCode::ACCEPTED)
}

/// The image, locked, for a caller who may add something.
async fn standing(work: &mut Work, caller: Caller, image: Uuid) -> Result<Standing, Error> {
    let erased = work.erased_among(&[caller.user.0, image]).await?;
    if erased.contains(&caller.user.0) {
        return Err(Error::CallerGone);
    }
    if erased.contains(&image) {
        return Err(Error::ImageGone);
    }
    if limits::is_restricted(work, caller.user).await? {
        return Err(Error::Restricted);
    }
    let mut found = images::standing(work, [image]).await?;
    found.remove(&image).ok_or(Error::NoSuchImage)
}

/// Takes 1 to 500 characters; spaces around them do not count.
fn parse_note(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if (1..=LONGEST_NOTE).contains(&text.chars().count()) {
        Ok(text)
    } else {
        let detail = format!("must have 1 to {LONGEST_NOTE} characters");
        Err(Problem::field("/note", detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_something() {
        let longest = "ü".repeat(LONGEST_NOTE);
        for good in [" That is a squirrel.\nLook at its tail. ", &longest] {
            assert!(parse_note(good).is_ok(), "{good}");
        }
        for bad in ["", "  \n ", &format!("{longest}u")] {
            assert!(parse_note(bad).is_err(), "{bad:?}");
        }
    }
}
