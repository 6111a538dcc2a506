//! The arguments of commands that read what happened: `wait`, `deliveries`, `export`, `stats`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::running::{Inspector, Rows};

/// `tagohook wait`
#[derive(Debug, Args)]
pub struct Wait {
    /// A search, as in the search box: type:user.login verdict:accepted
    #[arg(value_name = "QUERY")]
    pub query: Vec<String>,
    /// How long to wait
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub timeout: String,
    /// Also a delivery that arrived since then: 10s, 2m, or a time [default: only one that arrives from now on]
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// `tagohook deliveries`
#[derive(Debug, Args)]
pub struct Deliveries {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: DeliveriesCommand,
}

/// The commands for deliveries.
#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List deliveries, newest first
    List {
        /// A search, as in the search box: verdict:rejected source:tagorun after:-2h
        #[arg(value_name = "QUERY")]
        query: Vec<String>,
        /// At most N deliveries
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        rows: Rows,
    },
    /// Show a delivery: result and cause, checks, header lines and body
    Show {
        /// The id of the delivery
        id: String,
        /// Print the exact bytes of the body, and nothing else
        #[arg(long, conflicts_with = "json")]
        raw: bool,
        /// Print the delivery as one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// `tagohook export`
#[derive(Debug, Args)]
pub struct Export {
    /// A search, as in the search box: verdict:rejected source:tagorun after:-2h
    #[arg(value_name = "QUERY")]
    pub query: Vec<String>,
    /// The format
    #[arg(long = "as", value_name = "FORMAT", default_value = "jsonl", value_parser = ["jsonl", "csv", "har"])]
    pub format: String,
    /// Write to this file, which appears when it is complete [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// `tagohook import`
#[derive(Debug, Args)]
pub struct Import {
    /// An export as JSON Lines or HAR, or a HAR of another tool; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The source of requests in another tool's HAR [default: the one in the path /webhook/NAME, otherwise imported]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    #[command(flatten)]
    pub rows: Rows,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// `tagohook stats`
#[derive(Debug, Args)]
pub struct Stats {
    /// The time up to now
    #[arg(long, value_name = "RANGE", default_value = "24h", value_parser = ["1h", "24h", "7d"])]
    pub range: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub inspector: Inspector,
}
