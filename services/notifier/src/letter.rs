//! What the mails say: made at the moment of sending from ids, kept nowhere.
//!
//! Pictures are links to the small size that everybody sees, not parts of the mail: what was erased or restricted is then gone from
//! the mails too, and a digest stays small. Their addresses say nothing about who reads the mail.

mod language;

use askama::Template;
use chassis::trace::TraceParent;
use clients::notifier::AccountMail;
use envelope::{EventId, ImageId};
use uuid::Uuid;

pub(crate) use language::Language;

/// More pictures than this are summed up in one line.
const MOST_PICTURES: usize = 20;

/// A mail's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The subject line.
    pub(crate) subject: String,
    /// The text part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
    /// Where its recipient unsubscribes from mails of this kind, if they can.
    pub(crate) unsubscribe: Option<String>,
}

/// A rating that somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The rate.update event.
    pub(crate) event: EventId,
    /// The picture that was rated.
    pub(crate) image: ImageId,
    /// The rating, 1 to 5.
    pub(crate) rating: i64,
    /// Where in a trace the event was.
    pub(crate) trace: Option<TraceParent>,
}

/// A rated picture, as the templates show it.
#[derive(Debug)]
struct Picture {
    page: String,
    thumbnail: String,
    ratings: String,
}

#[derive(Template)]
#[template(path = "ratings.txt")]
struct RatingsText<'a> {
    language: Language,
    name: &'a str,
    headline: &'a str,
    pictures: &'a [Picture],
    more: usize,
    unsubscribe: &'a str,
}

#[derive(Template)]
#[template(path = "ratings.html")]
struct RatingsHtml<'a> {
    language: Language,
    name: &'a str,
    headline: &'a str,
    pictures: &'a [Picture],
    more: usize,
    unsubscribe: &'a str,
}

#[derive(Template)]
#[template(path = "account.txt")]
struct AccountText<'a> {
    language: Language,
    name: &'a str,
    kind: AccountMail,
    link: &'a str,
    secret: &'a str,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountHtml<'a> {
    language: Language,
    name: &'a str,
    kind: AccountMail,
    link: &'a str,
    secret: &'a str,
}

/// The id of a mail about these events: the same events always make the same mail.
pub(crate) fn mail_id(events: &[EventId]) -> Uuid {
    let mut ids: Vec<&[u8; 16]> = events.iter().map(|event| event.0.as_bytes()).collect();
    ids.sort_unstable();
    let name: Vec<u8> = ids.into_iter().flatten().copied().collect();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, hex::encode(name).as_bytes())
}

/// Tells an owner, in their language and by their name, of ratings of their pictures.
pub(crate) fn ratings(
    public_url: &str,
    (language, name): (Language, &str),
    ratings: &[Told],
    unsubscribe_token: &str,
) -> Result<Letter, askama::Error> {
    let groups = by_picture(ratings);
    let pictures: Vec<Picture> = groups
        .iter()
        .take(MOST_PICTURES)
        .map(|(image, values)| picture(public_url, *image, language.rated(values)))
        .collect();
    let more = groups.len().saturating_sub(MOST_PICTURES);
    let only = match ratings {
        [only] => Some(only.rating),
        _ => None,
    };
    let headline = language.headline(only, ratings.len(), groups.len());
    let (name, unsubscribe) = (name.trim(), unsubscribe_url(public_url, unsubscribe_token));
    let text = RatingsText {
        language,
        name,
        headline: &headline,
        pictures: &pictures,
        more,
        unsubscribe: &unsubscribe,
    };
    let html = RatingsHtml {
        language,
        name,
        headline: &headline,
        pictures: &pictures,
        more,
        unsubscribe: &unsubscribe,
    };
    let (text, html) = (text.render()?, html.render()?);
    Ok(Letter {
        subject: headline,
        text,
        html,
        unsubscribe: Some(unsubscribe),
    })
}

/// A mail about somebody's account. `secret` is the token or code, empty for mails that hold none.
pub(crate) fn account(
    public_url: &str,
    (language, name): (Language, &str),
    kind: AccountMail,
    secret: &str,
) -> Result<Letter, askama::Error> {
    let (name, link) = (name.trim(), account_link(public_url, kind, secret));
    let text = AccountText {
        language,
        name,
        kind,
        link: &link,
        secret,
    };
    let html = AccountHtml {
        language,
        name,
        kind,
        link: &link,
        secret,
    };
    Ok(Letter {
        subject: language.account_subject(kind).to_owned(),
        text: text.render()?,
        html: html.render()?,
        unsubscribe: None,
    })
}

fn account_link(public_url: &str, kind: AccountMail, secret: &str) -> String {
    match kind {
        AccountMail::Confirm | AccountMail::ConfirmAddress => {
            format!("{public_url}/?token={secret}")
        }
        AccountMail::Reset => format!("{public_url}/?token={secret}#reset"),
        AccountMail::AlreadyRegistered
        | AccountMail::Code
        | AccountMail::AddressChanging
        | AccountMail::PasswordChanged => format!("{public_url}/"),
    }
}

fn unsubscribe_url(public_url: &str, token: &str) -> String {
    format!("{public_url}/unsubscribe/{token}")
}

/// Pictures in the order in which they were first rated.
fn by_picture(ratings: &[Told]) -> Vec<(ImageId, Vec<i64>)> {
    let mut groups: Vec<(ImageId, Vec<i64>)> = Vec::new();
    for told in ratings {
        match groups.iter_mut().find(|(image, _)| *image == told.image) {
            Some((_, values)) => values.push(told.rating),
            None => groups.push((told.image, vec![told.rating])),
        }
    }
    groups
}

fn picture(public_url: &str, image: ImageId, ratings: String) -> Picture {
    Picture {
        page: format!("{public_url}/images/{image}/2048.jpg"),
        thumbnail: format!("{public_url}/images/{image}/400.jpg"),
        ratings,
    }
}

#[cfg(test)]
mod tests;
