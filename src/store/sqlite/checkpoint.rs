//! Moves the write-ahead log into the file beside the writer, so that no delivery waits for it.
//!
//! A thread of its own copies and syncs what the log holds; when it is through, the writer copies the little that came
//! meanwhile, and the log starts anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};

use super::shared;

/// Pages of the log after which they are moved: about 8 MiB. More at once make commits wait for the disk longer.
const PAGES: i32 = 1_000;
/// Pages after which the writer moves them itself: the thread cannot keep up, or a reader holds the log. About 256 MiB.
const TOO_MANY_PAGES: i32 = 32_000;

/// The thread, and what the writer's connection tells it.
pub struct Checkpointer {
    wake: Option<SyncSender<()>>,
    /// Everything but what came since was moved.
    is_through: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread for the file at `path`.
    pub fn start(path: &Path) -> std::io::Result<Self> {
        let path = path.to_owned();
        let is_through = Arc::new(AtomicBool::new(false));
        let through = Arc::clone(&is_through);
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-checkpointer".to_owned())
            .spawn(move || run(&path, &woken, &through))?;
        Ok(Self { wake: Some(wake), is_through, thread: Some(thread) })
    }

    /// Looks at the log after each commit of the writer's `connection`.
    pub fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let Some(wake) = self.wake.clone() else { return Ok(()) };
        let is_through = Arc::clone(&self.is_through);
        connection.wal_hook(Some(move |log: &mut Wal, pages| {
            if is_through.swap(false, Ordering::AcqRel) || pages >= TOO_MANY_PAGES {
                // The commit stands whatever comes of this. Where the thread is at it, that is as good.
                match log.checkpoint() {
                    Err(fault) if fault.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => {
                        tracing::warn!(%fault, "the write-ahead log could not be moved into the file");
                    }
                    _ => {}
                }
            } else if pages >= PAGES {
                // It is told already where this fails.
                let _ = wake.try_send(());
            }
            Ok(())
        }))
    }

    /// Ends the thread. The writer's connection does without it from then on.
    pub fn stop(&mut self, connection: &mut Connection) {
        self.wake.take();
        // What holds the other end of the channel goes with it.
        if let Err(fault) = connection.wal_hook(None::<fn(&mut Wal, i32) -> rusqlite::Result<()>>) {
            tracing::warn!(%fault, "the store's connection keeps its hook");
            return;
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(path: &Path, woken: &Receiver<()>, is_through: &AtomicBool) {
    let mut connection = None;
    while woken.recv().is_ok() {
        let moved = match &connection {
            Some(connection) => move_log(connection, "PASSIVE"),
            None => {
                shared::open_writer(path).and_then(|opened| move_log(connection.insert(opened), "PASSIVE"))
            }
        };
        match moved {
            Ok(()) => is_through.store(true, Ordering::Release),
            // The writer does it when there are too many.
            Err(fault) => tracing::warn!(%fault, "the write-ahead log could not be moved into the file"),
        }
    }
}

/// Moves the log's pages into the file.
pub fn move_log(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}
