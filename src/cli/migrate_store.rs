//! `tagohook migrate-store`: moves a store from one engine to the other.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::arguments::{Globals, MigrateStore};
use super::interrupt::Interrupts;
use super::output::say;
use super::progress::Progress;
use super::{configuration_without_secrets, inspector};
use crate::app;
use crate::config::{ConfigFaults, DataDir};
use crate::domain::counted;
use crate::store::{Move, MovedStore, Phase, Place, PostgresPlace, Step, StoreOptions, move_store};
use crate::telemetry::{Metrics, SystemClock};

/// Moves the store and compares both ends. Wrong arguments and unusable places are exit 2; a move that stopped, and ends
/// that differ, are exit 1.
pub fn run(globals: &Globals, asked: &MigrateStore) -> anyhow::Result<ExitCode> {
    let config = configuration_without_secrets(globals)?;
    let from = place("--from", &asked.from, &config.data_dir)?;
    let to = place("--to", &asked.to, &config.data_dir)?;
    // A running instance says so by this lock; a file elsewhere has SQLite's own lock.
    let _lock = [&from, &to]
        .into_iter()
        .any(|place| is_in(place, &config.data_dir))
        .then(|| DataDir::take(&config.data_dir));
    let _lock = _lock.transpose().map_err(|fault| ConfigFaults(vec![fault.to_string()]))?;
    let options = app::store_options(&config, Arc::new(SystemClock), &Metrics::default());
    let plan =
        Move { from: StoreOptions { place: from, ..options }, to: to.clone(), start_over: asked.start_over };
    inspector::run(async {
        let mut interrupts = Interrupts::listen()?;
        let mut progress = Progress::new("rows");
        let mut watch = |Step { phase, table, done, total }: Step| {
            let doing = match phase {
                Phase::Copying => "copying",
                Phase::Verifying => "verifying",
            };
            progress.show(doing, table, done, total);
        };
        let moved = interrupts.or(async { Ok(move_store(plan, &mut watch).await) }).await;
        progress.end();
        match moved? {
            Ok(moved) => {
                report(&moved, &to, &config.data_dir)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(fault) if fault.is_wrong_usage() => Err(ConfigFaults(vec![fault.to_string()]).into()),
            Err(fault) => Err(fault.into()),
        }
    })
}

/// A store as `store.url` names it.
fn place(option: &str, text: &str, data_dir: &Path) -> Result<Place, ConfigFaults> {
    match text.strip_prefix("sqlite:") {
        Some("") => return Ok(Place::Sqlite(data_dir.join("tagohook.db"))),
        Some(path) => return Ok(Place::Sqlite(data_dir.join(path))),
        None => {}
    }
    if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        let fault =
            format!("{option} {text:?} is not a store; use sqlite:PATH or postgres://USER@HOST/DATABASE");
        return Err(ConfigFaults(vec![fault]));
    }
    let config: tokio_postgres::Config = text.parse().map_err(|_| {
        ConfigFaults(vec![format!("{option} is not a URL of a database; use postgres://USER@HOST/DATABASE")])
    })?;
    let address = text.split_once("://").map_or(text, |(_, rest)| rest);
    let address = address.split_once('?').map_or(address, |(address, _)| address);
    let shown = match address.rsplit_once('@') {
        Some((credentials, rest)) => {
            let user = credentials.split_once(':').map_or(credentials, |(user, _)| user);
            format!("postgres://{user}@{rest}")
        }
        None => format!("postgres://{address}"),
    };
    Ok(Place::Postgres(Box::new(PostgresPlace { config, shown, node: "migrate-store".to_owned() })))
}

fn is_in(place: &Place, data_dir: &Path) -> bool {
    matches!(place, Place::Sqlite(path) if data_dir.is_dir() && path.parent() == Some(data_dir))
}

fn report(moved: &MovedStore, to: &Place, data_dir: &Path) -> anyhow::Result<()> {
    let of = |name: &str| {
        moved.rows.iter().filter(|(table, _)| *table == name).map(|(_, rows)| *rows).sum::<u64>()
    };
    let all: u64 = moved.rows.iter().map(|(_, rows)| *rows).sum();
    let others = all
        .saturating_sub(of("deliveries"))
        .saturating_sub(of("messages"))
        .saturating_sub(of("subscriptions"));
    say!(
        "moved {}, {}, {} and {}",
        counted(of("deliveries"), "delivery"),
        counted(of("subscriptions"), "subscription"),
        counted(of("messages"), "message"),
        counted(others, "other row")
    )?;
    say!(
        "verified: both stores have the same rows in {}",
        counted(u64::try_from(moved.rows.len())?, "table")
    )?;
    let key = data_dir.join("store-key");
    match to {
        Place::Sqlite(path) => {
            say!("next: set store.url = \"sqlite:{}\"; keep {}", path.display(), key.display())?;
        }
        Place::Postgres(place) => {
            say!("next: copy {} to the data directory of each node", key.display())?;
            say!("      (it opens the secrets of the subscriptions), and set store.url = {:?}", place.shown)?;
        }
    }
    Ok(())
}
