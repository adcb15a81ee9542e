//! What can go wrong in a store, by what must happen next.

/// Errors of every operation of the port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full or the database cannot commit now: nothing of the call was done; intake answers 503.
    #[error("the store cannot commit now: {0}")]
    Unavailable(String),
    /// Another process holds the database.
    #[error("{0} is in use by another process; stop it first, or give this one another data_dir")]
    InUse(String),
    /// The file is not a database of ours, or broken. It was not touched.
    #[error("{0}")]
    Unreadable(String),
    /// A newer Tidegate has taken away what this one uses.
    #[error(
        "TG-4009: the store has schema {found}, on which only programs that know schema {oldest} or a later one may run; this \
         one knows up to {known}: run the newer program, or restore a backup made before the upgrade"
    )]
    TooNew { found: u32, oldest: u32, known: u32 },
    /// This program's next migration takes away what nodes that run now use.
    #[error(
        "TG-4010: migration {number} takes away what nodes use that know schema {running} alone, and at least one of them \
         runs: stop it, or upgrade it first to a version that knows schema {oldest}; nothing was done"
    )]
    TooOldBeside { number: u32, oldest: u32, running: u32 },
    /// The master key is not the one that the store was made with.
    #[error(
        "the master key does not fit this store (its check value differs): give back the key it was made with"
    )]
    WrongKey,
    /// Our own invariant broke.
    #[error("bug in the store: {0}")]
    Bug(String),
}
