//! Questions that AuthAPI answers.

use std::time::Duration;

use chassis::rpc::Question;
use chrono::{DateTime, Utc};
use envelope::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Whoever was wrong too often about a password or a code waits no longer than this.
pub const LONGEST_LOCK: Duration = Duration::from_mins(5);

/// What somebody may do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Ticks and rates.
    #[default]
    Birder,
    /// Also moderates.
    Moderator,
    /// Also runs the place.
    Admin,
}

impl Role {
    /// As it is written in databases and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Birder => "birder",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "birder" => Ok(Self::Birder),
            "moderator" => Ok(Self::Moderator),
            "admin" => Ok(Self::Admin),
            _ => Err(format!(
                "{text:?} is no role; there are birder, moderator and admin"
            )),
        }
    }
}

/// Whose is this access token? Refused with `unknown-token`.
#[derive(Clone, Serialize, Deserialize)]
pub struct VerifyToken {
    /// Keyed or plain SHA-256 of the token in hexadecimal digits: the token itself stays at the door.
    pub token_hash: String,
}

/// A good token.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The session it belongs to.
    pub session: Uuid,
    /// The user.
    pub user: UserId,
    /// What the user may do.
    pub role: Role,
    /// When the user last proved who they are. An AuthAPI of before it was asked says nothing: long ago.
    #[serde(default)]
    pub proved_at: DateTime<Utc>,
}

impl Question for VerifyToken {
    const SUBJECT: &'static str = "svc.auth-api.verify-token";
    const ASKED_BY: &'static [&'static str] = &[
        "tick-api",
        "auth-api",
        "user-api",
        "statistics",
        "admin-api",
    ];
    const IS_REPEATABLE: bool = true;
    type Answer = Session;
}

/// Is it really this user? Asked again before what cannot be undone. Refused with
/// `wrong-password` or `wrong-code`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Reauthenticate {
    /// Who says so.
    pub user: UserId,
    /// What proves it.
    pub proof: Proof,
}

/// What proves who somebody is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The password.
    Password(String),
    /// A code that was mailed.
    Code(String),
}

impl Question for Reauthenticate {
    const SUBJECT: &'static str = "svc.auth-api.reauthenticate";
    const ASKED_BY: &'static [&'static str] = &["tick-api"];
    type Answer = ();
}

/// A code for the user, mailed, that [`Reauthenticate`] takes.
#[derive(Clone, Serialize, Deserialize)]
pub struct SendCode {
    /// Who asked for it.
    pub user: UserId,
}

impl Question for SendCode {
    const SUBJECT: &'static str = "svc.auth-api.send-code";
    const ASKED_BY: &'static [&'static str] = &["tick-api"];
    type Answer = ();
}

/// Ends all sessions of a user: their tokens are dead from then on.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct EndSessions {
    /// Whose.
    pub user: UserId,
}

impl Question for EndSessions {
    const SUBJECT: &'static str = "svc.auth-api.end-sessions";
    const ASKED_BY: &'static [&'static str] = &["tick-api", "admin-api"];
    type Answer = ();
}

/// A confirmed account, made by an operator. Refused with `exists`, `invalid-email`,
/// `invalid-name` or `invalid-password`.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateAccount {
    /// Address to log in with.
    pub email: String,
    /// Name that is shown.
    pub name: String,
    /// Password; by default a random one is made and answered.
    pub password: Option<String>,
    /// What the account may do.
    pub role: Role,
}

/// An account that was made.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreatedAccount {
    /// Its user.
    pub user: UserId,
    /// The password, if it was made here.
    pub generated_password: Option<String>,
}

impl Question for CreateAccount {
    const SUBJECT: &'static str = "svc.auth-api.create-account";
    const ASKED_BY: &'static [&'static str] = &["operator"];
    type Answer = CreatedAccount;
}

/// Gives a user another role; their sessions see it at once. Refused with `unknown-user`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SetRole {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub role: Role,
}

impl Question for SetRole {
    const SUBJECT: &'static str = "svc.auth-api.set-role";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = ();
}

/// What AuthAPI knows of a user. Refused with `unknown-user`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ShowAccount {
    /// Whom.
    pub user: UserId,
}

/// An account, without what proves whose it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Account {
    /// What its user may do.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether its address is confirmed.
    pub is_confirmed: bool,
    /// Until when its user may not log in, if that is not over.
    pub suspended_until: Option<DateTime<Utc>>,
    /// How often its user is logged in.
    pub sessions: i64,
}

impl Question for ShowAccount {
    const SUBJECT: &'static str = "svc.auth-api.show-account";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Account;
}

/// Shuts a user out for a time, which ends their sessions, or lets them in again. Refused with `unknown-user`, and
/// with `not-below` when who asks is no admin and the user may do as much as they.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Suspend {
    /// Whom.
    pub user: UserId,
    /// Until when; none lets them in.
    pub until: Option<DateTime<Utc>>,
    /// What the one who asks may do.
    pub by: Role,
}

impl Question for Suspend {
    const SUBJECT: &'static str = "svc.auth-api.suspend";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = ();
}

/// The secret part of an account mail, made at the moment of sending so that it is stored nowhere
/// but in the mail. Refused with `not-needed` when the mail should not be sent any more.
#[derive(Clone, Serialize, Deserialize)]
pub struct MailSecret {
    /// Whose mail.
    pub user: UserId,
    /// Which mail.
    pub kind: crate::notifier::AccountMail,
}

impl Question for MailSecret {
    const SUBJECT: &'static str = "svc.auth-api.mail-secret";
    const ASKED_BY: &'static [&'static str] = &["notifier"];
    /// A token or code; empty for mails that hold none.
    type Answer = String;
}
