//! What can fail inside this store, and which [`StoreError`] the caller sees for it. No PostgreSQL type leaves the
//! crate.

use store::StoreError;
use tokio_postgres::error::SqlState;

/// A failure within a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fail {
    #[error(transparent)]
    Sql(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row with a name that another node gave out since ours were read: read them, and ask again.
    #[error("a row with the unknown name {0}")]
    UnknownName(i32),
    /// The connection had rested or broke, before a commit was asked for: nothing was done, and a new one may be had.
    #[error(transparent)]
    Gone(Box<Fail>),
}

pub(crate) type Done<T> = Result<T, Fail>;

/// Our own invariant broke.
pub(crate) fn bug(what: impl Into<String>) -> Fail {
    Fail::Store(StoreError::Bug(what.into()))
}

pub(crate) fn unavailable(why: impl Into<String>) -> Fail {
    Fail::Store(StoreError::Unavailable(why.into()))
}

impl Fail {
    /// Nothing of the transaction was done and the same again may well succeed: a deadlock, a serialization failure.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        let Fail::Sql(error) = self else { return matches!(self, Fail::UnknownName(_) | Fail::Gone(_)) };
        matches!(error.code(), Some(code) if [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE].contains(code))
    }

    /// Somebody else holds what it needs, for now.
    pub(crate) fn is_of_a_lock(&self) -> bool {
        let Fail::Sql(error) = self else { return false };
        matches!(error.code(), Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE)
            || self.is_worth_another_try()
    }

    /// The socket is broken, or the server said good-bye on it.
    pub(crate) fn says_the_connection_is_gone(&self) -> bool {
        let Fail::Sql(error) = self else { return false };
        error.code().is_none_or(|code| {
            let ended = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::IDLE_SESSION_TIMEOUT];
            ended.contains(code) || code.code().starts_with("08")
        })
    }

    /// Whether the connection is worth keeping: a server that is going down, a standby or a broken socket is not.
    pub(crate) fn spoils_the_connection(&self) -> bool {
        let Fail::Sql(error) = self else { return false };
        match error.code() {
            Some(code) => {
                *code == SqlState::READ_ONLY_SQL_TRANSACTION || ["08", "57"].contains(&&code.code()[..2])
            }
            None => true,
        }
    }
}

impl From<Fail> for StoreError {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Store(error) => error,
            Fail::Sql(error) => said_by(&error),
            Fail::Gone(fail) => (*fail).into(),
            Fail::UnknownName(number) => {
                StoreError::Bug(format!("a row with the name {number}, which is not in the table of names"))
            }
        }
    }
}

/// What a failure of the server or of the way to it means. A fail-over says any of the first; intake answers 503 and
/// goes on by itself when there is a server that writes.
fn said_by(error: &tokio_postgres::Error) -> StoreError {
    let Some(code) = error.code() else {
        return StoreError::Unavailable(format!("no connection to PostgreSQL: {}", chain(error)));
    };
    let text = || error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
    match *code {
        SqlState::DISK_FULL => StoreError::Unavailable(
            "the database's disk is full; free some space, it goes on by itself".into(),
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            StoreError::Unavailable("the database is a read-only standby; it goes on when one writes".into())
        }
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => StoreError::Unreadable(format!(
            "the database is damaged ({}): stop the hub, keep the data directory, and restore the last backup",
            text()
        )),
        // Connection, resources, operator (57P01 and a cancelled statement), system, deadlock and serialization,
        // a lock that could not be had in time, a transaction that was idle too long.
        _ if ["08", "53", "57", "58", "40", "55"].contains(&&code.code()[..2]) || code.code() == "25P03" => {
            StoreError::Unavailable(format!("{} (SQLSTATE {})", text(), code.code()))
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            StoreError::Unavailable(format!("PostgreSQL refuses the log-in: {}", text()))
        }
        SqlState::UNDEFINED_DATABASE => StoreError::Unavailable(format!("{}: create it first", text())),
        _ => StoreError::Bug(format!("{} (SQLSTATE {})", text(), code.code())),
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
