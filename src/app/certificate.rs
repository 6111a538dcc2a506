//! The receiver's certificate: read at the start and at a reload, and again when its files change.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use parking_lot::Mutex;

use super::ports::Addresses;
use crate::config::{self, DataDir, DataDirError, FileMark, TlsFiles, TlsPins};
use crate::http::{InspectorState, Tls};
use crate::send::OwnReceiver;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The certificate in force, and the files that it came from.
#[derive(Default)]
pub(super) struct Certificate {
    tls: Tls,
    watched: Mutex<Option<Watched>>,
    /// Where our own commands read the pins.
    published: OnceLock<Published>,
}

struct Published {
    addresses: Addresses,
    data_dir: Arc<DataDir>,
}

struct Watched {
    files: TlsFiles,
    /// The files that are in force, or were found unusable.
    settled: FileMark,
    /// Changed files that could not be used at the last look. A second look decides: both are rarely replaced at once.
    doubtful: Option<FileMark>,
}

/// What a look at the files found.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Nothing new.
    Same,
    /// A new certificate is in force.
    Renewed,
    /// The new files cannot be used; the old certificate stays in force.
    Unusable(String),
}

impl Certificate {
    /// What new connections use.
    pub(super) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// The receiver, as our own requests reach it.
    pub(super) fn own_receiver(&self, addresses: &Addresses) -> OwnReceiver {
        let tls = self.tls.clone();
        OwnReceiver::new(addresses.receiver.clone(), move || tls.pins())
    }

    /// Writes the addresses and the pins for our own commands, now and whenever the certificate changes.
    pub(super) fn publish(&self, addresses: Addresses, data_dir: Arc<DataDir>) -> Result<(), DataDirError> {
        let _unchanged = self.watched.lock();
        self.published.get_or_init(|| Published { addresses, data_dir }).write(self.tls.pins())
    }

    /// Uses the certificate in these files from now on.
    pub(super) fn use_files(&self, files: Option<&TlsFiles>) -> anyhow::Result<()> {
        let mut watched = self.watched.lock();
        let Some(files) = files else {
            *watched = None;
            self.tls.apply(None, |_| ()).context("TLS cannot be switched off")?;
            self.republish(None);
            return Ok(());
        };
        let settled = files.mark();
        self.apply(files).map_err(|what| anyhow!("{what}"))?;
        *watched = Some(Watched { files: files.clone(), settled, doubtful: None });
        Ok(())
    }

    /// Looks whether the files have changed, and uses the new ones.
    fn look(&self) -> Look {
        let mut watched = self.watched.lock();
        let Some(watched) = watched.as_mut() else { return Look::Same };
        let found = watched.files.mark();
        if found == watched.settled {
            watched.doubtful = None;
            if self.tls.forget_former() {
                self.republish(self.tls.pins());
            }
            return Look::Same;
        }
        match self.apply(&watched.files) {
            Ok(()) => {
                (watched.settled, watched.doubtful) = (found, None);
                Look::Renewed
            }
            Err(what) if watched.doubtful.as_ref() == Some(&found) => {
                (watched.settled, watched.doubtful) = (found, None);
                Look::Unusable(what)
            }
            Err(_) => {
                watched.doubtful = Some(found);
                Look::Same
            }
        }
    }

    fn apply(&self, files: &TlsFiles) -> Result<(), String> {
        let certificate = files.read().map_err(|fault| format!("receiver.{}: {}", fault.key, fault.what))?;
        let announce = |pins: &TlsPins| self.republish(Some(pins.clone()));
        let applied = self.tls.apply(Some(certificate), announce);
        self.republish(self.tls.pins());
        applied.map_err(|fault| format!("receiver.tls_cert: {fault}"))
    }

    fn republish(&self, tls: Option<TlsPins>) {
        if let Some(Err(fault)) = self.published.get().map(|published| published.write(tls)) {
            tracing::error!(%fault, "our own commands do not know the certificate");
        }
    }
}

impl Published {
    fn write(&self, tls: Option<TlsPins>) -> Result<(), DataDirError> {
        let Addresses { receiver, inspector } = self.addresses.clone();
        let addresses = config::Addresses { receiver, inspector, pid: std::process::id(), tls };
        self.data_dir.write_addresses(&addresses)
    }
}

/// Uses changed certificate files, until the program ends.
pub(super) async fn renew(certificate: Arc<Certificate>, pages: InspectorState) {
    let mut is_told = false;
    loop {
        actix_rt::time::sleep(LOOK_EVERY).await;
        match certificate.look() {
            Look::Same => {}
            Look::Renewed => {
                tracing::info!("the files of the TLS certificate have changed; new connections use them");
                if std::mem::take(&mut is_told) {
                    pages.reloaded(Ok(()));
                }
            }
            Look::Unusable(what) => {
                tracing::error!(
                    "the changed TLS certificate is not used, the old one stays in force: {what}"
                );
                pages.reloaded(Err(what));
                is_told = true;
            }
        }
    }
}
