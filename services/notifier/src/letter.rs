//! What the mails say: made at the moment of sending from ids, kept nowhere.

use askama::Template;
use chassis::trace::TraceParent;
use clients::notifier::AccountMail;
use envelope::{EventId, ImageId};
use uuid::Uuid;

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
    name: &'a str,
    headline: &'a str,
    pictures: &'a [Picture],
    more: usize,
    unsubscribe: &'a str,
}

#[derive(Template)]
#[template(path = "ratings.html")]
struct RatingsHtml<'a> {
    name: &'a str,
    headline: &'a str,
    pictures: &'a [Picture],
    more: usize,
    unsubscribe: &'a str,
}

#[derive(Template)]
#[template(path = "account.txt")]
struct AccountText<'a> {
    name: &'a str,
    kind: AccountMail,
    link: &'a str,
    secret: &'a str,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountHtml<'a> {
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

/// Tells an owner of ratings of their pictures.
pub(crate) fn ratings(
    public_url: &str,
    name: &str,
    ratings: &[Told],
    unsubscribe_token: &str,
) -> Result<Letter, askama::Error> {
    let groups = by_picture(ratings);
    let pictures: Vec<Picture> = groups
        .iter()
        .take(MOST_PICTURES)
        .map(|(image, values)| picture(public_url, *image, values))
        .collect();
    let more = groups.len().saturating_sub(MOST_PICTURES);
    let headline = headline(ratings, groups.len());
    let (name, unsubscribe) = (name.trim(), unsubscribe_url(public_url, unsubscribe_token));
    let text = RatingsText {
        name,
        headline: &headline,
        pictures: &pictures,
        more,
        unsubscribe: &unsubscribe,
    };
    let html = RatingsHtml {
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
    name: &str,
    kind: AccountMail,
    secret: &str,
) -> Result<Letter, askama::Error> {
    let (name, link) = (name.trim(), account_link(public_url, kind, secret));
    let subject = match kind {
        AccountMail::Confirm => "Confirm your Dipper account",
        AccountMail::AlreadyRegistered => "You already have a Dipper account",
        AccountMail::Code => "Your Dipper code",
        AccountMail::ConfirmAddress => "Confirm your new address",
        AccountMail::AddressChanging => "Your Dipper address is to change",
    };
    let text = AccountText {
        name,
        kind,
        link: &link,
        secret,
    };
    let html = AccountHtml {
        name,
        kind,
        link: &link,
        secret,
    };
    Ok(Letter {
        subject: subject.to_owned(),
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
        AccountMail::AlreadyRegistered | AccountMail::Code | AccountMail::AddressChanging => {
            format!("{public_url}/")
        }
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

fn picture(public_url: &str, image: ImageId, values: &[i64]) -> Picture {
    Picture {
        page: format!("{public_url}/images/{image}/2048.jpg"),
        thumbnail: format!("{public_url}/images/{image}/400.jpg"),
        ratings: rated(values),
    }
}

/// `rated 4 of 5`, `rated 3 times: 4, 5 and 2 of 5`.
fn rated(values: &[i64]) -> String {
    match values {
        [] => String::new(),
        [only] => format!("rated {only} of 5"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            let times = values.len();
            format!("rated {times} times: {} and {last} of 5", first.join(", "))
        }
    }
}

fn headline(ratings: &[Told], pictures: usize) -> String {
    match (ratings, pictures) {
        ([only], _) => format!("Your picture was rated {} of 5", only.rating),
        (_, 1) => format!("Your picture was rated {} times", ratings.len()),
        _ => format!("{} new ratings of your pictures", ratings.len()),
    }
}

#[cfg(test)]
mod tests;
