//! The command line: one file per subcommand.

mod arguments;
mod check_config;
mod colour;
mod configuration;
mod dead_letters;
mod deliveries;
mod doctor;
mod events;
mod export;
mod fault;
mod faulty;
mod full_loop;
mod hash_password;
mod health;
mod import;
mod inspector;
mod interrupt;
mod listen;
mod live;
mod messages;
mod migrate_store;
mod moment;
mod output;
mod prepare_store;
mod program;
mod progress;
mod prune;
mod query;
mod reading;
mod reload;
mod replay;
mod send;
mod serve;
mod shell;
mod sign;
mod stats;
mod subscriptions;
mod table;
mod tail;
mod tokens;
mod typo;
mod verify;
mod wait;

use self::configuration::{configuration, configuration_without_secrets, environment, read_configuration};
pub use program::main;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
