//! What the command line may say.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Options;

const EXAMPLES: &str = "\
Examples:
  tagohook                                   start, with no configuration at all
  tagohook send user.login                   send a signed example to the program that runs here
  tagohook send data.received --set data.variables='[]' --set device.name=Roof
  tagohook send data.received --publish      publish it to the subscriptions
  tagohook subscriptions add slack.json      TagoRUN's own configuration JSON
  tagohook replay verdict:rejected after:-2h --dry-run
  tagohook verify body.json --header 'X-TagoRUN-Signature: 6f3a…'
  tagohook check-config --config tagohook.toml

Every option is documented in what `tagohook default-config` prints.";

/// Receives TagoRUN and TagoIO webhooks, decides about each, keeps every one, and shows why.
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
pub struct Globals {
    /// Configuration file (TAGOHOOK_CONFIG)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory (TAGOHOOK_DATA_DIR) [default: ./tagohook-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the receiver listens (TAGOHOOK_LISTEN) [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Where the inspector listens (TAGOHOOK_INSPECT_LISTEN) [default: 127.0.0.1:8081]
    #[arg(long, global = true, value_name = "ADDR")]
    pub inspect_listen: Option<String>,
}

impl Globals {
    /// As the configuration wants them.
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
    /// Receive, decide, keep, show (the default)
    Serve,
    /// Send a signed event, an example of the catalogue or a payload of your own
    Send(Send),
    /// Watch deliveries arrive, one line each
    Tail(Tail),
    /// List, add or test subscriptions of the program that runs
    Subscriptions(Subscriptions),
    /// Send stored deliveries of the program that runs again: those that a search finds
    Replay(Replay),
    /// List messages, send waiting ones now or cancel them
    Messages(Messages),
    /// List, replay or drop dead letters of the program that runs
    DeadLetters(DeadLetters),
    /// Publish every event of the catalogue into a subscription to our own receiver, and follow each round
    Loop(FullLoop),
    /// Sign a body and print the header lines
    Sign(Sign),
    /// Check the signature of a body and say what is wrong
    Verify(Verify),
    /// List the events of the catalogue, or show one
    Events(Events),
    /// Run the retention once and end; works on a full disk
    Prune,
    /// Make the hash for inspector.password_file, of a password that is asked for or piped in
    HashPassword,
    /// Check the configuration and end
    CheckConfig,
    /// Print the default configuration, which documents every option
    DefaultConfig,
}

/// `tagohook send`
#[derive(Debug, Args)]
pub struct Send {
    /// The event, as user.login; `tagohook events` lists them
    pub event: String,
    /// Where to [default: the program that runs on this data directory]
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// The source whose signature and credential are used [default: the first]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Send the bytes of this file, unchanged, instead of the example (- for standard input)
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Set a value of the example: JSON where it is JSON, else text
    #[arg(long, value_name = "PATH=VALUE", conflicts_with = "file")]
    pub set: Vec<String>,
    /// How many, each with an id and a time of its own
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// One more header line, as 'Name: value'
    #[arg(long, value_name = "LINE")]
    pub header: Vec<String>,
    /// Publish it to the subscriptions of the program that runs, as TagoRUN would, instead of sending it to a receiver
    #[arg(long, conflicts_with_all = ["to", "source", "header"])]
    pub publish: bool,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// How the program that runs is reached.
#[derive(Debug, Args)]
pub struct Inspector {
    /// The inspector [default: of the program that runs on this data directory]; its password in TAGOHOOK_PASSWORD
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
    /// Only what matches, as verdict=rejected or source=tagorun; the filters of the API
    #[arg(value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    /// One JSON object a line
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

/// What is done with subscriptions.
#[derive(Debug, Subcommand)]
pub enum SubscriptionsCommand {
    /// List them, with the state of their endpoints
    List,
    /// Add one from its JSON, TagoRUN's own webhook configuration
    Add {
        /// The JSON [default: standard input]
        file: Option<PathBuf>,
    },
    /// Send webhook.test through one and say what came back
    Test {
        /// Its id or name
        subscription: String,
    },
}

/// `tagohook replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// Which, as in the search box: verdict:rejected source:tagorun after:-2h
    pub search: Vec<String>,
    /// Where to: receiver, an http or https URL, or the id of a subscription
    #[arg(long, value_name = "TARGET", default_value = "receiver")]
    pub to: String,
    /// What becomes of the signature: fresh, original or none
    #[arg(long, value_name = "WORD", default_value = "fresh")]
    pub signature: String,
    /// Which goes first: oldest or newest
    #[arg(long, value_name = "WORD", default_value = "oldest")]
    pub order: String,
    /// At most so many, as 50/s or 1000/min [default: as fast as it goes]
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// So many at once, 1 to 32
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub concurrency: u32,
    /// Only the newest so many
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Stop at the first failure; --resume goes on
    #[arg(long)]
    pub stop_on_error: bool,
    /// Only say what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Every delivery, without a search
    #[arg(long, conflicts_with = "search")]
    pub all: bool,
    /// Do not wait for the end
    #[arg(long)]
    pub detach: bool,
    /// Go on with a run that was stopped
    #[arg(long, value_name = "RUN", conflicts_with_all = ["search", "all", "dry_run", "stop"])]
    pub resume: Option<String>,
    /// Stop a run
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

/// What is done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, the newest first
    List(LetterFilter),
    /// Send them again: some by their ids, or those that match
    Replay {
        /// Their ids
        id: Vec<String>,
        #[command(flatten)]
        filter: LetterFilter,
        /// Every one
        #[arg(long)]
        all: bool,
        /// Only say which
        #[arg(long)]
        dry_run: bool,
    },
    /// Drop them; their messages and attempts stay
    Drop {
        /// Their ids
        #[arg(required = true)]
        id: Vec<String>,
    },
}

/// Which dead letters.
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
    /// Whose error holds this text
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
}

/// `tagohook messages`
#[derive(Debug, Args)]
pub struct Messages {
    #[command(flatten)]
    pub inspector: Inspector,
    #[command(subcommand)]
    pub command: MessagesCommand,
}

/// What is done with messages.
#[derive(Debug, Subcommand)]
pub enum MessagesCommand {
    /// List them, newest first
    List(MessageFilter),
    /// Show one with its attempts, as JSON
    Show {
        /// Its id
        id: String,
    },
    /// Send waiting messages now; with --status cancelled or ids also cancelled ones
    SendNow(ChosenMessages),
    /// Cancel messages that wait, parked ones too
    Cancel(ChosenMessages),
}

/// Which messages.
#[derive(Debug, Args)]
pub struct MessageFilter {
    /// Of this subscription
    #[arg(long, value_name = "ID")]
    pub subscription: Option<String>,
    /// Of this event
    #[arg(long, value_name = "ID")]
    pub event: Option<String>,
    /// With this status: pending, parked, sending, delivered, dead or cancelled
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
}

/// Which messages something is done with.
#[derive(Debug, Args)]
pub struct ChosenMessages {
    /// Their ids
    pub id: Vec<String>,
    #[command(flatten)]
    pub filter: MessageFilter,
    /// Every one that waits
    #[arg(long)]
    pub all: bool,
    /// Only say which
    #[arg(long)]
    pub dry_run: bool,
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
    #[arg(long, value_name = "LINE", required = true)]
    pub header: Vec<String>,
    /// The source whose scheme and secrets are used [default: the first]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
}

/// `tagohook events`
#[derive(Debug, Args)]
pub struct Events {
    /// The event to show, with its schema and example
    pub name: Option<String>,
}
