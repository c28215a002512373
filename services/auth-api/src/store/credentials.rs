//! Passwords and roles.

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use clients::auth::Role;
use clients::import::ReturnCredential;
use envelope::UserId;

const FIND: &str = "SELECT password, confirmed_at FROM credential WHERE user_id = $1";
// A known account is written over with what it holds: it takes the same steps and time.
const REGISTER: &str = "INSERT INTO credential (user_id, password, role, created_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET password =
        CASE WHEN credential.confirmed_at IS NULL THEN excluded.password ELSE credential.password END
    RETURNING confirmed_at";
const CONFIRM: &str = "UPDATE credential SET password = $2, confirmed_at = $3
    WHERE user_id = $1 AND confirmed_at IS NULL";
const CREATE: &str = "INSERT INTO credential (user_id, password, role, created_at, confirmed_at)
    VALUES ($1, $2, $3, $4, $4)
    ON CONFLICT (user_id) DO UPDATE
        SET password = excluded.password, role = excluded.role, confirmed_at = excluded.confirmed_at
        WHERE credential.confirmed_at IS NULL";
const GIVE_BACK: &str = "INSERT INTO credential (user_id, password, role, created_at, confirmed_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET password = excluded.password, role = excluded.role";
const ACCOUNT: &str = "SELECT role, created_at, confirmed_at FROM credential WHERE user_id = $1";
const SET_PASSWORD: &str = "UPDATE credential SET password = $2
    WHERE user_id = $1 AND confirmed_at IS NOT NULL";
const SET_ROLE: &str = "UPDATE credential SET role = $2 WHERE user_id = $1";

/// How far an account has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its address is not confirmed yet.
    Pending,
    /// Its user may log in.
    Confirmed,
}

impl Standing {
    fn new(confirmed_at: Option<i64>) -> Self {
        confirmed_at.map_or(Self::Pending, |_| Self::Confirmed)
    }
}

/// How a user proves who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    /// The password's hash.
    pub(crate) password: String,
    /// Whether it may be used.
    pub(crate) standing: Standing,
}

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// What its user may do.
    pub(crate) role: Role,
    /// When it was made.
    pub(crate) created_at: i64,
    /// Whether its address is confirmed.
    pub(crate) is_confirmed: bool,
}

/// The account of a user, if there is one.
pub(crate) async fn account(
    session: &mut Session,
    user: UserId,
) -> Result<Option<Account>, DatabaseError> {
    let row: Option<(String, i64, Option<i64>)> =
        sql!(session, c => sqlx::query_as(ACCOUNT).bind(user.0).fetch_optional(c).await)?;
    row.map(|(role, created_at, confirmed_at)| {
        Ok(Account {
            role: role
                .parse()
                .map_err(|_| DatabaseError::Damaged("credential.role"))?,
            created_at,
            is_confirmed: confirmed_at.is_some(),
        })
    })
    .transpose()
}

/// The credential of a user.
pub(crate) async fn find(
    session: &mut Session,
    user: UserId,
) -> Result<Option<Credential>, DatabaseError> {
    let row: Option<(String, Option<i64>)> =
        sql!(session, c => sqlx::query_as(FIND).bind(user.0).fetch_optional(c).await)?;
    Ok(row.map(|(password, confirmed_at)| Credential {
        password,
        standing: Standing::new(confirmed_at),
    }))
}

/// Notes the password of somebody who registers; changes nothing about an account that is
/// confirmed.
pub(crate) async fn register(
    session: &mut Session,
    user: UserId,
    password: &str,
    now: i64,
) -> Result<Standing, DatabaseError> {
    let role = Role::default().as_str();
    let confirmed_at: Option<i64> = sql!(session, c => sqlx::query_scalar(REGISTER)
        .bind(user.0).bind(password).bind(role).bind(now).fetch_one(c).await)?;
    Ok(Standing::new(confirmed_at))
}

/// Confirms a registration with this password. Says whether there was one to confirm.
pub(crate) async fn confirm(
    session: &mut Session,
    user: UserId,
    password: &str,
    now: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(CONFIRM)
        .bind(user.0).bind(password).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Makes a confirmed account, in place of a registration that was not confirmed. Says whether
/// there was none.
pub(crate) async fn create(
    session: &mut Session,
    user: UserId,
    password: &str,
    role: Role,
    now: i64,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(CREATE)
        .bind(user.0).bind(password).bind(role.as_str()).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Makes the account of somebody who comes from another instance, with a new password.
pub(crate) async fn give_back(
    session: &mut Session,
    account: &ReturnCredential,
    password: &str,
) -> Result<(), DatabaseError> {
    let (created, confirmed) = (account.created_at, account.confirmed_at);
    sql!(session, c => sqlx::query(GIVE_BACK)
        .bind(account.user.0).bind(password).bind(account.role.as_str())
        .bind(created.timestamp_micros()).bind(confirmed.timestamp_micros())
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Gives a confirmed account another password. Says whether there is one.
pub(crate) async fn set_password(
    session: &mut Session,
    user: UserId,
    password: &str,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(SET_PASSWORD)
        .bind(user.0).bind(password).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Gives a user another role. Says whether there is such a user.
pub(crate) async fn set_role(
    session: &mut Session,
    user: UserId,
    role: Role,
) -> Result<bool, DatabaseError> {
    let rows = sql!(session, c => sqlx::query(SET_ROLE)
        .bind(user.0).bind(role.as_str()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
