//! The arguments of `tagohook messages`.

use clap::{Args, Subcommand};

use super::running::{Inspector, Rows};
use crate::domain::MessageStatus;

/// `tagohook messages`
#[derive(Debug, Args)]
pub struct Messages {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: MessagesCommand,
}

/// The commands for messages.
#[derive(Debug, Subcommand)]
pub enum MessagesCommand {
    /// List messages, newest first
    List {
        #[command(flatten)]
        filter: MessageFilter,
        #[command(flatten)]
        rows: Rows,
    },
    /// Show a message with its attempts, as JSON
    Show {
        /// The id of the message
        id: String,
    },
    /// Send waiting messages now; by id or with --status cancelled, also cancelled ones
    SendNow(ChosenMessages),
    /// Move parked messages to another subscription, which sends them now
    Move {
        /// The id of the subscription that takes them
        #[arg(long, value_name = "ID")]
        to: String,
        #[command(flatten)]
        chosen: ChosenMessages,
    },
    /// Cancel waiting messages, including parked ones
    Cancel(ChosenMessages),
}

/// Selects messages for a list.
#[derive(Debug, Args)]
pub struct MessageFilter {
    /// Only messages of this subscription
    #[arg(long, value_name = "ID")]
    pub subscription: Option<String>,
    /// Only messages of this event
    #[arg(long, value_name = "ID")]
    pub event: Option<String>,
    /// Only messages with this status
    #[arg(long, value_name = "STATUS", value_parser = MessageStatus::ALL.map(MessageStatus::as_str))]
    pub status: Option<String>,
}

/// Selects the messages of a command.
#[derive(Debug, Args)]
pub struct ChosenMessages {
    /// The ids of the messages
    pub id: Vec<String>,
    #[command(flatten)]
    pub filter: MessageFilter,
    /// All waiting messages
    #[arg(long)]
    pub all: bool,
    /// Only print how many match
    #[arg(long)]
    pub dry_run: bool,
}
