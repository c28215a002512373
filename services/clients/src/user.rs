//! Questions that UserAPI answers.

use chassis::rpc::Question;
use chrono::{DateTime, Utc};
use envelope::{EventId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::receipt::Receipt;

/// Which user has this address? One is made, with this name, when nobody has. Refused with
/// `invalid-email` or `invalid-name`.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindOrCreate {
    /// E-mail address.
    pub email: String,
    /// Name that is shown, for a new user.
    pub name: String,
}

impl Question for FindOrCreate {
    const SUBJECT: &'static str = "svc.user-api.find-or-create";
    const ASKED_BY: &'static [&'static str] = &["auth-api"];
    type Answer = UserId;
}

/// Which user has this address? Answers `None` when nobody has.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindByEmail {
    /// E-mail address.
    pub email: String,
}

impl Question for FindByEmail {
    const SUBJECT: &'static str = "svc.user-api.find-by-email";
    const ASKED_BY: &'static [&'static str] = &["auth-api", "admin-api"];
    const IS_REPEATABLE: bool = true;
    type Answer = Option<UserId>;
}

/// How often somebody wants mail about ratings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Notifications {
    /// One for each rating.
    Instant,
    /// The first at once, then at most one an hour.
    #[default]
    Hourly,
    /// The first at once, then at most one a day.
    Daily,
    /// None.
    Off,
}

impl Notifications {
    /// As it is written in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Off => "off",
        }
    }
}

impl std::str::FromStr for Notifications {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "instant" => Ok(Self::Instant),
            "hourly" => Ok(Self::Hourly),
            "daily" => Ok(Self::Daily),
            "off" => Ok(Self::Off),
            _ => Err("must be instant, hourly, daily or off".to_owned()),
        }
    }
}

/// Why an address is needed: the only reasons for which it is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A mail about a rating, which the person may have turned off.
    Notification,
    /// A mail about the account itself.
    Account,
}

/// Where does this user want this mail? Asked at the moment of sending, kept nowhere. Refused
/// with `unknown-user`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Address {
    /// Whose address.
    pub user: UserId,
    /// What for.
    pub purpose: Purpose,
}

/// What a mail needs to know about its recipient.
#[derive(Clone, Serialize, Deserialize)]
pub struct Recipient {
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Language as BCP 47, e.g. `en`.
    pub locale: String,
    /// How often they want mail about ratings.
    pub notifications: Notifications,
}

impl Question for Address {
    const SUBJECT: &'static str = "svc.user-api.address";
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    type Answer = Recipient;
}

/// Where does the mail go that confirms a new address of this user, and what does its link hold? The link is
/// made now, and an older one ends. Refused with `not-needed` when no address waits, or it is somebody's.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct NewAddress {
    /// Whose address changes.
    pub user: UserId,
}

/// What the mail to a new address needs.
#[derive(Clone, Serialize, Deserialize)]
pub struct AddressLink {
    /// The new address.
    pub email: String,
    /// What the link holds.
    pub token: String,
}

impl Question for NewAddress {
    const SUBJECT: &'static str = "svc.user-api.new-address";
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    type Answer = AddressLink;
}

/// The link with this token was opened: from now on the address that it was mailed to is its user's. Refused with
/// `unknown-token`.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConfirmAddress {
    /// What the link held.
    pub token: String,
}

impl Question for ConfirmAddress {
    const SUBJECT: &'static str = "svc.user-api.confirm-address";
    const ASKED_BY: &'static [&'static str] = &["auth-api"];
    type Answer = ();
}

/// Sets how often a user wants mail about ratings (unsubscribing by link). Refused with
/// `unknown-user`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct SetNotifications {
    /// Whose.
    pub user: UserId,
    /// How often.
    pub notifications: Notifications,
}

impl Question for SetNotifications {
    const SUBJECT: &'static str = "svc.user-api.set-notifications";
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    type Answer = ();
}

