//! The command line: every command and option.

mod messages;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use messages::{ChosenMessages, MessageFilter, MessagesCommand};

use crate::config::Options;

const EXAMPLES: &str = "\
Examples:
  tagohook                                   start; no configuration is needed
  tagohook send user.login                   send a signed example to the running instance
  tagohook send data.received --set data.variables='[]' --set device.name=Roof
  tagohook send data.received --publish      publish it to the subscriptions
  tagohook subscriptions add slack.json      TagoRUN's own webhook configuration
  tagohook replay verdict:rejected after:-2h --dry-run
  tagohook verify body.json --header 'X-TagoRUN-Signature: 6f3a…'
  tagohook check-config --config tagohook.toml

Commands that talk to the running instance take the inspector's password from TAGOHOOK_PASSWORD or TAGOHOOK_TOKEN.
`tagohook default-config` prints every configuration option with its documentation.

Exit codes: 0 done; 1 failed or refused; 2 wrong usage or configuration; 130 after Ctrl-C; 143 after SIGTERM.";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  tagohook migrate-store --from sqlite: --to postgres://tagohook@db.example/tagohook
  tagohook migrate-store --from postgres://tagohook@db.example/tagohook --to sqlite:back.db

Stop tagohook on both stores first. Every row is compared at the end.";

/// Receives TagoRUN and TagoIO webhooks, checks and stores each one, and shows why it was accepted or refused
#[derive(Debug, Parser)]
#[command(name = "tagohook", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Configuration file (TAGOHOOK_CONFIG)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory (TAGOHOOK_DATA_DIR) [default: ./tagohook-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Receiver address; a port alone means 127.0.0.1 (TAGOHOOK_LISTEN) [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Inspector address; a port alone means 127.0.0.1 (TAGOHOOK_INSPECT_LISTEN) [default: 127.0.0.1:8081]
    #[arg(long, global = true, value_name = "ADDR")]
    pub inspect_listen: Option<String>,
}

