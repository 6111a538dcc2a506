//! The index file. It can always be rebuilt, so any fault in it leads to a rebuild.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, named_params, params};

use super::open::{self, GROUP, OpenSegment};
use super::positions::{SEGMENT, first_of};
use super::rows::Rows;
use super::segment::{Postings, Segment};
use super::term::SLICES;
use crate::store::sqlite::shared::{beside, make_private};
use crate::store::sqlite::{reader, whole};

/// A change of this number rebuilds the file.
const FORMAT: i64 = 4;
const SCHEMA: &str = r"
    CREATE TABLE IF NOT EXISTS segments (
        segment  INTEGER PRIMARY KEY,
        last_id  BLOB NOT NULL,           -- of the segment's last row: tells another log from this one
        earliest INTEGER NOT NULL,        -- when its rows were received, in microseconds UTC
        latest   INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS slices (
        id   INTEGER PRIMARY KEY,         -- segment * 2048 + slice / 4
        rows BLOB NOT NULL                -- of four slices
    );
    CREATE TABLE IF NOT EXISTS postings (
        segment INTEGER NOT NULL,
        term    BLOB NOT NULL,
        rows    BLOB NOT NULL,
        PRIMARY KEY (segment, term)
    ) WITHOUT ROWID;
    ";

/// The groups of slices in a segment.
const GROUPS: i64 = 2_048;
const _: () = assert!(SLICES == GROUP * 2_048);

/// Where the index of a segment is.
#[derive(Clone)]
pub enum Indexed {
    /// In the file, complete.
    Kept(Segment),
    /// In memory, as far as it is built.
    Open(Arc<RwLock<OpenSegment>>),
}

/// Idle connections.
#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    /// The number of rebuilds; connections from before a rebuild use the old file.
    generation: u64,
}

/// The file, shared by the searching threads and the indexer.
pub struct SearchFile {
    path: PathBuf,
    segments: RwLock<BTreeMap<i64, Indexed>>,
    idle: Mutex<Idle>,
    is_damaged: AtomicBool,
    bytes: AtomicU64,
}

impl SearchFile {
    /// The index next to the store at `store`. No file is opened, and no segment is known, before `open`.
    pub fn beside(store: &Path) -> Self {
        Self {
            path: beside(store, "-search"),
            segments: RwLock::default(),
            idle: Mutex::default(),
            is_damaged: AtomicBool::new(false),
            bytes: AtomicU64::new(0),
        }
    }

    /// Bytes of the file, and the number of segments in it.
    pub fn size(&self) -> (u64, u64) {
        let segments = self.segments.read();
        let kept = segments.values().filter(|segment| matches!(segment, Indexed::Kept(_))).count();
        (self.bytes.load(Ordering::Relaxed), u64::try_from(kept).unwrap_or(u64::MAX))
    }

    /// The segments that have an index.
    pub fn segments(&self) -> BTreeMap<i64, Indexed> {
        self.segments.read().clone()
    }

    /// Whether the index is empty.
    pub fn is_empty(&self) -> bool {
        self.segments.read().is_empty()
    }

    /// Checks whether `fault` means that the file is damaged.
    pub fn note(&self, fault: &rusqlite::Error) {
        if matches!(fault.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            self.is_damaged.store(true, Ordering::Release);
        }
    }

