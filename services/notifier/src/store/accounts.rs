//! Mails about accounts that wait to be sent.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use clients::notifier::AccountMail;
use envelope::UserId;
use uuid::Uuid;

const INSERT: &str =
    "INSERT INTO account_mail (id, user_id, kind, queued_at, due_at, claimed_until, attempts)
    VALUES ($1, $2, $3, $4, $4, 0, 0)";
const CLAIM: &str = "UPDATE account_mail SET claimed_until = $2
    WHERE claimed_until <= $1 AND id IN (
        SELECT id FROM account_mail WHERE due_at <= $1 AND claimed_until <= $1
        ORDER BY due_at LIMIT $3)
    RETURNING id, user_id, kind, attempts, claimed_until";
const CLAIMED: &str = "SELECT id, user_id, kind, attempts, claimed_until FROM account_mail
    WHERE user_id = $1 AND claimed_until > $2";
const DELETE: &str = "DELETE FROM account_mail WHERE id = $1";
const POSTPONE: &str =
    "UPDATE account_mail SET due_at = $2, claimed_until = 0, attempts = attempts + $3
    WHERE id = $1";

/// A mail about an account whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The mail.
    pub(crate) id: Uuid,
    /// To whom.
    pub(crate) user: UserId,
    /// Which.
    pub(crate) kind: AccountMail,
    /// How often it was put off.
    pub(crate) attempts: i64,
    /// Until when it is claimed; no two claims end at the same moment.
    pub(crate) claimed_until: i64,
}

impl Turn {
    /// What the mail is sent under. One that is written again holds another secret, so it is another
    /// mail.
    pub(crate) fn mail_id(&self) -> Uuid {
        Uuid::new_v5(&self.id, &self.claimed_until.to_be_bytes())
    }
}

type Row = (Uuid, Uuid, String, i64, i64);

fn turns(rows: Vec<Row>) -> Result<Vec<Turn>, DatabaseError> {
    let turn = |(id, user, name, attempts, claimed_until): Row| {
        Ok(Turn {
            id,
            user: UserId(user),
            kind: kind(&name)?,
            attempts,
            claimed_until,
        })
    };
    rows.into_iter().map(turn).collect()
}

fn name(kind: AccountMail) -> &'static str {
    match kind {
        AccountMail::Confirm => "confirm",
        AccountMail::AlreadyRegistered => "already-registered",
        AccountMail::Code => "code",
        AccountMail::ConfirmAddress => "confirm-address",
        AccountMail::AddressChanging => "address-changing",
        AccountMail::Reset => "reset",
        AccountMail::PasswordChanged => "password-changed",
    }
}

fn kind(name: &str) -> Result<AccountMail, DatabaseError> {
    [
        AccountMail::Confirm,
        AccountMail::AlreadyRegistered,
        AccountMail::Code,
        AccountMail::ConfirmAddress,
        AccountMail::AddressChanging,
        AccountMail::Reset,
        AccountMail::PasswordChanged,
    ]
    .into_iter()
    .find(|kind| self::name(*kind) == name)
    .ok_or(DatabaseError::Damaged("account_mail.kind"))
}

/// Queues a mail, to be sent now.
pub(crate) async fn queue(
    session: &mut Session,
    id: Uuid,
    (user, kind): (UserId, AccountMail),
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(INSERT).bind(id).bind(user.0).bind(name(kind)).bind(now)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Claims up to `limit` mails whose turn it is, until `until`.
pub(crate) async fn claim(
    session: &mut Session,
    (now, until): (i64, i64),
    limit: i64,
) -> Result<Vec<Turn>, DatabaseError> {
    turns(sql!(session, c =>
        sqlx::query_as(CLAIM).bind(now).bind(until).bind(limit).fetch_all(c).await)?)
}

/// The mails to a user that some process has claimed.
pub(crate) async fn claimed(
    session: &mut Session,
    user: UserId,
    now: i64,
) -> Result<Vec<Turn>, DatabaseError> {
    turns(sql!(session, c =>
        sqlx::query_as(CLAIMED).bind(user.0).bind(now).fetch_all(c).await)?)
}

/// The mail is through, one way or the other.
pub(crate) async fn delete(session: &mut Session, id: Uuid) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(DELETE).bind(id).execute(c).await.map(drop))?;
    Ok(())
}

/// Tries the mail again later.
pub(crate) async fn postpone(
    session: &mut Session,
    id: Uuid,
    due_at: i64,
    attempts: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(POSTPONE).bind(id).bind(due_at).bind(attempts)
        .execute(c).await.map(drop))?;
    Ok(())
}
