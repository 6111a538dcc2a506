//! The arguments of `tagohook tokens`.

use clap::{Args, Subcommand, ValueEnum};

use super::running::{Inspector, Rows};

pub const EXAMPLES: &str = "\
Examples:
  tagohook tokens create ci --scope read        prints the token, once
  TAGOHOOK_TOKEN=thk_… tagohook tail --url https://hooks.example.com:8081
  tagohook tokens revoke ci";

/// `tagohook tokens`
#[derive(Debug, Args)]
pub struct Tokens {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: TokensCommand,
}

/// The commands for tokens.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// List the tokens, newest first, with their last use
    List(Rows),
    /// Create a token and print it; it is not shown again
    Create {
        /// A name that says what uses the token
        name: String,
        /// What the token allows
        #[arg(long, value_enum, default_value = "read")]
        scope: TokenScope,
        #[command(flatten)]
        rows: Rows,
    },
    /// Revoke a token
    Revoke {
        /// The id or name of the token
        token: String,
    },
}

/// The scope of a token.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TokenScope {
    /// See everything
    Read,
    /// Also resend what is stored
    Replay,
    /// Everything, also tokens
    Admin,
}

impl TokenScope {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Replay => "replay",
            Self::Admin => "admin",
        }
    }
}
