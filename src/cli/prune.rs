//! `tagohook prune`: applies retention once.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use super::arguments::Globals;
use super::configuration::environment;
use super::configuration_without_secrets;
use super::output::{counted, say};
use crate::app;
use crate::config::StorePlace;
use crate::store::Store;
use crate::telemetry::{Metrics, SystemClock};

/// Removes expired rows and rows over their budget, and returns the room to the disk.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let config = configuration_without_secrets(globals)?;
    if let StorePlace::Sqlite(path) = &config.store.place
        && !path.exists()
    {
        bail!("{} does not exist; nothing to prune", path.display());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let place = app::store_place(&config, None)?;
        let mut options = app::store_options(&config, place, Arc::new(SystemClock), &Metrics::default());
        if !names_rules(globals)
            && let Some(kept) = app::kept_rules(&config)?
        {
            options.retention = kept;
        }
        let store = Store::open(options).await?;
        let pruned = store.prune().await?;
        store.close().await;
        let crate::store::Pruned { deliveries, event_ids, messages } = pruned;
        let deliveries =
            if deliveries == 1 { "1 delivery".to_owned() } else { format!("{deliveries} deliveries") };
        let (event_ids, messages) = (counted(event_ids, "event id"), counted(messages, "message"));
        say!("removed {deliveries}, {event_ids} and {messages}")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Whether the user says which rules apply. Otherwise they are those of the last instance.
fn names_rules(globals: &Globals) -> bool {
    let is_named = |name: &str| name == "TAGOHOOK_CONFIG" || name.starts_with("TAGOHOOK_STORE_");
    globals.config.is_some() || environment().iter().any(|(name, _)| is_named(name))
}
