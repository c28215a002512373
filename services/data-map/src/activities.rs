//! The processing activities: what data is needed for, and by which right.

use serde::Serialize;
use utoipa::ToSchema;

/// The legal basis, by Art. 6(1) GDPR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// (a): the birder agreed, by a clear act, and may withdraw that at any time.
    Consent,
    /// (b): it is what the birder asked for by making an account.
    Contract,
    /// (c): a law demands it.
    LegalObligation,
    /// (f): our interest, which weighs no heavier than the birder's; they may object.
    LegitimateInterest,
}

impl Basis {
    /// With its place in the law.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent, Art. 6(1)(a)",
            Self::Contract => "contract, Art. 6(1)(b)",
            Self::LegalObligation => "legal obligation, Art. 6(1)(c)",
            Self::LegitimateInterest => "legitimate interest, Art. 6(1)(f)",
        }
    }
}

/// One thing that data is processed for: an entry of the records of processing.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Activity {
    /// A stable word.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// By which right.
    pub basis: Basis,
    /// Who gets to see it, beside the person and the services themselves.
    pub recipients: &'static str,
}

/// Accounts.
pub static ACCOUNTS: Activity = Activity {
    id: "accounts",
    name: "Accounts",
    purpose: "to let a birder in, to know them again, and to keep others out",
    basis: Basis::Contract,
    recipients: "admins, by name only; nobody sees addresses",
};

/// Ticks.
pub static TICKS: Activity = Activity {
    id: "ticks",
    name: "Ticks and photos",
    purpose: "to keep and show what a birder has seen",
    basis: Basis::Contract,
    recipients: "everybody, without the birder's name and address, and without the exact place unless the birder shows it",
};

/// Exact places.
pub static PLACES: Activity = Activity {
    id: "places",
    name: "Exact places of sightings",
    purpose: "to keep where exactly a bird was seen, for the birder alone, or for everybody if the birder shows it: who sends it agrees, until they withdraw that",
    basis: Basis::Consent,
    recipients: "nobody; everybody, on the photo's page, where the birder shows it and the species is not threatened",
};

/// Ratings.
pub static RATINGS: Activity = Activity {
    id: "ratings",
    name: "Ratings",
    purpose: "to let birders rate each other's photos, and to rank photos by it",
    basis: Basis::Contract,
    recipients: "everybody, as a photo's number of ratings and their mean",
};

/// Scores.
pub static SCORING: Activity = Activity {
    id: "scoring",
    name: "Scores by a model",
    purpose: "to tell how good a photo is, from its pixels alone",
    basis: Basis::LegitimateInterest,
    recipients: "everybody, with the photo",
};

/// Mail about accounts.
pub static MAIL: Activity = Activity {
    id: "mail",
    name: "Mail about accounts",
    purpose: "to tell a birder what concerns their account: links, codes, that an erasure is done",
    basis: Basis::Contract,
    recipients: "the mail server that the operator has set",
};

/// Mail about ratings.
pub static RATING_MAIL: Activity = Activity {
    id: "rating-mail",
    name: "Mail about ratings",
    purpose: "to tell a birder that their photo was rated, until they object",
    basis: Basis::LegitimateInterest,
    recipients: "the mail server that the operator has set",
};

/// Statistics.
pub static STATISTICS: Activity = Activity {
    id: "statistics",
    name: "Statistics",
    purpose: "to know how the place is used: numbers of which none is about fewer than ten people",
    basis: Basis::LegitimateInterest,
    recipients: "everybody and admins, as numbers",
};

/// Erasure.
pub static ERASURE: Activity = Activity {
    id: "erasure",
    name: "Access and erasure",
    purpose: "to find everything about a person, to erase it, and to keep it erased",
    basis: Basis::LegalObligation,
    recipients: "admins, without names",
};

/// Choices about the processing.
pub static RIGHTS: Activity = Activity {
    id: "rights",
    name: "Choices about the processing",
    purpose: "to do with somebody's data only what they left to be done: restrictions, objections and consents",
    basis: Basis::LegalObligation,
    recipients: "nobody",
};

/// Reports about photos.
pub static MODERATION: Activity = Activity {
    id: "moderation",
    name: "Reports about photos",
    purpose: "to look into what people report about photos, to hide what nobody should see, and to hear its owner",
    basis: Basis::LegalObligation,
    recipients: "moderators and admins, without who reported; the photo's owner learns for what it was hidden",
};

/// The audit log.
pub static ACCOUNTABILITY: Activity = Activity {
    id: "accountability",
    name: "Audit log",
    purpose: "to know which admin did what, and why",
    basis: Basis::LegalObligation,
    recipients: "admins",
};

/// Transport.
pub static DELIVERY: Activity = Activity {
    id: "delivery",
    name: "Delivery of events",
    purpose: "to bring every event to all who need it, once, in order, also after a failure",
    basis: Basis::LegitimateInterest,
    recipients: "admins, when an event could not be handled",
};

/// Copies against loss.
pub static BACKUP: Activity = Activity {
    id: "backup",
    name: "Backups",
    purpose: "to bring back what a broken disk or a mistake has taken",
    basis: Basis::LegitimateInterest,
    recipients: "nobody",
};

/// All of them.
pub static ACTIVITIES: &[&Activity] = &[
    &ACCOUNTS,
    &TICKS,
    &PLACES,
    &RATINGS,
    &SCORING,
    &MAIL,
    &RATING_MAIL,
    &STATISTICS,
    &ERASURE,
    &RIGHTS,
    &MODERATION,
    &ACCOUNTABILITY,
    &DELIVERY,
    &BACKUP,
];