/// May this user's photos be scored? Not if they objected to it, or restricted the processing of their data.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct MayScore {
    /// Whose photos.
    pub user: UserId,
}

impl Question for MayScore {
    const SUBJECT: &'static str = "svc.user-api.may-score";
    const ASKED_BY: &'static [&'static str] = &["score-model"];
    type Answer = bool;
}

/// Opens an erasure request, or answers the one that is open: asking twice is asking once.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct OpenErasure {
    /// Who is to be erased.
    pub user: UserId,
}

/// An erasure request that was opened.
#[derive(Clone, Serialize, Deserialize)]
pub struct OpenedErasure {
    /// The secret of 128 bits by which its progress is asked for.
    pub request_id: String,
    /// The day by which the law wants it done.
    pub due_at: DateTime<Utc>,
}

impl Question for OpenErasure {
    const SUBJECT: &'static str = "svc.user-api.open-erasure";
    const ASKED_BY: &'static [&'static str] = &["tick-api"];
    type Answer = OpenedErasure;
}

/// The erasure requests that are not done, the most urgent first.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ListErasures {}

/// An erasure request that is not done. It does not say whose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErasureProgress {
    /// Its number: the id of its `gdpr.delete` event.
    pub request: EventId,
    /// How far it is.
    pub state: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// The day by which the law wants it done.
    pub due_at: DateTime<Utc>,
    /// How much of the time is used, in percent.
    pub percent_used: i64,
    /// Why it has more time, if it has.
    pub extension_reason: Option<String>,
    /// The services that have not answered.
    pub waiting_for: Vec<String>,
    /// The stores in which the person is still found.
    pub found_in: Vec<String>,
}

impl Question for ListErasures {
    const SUBJECT: &'static str = "svc.user-api.list-erasures";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Vec<ErasureProgress>;
}

/// The requests for an export, the newest first.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ListExports {}

/// A request for an export. It does not say whose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportProgress {
    /// Its number: not the secret id that the requester has.
    pub request: Uuid,
    /// How far it is.
    pub state: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// The day by which the law wants it done.
    pub due_at: DateTime<Utc>,
    /// Until when its archive is kept, or a request that gets none is given up.
    pub expires_at: DateTime<Utc>,
}

impl Question for ListExports {
    const SUBJECT: &'static str = "svc.user-api.list-exports";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Vec<ExportProgress>;
}

/// The erasure requests that are done and have a receipt, the newest first.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ListReceipts {}

/// An erasure request that is done. It does not say whose it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErasureDone {
    /// Its number: the id of its `gdpr.delete` event.
    pub request: EventId,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// The day by which the law wanted it done.
    pub due_at: DateTime<Utc>,
    /// When it was done.
    pub finished_at: DateTime<Utc>,
    /// When no backup is left that may hold anything of it.
    pub backups_end_at: Option<DateTime<Utc>>,
}

impl Question for ListReceipts {
    const SUBJECT: &'static str = "svc.user-api.list-receipts";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Vec<ErasureDone>;
}

/// The receipt of an erasure, and the same signed. Refused with `unknown-request`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ShowReceipt {
    /// The erasure's number.
    pub request: EventId,
}

impl Question for ShowReceipt {
    const SUBJECT: &'static str = "svc.user-api.show-receipt";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = (Receipt, String);
}

/// Gives an erasure request two more months, once. Refused with `unknown-request`.
#[derive(Clone, Serialize, Deserialize)]
pub struct ExtendErasure {
    /// Its number.
    pub request: EventId,
    /// Why, as the requester is told.
    pub reason: String,
}

impl Question for ExtendErasure {
    const SUBJECT: &'static str = "svc.user-api.extend-erasure";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = ();
}

/// Takes an erasure request up at once. Refused with `unknown-request`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct RetryErasure {
    /// Its number.
    pub request: EventId,
}

impl Question for RetryErasure {
    const SUBJECT: &'static str = "svc.user-api.retry-erasure";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = ();
}
