//! The arguments of `tagohook send`, which is also `tagohook trigger`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::running::{Inspector, Rows};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  tagohook trigger user.login                                     a signed example to the running instance
  tagohook trigger data.received --set device.id=roof-1 --count 500 --rate 50/s
  tagohook trigger user.login --to http://localhost:3000/hook     to your app
  tagohook trigger user.login --fault bad-signature               exit 0 if it was refused with 401";

/// `tagohook send`
#[derive(Debug, Args)]
pub struct Send {
    /// The event, as user.login; `tagohook events` lists them
    pub event: String,
    /// Target URL [default: the receiver of the running instance]
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// The source whose signature and credential are used [default: the first]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Send the bytes of this file, unchanged, instead of the example (- for standard input)
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Change a value of the example; the value is read as JSON if possible, otherwise as text
    #[arg(long, value_name = "PATH=VALUE", conflicts_with = "file")]
    pub set: Vec<String>,
    /// How many to send, each with its own id and time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// Maximum rate, as 50/s or 1000/min [default: unlimited]
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// Send something that is to be refused or recognised; exit 0 if it was
    #[arg(long, value_name = "FAULT", conflicts_with = "publish")]
    pub fault: Option<SendFault>,
    /// An additional header line, as 'Name: value'
    #[arg(long, value_name = "LINE")]
    pub header: Vec<String>,
    /// Publish it to the subscriptions of the running instance, as TagoRUN would, instead of sending it to a receiver
    #[arg(long, conflicts_with_all = ["to", "source", "header"])]
    pub publish: bool,
    #[command(flatten)]
    pub rows: Rows,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// What is wrong with a request, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SendFault {
    /// A signature made with another secret, or another credential: 401
    BadSignature,
    /// A signature that is older than the source allows: 401
    Stale,
    /// The same event twice: 200 with already_processed
    Duplicate,
    /// The same id with another body: 409
    Conflict,
    /// The same JSON in other bytes than the signed ones: 401
    Reencoded,
    /// A body that is longer than max_body: 413
    Huge,
    /// A body that arrives byte by byte, for longer than body_timeout: 408
    Slow,
}
