//! The data directory: its lock, the secrets that the first start creates, and the file with the addresses.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::tls_pin::TlsPins;
use crate::domain::ListenAddress;

/// The secret files that the first start creates.
pub const MADE_FILES: [&str; 3] = ["signing-secret", "tagoio-token", "store-key"];
const ADDRESSES: &str = "addresses.json";
const RETENTION: &str = "retention.json";
const LOCK: &str = "lock";

/// An error with the data directory; it prevents the start.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process uses it.
    #[error("{0} is in use by another tagohook; stop that one, or choose another --data-dir")]
    InUse(PathBuf),
    /// It cannot be used.
    #[error("{path}: {what}: {cause}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operation that failed.
        what: &'static str,
        /// The cause.
        cause: io::Error,
    },
    /// A file has invalid contents.
    #[error("{path}: {what}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

/// Where a running program listens: the contents of `addresses.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The receiver's port or socket.
    pub receiver: ListenAddress,
    /// The inspector's port.
    pub inspector: SocketAddr,
    /// The process id.
    pub pid: u32,
    /// The keys of the receiver's TLS certificate; absent: the receiver speaks HTTP.
    #[serde(flatten)]
    pub tls: Option<TlsPins>,
}

/// A data directory that is locked for us until this is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory if it is missing and takes its lock.
    ///
    /// # Errors
    /// `InUse` when another process uses it; `Io` when it cannot be written.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        let fault = |path: &Path, what| {
            let path = path.to_owned();
            move |cause| DataDirError::Io { path, what, cause }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(fault(path, "the data directory cannot be made"))?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(fault(&lock_path, "the lock cannot be opened"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataDirError::InUse(path.to_owned())),
            Err(TryLockError::Error(cause)) => {
                return Err(fault(&lock_path, "the lock cannot be taken")(cause));
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Creates the missing secrets and returns their names.
    ///
    /// # Errors
    /// `Io`.
    pub fn make_secrets(&self) -> Result<Vec<&'static str>, DataDirError> {
        let mut made = Vec::new();
        for name in MADE_FILES {
            let file = self.path.join(name);
            if !file.exists() {
                let what = "the secret cannot be written";
                write_private(&self.path, name, random_hex().as_bytes())
                    .map_err(|cause| DataDirError::Io { path: file, what, cause })?;
                made.push(name);
            }
        }
        Ok(made)
    }

    /// Writes `addresses.json` atomically.
    ///
    /// # Errors
    /// `Io`.
    pub fn write_addresses(&self, addresses: &Addresses) -> Result<(), DataDirError> {
        let text = serde_json::to_string(addresses).unwrap_or_default();
        write_private(&self.path, ADDRESSES, text.as_bytes()).map_err(|cause| DataDirError::Io {
            path: self.path.join(ADDRESSES),
            what: "cannot be written",
            cause,
        })
    }

    /// Keeps the rules of retention next to the data that they are for, as JSON: see `kept_retention`.
    ///
    /// # Errors
    /// When they are others than those that are kept, and cannot be written.
    pub fn keep_retention(&self, rules: &str) -> io::Result<()> {
        let is_kept = fs::read(self.path.join(RETENTION)).is_ok_and(|kept| kept == rules.as_bytes());
        if is_kept { Ok(()) } else { write_private(&self.path, RETENTION, rules.as_bytes()) }
    }

    /// Removes `addresses.json`: no program listens there any more.
    pub fn remove_addresses(&self) {
        // If the file does not exist, the goal is already reached.
        let _ = fs::remove_file(self.path.join(ADDRESSES));
    }
}

/// The addresses of the program that runs on this data directory, if any.
#[must_use]
pub fn read_addresses(data_dir: &Path) -> Option<Addresses> {
    serde_json::from_slice(&fs::read(addresses_file(data_dir)).ok()?).ok()
}

