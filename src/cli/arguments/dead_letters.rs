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
    /// List dead letters, newest first
    List {
        #[command(flatten)]
        filter: LetterFilter,
        #[command(flatten)]
        rows: Rows,
    },
    /// Replay dead letters: by id, those that match, or all
    Replay {
        /// The ids of the dead letters
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
    /// Count dead letters by subscription and error
    Groups {
        #[command(flatten)]
        filter: LetterFilter,
        #[command(flatten)]
        rows: Rows,
    },
    /// Discard dead letters: by id, those that match, or all; their messages and attempts are kept
    #[command(alias = "drop")]
    Discard {
        /// The ids of the dead letters
        id: Vec<String>,
        #[command(flatten)]
        filter: LetterFilter,
        /// Discard every dead letter
        #[arg(long)]
        all: bool,
        /// Only print how many match
        #[arg(long)]
        dry_run: bool,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// Selects dead letters.
#[derive(Debug, Args)]
pub struct LetterFilter {
    /// Only those of this subscription
    #[arg(long, value_name = "ID")]
    pub subscription: Option<String>,
    /// Only those of this event
    #[arg(long, value_name = "ID")]
    pub event: Option<String>,
    /// Only those of this event type
    #[arg(long, value_name = "NAME")]
    pub event_type: Option<String>,
    /// Only those whose error contains this text
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
    /// Only those whose error is exactly this text
    #[arg(long, value_name = "TEXT")]
    pub error_is: Option<String>,
}
