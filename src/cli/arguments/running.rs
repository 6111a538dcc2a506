//! The arguments that commands of the running instance share.

use clap::Args;

/// How to reach the running instance.
#[derive(Debug, Args)]
pub struct Inspector {
    /// Inspector URL of a remote instance [default: the instance running on the data directory]; its token in TAGOHOOK_TOKEN
    #[arg(long, alias = "inspector", global = true, value_name = "URL")]
    pub url: Option<String>,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct Rows {
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// `tagohook health`
#[derive(Debug, Args)]
pub struct Health {
    #[command(flatten)]
    pub inspector: Inspector,
}

/// `tagohook reload`
#[derive(Debug, Args)]
pub struct Reload {
    #[command(flatten)]
    pub rows: Rows,
    #[command(flatten)]
    pub inspector: Inspector,
}
