//! What can fail inside this store, and which [`StoreError`] the caller sees for it. No SQLite type leaves the crate.

use rusqlite::ErrorCode;
use store::StoreError;

/// A failure within a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fail {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) type Done<T> = Result<T, Fail>;

/// Our own invariant broke.
pub(crate) fn bug(what: impl Into<String>) -> Fail {
    Fail::Store(StoreError::Bug(what.into()))
}

impl Fail {
    /// Whether the whole transaction is lost with it: the disk, not the request, was at fault.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        matches!(self, Fail::Sql(error) if said_by(error).is_some())
            || matches!(self, Fail::Store(StoreError::Unavailable(_)))
    }
}

impl From<Fail> for StoreError {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Store(error) => error,
            Fail::Sql(error) => said_by(&error).unwrap_or_else(|| StoreError::Bug(error.to_string())),
        }
    }
}

fn said_by(error: &rusqlite::Error) -> Option<StoreError> {
    Some(match error.sqlite_error_code()? {
        ErrorCode::DiskFull => {
            StoreError::Unavailable("the disk is full; free some space, it goes on by itself".into())
        }
        ErrorCode::SystemIoFailure
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked => StoreError::Unavailable(error.to_string()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Unreadable(format!(
            "the database is damaged ({error}): stop the hub, keep the file, and restore the last backup"
        )),
        _ => return None,
    })
}