/// The rules of retention that the last program on this data directory had, as `DataDir::keep_retention` got them; `None`
/// if none are kept.
///
/// # Errors
/// `Io` if the file cannot be read.
pub fn kept_retention(data_dir: &Path) -> Result<Option<String>, DataDirError> {
    let path = data_dir.join(RETENTION);
    match fs::read_to_string(&path) {
        Ok(rules) => Ok(Some(rules)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(DataDirError::Io { path, what: "cannot be read", cause }),
    }
}

/// The file with the addresses of a running program.
#[must_use]
pub fn addresses_file(data_dir: &Path) -> PathBuf {
    data_dir.join(ADDRESSES)
}

/// The installation's own key, for masks and for sealing: 32 bytes, stored as hex.
///
/// # Errors
/// `Io` if the file cannot be read, `Broken` if its contents are invalid.
pub fn store_key(data_dir: &Path) -> Result<[u8; 32], DataDirError> {
    let path = data_dir.join("store-key");
    let text = fs::read_to_string(&path).map_err(|cause| DataDirError::Io {
        path: path.clone(),
        what: "cannot be read",
        cause,
    })?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key)
        .map_err(|_| DataDirError::Broken { path, what: "64 hex digits are expected" })?;
    Ok(key)
}

fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// Stores a secret in a file that only its owner can read; `false` if the file already exists. Of concurrent calls,
/// exactly one succeeds.
///
/// # Errors
/// When it cannot be written.
pub fn keep_secret(file: &Path, secret: &[u8]) -> io::Result<bool> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let draft = folder.join(format!(".secret-{}.new", random_hex()));
    let mut written = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
    let linked =
        written.write_all(secret).and_then(|()| written.sync_all()).and_then(|()| {
            match fs::hard_link(&draft, file) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                linked => linked.map(|()| true),
            }
        });
    fs::remove_file(&draft)?;
    File::open(folder)?.sync_all()?;
    linked
}

/// Writes a file that only its owner can read. It is written under another name first, so that it is complete or
/// missing.
pub(super) fn write_private(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}.new"));
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    // The renamed entry must also survive a power cut.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_first_start_makes_secrets_that_only_the_owner_can_read_and_the_second_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataDir::take(&path).unwrap();
        assert!(!path.join("signing-secret").exists(), "nothing is made before it is asked for");
        assert_eq!(first.make_secrets().unwrap(), MADE_FILES);
        let secret = fs::read_to_string(path.join("signing-secret")).unwrap();
        assert_eq!(secret.len(), 64);
        for name in MADE_FILES {
            assert_eq!(fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(matches!(DataDir::take(&path), Err(DataDirError::InUse(_))));
        drop(first);
        let second = DataDir::take(&path).unwrap();
        assert!(second.make_secrets().unwrap().is_empty());
        assert_eq!(fs::read_to_string(path.join("signing-secret")).unwrap(), secret);
        assert!(store_key(&path).is_ok());
    }

    #[test]
    fn a_secret_is_kept_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("asana-secret-x");
        assert!(keep_secret(&file, b"first").unwrap());
        assert!(!keep_secret(&file, b"second").unwrap());
        assert_eq!(fs::read(&file).unwrap(), b"first");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert!(keep_secret(&folder.path().join("no/such/folder"), b"x").is_err());
    }

    #[test]
    fn addresses_are_written_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::take(folder.path()).unwrap();
        let tcp = ListenAddress::Tcp("127.0.0.1:1".parse().unwrap());
        for receiver in [tcp, ListenAddress::Unix("/run/tagohook.sock".into())] {
            let addresses = Addresses { receiver, inspector: "[::1]:2".parse().unwrap(), pid: 3, tls: None };
            data_dir.write_addresses(&addresses).unwrap();
            assert_eq!(read_addresses(folder.path()), Some(addresses));
        }
        data_dir.remove_addresses();
        assert_eq!(read_addresses(folder.path()), None);
    }
}
