//! Reader threads, each with its own connection. Readers and the writer never wait for each other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::shared::{self, Shared};
use crate::store::StoreError;
use crate::store::search::{DEADLINE, sqlite as search};
use crate::telemetry::Workers;

/// The number of queries answered at once.
const READERS: usize = 3;
/// The niceness of the threads, as in nice(2): receiving has priority when processors are busy.
const NICE: i32 = 5;
/// SQLite's steps between two checks of the clock.
const DEADLINE_STEPS: i32 = 10_000;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Access to the readers.
pub struct Readers {
    jobs: Mutex<Option<Sender<Job>>>,
}

impl Readers {
    /// Starts the threads on the file of `shared`.
    pub fn start(shared: &Arc<Shared>, workers: &Workers) -> Result<Self, Box<dyn std::error::Error>> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..READERS {
            let reader = Reader::open(shared)?;
            let waiting = Arc::clone(&waiting);
            // It ends on its own after `close`; no caller has to wait for that.
            let _ = workers.start("store-reader", NICE, move || reader.answer(&waiting))?;
        }
        Ok(Self { jobs: Mutex::new(Some(jobs)) })
    }

    /// Runs `job` on a reader's connection.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // A caller that is gone needs no result, so its query is not run.
            if !answer.is_closed() {
                let _ = answer.send(job(connection));
            }
        });
        let is_sent = self.jobs.lock().as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !is_sent {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        let read = answered.await.map_err(|_| StoreError::Unavailable("the query failed".to_owned()))?;
        read.map_err(|fault| {
            if is_interrupted(&fault) {
                return StoreError::TooLong(DEADLINE.as_secs());
            }
            fault.into()
        })
    }

    /// Lets the threads end after their current query.
    pub fn close(&self) {
        self.jobs.lock().take();
    }
}

/// Whether a query was interrupted at its deadline.
fn is_interrupted(fault: &rusqlite::Error) -> bool {
    fault.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// The resources of a thread.
struct Reader {
    connection: Connection,
    /// The deadline of the current query.
    deadline: Arc<Mutex<Instant>>,
    /// Dropped after the connection.
    _shared: Arc<Shared>,
}

impl Reader {
    fn open(shared: &Arc<Shared>) -> rusqlite::Result<Self> {
        let mut connection = shared::open_reader(shared.path())?;
        search::add_functions(&connection)?;
        let deadline = Arc::new(Mutex::new(Instant::now()));
        let watched = Arc::clone(&deadline);
        let is_over = move || Instant::now() > *watched.lock();
        connection.progress_handler(DEADLINE_STEPS, Some(is_over))?;
        Ok(Self { connection, deadline, _shared: Arc::clone(shared) })
    }

    /// Answers queries until the queue closes. Each query is interrupted at its deadline, so that it cannot block the
    /// others forever. After a panic in one query, its caller gets no result, and the statement is reset.
    fn answer(&self, waiting: &Mutex<Receiver<Job>>) {
        loop {
            let job = waiting.lock().recv();
            let Ok(job) = job else { return };
            *self.deadline.lock() = Instant::now() + DEADLINE;
            job(&self.connection);
        }
    }
}
