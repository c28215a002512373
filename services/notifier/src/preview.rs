//! Every mail as it looks, for those who write the templates; part of `up` when it catches mail.

use askama::Template;
use axum::extract::Path;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse as _, Response};
use chassis::http::Problem;
use clients::notifier::AccountMail;
use envelope::{EventId, ImageId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::Error;
use crate::letter::{self, Language, Letter, Told};

/// Pictures and links in the mails lead here instead of to the instance.
const PLACE: &str = "/dev/mail/preview";
/// A name as nobody has one: what it would do as markup, or as a header, shows here.
const NAME: &str = "Åsa <b>Öberg</b> & Son";
const SECRET: &str = "12345678";

/// The page has frames of its own mails, and nothing from elsewhere.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";
/// A mail has its styles in itself, as mail programs want it, and runs nothing.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

/// A mail with made-up content.
struct Preview {
    name: &'static str,
    language: &'static str,
    letter: Letter,
}

impl Preview {
    /// Where its HTML part is.
    fn path(&self) -> String {
        format!("{PLACE}/{}/{}", self.language, self.name)
    }
}

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage {
    mails: Vec<Preview>,
}

/// The routes of the preview.
pub fn router() -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(style))
        .routes(routes!(mail))
        .routes(routes!(picture))
}

/// Every mail in every language, at the widths of a phone and of a desk.
#[utoipa::path(
    get, path = "/dev/mail/preview", operation_id = "preview_mails", tag = "dev",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"))
)]
async fn page() -> Result<Response, Error> {
    let page = PreviewPage { mails: all()? }.render()?;
    Ok(([(CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(page)).into_response())
}

/// The page's style sheet.
#[utoipa::path(
    get, path = "/dev/mail/preview/style.css", operation_id = "preview_style", tag = "dev",
    responses((status = 200, description = "The style sheet.", body = String, content_type = "text/css"))
)]
async fn style() -> Response {
    let style = include_str!("../assets/preview.css");
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], style).into_response()
}

/// The HTML part of one mail.
#[utoipa::path(
    get, path = "/dev/mail/preview/{language}/{mail}", operation_id = "preview_mail", tag = "dev",
    params(
        ("language" = String, Path, description = "`en` or `sv`."),
        ("mail" = String, Path, description = "The mail's name on the page."),
    ),
    responses(
        (status = 200, description = "The HTML part.", body = String, content_type = "text/html"),
        (status = 404, description = "There is no such mail.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn mail(Path((language, name)): Path<(String, String)>) -> Result<Response, Error> {
    let mut mails = all()?.into_iter();
    let found = mails.find(|mail| mail.language == language && mail.name == name);
    Ok(match found {
        Some(mail) => (
            [(CONTENT_SECURITY_POLICY, MAIL_POLICY)],
            Html(mail.letter.html),
        )
            .into_response(),
        None => Problem::not_found().into_response(),
    })
}

/// A drawing that stands for the pictures.
#[utoipa::path(
    get, path = "/dev/mail/preview/images/{id}/{file}", operation_id = "preview_picture", tag = "dev",
    params(
        ("id" = String, Path, description = "Any."),
        ("file" = String, Path, description = "Any."),
    ),
    responses((status = 200, description = "The drawing.", body = String, content_type = "image/svg+xml"))
)]
async fn picture() -> Response {
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "no-store"),
        // The frame around the mail is of no origin, as a mail program is.
        (RESOURCE_POLICY, "cross-origin"),
    ];
    (headers, include_str!("../assets/bird.svg")).into_response()
}

/// All mails in all languages.
fn all() -> Result<Vec<Preview>, askama::Error> {
    let accounts = [
        ("confirm", AccountMail::Confirm),
        ("already-registered", AccountMail::AlreadyRegistered),
        ("code", AccountMail::Code),
        ("confirm-address", AccountMail::ConfirmAddress),
        ("address-changing", AccountMail::AddressChanging),
        ("reset", AccountMail::Reset),
        ("password-changed", AccountMail::PasswordChanged),
    ];
    let mut mails = Vec::new();
    for language in Language::ALL {
        let mut add = |name, letter| {
            mails.push(Preview {
                name,
                language: language.tag(),
                letter,
            });
        };
        for (name, ratings) in [("rating", 1), ("digest", 7), ("long-digest", 25)] {
            let told: Vec<Told> = (0..ratings).map(told).collect();
            add(
                name,
                letter::ratings(PLACE, (language, NAME), &told, SECRET)?,
            );
        }
        for (name, kind) in accounts {
            add(
                name,
                letter::account(PLACE, (language, NAME), kind, SECRET)?,
            );
        }
    }
    Ok(mails)
}

/// The ratings of a digest: of many pictures, the first of them rated often.
fn told(number: u8) -> Told {
    let image = number.saturating_sub(3);
    Told {
        event: EventId(Uuid::from_u128(number.into())),
        image: ImageId(Uuid::from_u128(image.into())),
        rating: i64::from(number % 5) + 1,
        trace: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elements without content.
    const VOID: [&str; 5] = ["meta", "br", "hr", "img", "!doctype"];

    /// Checks that each element is closed, in the order in which it was opened.
    fn is_well_formed(html: &str) -> Result<(), String> {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').ok_or("a tag does not end")?;
            let name = tag.split([' ', '\n']).next().unwrap_or_default();
            match name.strip_prefix('/') {
                Some(closed) if open.last() == Some(&closed) => drop(open.pop()),
                Some(closed) => return Err(format!("{closed} closes {open:?}")),
                None if VOID.contains(&name) => {}
                None => open.push(name),
            }
        }
        if open.is_empty() {
            Ok(())
        } else {
            Err(format!("{open:?} stay open"))
        }
    }

    #[test]
    fn every_mail_is_there_in_every_language_and_well_formed() {
        let mails = all().unwrap();
        assert_eq!(mails.len(), 20);
        for Preview {
            name,
            language,
            letter,
        } in mails
        {
            assert_eq!(is_well_formed(&letter.html), Ok(()), "{language} {name}");
            let declared = format!("<html lang=\"{language}\">");
            assert!(letter.html.contains(&declared), "{language} {name}");
            assert!(!letter.subject.is_empty() && !letter.text.contains("<p>"));
        }
    }

    #[test]
    fn nothing_in_a_mail_is_wider_than_a_phone() {
        for Preview { letter, name, .. } in all().unwrap() {
            let html = letter.html;
            assert!(html.contains("max-width: 36em"), "{name}");
            let pictures = html.matches("<img").count();
            assert_eq!(
                html.matches("max-width: 100%; height: auto").count(),
                pictures
            );
            assert!(!html.contains("<table") && !html.contains("white-space"));
        }
    }

    #[test]
    fn no_mail_runs_anything_or_tells_that_it_was_read() {
        for Preview { letter, name, .. } in all().unwrap() {
            assert!(
                letter.html.contains("&lt;b&gt;") || letter.html.contains("&#60;b&#62;"),
                "{name}"
            );
            for never in ["<b>", "<script", "onload", "javascript:"] {
                assert!(!letter.html.contains(never), "{name}: {never}");
            }
            // A picture has the address that it has for everybody: whoever loads it is nobody in particular.
            for address in letter.html.split("<img src=\"").skip(1) {
                let address = address.split('"').next().unwrap();
                assert!(address.ends_with("/400.jpg"), "{name}: {address}");
            }
        }
    }
}
