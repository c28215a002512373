//! The languages in which mails are written.
//!
//! What is more than a word stands in the templates, a folder a language; here is what is put together from numbers.

use axum::http::{HeaderMap, header};
use clients::notifier::AccountMail;

/// A language that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// English, also for whoever speaks none of the others.
    English,
    /// Swedish.
    Swedish,
}

impl Language {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Swedish];

    /// As the start of a BCP 47 tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Swedish => "sv",
        }
    }

    /// The language of somebody with this locale, e.g. `sv-FI`.
    pub(crate) fn of(locale: &str) -> Self {
        Self::spoken(locale).unwrap_or(Self::English)
    }

    /// What a browser would rather read: the first in its list that we speak, as browsers write what they prefer first.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let list = headers.get(header::ACCEPT_LANGUAGE);
        let list = list.and_then(|list| list.to_str().ok()).unwrap_or_default();
        let mut ranges = list.split(',').map(str::trim);
        ranges.find_map(Self::spoken).unwrap_or(Self::English)
    }

    fn spoken(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_', ';']).next()?.trim();
        Self::ALL
            .into_iter()
            .find(|known| known.tag().eq_ignore_ascii_case(language))
    }

    /// What a mail about ratings is about: `4` when there is one, and how many there are of how many pictures.
    pub(crate) fn headline(self, only: Option<i64>, ratings: usize, pictures: usize) -> String {
        match (self, only, pictures) {
            (Self::English, Some(rating), _) => format!("Your picture was rated {rating} of 5"),
            (Self::English, None, 1) => format!("Your picture was rated {ratings} times"),
            (Self::English, None, _) => format!("{ratings} new ratings of your pictures"),
            (Self::Swedish, Some(rating), _) => format!("Din bild fick betyget {rating} av 5"),
            (Self::Swedish, None, 1) => format!("Din bild har fått {ratings} betyg"),
            (Self::Swedish, None, _) => format!("{ratings} nya betyg på dina bilder"),
        }
    }

    /// `rated 4 of 5`, `rated 3 times: 4, 5 and 2 of 5`.
    pub(crate) fn rated(self, values: &[i64]) -> String {
        match (self, values) {
            (_, []) => String::new(),
            (Self::English, [only]) => format!("rated {only} of 5"),
            (Self::Swedish, [only]) => format!("betyg {only} av 5"),
            (Self::English, [first @ .., last]) => {
                let (times, first) = (values.len(), listed(first));
                format!("rated {times} times: {first} and {last} of 5")
            }
            (Self::Swedish, [first @ .., last]) => {
                let (times, first) = (values.len(), listed(first));
                format!("{times} betyg: {first} och {last} av 5")
            }
        }
    }

    /// What a mail about an account is about.
    pub(crate) fn account_subject(self, kind: AccountMail) -> &'static str {
        match (self, kind) {
            (Self::English, AccountMail::Confirm) => "Confirm your Dipper account",
            (Self::English, AccountMail::AlreadyRegistered) => "You already have a Dipper account",
            (Self::English, AccountMail::Code) => "Your Dipper code",
            (Self::English, AccountMail::ConfirmAddress) => "Confirm your new address",
            (Self::English, AccountMail::AddressChanging) => "Your Dipper address is to change",
            (Self::English, AccountMail::Reset) => "Choose a new Dipper password",
            (Self::English, AccountMail::PasswordChanged) => "Your Dipper password was changed",
            (Self::Swedish, AccountMail::Confirm) => "Bekräfta ditt konto hos Dipper",
            (Self::Swedish, AccountMail::AlreadyRegistered) => "Du har redan ett konto hos Dipper",
            (Self::Swedish, AccountMail::Code) => "Din kod från Dipper",
            (Self::Swedish, AccountMail::ConfirmAddress) => "Bekräfta din nya adress",
            (Self::Swedish, AccountMail::AddressChanging) => "Din adress hos Dipper ska ändras",
            (Self::Swedish, AccountMail::Reset) => "Välj ett nytt lösenord hos Dipper",
            (Self::Swedish, AccountMail::PasswordChanged) => "Ditt lösenord hos Dipper är ändrat",
        }
    }
}

fn listed(values: &[i64]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_locale_leads_to_a_language_that_we_speak() {
        for (locale, language) in [
            ("sv", Language::Swedish),
            ("sv-FI", Language::Swedish),
            ("SV_se", Language::Swedish),
            ("en-GB", Language::English),
            ("de", Language::English),
            ("svx", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of(locale), language, "{locale}");
        }
    }

    #[test]
    fn a_browser_gets_the_first_of_its_languages_that_we_speak() {
        for (list, language) in [
            ("sv-SE,sv;q=0.9,en;q=0.8", Language::Swedish),
            ("de, sv;q=0.5", Language::Swedish),
            ("en-US,sv;q=0.5", Language::English),
            ("de", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(list));
            assert_eq!(Language::accepted(&headers), language, "{list}");
        }
        assert_eq!(Language::accepted(&HeaderMap::new()), Language::English);
    }
}
