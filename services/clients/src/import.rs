//! Questions by which a person's account is taken from another instance's export, asked by the command line in this
//! order. Each may be asked again: what was done is not done twice. Rows of tables are given back with
//! `chassis::access::GiveBack`.

use chassis::rpc::Question;
use chrono::{DateTime, Utc};
use envelope::{EventId, ImageId, Rating, TickId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::Role;
use crate::user::Notifications;

/// Begins an import, or goes on with one of the same archive. Refused with `exists`, `erased`, `address-taken`,
/// `another-archive`, `invalid-email`, `invalid-name`, and `retired` when its events have a major that the broker does
/// not take any more.
#[derive(Clone, Serialize, Deserialize)]
pub struct BeginImport {
    /// Whose account it is.
    pub user: UserId,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub archive: String,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Old majors of the events that they bring along: `rate.update@1`.
    pub old_majors: Vec<String>,
}

/// An import that may go on.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct BegunImport {
    /// Ids for those whom the archive does not name are made from it; always the same for this import.
    pub secret: Uuid,
}

impl Question for BeginImport {
    const SUBJECT: &'static str = "svc.user-api.begin-import";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = BegunImport;
}

/// Is any of these here, and not the person's? Then it would be counted twice, or taken from somebody.
#[derive(Clone, Serialize, Deserialize)]
pub struct AnyKnown {
    /// Whose import it is.
    pub user: UserId,
    /// Their photos.
    pub photos: Vec<ImageId>,
    /// Photos of others that they rated.
    pub rated: Vec<ImageId>,
    /// Their ticks.
    pub ticks: Vec<TickId>,
}

impl Question for AnyKnown {
    const SUBJECT: &'static str = "svc.tick-api.any-known";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = bool;
}

/// A part of a photo's file. Refused with `unknown-photo`, `erased`, and `bad-photo` when it is not
/// a picture as it is kept here.
#[derive(Clone, Serialize, Deserialize)]
pub struct PhotoPart {
    /// Whose.
    pub user: UserId,
    /// The photo: its row is here already.
    pub image: ImageId,
    /// The longest edge that the file may have.
    pub size: u32,
    /// How many bytes come before this part.
    pub offset: u64,
    /// The part, in hexadecimal digits.
    pub bytes: String,
    /// How many bytes the file has.
    pub length: u64,
}

impl Question for PhotoPart {
    const SUBJECT: &'static str = "svc.tick-api.photo-part";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = ();
}

/// What the person gave to photos that are on the other instance. Refused with `erased`, and with `taken` if one of
/// them is here.
#[derive(Clone, Serialize, Deserialize)]
pub struct RatingsGiven {
    /// Who rated.
    pub user: UserId,
    /// What.
    pub ratings: Vec<RatingGiven>,
}

/// What somebody gave to a photo.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct RatingGiven {
    /// The photo.
    pub image: ImageId,
    /// 1 to 5; none once it was taken back.
    pub rating: Option<Rating>,
    /// The event that said so last.
    pub event: EventId,
    /// When.
    pub at: DateTime<Utc>,
}

impl Question for RatingsGiven {
    const SUBJECT: &'static str = "svc.tick-api.ratings-given";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = ();
}

/// Events that were published on the other instance. Refused with `not-begun`, `erased` and `bad-event`.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReturnEvents {
    /// Whose import it is.
    pub user: UserId,
    /// The page's id: what was published under it is not published again.
    pub page: Uuid,
    /// The events, each with the first word of its name.
    pub events: Vec<(String, Value)>,
}

impl Question for ReturnEvents {
    const SUBJECT: &'static str = "svc.user-api.return-events";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = ();
}

/// Who the person is. Refused with `not-begun`, `erased`, `address-taken`, `invalid-email`, `invalid-name` and
/// `invalid-locale`.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReturnIdentity {
    /// The user's id, as events name them.
    pub user: UserId,
    /// The account's.
    pub account: Uuid,
    /// Address to log in with.
    pub email: String,
    /// Name that is shown.
    pub name: String,
    /// How often they want mail.
    pub notifications: Notifications,
    /// Their language.
    pub locale: String,
    /// Since when they have the account.
    pub created_at: DateTime<Utc>,
}

impl Question for ReturnIdentity {
    const SUBJECT: &'static str = "svc.user-api.return-identity";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = ();
}

/// How the person logs in from now on: asked again, the newest password holds. Refused with `erased` and
/// `invalid-password`. Answers the password, if it was made here.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReturnCredential {
    /// Whose.
    pub user: UserId,
    /// The new password; by default a random one is made and answered.
    pub password: Option<String>,
    /// What the account may do.
    pub role: Role,
    /// Since when there is the account.
    pub created_at: DateTime<Utc>,
    /// When its address was confirmed.
    pub confirmed_at: DateTime<Utc>,
}

impl Question for ReturnCredential {
    const SUBJECT: &'static str = "svc.auth-api.return-credential";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = Option<String>;
}

/// Everything is here: the import ends.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct EndImport {
    /// Whose.
    pub user: UserId,
}

impl Question for EndImport {
    const SUBJECT: &'static str = "svc.user-api.end-import";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = ();
}