impl Globals {
    /// The options as the configuration reads them.
    pub fn options(&self) -> Options {
        Options {
            config: self.config.clone(),
            data_dir: self.data_dir.clone(),
            listen: self.listen.clone(),
            inspect_listen: self.inspect_listen.clone(),
            tolerate_unmade: false,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the receiver and the inspector (the default)
    Serve,
    /// Check that the running instance can store deliveries, for the health check of a container
    Health,
    /// Send a signed event: an example from the catalogue, or a payload of your own
    Send(Send),
    /// Print deliveries as they arrive, one line each
    Tail(Tail),
    /// List, add, remove or test subscriptions of the running instance
    Subscriptions(Subscriptions),
    /// Replay stored deliveries of the running instance: those that a search finds
    Replay(Replay),
    /// List messages, send waiting ones now or cancel them
    Messages(Messages),
    /// List, replay or discard dead letters of the running instance
    DeadLetters(DeadLetters),
    /// Publish every event of the catalogue to our own receiver, through a temporary subscription
    Loop(FullLoop),
    /// Sign a body and print the header lines
    Sign(Sign),
    /// Check the signature of a body and explain a mismatch
    Verify(Verify),
    /// List the events of the catalogue, or show one
    Events(Events),
    /// Apply the retention rules once and exit; works on a full disk
    Prune,
    /// Move a store from SQLite to PostgreSQL or back; stopped at any point, the same command continues
    #[command(after_help = MIGRATE_EXAMPLES)]
    MigrateStore(MigrateStore),
    /// Create the tables of the store or bring them up to date, and exit; for a role that owns them
    PrepareStore,
    /// Print the hash for inspector.password_file; the password is asked for, or read from a pipe
    HashPassword,
    /// Check the configuration and exit
    CheckConfig,
    /// Print the default configuration, which documents every option
    DefaultConfig,
}

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
    /// An additional header line, as 'Name: value'
    #[arg(long, value_name = "LINE")]
    pub header: Vec<String>,
    /// Publish it to the subscriptions of the running instance, as TagoRUN would, instead of sending it to a receiver
    #[arg(long, conflicts_with_all = ["to", "source", "header"])]
    pub publish: bool,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// How to reach the running instance.
#[derive(Debug, Args)]
pub struct Inspector {
    /// Inspector URL [default: the instance running on this data directory]; its password in TAGOHOOK_PASSWORD
    #[arg(long, global = true, value_name = "URL")]
    pub inspector: Option<String>,
}

/// `tagohook loop`
#[derive(Debug, Args)]
pub struct FullLoop {
    #[command(flatten)]
    pub inspector: Inspector,
}

/// `tagohook tail`
#[derive(Debug, Args)]
pub struct Tail {
    /// Only matching deliveries, as verdict=rejected or source:tagorun; the filters of the API
    #[arg(value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub inspector: Inspector,
}

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
    List,
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

/// `tagohook dead-letters`
#[derive(Debug, Args)]
pub struct DeadLetters {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: DeadLettersCommand,
}

/// The commands for dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, newest first
    List(LetterFilter),
    /// Replay them: by their ids, or those that match
    Replay {
        /// Their ids
        id: Vec<String>,
        #[command(flatten)]
        filter: LetterFilter,
        /// Replay every dead letter
        #[arg(long)]
        all: bool,
        /// Only print how many match
        #[arg(long)]
        dry_run: bool,
    },
    /// Count them by subscription and error
    Groups(LetterFilter),
    /// Discard them: by their ids, or those that match; their messages and attempts are kept
    #[command(alias = "drop")]
    Discard {
        /// Their ids
        id: Vec<String>,
        #[command(flatten)]
        filter: LetterFilter,
        /// Discard every dead letter
        #[arg(long)]
        all: bool,
        /// Only print how many match
        #[arg(long)]
        dry_run: bool,
        /// Do not ask before many are discarded
        #[arg(long)]
        yes: bool,
    },
}

/// Selects dead letters.
#[derive(Debug, Args)]
pub struct LetterFilter {
    /// Of this subscription
    #[arg(long, value_name = "ID")]
    pub subscription: Option<String>,
    /// Of this event
    #[arg(long, value_name = "ID")]
    pub event: Option<String>,
    /// Of this event type
    #[arg(long, value_name = "NAME")]
    pub event_type: Option<String>,
    /// Whose error contains this text
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
    /// Whose error is exactly this text
    #[arg(long, value_name = "TEXT")]
    pub error_is: Option<String>,
}

/// `tagohook messages`
#[derive(Debug, Args)]
pub struct Messages {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: MessagesCommand,
}

/// `tagohook migrate-store`
#[derive(Debug, Args)]
pub struct MigrateStore {
    /// The store to move, as in store.url: sqlite:PATH or postgres://USER@HOST/DATABASE; it is not changed
    #[arg(long, value_name = "STORE")]
    pub from: String,
    /// The empty store to move it to, on the other engine
    #[arg(long, value_name = "STORE")]
    pub to: String,
    /// Remove what an unfinished move left at the destination, and begin again
    #[arg(long)]
    pub start_over: bool,
}

/// `tagohook sign`
#[derive(Debug, Args)]
pub struct Sign {
    /// The body [default: standard input]
    pub file: Option<PathBuf>,
    /// The source whose scheme and secret are used [default: the first]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// The message id of schemes that sign one [default: a fresh one]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

/// `tagohook verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The body [default: standard input]
    pub file: Option<PathBuf>,
    /// A header line of the request, as 'X-TagoRUN-Signature: 6f3a…'
    #[arg(long, value_name = "LINE", required_unless_present = "path")]
    pub header: Vec<String>,
    /// The source whose scheme and secrets are used [default: the first]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Path and query of the request, as '/webhook/lora?event=up' [default: /webhook/ and the source]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
}

/// `tagohook events`
#[derive(Debug, Args)]
pub struct Events {
    /// The event to show, with its schema and example
    pub name: Option<String>,
}
