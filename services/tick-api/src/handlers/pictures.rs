//! The picture files.

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use chassis::http::{Path, Problem};
use clients::Caller;
use clients::auth::Role;
use envelope::ImageId;
use uuid::Uuid;

use super::images::missing;
use crate::App;
use crate::error::Error;
use crate::picture::Size;
use crate::store::images::{self, SeenBy};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// A picture never changes, but it may be erased or hidden: then no cache shows it for longer than five minutes. Mails and
/// apps on other sites show it too.
const FOR_EVERYBODY: [(HeaderName, &str); 2] = [
    (CACHE_CONTROL, "public, max-age=300, immutable"),
    (RESOURCE_POLICY, "cross-origin"),
];
/// What only its owner sees, or a moderator, is in no cache and on no other site.
const FOR_FEW: [(HeaderName, &str); 2] = [
    (CACHE_CONTROL, "private, no-store"),
    (RESOURCE_POLICY, "same-origin"),
];
/// A browser that shows the picture by itself styles the page around it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// A picture in one of its sizes.
#[utoipa::path(
    get, path = "/images/{id}/{file}", operation_id = "show_picture", tag = "images", security((), ("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The image's id."),
        ("file" = String, Path, description = "The size by its longest edge: `2048.jpg`, `1024.jpg` or `400.jpg`."),
    ),
    responses(
        (status = 200, body = String, content_type = "image/jpeg"),
        (status = 404, description = "There is none, its owner restricted what is done with their data, or moderators hid it.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It was deleted.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    parts: Parts,
    Path((id, file)): Path<(Uuid, String)>,
) -> Result<impl IntoResponse, Error> {
    let image = ImageId(id);
    let size = size(&file).ok_or(Error::NoSuchImage)?;
    let mut session = app.database.read().await?;
    let seen_by = images::seen_by(&mut session, image).await?;
    drop(session);
    let caching = match seen_by {
        Some(SeenBy::Everybody) => FOR_EVERYBODY,
        Some(seen_by) if is_seen_by(seen_by, caller(&app, &parts).await) => FOR_FEW,
        // Files without a row are an upload on its way, or the rest of one that failed.
        _ => return Err(missing(&app, image).await),
    };
    match app.objects.get(image, size.longest_edge()).await? {
        Some(bytes) => {
            let headers = [
                (CONTENT_TYPE, "image/jpeg"),
                (CONTENT_SECURITY_POLICY, POLICY),
            ];
            Ok((caching, headers, bytes))
        }
        None => Err(missing(&app, image).await),
    }
}

/// Who asks. What everybody sees needs no token, so nobody is asked about one then; and one that is not good is as none.
async fn caller(app: &App, parts: &Parts) -> Option<Caller> {
    app.authenticator.caller(parts).await.ok().flatten()
}

/// Whether a picture that not everybody sees is seen by this one.
fn is_seen_by(seen_by: SeenBy, caller: Option<Caller>) -> bool {
    let Some(caller) = caller else {
        return false;
    };
    match seen_by {
        SeenBy::Everybody => true,
        SeenBy::Owner(owner) => caller.user == owner,
        SeenBy::OwnerAndModerators(owner) => caller.user == owner || caller.role >= Role::Moderator,
    }
}

/// The size that a file's name stands for; each has one name only.
fn size(file: &str) -> Option<Size> {
    let edge = file.strip_suffix(".jpg")?.parse().ok()?;
    let size = Size::from_longest_edge(edge)?;
    (file == format!("{edge}.jpg")).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_longest_edge() {
        for size_of in Size::ALL {
            let name = format!("{}.jpg", size_of.longest_edge());
            assert_eq!(size(&name), Some(size_of));
        }
        for other in [
            "",
            ".jpg",
            "800.jpg",
            "0400.jpg",
            "+400.jpg",
            "400.png",
            "400",
            "../400.jpg",
        ] {
            assert_eq!(size(other), None, "{other}");
        }
    }
}
