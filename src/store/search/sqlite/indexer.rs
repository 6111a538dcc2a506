//! The thread that builds the index, newest rows first, with lower priority than receiving.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension as _, Row, params};

use super::builder::Indexable;
use super::folder::SearchFolder;
use super::indexed::{Indexed, mergeable};
use super::open::{OpenRow, OpenSegment};
use super::positions::{first_of, last_of, segment_of};
use crate::domain::Reason;
use crate::store::log::encoding;
use crate::store::sqlite::shared::{self, Shared};
use crate::telemetry::{Worker, Workers};

/// How often it checks for work.
const EVERY: Duration = Duration::from_millis(100);
/// The pause after an error, such as a full disk.
const AFTER_FAULT: Duration = Duration::from_secs(30);
/// The number of rows indexed at once. In the unfinished segment, up to this many rows may have no index.
const SLICE: i64 = 256;
/// The most rows read by one statement, and the bytes after which it stops. The statement ends before the terms are
/// read: a long one keeps the write-ahead log from restarting.
const AT_ONCE: (usize, usize) = (64, 1024 * 1024);
/// The niceness of the thread, as in nice(2).
const NICE: i32 = 10;
/// Unfinished segments in memory, of up to 10 MiB each, beyond which new rows wait: under a load that is more than the thread
/// can index, they would become ever more.
const OPEN: usize = 2;
/// Slices written between two time checks.
const SLICES_AT_ONCE: usize = 400;

/// The thread.
pub struct Indexer {
    stop: Mutex<Option<Sender<()>>>,
    thread: Worker,
}

impl Indexer {
    /// Starts the thread for the store at `store`.
    pub fn start(
        store: &Path,
        shared: Arc<Shared>,
        folder: Arc<SearchFolder>,
        workers: &Workers,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let work = Work { store: store.to_owned(), shared, folder, stopped };
        let thread = workers.start("store-indexer", NICE, move || work.run())?;
        Ok(Self { stop: Mutex::new(Some(stop)), thread })
    }

    /// Ends the thread; unfinished work is repeated after the next start.
    pub fn stop(&self) {
        self.stop.lock().take();
        self.thread.join();
    }
}

struct Work {
    store: PathBuf,
    shared: Arc<Shared>,
    folder: Arc<SearchFolder>,
    stopped: Receiver<()>,
}

/// Why the thread returns to its start.
enum Halt {
    Stopped,
    Fault(Box<dyn std::error::Error>),
}

impl From<rusqlite::Error> for Halt {
    fn from(fault: rusqlite::Error) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<std::io::Error> for Halt {
    fn from(fault: std::io::Error) -> Self {
        Self::Fault(fault.into())
    }
}

impl Work {
    fn run(&self) {
        while let Halt::Fault(fault) = self.keep_up() {
            tracing::warn!(%fault, "the search index could not be built; until it is, searches read the log");
            if self.pause(AFTER_FAULT).is_err() {
                return;
            }
        }
    }

    fn keep_up(&self) -> Halt {
        while self.newest() < SLICE {
            if let Err(halt) = self.pause(EVERY) {
                return halt;
            }
        }
        let log = match self.open() {
            Ok(log) => log,
            Err(halt) => return halt,
        };
        loop {
            let paused = match self.step(&log) {
                Ok(true) => Ok(()),
                Ok(false) => self.pause(EVERY),
                Err(halt) => return halt,
            };
            if let Err(halt) = paused {
                return halt;
            }
        }
    }

    /// The log, once the index is open.
    fn open(&self) -> Result<Connection, Halt> {
        let newest = self.newest();
        let log = shared::open_reader(&self.store)?;
        // A segment beyond the end of the log belongs to another log, from before a backup was restored.
        self.folder.open(|seq, id| seq <= newest && is_row(&log, seq, id))?;
        Ok(log)
    }

    fn newest(&self) -> i64 {
        *self.shared.newest.borrow()
    }

