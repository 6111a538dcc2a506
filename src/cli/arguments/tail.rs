//! The arguments of `tagohook tail` and `tagohook loop`.

use clap::Args;

use super::running::{Inspector, Rows};

/// `tagohook tail`
#[derive(Debug, Args)]
pub struct Tail {
    /// Only matching deliveries, as verdict=rejected or source:tagorun; the filters of the API
    #[arg(value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    /// Start with deliveries received since then: 2h, 30m, or a time
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    #[command(flatten)]
    pub rows: Rows,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// `tagohook loop`
#[derive(Debug, Args)]
pub struct FullLoop {
    #[command(flatten)]
    pub inspector: Inspector,
}
