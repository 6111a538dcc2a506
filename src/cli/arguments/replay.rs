//! The arguments of `tagohook replay`.

use clap::Args;

use super::running::Inspector;

/// `tagohook replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// A search, as in the search box: verdict:rejected source:tagorun after:-2h
    pub search: Vec<String>,
    /// Target: receiver, the id of a subscription, or an http or https URL, which gets the stored query, and the stored
    /// path where it ends in /*
    #[arg(long, value_name = "TARGET", default_value = "receiver")]
    pub to: String,
    /// Signature of the replayed requests
    #[arg(long, default_value = "fresh", value_parser = ["fresh", "original", "none"])]
    pub signature: String,
    /// Which deliveries are replayed first
    #[arg(long, default_value = "oldest", value_parser = ["oldest", "newest"])]
    pub order: String,
    /// Maximum rate, as 50/s or 1000/min [default: unlimited]
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// Parallel requests, 1 to 32
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub concurrency: u32,
    /// Replay only the newest N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Stop at the first failure; --resume continues
    #[arg(long)]
    pub stop_on_error: bool,
    /// Only print what would be replayed
    #[arg(long)]
    pub dry_run: bool,
    /// Replay every delivery, without a search
    #[arg(long, conflicts_with = "search")]
    pub all: bool,
    /// Do not wait for the end; the run continues in the background
    #[arg(long)]
    pub detach: bool,
    /// Continue a stopped run
    #[arg(long, value_name = "RUN", conflicts_with_all = ["search", "all", "dry_run", "stop"])]
    pub resume: Option<String>,
    /// Stop a running replay
    #[arg(long, value_name = "RUN", conflicts_with_all = ["search", "all", "dry_run"])]
    pub stop: Option<String>,
    #[command(flatten)]
    pub inspector: Inspector,
}
