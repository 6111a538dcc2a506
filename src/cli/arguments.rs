//! The command line: every command and option.

mod dead_letters;
mod history;
mod listen;
mod messages;
mod replay;
mod running;
mod send;
mod shell;
mod subscriptions;
mod tail;
mod tokens;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use dead_letters::{DeadLetters, DeadLettersCommand, LetterFilter};
pub use history::{Deliveries, DeliveriesCommand, Export, Import, Stats, Wait};
pub use listen::Listen;
pub use messages::{ChosenMessages, MessageFilter, Messages, MessagesCommand};
pub use replay::Replay;
pub use running::{Health, Inspector, Reload, Rows};
pub use send::{Send, SendFault};
pub use shell::{Completions, Doctor, Man, Shell};
pub use subscriptions::{Subscriptions, SubscriptionsCommand};
pub use tail::{FullLoop, Tail};
pub use tokens::{Tokens, TokensCommand};

use crate::config::Options;

const EXAMPLES: &str = "\
Examples:
  tagohook                                   start; no configuration is needed
  tagohook trigger user.login                send a signed example to the running instance
  tagohook listen --forward-to http://localhost:3000/hook       forward deliveries to your app
  tagohook wait type:user.login --timeout 30s                   wait for one, in a test
  tagohook doctor                            what is wrong, and what to do
  tagohook send data.received --set data.variables='[]' --set device.name=Roof
  tagohook send data.received --publish      publish it to the subscriptions
  tagohook subscriptions add slack.json      TagoRUN's own webhook configuration
  tagohook replay verdict:rejected after:-2h --dry-run
  tagohook verify body.json --header 'X-TagoRUN-Signature: 6f3a…'
  tagohook check-config --config tagohook.toml

Commands that talk to the running instance find it on --data-dir, or at --url. TAGOHOOK_TOKEN has its token or password.
`tagohook default-config` prints every configuration option with its documentation.

Exit codes: 0 done; 1 the answer is no: failed or refused; 2 wrong usage or configuration; 3 not reachable;
130 after Ctrl-C; 143 after SIGTERM.";

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
    /// Print only results and errors: no notices, no progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
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
    Health(Health),
    /// Send a signed event: an example from the catalogue, or a payload of your own
    #[command(visible_alias = "trigger", after_help = send::EXAMPLES)]
    Send(Send),
    /// Forward accepted deliveries to your app or a command as they arrive
    #[command(after_help = listen::EXAMPLES)]
    Listen(Listen),
    /// Print deliveries as they arrive, one line each
    Tail(Tail),
    /// Wait until a delivery matches, and print it as JSON; for tests and scripts
    Wait(Wait),
    /// List deliveries, or show one
    Deliveries(Deliveries),
    /// Write the deliveries that a search finds as JSON Lines, CSV or HAR
    Export(Export),
    /// Store the deliveries of an export, or of another tool's HTTP archive, to look at
    Import(Import),
    /// Print what arrived, what was forwarded and what needs attention
    Stats(Stats),
    /// Check configuration, machine and running instance, and say what to do
    Doctor(Doctor),
    /// List, add, remove or test subscriptions of the running instance
    Subscriptions(Subscriptions),
    /// List, create or revoke tokens for the API
    #[command(after_help = tokens::EXAMPLES)]
    Tokens(Tokens),
    /// Replay stored deliveries of the running instance: those that a search finds
    Replay(Replay),
    /// Have the running instance read its configuration again, and print what has changed
    Reload(Reload),
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
    /// Print the completions of a shell
    #[command(after_help = shell::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual page of the program or of a command
    #[command(after_help = shell::MAN)]
    Man(Man),
    /// Print the version
    Version,
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
    #[command(flatten)]
    pub rows: Rows,
}
