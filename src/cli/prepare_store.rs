//! `tagohook prepare-store`: creates the tables of a store, or brings them up to date.

use std::process::ExitCode;
use std::sync::Arc;

use super::arguments::Globals;
use super::configuration_without_secrets;
use super::output::say;
use crate::app;
use crate::config::{ConfigFaults, StorePlace};
use crate::store::Store;
use crate::telemetry::{Metrics, SystemClock};

/// Opens the store and closes it again. On PostgreSQL a role that owns the tables does so, for nodes whose role may not.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let config = configuration_without_secrets(globals)?;
    if let StorePlace::Sqlite(path) = &config.store.place
        && path.parent().is_some_and(|folder| !folder.is_dir())
    {
        let shown = path.display();
        return Err(ConfigFaults(vec![format!(
            "{shown}: its directory does not exist. A SQLite store needs no preparation: `tagohook serve` creates it"
        )])
        .into());
    }
    let shown = match &config.store.place {
        StorePlace::Sqlite(path) => path.display().to_string(),
        StorePlace::Postgres(url) => url.shown(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let place = app::store_place(&config, None)?;
        let options = app::store_options(&config, place, Arc::new(SystemClock), &Metrics::default());
        Store::open(options).await?.close().await;
        say!("{shown} is ready")?;
        Ok(ExitCode::SUCCESS)
    })
}
