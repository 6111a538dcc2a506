//! The arguments of `tagohook dead-letters`.

use clap::{Args, Subcommand};

use super::running::{Inspector, Rows};

/// `tagohook dead-letters`
#[derive(Debug, Args)]
pub struct DeadLetters {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: DeadLettersCommand,
}

/// The commands for dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, newest first
    List {
        #[command(flatten)]
        filter: LetterFilter,
        #[command(flatten)]
        rows: Rows,
    },
    /// Replay them: by their ids, or those that match
    Replay {
        /// Their ids
        id: Vec<String>,
        #[command(flatten)]
        filter: LetterFilter,
        /// Replay every dead letter
        #[arg(long)]
        all: bool,
        /// Only print how many match
        #[arg(long)]
        dry_run: bool,
    },
    /// Count them by subscription and error
    Groups {
        #[command(flatten)]
        filter: LetterFilter,
        #[command(flatten)]
        rows: Rows,
    },
    /// Discard them: by their ids, or those that match; their messages and attempts are kept
    #[command(alias = "drop")]
    Discard {
        /// Their ids
        id: Vec<String>,
        #[command(flatten)]
        filter: LetterFilter,
        /// Discard every dead letter
        #[arg(long)]
        all: bool,
        /// Only print how many match
        #[arg(long)]
        dry_run: bool,
        /// Do not ask before many are discarded
        #[arg(long)]
        yes: bool,
    },
}

/// Selects dead letters.
#[derive(Debug, Args)]
pub struct LetterFilter {
    /// Of this subscription
    #[arg(long, value_name = "ID")]
    pub subscription: Option<String>,
    /// Of this event
    #[arg(long, value_name = "ID")]
    pub event: Option<String>,
    /// Of this event type
    #[arg(long, value_name = "NAME")]
    pub event_type: Option<String>,
    /// Whose error contains this text
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
    /// Whose error is exactly this text
    #[arg(long, value_name = "TEXT")]
    pub error_is: Option<String>,
}
