//! The arguments of `tagohook tail` and `tagohook loop`.

use clap::Args;

use super::running::{Inspector, Rows};

/// `tagohook tail`
#[derive(Debug, Args)]
pub struct Tail {
    /// A search, as in the search box: verdict:rejected source:tagorun; also filters of the API, as event_type=user.login
    #[arg(value_name = "QUERY")]
    pub query: Vec<String>,
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
