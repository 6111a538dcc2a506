//! Why a store is not moved.

use crate::store::StoreError;

/// Why a store is not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveFault {
    /// Both ends have the same engine.
    #[error(
        "--from and --to have the same engine; a move goes from sqlite: to postgres:// or back (copy the file, or use pg_dump)"
    )]
    SameEngine,
    /// There is no source.
    #[error("--from {0} does not exist")]
    Missing(String),
    /// An end is in use.
    #[error("{0} is in use by another tagohook; stop it first")]
    InUse(String),
    /// The source is itself an unfinished destination.
    #[error("--from {0} is the destination of an unfinished move; finish that move first")]
    Unfinished(String),
    /// The destination contains something.
    #[error("--to {place} is not empty: it has rows in {table}; choose a new place")]
    NotEmpty {
        /// The destination.
        place: String,
        /// A table with rows.
        table: &'static str,
    },
    /// There is nothing to start over.
    #[error("--to {0} has no unfinished move; leave out --start-over")]
    NothingToStartOver(String),
    /// The source is not the one that the move began with.
    #[error(
        "--to {0} has an unfinished move from another store, or tagohook has run on --from since; repeat the command with \
         --start-over"
    )]
    Changed(String),
    /// Both ends differ after the move.
    #[error("the two stores differ in {}; --to stays unusable; repeat the command with --start-over", tables.join(", "))]
    Different {
        /// The tables that differ, with their numbers of rows.
        tables: Vec<String>,
    },
    /// An end cannot be read or written.
    #[error("{0}; repeat the command to continue where it stopped")]
    Stopped(StoreError),
    /// An end cannot be opened.
    #[error(transparent)]
    Open(StoreError),
}

impl MoveFault {
    /// Whether the arguments or the places are wrong, and nothing was changed.
    #[must_use]
    pub const fn is_wrong_usage(&self) -> bool {
        !matches!(self, Self::Different { .. } | Self::Stopped(_))
    }
}

/// A fault while rows are read or written.
impl From<StoreError> for MoveFault {
    fn from(fault: StoreError) -> Self {
        Self::Stopped(fault)
    }
}
