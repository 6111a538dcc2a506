//! The arguments of `tagohook listen`.

use clap::Args;

use super::running::{Inspector, Rows};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  tagohook listen --forward-to http://localhost:3000/hook
  tagohook listen --forward-to http://localhost:3000 --route 'data.*=/data' --route 'user.*=/users' --name my-app
  tagohook listen source:tagorun type:data.received --since 2h --exec 'jq .data'

A delivery without a response is retried until there is one; later ones of the same device wait for it.
A response of any status ends it, unless --retries says otherwise.";

/// `tagohook listen`
#[derive(Debug, Args)]
pub struct Listen {
    /// Only deliveries that this search finds, as in the search box: source:tagorun type:data.received
    #[arg(value_name = "QUERY")]
    pub query: Vec<String>,
    /// The URL of your app. It gets the stored query, and the stored path where it ends in /*
    #[arg(long, value_name = "URL", required_unless_present = "exec")]
    pub forward_to: Option<String>,
    /// Another path for an event type or pattern; the first one that matches counts
    #[arg(long, value_name = "EVENT=PATH", requires = "forward_to")]
    pub route: Vec<String>,
    /// Give each body to a shell command, on its standard input
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,
    /// Begin with deliveries since then: 2h, 30m, or a time such as 2026-03-09T07:14:58Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Keep the position under this name: the next start continues where this one ends
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Sign each request again with this secret, file:NAME or env:NAME, in the scheme of its source
    #[arg(long, value_name = "SECRET", requires = "forward_to")]
    pub sign: Option<String>,
    /// How long a response may take
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub timeout: String,
    /// How often a response 429 or 5xx is retried
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u32,
    /// Skip a delivery after this many attempts without a response [default: unlimited]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: Option<u32>,
    /// Parallel requests, 1 to 64; each device has one at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub concurrency: u32,
    #[command(flatten)]
    pub rows: Rows,
    #[command(flatten)]
    pub inspector: Inspector,
}
