//! Mails with names, addresses and languages as anybody may choose them, a line each; the byte that follows says which mail, and the
//! others are ratings.

#![no_main]

use envelope::{EventId, ImageId};
use letter::{Language, Letter, Told};
use lettre::message::Mailbox;
use libfuzzer_sys::fuzz_target;
use mail_parser::{MessageParser, PartType};
use message::{To, message};
use uuid::Uuid;

// What the letters know of the crates below Notifier is this little; so those crates need not be built with counters.
extern crate self as chassis;
extern crate self as clients;

#[path = "../../services/chassis/src/trace"]
mod trace {
    #[expect(dead_code, reason = "nothing is traced here")]
    mod parent;
    pub(crate) use parent::TraceParent;
}

#[path = "../../services/clients/src/notifier"]
mod notifier {
    mod mail;
    pub(crate) use mail::{AccountMail, RECIPIENT_HEADER};
}

#[path = "../../services/notifier/src"]
mod service {
    #[expect(dead_code, reason = "what is not in a mail is not needed here")]
    pub(crate) mod letter;
    #[path = "post/message.rs"]
    pub(crate) mod message;
}

use notifier::AccountMail;
use service::{letter, message};

const PUBLIC_URL: &str = "https://birds.example";
const SECRET: &str = "0123456789abcdef";
/// Of ratings, and of what happens to an account.
const MAILS: [Option<AccountMail>; 8] = [
    None,
    Some(AccountMail::Confirm),
    Some(AccountMail::AlreadyRegistered),
    Some(AccountMail::Code),
    Some(AccountMail::ConfirmAddress),
    Some(AccountMail::AddressChanging),
    Some(AccountMail::Reset),
    Some(AccountMail::PasswordChanged),
];
/// As many as a digest of a busy day.
const MOST_RATINGS: usize = 64;

/// What others could have chosen in a mail.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    name: &'a str,
    email: &'a str,
    locale: &'a str,
    ratings: &'a [u8],
}

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let (Some(name), Some(email), Some(locale)) = (line(), line(), line()) else {
        return;
    };
    let rest = lines.next().unwrap_or_default();
    let (which, ratings) = rest.split_first().unwrap_or((&0, &[]));
    let chosen = Chosen {
        name: &name.replace('\r', "\r\n"),
        email,
        locale,
        ratings: &ratings[..ratings.len().min(MOST_RATINGS)],
    };
    write(chosen, MAILS[usize::from(*which) % MAILS.len()]);
});

/// Writes a mail with these choices: it must have the same markup and the same headers as one for somebody with a plain name, and
/// read as it was written.
fn write(chosen: Chosen<'_>, which: Option<AccountMail>) {
    // Nobody goes by such a name.
    if chosen.name.trim().is_empty() {
        return;
    }
    let plain = Chosen {
        name: "Ada",
        email: "ada@birds.example",
        ..chosen
    };
    let (letter, usual) = (letter(chosen, which), letter(plain, which));
    assert_eq!(marks(&letter.html), marks(&usual.html));
    assert_eq!(letter.subject, usual.subject);
    if let Some(mail) = mail(chosen, letter.clone()) {
        assert_eq!(headers(&mail), headers(&mail_of(plain, usual)));
        assert_eq!(
            parts(&mail),
            [letter.text, letter.html].map(|text| lines(&text))
        );
    }
}

fn letter(chosen: Chosen<'_>, which: Option<AccountMail>) -> Letter {
    let recipient = (Language::of(chosen.locale), chosen.name);
    let told = || {
        chosen
            .ratings
            .iter()
            .map(|rating| told(*rating))
            .collect::<Vec<_>>()
    };
    let letter = match which {
        None => letter::ratings(PUBLIC_URL, recipient, &told(), SECRET),
        Some(kind) => letter::account(PUBLIC_URL, recipient, kind, SECRET),
    };
    letter.unwrap()
}

/// Ratings of at most sixteen pictures.
fn told(rating: u8) -> Told {
    Told {
        event: EventId(Uuid::from_u128(u128::from(rating))),
        image: ImageId(Uuid::from_u128(u128::from(rating >> 4))),
        rating: i64::from(rating % 5) + 1,
        trace: None,
    }
}

/// How often what markup is made of stands in a text.
fn marks(html: &str) -> [usize; 3] {
    ['<', '>', '"'].map(|mark| html.matches(mark).count())
}

/// The mail as the server is given it; nothing if the address is none.
fn mail(chosen: Chosen<'_>, letter: Letter) -> Option<String> {
    let from: Mailbox = "Dipper <no-reply@birds.example>".parse().unwrap();
    let to = To {
        email: chosen.email,
        name: chosen.name,
        mark: "0123456789abcdef0123456789abcdef",
    };
    let mail = message(&from, Uuid::nil(), &to, letter).ok()?.formatted();
    Some(String::from_utf8(mail).unwrap())
}

fn mail_of(plain: Chosen<'_>, letter: Letter) -> String {
    mail(plain, letter).unwrap()
}

/// The names of the header's fields.
fn headers(mail: &str) -> Vec<&str> {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let fields = head.split("\r\n");
    let fields = fields.filter(|line| !line.starts_with([' ', '\t']));
    fields.map(|line| line.split_once(':').unwrap().0).collect()
}

/// What a reader sees: a text, and the same with markup.
fn parts(mail: &str) -> [String; 2] {
    let mail = MessageParser::new().parse(mail).unwrap();
    let [_, text, html] = &mail.parts[..] else {
        panic!("two parts in one");
    };
    let (PartType::Text(text), PartType::Html(html)) = (&text.body, &html.body) else {
        panic!("a text and the same with markup");
    };
    [text, html].map(|text| lines(text))
}

/// Mails have lines, however they end.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
