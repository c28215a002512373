//! Why a database does not do what is asked, in words that an operator can act on and without values.

/// Why the database could not do what was asked. Shows no values, only what kind of failure.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be reached or opened.
    #[error("cannot open the database {place}: {why}")]
    Unreachable {
        /// Which one, without credentials.
        place: String,
        /// What the driver said.
        why: String,
    },
    /// Its tables cannot be brought up to date.
    #[error("cannot bring the tables up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("database statement failed: {}", describe(.0))]
    Statement(#[from] sqlx::Error),
    /// A stored value is not what was written.
    #[error("the database holds a damaged value in {0}")]
    Damaged(&'static str),
}

impl DatabaseError {
    /// Whether the database can hold some value never, e.g. a text with a NUL in PostgreSQL:
    /// trying again is in vain. SQLSTATE class 22 is "data exception".
    pub fn is_about_a_value(&self) -> bool {
        match self {
            Self::Statement(sqlx::Error::Database(error)) => error
                .code()
                .is_some_and(|code| code.len() == 5 && code.starts_with("22")),
            _ => false,
        }
    }

    /// Whether it is the failure with this code.
    pub(crate) fn is_code(&self, wanted: &str) -> bool {
        match self {
            Self::Statement(sqlx::Error::Database(error)) => {
                error.code().as_deref() == Some(wanted)
            }
            _ => false,
        }
    }

    /// Whether the database as a whole does not work now, so that any statement would fail: waiting
    /// helps, and nothing is said about the statement. The classes are PostgreSQL's (connection,
    /// rollback for concurrency, resources, operator, system), the numbers SQLite's primary codes.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Migration(_) | Self::Damaged(_) => false,
            Self::Statement(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                match (code.len(), code.parse::<u32>()) {
                    (5, _) => ["08", "40", "53", "57", "58"]
                        .iter()
                        .any(|class| code.starts_with(class)),
                    (_, Ok(code)) => [5, 6, 7, 8, 10, 13, 14].contains(&(code & 0xff)),
                    _ => false,
                }
            }
            Self::Statement(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            ),
        }
    }
}

/// Driver errors may quote values; only their kind and code are shown.
pub(super) fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(inner) => {
            let code = inner.code().unwrap_or_default();
            let constraint = inner.constraint().map(|name| format!(" constraint {name}"));
            format!("{}{}", meaning(&code), constraint.unwrap_or_default())
        }
        sqlx::Error::Io(inner) => format!("{}", inner.kind()),
        sqlx::Error::PoolTimedOut => "no connection became free in time".to_owned(),
        sqlx::Error::ColumnDecode { index, .. } => format!("column {index} has another type"),
        sqlx::Error::RowNotFound => "no row".to_owned(),
        _ => "driver failure".to_owned(),
    }
}

/// SQLite's result codes that an operator can do something about, from its documentation.
fn meaning(code: &str) -> String {
    let meaning = match code {
        "5" | "6" => "it is locked by another process",
        "8" => "it cannot be written; check the permissions",
        "10" => "the disk does not read or write",
        "11" => "it is damaged; restore a backup",
        "13" => "the disk is full",
        "14" => "the file cannot be opened; check path and permissions",
        "26" => "the file is no SQLite database; move it away",
        _ => return format!("code {code}"),
    };
    format!("{meaning} (code {code})")
}