    /// Whether the file must be rebuilt.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Acquire)
    }

    /// The segment's index in memory, created if needed; `None` if it is in the file.
    pub fn opened(&self, number: i64) -> Option<Arc<RwLock<OpenSegment>>> {
        let mut segments = self.segments.write();
        let anew = || Indexed::Open(Arc::new(RwLock::new(OpenSegment::new(number))));
        match segments.entry(number).or_insert_with(anew) {
            Indexed::Open(open) => Some(Arc::clone(open)),
            Indexed::Kept(_) => None,
        }
    }

    /// Opens the file for writing and reads its segments. `is_ours` tells whether a segment's last row, at that
    /// position, has that id. The file is rebuilt if it is unreadable, of another format or of another log.
    pub fn open(&self, is_ours: impl Fn(i64, [u8; 16]) -> bool) -> rusqlite::Result<Connection> {
        match self.open_existing(&is_ours) {
            Ok(Some(connection)) => Ok(connection),
            Ok(None) => self.recreate(),
            Err(fault) => {
                tracing::warn!(%fault, "the search index cannot be read; it is being rebuilt");
                self.recreate()
            }
        }
    }

    fn open_existing(
        &self,
        is_ours: &impl Fn(i64, [u8; 16]) -> bool,
    ) -> rusqlite::Result<Option<Connection>> {
        if !self.path.exists() {
            return Ok(None);
        }
        let connection = self.connect()?;
        let format: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if format != FORMAT {
            return Ok(None);
        }
        let mut segments = BTreeMap::new();
        let mut read = connection.prepare("SELECT segment, last_id, earliest, latest FROM segments")?;
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            let segment: i64 = row.get("segment")?;
            if !is_ours(last_of(segment), row.get("last_id")?) {
                return Ok(None);
            }
            let known = Segment { earliest: row.get("earliest")?, latest: row.get("latest")? };
            segments.insert(segment, Indexed::Kept(known));
        }
        drop(rows);
        drop(read);
        *self.segments.write() = segments;
        self.measure();
        Ok(Some(connection))
    }

    /// Deletes the file and creates an empty one.
    pub fn recreate(&self) -> rusqlite::Result<Connection> {
        self.segments.write().clear();
        for ending in ["", "-wal", "-shm"] {
            // If the file does not exist, the goal is already reached.
            let _ = fs::remove_file(beside(&self.path, ending));
        }
        let connection = self.connect()?;
        connection.execute_batch(SCHEMA)?;
        connection.pragma_update(None, "user_version", FORMAT)?;
        // Only now: a query in the meantime knows no segment and looks nothing up.
        let mut idle = self.idle.lock();
        idle.connections.clear();
        idle.generation = idle.generation.saturating_add(1);
        drop(idle);
        self.is_damaged.store(false, Ordering::Release);
        self.measure();
        Ok(connection)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        // If this fails, SQLite's open also fails, with a better message.
        let _ = make_private(&self.path);
        let connection = Connection::open(&self.path)?;
        connection.pragma_update(None, "page_size", 8_192)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "journal_size_limit", 0)?;
        Ok(connection)
    }

    /// Stores the index of a full segment, all or nothing; from then on, searches use the file. `may_continue` is called
    /// before each term.
    pub fn keep(
        &self,
        connection: &mut Connection,
        open: &OpenSegment,
        mut may_continue: impl FnMut() -> bool,
    ) -> rusqlite::Result<()> {
        let (number, segment) = (open.number(), open.segment());
        let transaction = connection.transaction()?;
        remove_rows(&transaction, number)?;
        let mut insert = transaction.prepare_cached("INSERT INTO slices (id, rows) VALUES (?1, ?2)")?;
        for (id, rows) in groups_of(number).zip(open.groups()) {
            if !may_continue() {
                return Err(reader::interrupted());
            }
            insert.execute(params![id, rows])?;
        }
        drop(insert);
        let mut insert =
            transaction.prepare_cached("INSERT INTO postings (segment, term, rows) VALUES (?1, ?2, ?3)")?;
        for (term, rows) in open.terms() {
            insert.execute(params![number, term, rows])?;
        }
        drop(insert);
        transaction.execute(
            r"
            INSERT OR REPLACE INTO segments (segment, last_id, earliest, latest)
            VALUES (:segment, :last_id, :earliest, :latest)
            ",
            named_params! {
                ":segment": number,
                ":last_id": open.last_id(),
                ":earliest": segment.earliest,
                ":latest": segment.latest,
            },
        )?;
        transaction.commit()?;
        self.segments.write().insert(number, Indexed::Kept(segment));
        self.measure();
        Ok(())
    }

    /// Removes a segment.
    pub fn forget(&self, connection: &mut Connection, number: i64) -> rusqlite::Result<()> {
        self.segments.write().remove(&number);
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM segments WHERE segment = ?1", [number])?;
        remove_rows(&transaction, number)?;
        transaction.commit()
    }

    fn measure(&self) {
        let size = |ending| fs::metadata(beside(&self.path, ending)).map_or(0, |file| file.len());
        self.bytes.store(size("").saturating_add(size("-wal")), Ordering::Relaxed);
    }

    /// Runs a query on a separate connection, with the current segments.
    pub fn ask<T>(
        &self,
        question: impl FnOnce(&Lookups<'_>, &BTreeMap<i64, Indexed>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let (connection, generation, segments) = loop {
            let (idle, generation) = self.idle();
            let connection = idle.map_or_else(|| self.connect(), Ok)?;
            let segments = self.segments();
            // Otherwise the connection may belong to another file than these segments.
            if self.generation() == generation {
                break (connection, generation, segments);
            }
        };
        let answer = question(&Lookups { connection: &connection }, &segments)?;
        let mut idle = self.idle.lock();
        if idle.generation == generation {
            idle.connections.push(connection);
        }
        Ok(answer)
    }

    fn idle(&self) -> (Option<Connection>, u64) {
        let mut idle = self.idle.lock();
        (idle.connections.pop(), idle.generation)
    }

    fn generation(&self) -> u64 {
        self.idle.lock().generation
    }
}