    /// Builds one segment, removes one with its rows, or merges some. `false` if there is nothing to do.
    fn step(&self, log: &Connection) -> Result<bool, Halt> {
        if self.folder.is_damaged() {
            self.folder.recreate()?;
        }
        self.follow(log)?;
        let filling = segment_of(self.newest().saturating_add(1));
        let oldest: Option<i64> = log.query_row("SELECT min(seq) FROM deliveries", [], |row| row.get(0))?;
        let oldest = oldest_segment(oldest, filling);
        let known = self.folder.segments();
        if let Some((gone, _)) = known.range(..oldest).next() {
            self.folder.forget(*gone);
            return Ok(true);
        }
        if let Some(packs) = mergeable(&known, oldest, filling) {
            self.written(log, |may_continue| self.folder.merge(&packs, may_continue))?;
            return Ok(true);
        }
        let mut number = filling.saturating_sub(1);
        while number >= oldest {
            if !matches!(known.get(&number), Some(Indexed::Kept(_))) {
                self.make(log, number)?;
                return Ok(true);
            }
            number = number.saturating_sub(1);
        }
        Ok(false)
    }

    /// Adds new rows to the unfinished segment, a slice at a time: the newest rows are queried most.
    fn follow(&self, log: &Connection) -> Result<(), Halt> {
        loop {
            let newest = self.newest();
            let number = segment_of(newest.saturating_add(1));
            let segments = self.folder.segments();
            let known = match segments.get(&number) {
                Some(Indexed::Open(open)) => open.read().next(),
                _ if open_among(&segments) >= OPEN => return Ok(()),
                _ => first_of(number),
            };
            let last = known.saturating_add(SLICE).saturating_sub(1);
            let Some(open) = (last <= newest).then(|| self.folder.opened(number)).flatten() else {
                return Ok(());
            };
            self.add(log, &open, last)?;
        }
    }

    /// Builds the index of a full segment.
    fn make(&self, log: &Connection, number: i64) -> Result<(), Halt> {
        let Some(open) = self.folder.opened(number) else { return Ok(()) };
        loop {
            let next = open.read().next();
            if next > last_of(number) {
                break;
            }
            let last = next.saturating_add(SLICE).saturating_sub(1).min(last_of(number));
            self.add(log, &open, last)?;
            self.follow(log)?;
        }
        let made = open.read();
        self.written(log, |may_continue| self.folder.keep(&made, may_continue))
    }

    /// Writes a file. Between its slices, new rows are indexed, and others have the processor.
    fn written(
        &self,
        log: &Connection,
        write: impl FnOnce(&mut dyn FnMut() -> bool) -> std::io::Result<()>,
    ) -> Result<(), Halt> {
        let mut began = Instant::now();
        let mut left = SLICES_AT_ONCE;
        let mut stopped = None;
        let written = write(&mut || {
            left = left.saturating_sub(1);
            if left > 0 {
                return true;
            }
            left = SLICES_AT_ONCE;
            stopped = self.give_way(began.elapsed()).and_then(|()| self.follow(log)).err();
            began = Instant::now();
            stopped.is_none()
        });
        match (stopped, written) {
            (Some(halt), _) => Err(halt),
            (None, Err(fault)) => {
                if fault.kind() == ErrorKind::InvalidData {
                    self.folder.note_damage(&fault);
                }
                Err(fault.into())
            }
            (None, Ok(())) => Ok(()),
        }
    }

    /// Adds the rows through the position `last` to a segment.
    fn add(&self, log: &Connection, open: &RwLock<OpenSegment>, last: i64) -> Result<(), Halt> {
        let began = Instant::now();
        loop {
            let first = open.read().next();
            if first > last {
                return self.give_way(began.elapsed());
            }
            let (rows, next) = read(log, first, last)?;
            let rows = rows.iter().map(|(seq, id, at, row)| OpenRow::new(*seq, *id, *at, row)).collect();
            open.write().add(rows, next);
        }
    }

