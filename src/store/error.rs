//! What can go wrong with the store. The sender only learns that it should retry.

/// A fault of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The writer's queue is full.
    #[error("the queue of the writer is full")]
    Full,
    /// The file cannot be written or read now: the disk is full or failing, or `max_size` is reached.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A query exceeded its time limit, in seconds.
    #[error(
        "the query took longer than {0} s: narrow it by time (after:-2h), by source or with a longer text"
    )]
    TooLong(u64),
    /// The file was written by a newer program.
    #[error(
        "{path} was written by a newer tagohook (schema {found}, this program knows {known}): start that version, or \
         choose another data directory"
    )]
    NewerSchema {
        /// The file.
        path: String,
        /// The newest schema version in the file.
        found: i32,
        /// The newest schema version that this program knows.
        known: i32,
    },
    /// The store is the destination of a move that is not finished.
    #[error(
        "{path} is the destination of an unfinished `tagohook migrate-store`: repeat that command to finish it, or use \
         another store"
    )]
    Unfinished {
        /// The file or database.
        path: String,
    },
    /// The database cannot be used; the operator must change something.
    #[error("{shown}: {cause}")]
    Refused {
        /// Its URL without the password.
        shown: String,
        /// What is wrong, and what to do.
        cause: String,
    },
    /// The file cannot be opened.
    #[error("{path} cannot be opened: {cause}")]
    Open {
        /// The file.
        path: String,
        /// What went wrong.
        cause: String,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(fault: rusqlite::Error) -> Self {
        Self::Unavailable(fault.to_string())
    }
}