/// The ids of a segment's groups of slices.
fn groups_of(number: i64) -> RangeInclusive<i64> {
    let first = number.saturating_mul(GROUPS);
    first..=first.saturating_add(GROUPS).saturating_sub(1)
}

fn remove_rows(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    let groups = groups_of(number);
    connection.execute("DELETE FROM slices WHERE id BETWEEN ?1 AND ?2", [groups.start(), groups.end()])?;
    connection.execute("DELETE FROM postings WHERE segment = ?1", [number])?;
    Ok(())
}

/// Looks slices and terms up in the file.
pub struct Lookups<'c> {
    connection: &'c Connection,
}

impl<'c> Lookups<'c> {
    /// Lookups in one segment.
    pub const fn segment(&self, number: i64) -> KeptSegment<'c> {
        KeptSegment { connection: self.connection, number }
    }
}

/// A segment whose index is in the file.
pub struct KeptSegment<'c> {
    connection: &'c Connection,
    number: i64,
}

impl Postings for KeptSegment<'_> {
    fn slice(&self, slice: u16) -> rusqlite::Result<Rows> {
        let slice = usize::from(slice);
        let id = groups_of(self.number).start().saturating_add(whole(slice / GROUP));
        let kept = self
            .connection
            .prepare_cached("SELECT rows FROM slices WHERE id = ?1")?
            .query_row([id], |row| Ok(open::unpack(row.get_ref("rows")?.as_blob()?, slice % GROUP)))
            .optional()?;
        // An unreadable set may contain any row.
        Ok(kept.flatten().unwrap_or_else(Rows::all))
    }

    fn term(&self, term: &[u8]) -> rusqlite::Result<Rows> {
        let kept = self
            .connection
            .prepare_cached("SELECT rows FROM postings WHERE segment = ?1 AND term = ?2")?
            .query_row(params![self.number, term], |row| Ok(Rows::unpack(row.get_ref("rows")?.as_blob()?)))
            .optional()?;
        Ok(match kept {
            None => Rows::none(),
            // An unreadable set may contain any row.
            Some(rows) => rows.unwrap_or_else(Rows::all),
        })
    }

    fn range(&self, range: &RangeInclusive<Vec<u8>>) -> rusqlite::Result<Rows> {
        let mut found = Rows::none();
        let mut read = self
            .connection
            .prepare_cached("SELECT rows FROM postings WHERE segment = ?1 AND term BETWEEN ?2 AND ?3")?;
        let mut rows = read.query(params![self.number, range.start(), range.end()])?;
        while let Some(row) = rows.next()? {
            found.unite(&Rows::unpack(row.get_ref("rows")?.as_blob()?).unwrap_or_else(Rows::all));
        }
        Ok(found)
    }
}

/// The last position of a segment.
pub const fn last_of(segment: i64) -> i64 {
    first_of(segment).saturating_add(SEGMENT).saturating_sub(1)
}
