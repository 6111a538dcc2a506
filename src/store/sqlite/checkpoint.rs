//! Moves the write-ahead log into the file in parallel with the writer, so that no delivery waits for it.
//!
//! A separate thread copies and syncs the contents of the log. It repeats this for new pages until few are left. The
//! writer copies the rest, and the log restarts. SQLite syncs the file only if a copy reaches the end of the log. With
//! a busy writer, a copy by the thread never does. The thread therefore syncs the file itself; otherwise the writer
//! would wait for all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};

use super::shared::{self, Shared};
use crate::telemetry::{Worker, Workers};

/// Pages in the log that trigger a move: about 8 MiB. Moving more at once makes commits wait longer for the disk.
const PAGES: i32 = 1_000;
/// The writer moves this many pages in one or two milliseconds.
const FEW_PAGES: i32 = 64;
/// The most rounds in which the thread moves new pages or waits for a reader; then it leaves up to `PAGES` to the
/// writer.
const ROUNDS: usize = 8;
/// How long the thread waits for a reader that needs the current file: at first, and at most.
const FOR_READER: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(64));
/// The most commits in a row at which the writer tries to move its last pages. It needs a moment without readers in
/// the log, which then restarts.
const TRIES: u32 = 32;
/// Pages after which the writer moves them itself: the thread is too slow, or a reader blocks the log. About 256 MiB.
const TOO_MANY_PAGES: i32 = 32_000;

/// The thread, and the signals it gets from the writer's connection.
pub struct Checkpointer {
    wake: Option<SyncSender<()>>,
    log: Arc<Log>,
    thread: Worker,
}

/// The state of the log.
#[derive(Default)]
struct Log {
    /// Its number of pages at the last commit.
    pages: AtomicI32,
    /// The thread moved all but a few pages.
    is_through: AtomicBool,
}

impl Checkpointer {
    /// Starts the thread for the file of `shared`.
    pub fn start(shared: &Arc<Shared>, workers: &Workers) -> std::io::Result<Self> {
        let log = Arc::new(Log::default());
        let (wake, woken) = sync_channel(1);
        let work = Work { shared: Arc::clone(shared), log: Arc::clone(&log), woken };
        let thread = workers.start("store-checkpointer", 0, move || work.run())?;
        Ok(Self { wake: Some(wake), log, thread })
    }

    /// Checks the log after each commit of the writer's `connection`.
    pub fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let Some(wake) = self.wake.clone() else { return Ok(()) };
        let log = Arc::clone(&self.log);
        let (mut next, mut tries) = (PAGES, 0);
        connection.wal_hook(Some(move |wal: &mut Wal, pages| {
            if pages < log.pages.swap(pages, Ordering::AcqRel) {
                (next, tries) = (PAGES, 0);
            }
            if log.is_through.swap(false, Ordering::AcqRel) {
                tries = TRIES;
            }
            if tries > 0 || (pages >= TOO_MANY_PAGES && pages >= next) {
                tries = tries.saturating_sub(1);
                next = pages.saturating_add(PAGES);
                // The commit is valid whatever this returns. If the thread is already moving pages, that is just as
                // good.
                match wal.checkpoint_v2(Default::default()) {
                    // A reader uses older pages, and for longer than a moment.
                    Ok((_, moved)) if pages.saturating_sub(moved) > FEW_PAGES => tries = 0,
                    Err(fault) if fault.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => {
                        tracing::warn!(%fault, "the write-ahead log could not be moved into the file");
                    }
                    _ => {}
                }
            } else if pages >= next {
                // If this fails, the thread already has a signal.
                let _ = wake.try_send(());
            }
            Ok(())
        }))
    }

    /// Ends the thread. The writer's connection then works without it.
    pub fn stop(&mut self, connection: &mut Connection) {
        self.wake.take();
        // This also drops the other end of the channel.
        if let Err(fault) = connection.wal_hook(None::<fn(&mut Wal, i32) -> rusqlite::Result<()>>) {
            tracing::warn!(%fault, "the store's connection keeps its hook");
            return;
        }
        self.thread.join();
    }
}

/// The resources of the thread.
struct Work {
    shared: Arc<Shared>,
    log: Arc<Log>,
    woken: Receiver<()>,
}

impl Work {
    fn run(&self) {
        let mut connection = None;
        while self.woken.recv().is_ok() {
            let moved = match &connection {
                Some(connection) => self.move_most(connection),
                None => shared::open_writer(self.shared.path())
                    .and_then(|opened| self.move_most(connection.insert(opened))),
            };
            match moved {
                Ok(is_through) => self.log.is_through.store(is_through, Ordering::Release),
                // The writer moves the pages once there are too many.
                Err(fault) => tracing::warn!(%fault, "the write-ahead log could not be moved into the file"),
            }
        }
    }

    /// Moves the log's pages, including new ones, until few are left: then `true`.
    fn move_most(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let mut before = 0;
        let (mut pause, longest) = FOR_READER;
        for _ in 0..ROUNDS {
            let moved = move_log(connection, "PASSIVE")?;
            if moved != before
                && let Err(fault) = self.shared.sync_file()
            {
                tracing::warn!(%fault, "the store's file could not be synced; the writer will");
            }
            // The work behind these signals is already done.
            let is_closed = matches!(self.woken.try_recv(), Err(TryRecvError::Disconnected));
            let left = self.left(moved);
            if left <= FEW_PAGES || is_closed {
                return Ok(left <= FEW_PAGES);
            }
            if moved == before {
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(longest);
            }
            before = moved;
        }
        Ok(self.left(before) <= PAGES)
    }

    /// The number of log pages left when `moved` have been moved.
    fn left(&self, moved: i32) -> i32 {
        self.log.pages.load(Ordering::Acquire).saturating_sub(moved)
    }
}

/// Moves the log's pages into the file; returns how many pages of the log are now in the file.
pub fn move_log(connection: &Connection, mode: &str) -> rusqlite::Result<i32> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get("checkpointed"))
}
