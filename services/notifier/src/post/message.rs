//! A letter as a mail. Pure, as its recipients choose their names and addresses: the fuzz targets write it alone.

use clients::notifier::RECIPIENT_HEADER;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use uuid::Uuid;

use crate::letter::Letter;

/// To whom a mail goes. Never logged.
#[derive(Clone)]
pub(crate) struct To<'a> {
    /// The address.
    pub(crate) email: &'a str,
    /// The name beside it; may be empty.
    pub(crate) name: &'a str,
    /// What stands for the person in the mail's header.
    pub(crate) mark: &'a str,
}

/// The mail as the server is given it.
pub(crate) fn message(
    from: &Mailbox,
    id: Uuid,
    to: &To<'_>,
    letter: Letter,
) -> Result<Message, MessageError> {
    let email: Address = to.email.parse()?;
    let name: String = to.name.chars().filter(|c| !c.is_control()).collect();
    let name = Some(name).filter(|name| !name.trim().is_empty());
    let mut builder = Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .from(from.clone())
        .to(Mailbox::new(name, email))
        .subject(letter.subject)
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header(RECIPIENT_HEADER, to.mark));
    if let Some(url) = letter.unsubscribe {
        builder = builder
            .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
            .raw_header(header(
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click",
            ));
    }
    let part = |kind, body| SinglePart::builder().header(kind).body(body);
    let parts = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, letter.text))
        .singlepart(part(ContentType::TEXT_HTML, letter.html));
    Ok(builder.multipart(parts)?)
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Why no mail can be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    /// It would go nowhere.
    #[error("the address is none")]
    Address(#[from] AddressError),
    /// A part of it is missing.
    #[error("the mail cannot be put together")]
    Parts(#[from] lettre::error::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(unsubscribe: Option<&str>) -> Letter {
        Letter {
            subject: "Hello".to_owned(),
            text: "https://birds.example/?token=abc\n".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            unsubscribe: unsubscribe.map(str::to_owned),
        }
    }

    fn formatted(name: &str, letter: Letter) -> String {
        let from = "Dipper <no-reply@birds.example>".parse().unwrap();
        let to = To {
            email: "ada@example.org",
            name,
            mark: "0123456789abcdef0123456789abcdef",
        };
        let message = message(&from, Uuid::from_u128(1), &to, letter).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_mail_has_a_stable_id_and_says_that_a_machine_wrote_it() {
        let text = formatted("Ada", letter(None));
        let id = Uuid::from_u128(1);
        assert!(
            text.contains(&format!("Message-ID: <{id}@birds.example>\r\n")),
            "{text}"
        );
        assert!(
            text.contains("Auto-Submitted: auto-generated\r\n"),
            "{text}"
        );
        let mark = "X-Dipper-Recipient: 0123456789abcdef0123456789abcdef\r\n";
        assert!(text.contains(mark), "{text}");
        assert!(text.contains("multipart/alternative"), "{text}");
        assert!(text.contains("https://birds.example/?token=abc"), "{text}");
        assert!(!text.contains("List-Unsubscribe"), "{text}");
    }

    #[test]
    fn a_mail_that_can_be_turned_off_says_how_in_one_click() {
        let url = format!("https://birds.example/unsubscribe/{}", "0".repeat(64));
        let text = formatted("Ada", letter(Some(&url)));
        assert!(
            text.contains(&format!("List-Unsubscribe: <{url}>\r\n")),
            "{text}"
        );
        assert!(
            text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
            "{text}"
        );
    }

    #[test]
    fn a_name_cannot_add_headers() {
        let text = formatted("Ada\r\nBcc: eve@example.org", letter(None));
        assert!(!text.contains("\r\nBcc"), "{text}");
    }
}
