//! State shared by the threads of one store: the file, its connections, and the positions that others wait for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use crate::store::StoreSize;
use crate::store::log::queue::Queued;
use crate::store::log::sqlite as log;
use crate::store::upkeep::sqlite::retention;

/// How long a connection waits for another process that locks the file (`tagohook prune` next to a server).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The size of a page, in bytes.
const PAGE_BYTES: i64 = 8_192;
/// SQLite's mode for returning free pages in small steps.
const INCREMENTAL: i64 = 2;
/// The log is truncated to this size when it restarts, in bytes.
const WAL_LIMIT: i64 = 64 * 1024 * 1024;
/// The size of the reserve file, in bytes. Deleting it leaves room for retention on a full disk.
const RESERVE: usize = 4 * 1024 * 1024;

/// State shared by the threads of one store. Every owner of a connection to the file also owns this, and drops it
/// later.
pub struct Shared {
    path: PathBuf,
    /// Closing it would release the locks of all connections of this process (fcntl(2)), so it is closed after them.
    file: File,
    /// The position of the last commit.
    pub newest: watch::Sender<i64>,
    /// The causes of deliveries up to here are named, as far as they are named at once.
    pub named: watch::Sender<i64>,
    pruned_through: AtomicI64,
    /// Bytes in use in the file, as of the last retention check.
    pub used: AtomicU64,
    /// The work that waits for the writer.
    pub queued: Arc<Queued>,
}

impl Shared {
    /// Reads the positions from a migrated file, which `make_private` opened.
    pub fn read(path: &Path, file: File, connection: &Connection) -> rusqlite::Result<Self> {
        let newest = connection.query_row(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0)",
            [],
            |row| row.get(0),
        )?;
        let pruned_through = retention::pruned_through(connection)?;
        let shared = Self {
            path: path.to_owned(),
            file,
            newest: watch::Sender::new(newest),
            named: watch::Sender::new(0),
            pruned_through: AtomicI64::new(pruned_through),
            used: AtomicU64::new(retention::used_bytes(connection)?),
            queued: Arc::default(),
        };
        shared.keep_reserve();
        Ok(shared)
    }

    /// The store's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until everything written to the file so far is on disk.
    pub fn sync_file(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The highest position ever removed.
    pub fn pruned_through(&self) -> i64 {
        self.pruned_through.load(Ordering::Acquire)
    }

    /// Records that positions up to `seq` may have been removed.
    pub fn set_pruned_through(&self, seq: i64) {
        self.pruned_through.fetch_max(seq, Ordering::AcqRel);
    }

    /// The current sizes.
    pub fn size(&self) -> StoreSize {
        let wal = fs::metadata(beside(&self.path, "-wal")).map_or(0, |file| file.len());
        StoreSize {
            used: self.used.load(Ordering::Relaxed),
            wal,
            search: 0,
            search_segments: 0,
            queue_depth: u64::try_from(self.queued.entries()).unwrap_or(u64::MAX),
            connections: None,
        }
    }

    /// Creates the reserve file. A disk without room for it does not prevent the start.
    fn keep_reserve(&self) {
        let reserve = beside(&self.path, "-reserve");
        if reserve.exists() {
            return;
        }
        let written = private_file().create_new(true).open(&reserve).and_then(|mut file| {
            file.write_all(&vec![0x55; RESERVE])?;
            file.sync_all()
        });
        if let Err(fault) = written {
            tracing::warn!(%fault, "no room for the reserve that retention uses on a full disk");
            self.release_reserve();
        }
    }

    /// Deletes the reserve file; the next start creates it again.
    pub fn release_reserve(&self) {
        // If the file does not exist, the goal is already reached.
        let _ = fs::remove_file(beside(&self.path, "-reserve"));
    }
}

/// The path of `path` with `ending` appended to the file name.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Creates the file if needed, readable only by its owner; SQLite's other files inherit its permissions.
pub fn make_private(path: &Path) -> io::Result<File> {
    let file = private_file().create(true).truncate(false).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Opens the connection that writes.
pub fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    set_up_writer(connection)
}

/// Opens a connection that writes, if no other program has the file open, and keeps others from opening it. Otherwise it
/// fails at once, since the file is busy.
pub fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::ZERO)?;
    // Set before the first access, so that the lock is the whole file's.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let connection = set_up_writer(connection)?;
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
    Ok(connection)
}

fn set_up_writer(connection: Connection) -> rusqlite::Result<Connection> {
    // Both settings only take effect in a file without tables. A page fits a handful of deliveries, and the room of
    // removed rows can be returned in small steps.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    // Setting the same mode again would write, and a full disk would prevent the start.
    if connection.pragma_query_value(None, "auto_vacuum", |row| row.get::<_, i64>(0))? != INCREMENTAL {
        connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // With NORMAL, a power cut loses acknowledged rows; FULL syncs the log at each commit.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    keep_plans(&connection)?;
    log::add_functions(&connection)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    keep_plans(&connection)?;
    log::add_functions(&connection)?;
    Ok(connection)
}

/// Plans each statement once. Without the second line, SQLite plans again for each new value of a LIMIT or a range. It
/// does so to use statistics, which are never collected here.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st_03_a_file_that_is_there_is_opened_without_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let first = open_writer(&path).unwrap();
        first.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
        let bytes = || fs::read(beside(&path, "-wal")).unwrap();
        let before = bytes();
        drop(open_writer(&path).unwrap());
        assert!(bytes() == before, "a full disk would keep it closed");
    }
}
