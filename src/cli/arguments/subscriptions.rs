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
    /// List the subscriptions with the state of their endpoints
    List(Rows),
    /// Add a subscription from its JSON, TagoRUN's own webhook configuration
    Add {
        /// The JSON [default: standard input]
        file: Option<PathBuf>,
    },
    /// Print a subscription as JSON, its secrets masked
    Show {
        /// The id or name of the subscription
        subscription: String,
    },
    /// Send the events of a subscription again, waiting messages first
    Enable {
        /// The id or name of the subscription
        subscription: String,
    },
    /// Keep waiting messages, and make no new ones
    Disable {
        /// The id or name of the subscription
        subscription: String,
    },
    /// Remove a subscription; messages that wait for it are cancelled
    Remove {
        /// The id or name of the subscription
        subscription: String,
    },
    /// Send webhook.test through a subscription and print the response
    Test {
        /// The id or name of the subscription
        subscription: String,
    },
}
