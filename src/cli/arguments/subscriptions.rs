//! The arguments of `tagohook subscriptions`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::running::{Inspector, Rows};

/// `tagohook subscriptions`
#[derive(Debug, Args)]
pub struct Subscriptions {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: SubscriptionsCommand,
}

/// The commands for subscriptions.
#[derive(Debug, Subcommand)]
pub enum SubscriptionsCommand {
    /// List them, with the state of their endpoints
    List(Rows),
    /// Add one from its JSON, TagoRUN's own webhook configuration
    Add {
        /// The JSON [default: standard input]
        file: Option<PathBuf>,
    },
    /// Remove one; messages that wait for it are cancelled
    Remove {
        /// Its id or name
        subscription: String,
    },
    /// Send webhook.test through one and print the response
    Test {
        /// Its id or name
        subscription: String,
    },
}
