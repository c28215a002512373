//! The page of caught mails.

use std::borrow::Cow;

use askama::Template;
use mail_parser::decoders::html::html_to_text;

use crate::message::Message;

/// The page: everything in it is escaped, links are the only thing made from a mail's text.
#[derive(Debug, Template)]
#[template(path = "mail.html")]
pub(crate) struct MailPage<'a> {
    mails: Vec<Entry<'a>>,
    older: Option<String>,
}

#[derive(Debug)]
struct Entry<'a> {
    message: &'a Message,
    text: Cow<'a, str>,
    received: String,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Link(&'a str),
}

impl<'a> MailPage<'a> {
    /// Shows these mails, and a link to the older ones behind the cursor.
    pub(crate) fn new(messages: &'a [Message], older: Option<String>) -> Self {
        Self {
            mails: messages.iter().map(Entry::new).collect(),
            older,
        }
    }
}

impl<'a> Entry<'a> {
    fn new(message: &'a Message) -> Self {
        let text = match (&message.text, &message.html) {
            (Some(text), _) => Cow::Borrowed(text.trim()),
            (None, Some(html)) => Cow::Owned(html_to_text(html).trim().to_owned()),
            (None, None) => Cow::Borrowed(""),
        };
        let received = message
            .received_at
            .format("%-d %B %Y, %H:%M:%S UTC")
            .to_string();
        Self {
            message,
            text,
            received,
        }
    }

    fn pieces(&self) -> Vec<Piece<'_>> {
        pieces(&self.text)
    }
}

/// Finds the web links in a text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, link, after)) = next_link(rest) {
        pieces.extend((!before.is_empty()).then_some(Piece::Text(before)));
        pieces.push(Piece::Link(link));
        rest = after;
    }
    pieces.extend((!rest.is_empty()).then_some(Piece::Text(rest)));
    pieces
}

fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let start = ["https://", "http://"]
        .into_iter()
        .filter_map(|scheme| text.find(scheme))
        .min()?;
    let (before, link) = text.split_at_checked(start)?;
    let ends = |character: char| character.is_whitespace() || matches!(character, '<' | '>' | '"');
    let whole = link.find(ends).unwrap_or(link.len());
    // A sentence may end behind a link; its full stop is not part of it.
    let (link, _) = link.split_at_checked(whole)?;
    let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
    let after = text.get(before.len() + link.len()..)?;
    Some((before, link, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_end_where_their_sentence_goes_on() {
        assert_eq!(
            pieces("See <https://x.test/?token=a-b_c&d=1>, or (http://y.test/)."),
            [
                Piece::Text("See <"),
                Piece::Link("https://x.test/?token=a-b_c&d=1"),
                Piece::Text(">, or ("),
                Piece::Link("http://y.test/"),
                Piece::Text(")."),
            ]
        );
        assert_eq!(pieces("https://x.test"), [Piece::Link("https://x.test")]);
        assert_eq!(
            pieces("javascript:alert(1) ftp://x"),
            [Piece::Text("javascript:alert(1) ftp://x")]
        );
        assert_eq!(pieces(""), []);
    }

    proptest! {
        #[test]
        fn no_text_is_lost_between_the_links(text in "(https?://|[<>.\\PC]{0,5}){0,9}") {
            let joined: String = pieces(&text)
                .iter()
                .map(|piece| match piece { Piece::Text(text) | Piece::Link(text) => *text })
                .collect();
            prop_assert_eq!(joined, text);
        }
    }
}
