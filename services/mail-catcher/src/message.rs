//! A caught mail as its readers see it: decoded, with its text and HTML parts apart.

use std::collections::BTreeMap;
use std::panic::catch_unwind;

use chrono::{DateTime, Utc};
use mail_parser::{Header, MessageParser, PartType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::MailId;
use crate::trace::Trace;

/// A caught mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CaughtMail)]
pub struct Message {
    /// Names the mail in this catcher; the same `Message-ID` to the same recipient gives the same id.
    pub id: String,
    /// Whom the mail was delivered to: the envelope's recipient, not the `To` header.
    pub to: String,
    /// The decoded subject, empty if there is none.
    pub subject: String,
    /// The decoded text part.
    pub text: Option<String>,
    /// The decoded HTML part.
    pub html: Option<String>,
    /// The decoded header fields by name; the values of a repeated one are separated by line feeds.
    pub headers: BTreeMap<String, String>,
    /// When the catcher took it.
    pub received_at: DateTime<Utc>,
}

impl Message {
    /// Reads a file of the folder; `None` if it is none of ours.
    pub(crate) fn read(id: &MailId, file: &[u8]) -> Option<Self> {
        let trace = Trace::parse(file)?;
        let mail = whole(file).or_else(|| parser().parse_headers(file))?;
        let text = mail.text_bodies().find_map(|part| match &part.body {
            PartType::Text(text) => Some(text.to_string()),
            _ => None,
        });
        let html = mail.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        });
        Some(Self {
            id: id.to_string(),
            to: trace.recipient,
            subject: mail.subject().unwrap_or_default().to_owned(),
            text,
            html,
            headers: headers(mail.headers(), file),
            received_at: trace.received_at,
        })
    }
}

/// The mail's `Message-ID` without its angle brackets, if it has one.
pub(crate) fn message_id(content: &[u8]) -> Option<String> {
    let mail = parser().parse_headers(content)?;
    let id = mail
        .message_id()?
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// All of a mail. The parser is other people's code and the mail is anybody's: a slip in it must cost the view of this mail's body,
/// nothing more.
fn whole(file: &[u8]) -> Option<mail_parser::Message<'_>> {
    catch_unwind(|| parser().parse(file)).unwrap_or_default()
}

/// Decodes the body by its MIME header; takes every other field as text, so that an odd address or date is shown as sent.
fn parser() -> MessageParser {
    MessageParser::new()
        .with_mime_headers()
        .default_header_text()
}

fn headers(fields: &[Header<'_>], file: &[u8]) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::<String, String>::new();
    for field in fields {
        let value = field
            .value
            .as_text()
            .map_or_else(|| as_sent(field, file), str::to_owned);
        headers
            .entry(field.name.as_str().to_owned())
            .and_modify(|values| *values = format!("{values}\n{value}"))
            .or_insert(value);
    }
    headers
}

/// A structured field such as `Content-Type`, with its folded lines joined.
fn as_sent(field: &Header<'_>, file: &[u8]) -> String {
    let range = field.offset_start as usize..field.offset_end as usize;
    let raw = String::from_utf8_lossy(file.get(range).unwrap_or_default());
    raw.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(mail: &str) -> Message {
        let file = format!(
            "{}{mail}",
            Trace::now("from@example.test", "to@example.test")
        );
        Message::read(
            &MailId::of(mail.as_bytes(), "to@example.test"),
            file.as_bytes(),
        )
        .unwrap()
    }

    /// The fuzz target found it: the parser looks for a part that is not there.
    #[test]
    fn a_mail_that_its_parser_slips_on_is_shown_all_the_same() {
        let mail = include_bytes!("../../../fuzz/corpus/multipart/part-of-none");
        let mail = read(&String::from_utf8_lossy(mail));
        assert!(mail.headers.contains_key("Content-Type"), "{mail:?}");
    }

    #[test]
    fn encoded_words_quoted_printable_and_base64_are_decoded() {
        let message = read(
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= and\r\n more\r\nContent-Type: multipart/alternative;\r\n boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
             long =\r\nline =C3=A4\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\
             Content-Transfer-Encoding: base64\r\n\r\nPGI+w7Y8L2I+\r\n--b--\r\n",
        );
        assert_eq!(message.subject, "Grüße and more");
        assert_eq!(
            message.text.as_deref().map(str::trim_end),
            Some("long line ä")
        );
        assert_eq!(message.html.as_deref(), Some("<b>ö</b>"));
        assert_eq!(
            message.headers["Content-Type"],
            "multipart/alternative; boundary=b"
        );
        assert_eq!(message.headers["Subject"], "Grüße and more");
    }

    #[test]
    fn a_missing_part_is_not_made_up_from_the_other() {
        let message = read("Content-Type: text/html\r\n\r\n<p>only HTML</p>");
        assert_eq!(message.text, None);
        assert_eq!(message.html.as_deref(), Some("<p>only HTML</p>"));
        assert_eq!(read("Subject: x\r\n\r\nonly text").html, None);
    }

    #[test]
    fn repeated_header_fields_are_all_kept() {
        let message = read("X-Bird: wren\r\nX-Bird: dipper\r\n\r\n");
        assert_eq!(message.headers["X-Bird"], "wren\ndipper");
    }

    #[test]
    fn the_message_id_is_found_whatever_its_case_and_brackets() {
        assert_eq!(
            message_id(b"message-id: <a@b>\r\n\r\n").as_deref(),
            Some("a@b")
        );
        assert_eq!(
            message_id(b"Message-ID: a@b\r\n\r\n").as_deref(),
            Some("a@b")
        );
        assert_eq!(message_id(b"Message-ID: <>\r\n\r\n"), None);
        assert_eq!(message_id(b"Subject: x\r\n\r\nMessage-ID: <a@b>\r\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(mail in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut file = Trace::now("", "to@example.test").to_string().into_bytes();
            file.extend_from_slice(&mail);
            let _ = message_id(&mail);
            let _ = Message::read(&MailId::of(&mail, "x"), &file);
        }

        #[test]
        fn no_nonsense_in_mail_shape_makes_the_parser_panic(
            mail in "(Content-(Type|Transfer-Encoding)|Message-ID|Subject|X)?:? ?(multipart/mixed; boundary=b|base64|quoted-printable|=\\?utf-8\\?[qb]\\?.{0,9}\\?=|text/html)?(\r\n|--b|--b--|\r\n\r\n|=|<|&#?x?9{0,9};?|.{0,20}){0,40}"
        ) {
            let file = format!("{}{mail}", Trace::now("", "to@example.test"));
            let _ = message_id(mail.as_bytes());
            let _ = Message::read(&MailId::of(mail.as_bytes(), "x"), file.as_bytes());
        }
    }
}
