//! Puts a configuration that was read again in force, as far as that is possible while the program runs.

use std::sync::Arc;

use super::Running;
use super::rules::make_rules;
use super::service_manager::ServiceManager;
use crate::config::{Change, Config};
use crate::http::ReloadOutcome;

impl Running {
    /// Applies the rules and subscriptions of a configuration that was read again. Addresses, store and password do
    /// not change. Returns what differs from the configuration that was read before.
    pub async fn reload(&self, config: &Config) -> Vec<Change> {
        self.rules.store(Arc::new(make_rules(config, &self.catalog, &self.masking)));
        self.sources.replace(config.sources.clone(), config.receiver.max_body);
        if let Err(fault) = self.certificate.use_files(config.receiver.tls.as_ref()) {
            tracing::error!("the TLS certificate of the configuration is not in force: {fault}");
        }
        if let Err(fault) = self.sender.load(&config.subscriptions).await {
            tracing::error!(%fault, "the subscriptions of the configuration are not in force yet");
        }
        let before = std::mem::replace(&mut *self.settings.lock(), config.settings.clone());
        before.changes(&config.settings)
    }

    /// Reads the configuration again and applies it. A bad one changes nothing.
    pub(super) async fn reload_as_told(
        &self,
        manager: &ServiceManager,
        reread: &impl Fn() -> Result<Config, String>,
    ) -> ReloadOutcome {
        manager.reloading();
        let outcome = match reread() {
            Ok(config) => {
                let changes = self.reload(&config).await;
                tracing::info!(
                    "configuration reloaded: sources, subscriptions and [receiver]; the rest changes at a restart"
                );
                for change in &changes {
                    tracing::info!("changed: {change}");
                }
                Ok(changes)
            }
            Err(faults) => {
                tracing::error!(%faults, "configuration not reloaded; the old one stays in force");
                Err(faults)
            }
        };
        let told = outcome.as_ref().map(|_| ()).map_err(String::as_str);
        manager.reloaded(&self.addresses.receiver.to_string(), told);
        self.inspector_state.reloaded(told.map_err(str::to_owned));
        outcome.map_err(|faults| faults.lines().map(str::to_owned).collect())
    }
}
