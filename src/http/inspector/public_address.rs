//! How the pages remember and use the public address, and how a change of the configuration gets into force.

use url::Url;

use super::address_check::{Found, is_local};
use super::remembered::{Apply, Checked, FailedReload};
use super::state::InspectorState;
use crate::config::keep_public_address;
use crate::domain::plain;
use crate::send::source_path;

impl InspectorState {
    /// Remembers whether the configuration was reloaded; the error has one line for each fault.
    pub fn reloaded(&self, outcome: Result<(), String>) {
        let failed = outcome.err().map(|faults| FailedReload {
            when: self.clock.wall(),
            faults: faults.lines().filter(|line| !line.trim().is_empty()).map(plain).collect(),
        });
        *self.remembered.failed_reload.lock() = failed;
    }

    /// The last reload, if it failed.
    pub(crate) fn failed_reload(&self) -> Option<FailedReload> {
        self.remembered.failed_reload.lock().clone()
    }

    /// The last check of a public address.
    pub(super) fn last_check(&self) -> Option<Checked> {
        self.remembered.checked.lock().clone()
    }

    /// Remembers a check. `base` is the address that leads here; it is kept and used from now on.
    pub(super) async fn remember_check(&self, at: &str, found: Found, base: Option<Url>) {
        let when = self.clock.wall();
        *self.remembered.checked.lock() = Some(Checked { at: at.to_owned(), found, when });
        if base.is_some() {
            self.keep_address(base).await;
        }
    }

    /// Forgets the public address and its check.
    pub(super) async fn forget_address(&self) {
        *self.remembered.checked.lock() = None;
        self.keep_address(None).await;
    }

    async fn keep_address(&self, base: Option<Url>) {
        self.sources.reached_at(base.clone());
        let data_dir = self.data_dir.clone();
        let kept = tokio::task::spawn_blocking(move || keep_public_address(&data_dir, base.as_ref())).await;
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => {
                tracing::warn!(%fault, "the public address is not kept for the next start");
            }
            // The runtime is stopping.
            Err(_) => {}
        }
    }

    /// The URL of a source at the public address, where that is known.
    pub(crate) fn public_source_url(&self, source: &str) -> Option<String> {
        self.sources.public().map(|base| format!("{base}{}", source_path(source)))
    }

    /// Where senders post to a source: at the public address, else at the one of this machine.
    pub(super) fn sender_url(&self, source: &str) -> String {
        self.public_source_url(source).unwrap_or_else(|| self.source_url(source))
    }

    /// Whether senders on the internet reach the receiver, as far as is known.
    pub(super) fn is_public(&self) -> bool {
        self.sources.public().is_some_and(|base| !is_local(&base))
    }

    /// How a change of the configuration gets into force.
    pub(super) fn apply(&self) -> Apply {
        let shown = |file: &std::path::PathBuf| {
            std::path::absolute(file).unwrap_or_else(|_| file.clone()).display().to_string()
        };
        Apply {
            file: self.config_file.as_ref().map(shown).unwrap_or_default(),
            command: format!("kill -HUP {}", std::process::id()),
        }
    }
}
