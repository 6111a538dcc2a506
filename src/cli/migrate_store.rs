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
use crate::config::{Config, ConfigFaults, DataDir, PostgresUrl, StorePlace, fingerprint, store_key};
use crate::domain::counted;
use crate::store::{Move, MovedStore, Phase, Place, PostgresPlace, Step, move_store};
use crate::telemetry::{Metrics, SystemClock};

/// Moves the store and compares both ends. Wrong arguments and unusable places are exit 2; a move that stopped, and ends
/// that differ, are exit 1.
pub fn run(globals: &Globals, asked: &MigrateStore) -> anyhow::Result<ExitCode> {
    let config = configuration_without_secrets(globals)?;
    let (from, to) = (place(&config, "--from", &asked.from)?, place(&config, "--to", &asked.to)?);
    let data_dir = &config.data_dir;
    // A running instance says so by this lock; a file elsewhere has SQLite's own lock.
    let is_here = [&from, &to].into_iter().any(|place| is_in(place, data_dir));
    let _lock =
        is_here.then(|| DataDir::take(data_dir)).transpose().map_err(|fault| wrong(fault.to_string()))?;
    let plan = Move {
        from: app::store_options(&config, from, Arc::new(SystemClock), &Metrics::default()),
        to: to.clone(),
        store_key: store_key(data_dir).ok().map(|key| fingerprint(&key)),
        start_over: asked.start_over,
    };
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
                report(&moved, &to, data_dir)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(fault) if fault.is_wrong_usage() => Err(wrong(fault.to_string()).into()),
            Err(fault) => Err(fault.into()),
        }
    })
}

fn wrong(fault: String) -> ConfigFaults {
    ConfigFaults(vec![fault])
}

/// A store as `store.url` names it. The password of the configured database is used for that database.
fn place(config: &Config, option: &str, text: &str) -> Result<Place, ConfigFaults> {
    let is_reference = text.starts_with("file:") || text.starts_with("env:");
    let text = match is_reference.then(|| config.secrets.resolve(text)) {
        Some(Ok(secret)) => String::from_utf8_lossy(secret.expose()).trim().to_owned(),
        Some(Err(what)) => return Err(wrong(format!("{option}: {what}"))),
        None => text.to_owned(),
    };
    match text.strip_prefix("sqlite:") {
        Some("") => return Ok(Place::Sqlite(config.data_dir.join("tagohook.db"))),
        Some(path) => return Ok(Place::Sqlite(config.data_dir.join(path))),
        None if PostgresUrl::is_named_by(&text) => {}
        None => {
            let scheme = text.split_once(':').map_or(text.as_str(), |(scheme, _)| scheme);
            let shown = if is_reference { "its content" } else { scheme };
            return Err(wrong(format!(
                "{option}: {shown:?} is not a store; use sqlite:, sqlite:PATH or postgres://USER@HOST/DATABASE"
            )));
        }
    }
    let mut url =
        PostgresUrl::read(&text, &config.data_dir).map_err(|what| wrong(format!("{option}: {what}")))?;
    if let StorePlace::Postgres(configured) = &config.store.place
        && url.password.is_none()
        && configured.shown() == url.shown()
    {
        url.password.clone_from(&configured.password);
    }
    Ok(Place::Postgres(Box::new(PostgresPlace::new(&url, "migrate-store".to_owned(), None))))
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
            say!("next: set store.url = \"sqlite:{}\"", path.display())?;
            say!(
                "      {} must be that of the nodes: it opens the secrets of the subscriptions",
                key.display()
            )?;
        }
        Place::Postgres(place) => {
            say!("next: copy {} to the data directory of each node", key.display())?;
            say!("      (it opens the secrets of the subscriptions), and set store.url = {:?}", place.shown)?;
        }
    }
    Ok(())
}