    /// Pauses a quarter of the time it worked. Longer pauses would slow down searches, which read every row without an
    /// index one by one.
    fn give_way(&self, worked: Duration) -> Result<(), Halt> {
        self.pause(worked / 4)
    }

    fn pause(&self, pause: Duration) -> Result<(), Halt> {
        match self.stopped.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            _ => Err(Halt::Stopped),
        }
    }
}

/// The first segment that needs an index. The unfinished segment always does; otherwise an empty log would remove and
/// open it in an endless loop.
fn oldest_segment(oldest: Option<i64>, filling: i64) -> i64 {
    oldest.map_or(filling, segment_of)
}

fn open_among(segments: &BTreeMap<i64, Indexed>) -> usize {
    segments.values().filter(|segment| matches!(segment, Indexed::Open(_))).count()
}

/// A row's position, its id, when it was received in microseconds UTC, and what is indexed of it.
type Read = (i64, [u8; 16], i64, Indexable);

/// Rows from the position `first` through `last` at most, and the position after them.
fn read(log: &Connection, first: i64, last: i64) -> rusqlite::Result<(Vec<Read>, i64)> {
    let mut statement = log.prepare_cached(
        r"
        SELECT
            d.seq, d.id, d.received_at,
            d.source, d.method, d.path, d.client_ip,
            d.event_type, d.event_name, d.event_id, d.entity,
            d.verdict, d.reason, d.status,
            plain_bytes(b.headers, b.packed), b.body
        FROM deliveries d
        JOIN delivery_bytes b USING (seq)
        WHERE d.seq BETWEEN ?1 AND ?2
        ORDER BY d.seq
        ",
    )?;
    let mut rows = statement.query(params![first, last])?;
    let (mut found, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = rows.next()? {
        let (seq, indexable) = (row.get(0)?, indexable(row)?);
        bytes = bytes.saturating_add(indexable.headers.len()).saturating_add(indexable.body.len());
        found.push((seq, row.get(1)?, row.get(2)?, indexable));
        if found.len() >= AT_ONCE.0 || bytes >= AT_ONCE.1 {
            return Ok((found, seq.saturating_add(1)));
        }
    }
    Ok((found, last.saturating_add(1)))
}

/// Reads the columns by their place: a name would be looked up in every row.
fn indexable(row: &Row<'_>) -> rusqlite::Result<Indexable> {
    let unknown = |column| Error::InvalidColumnType(column, "an unknown value".to_owned(), Type::Integer);
    let reason = |word: String| Reason::from_word(&word).ok_or_else(|| unknown(12));
    Ok(Indexable {
        source: row.get(3)?,
        method: row.get(4)?,
        path: row.get(5)?,
        client_ip: encoding::address(row.get(6)?),
        event_type: row.get(7)?,
        event_name: row.get(8)?,
        event_id: row.get(9)?,
        entity: row.get(10)?,
        verdict: encoding::verdict(row.get(11)?).ok_or_else(|| unknown(11))?,
        reason: row.get::<_, Option<String>>(12)?.map(reason).transpose()?,
        status: row.get(13)?,
        headers: row.get(14)?,
        body: row.get(15)?,
    })
}

/// Whether the row at `seq` has that id or was removed.
fn is_row(log: &Connection, seq: i64, id: [u8; 16]) -> bool {
    let found = log
        .query_row("SELECT id FROM deliveries WHERE seq = ?1", [seq], |row| row.get::<_, [u8; 16]>(0))
        .optional();
    match found {
        Ok(Some(found)) => found == id,
        Ok(None) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_segment_that_fills_is_kept_when_the_log_is_empty() {
        assert_eq!(oldest_segment(None, 3), 3);
        assert_eq!(oldest_segment(Some(first_of(2)), 3), 2);
        assert_eq!(oldest_segment(Some(last_of(3)), 3), 3);
    }
}
