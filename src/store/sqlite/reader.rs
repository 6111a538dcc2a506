//! Threads that read, each with a connection of its own. They never wait for the writer, nor it for them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::search;
use super::shared::{self, Shared};
use crate::store::StoreError;
use crate::telemetry::Workers;

/// How many questions are answered at once.
const READERS: usize = 3;
/// How long one question may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How far the threads stand behind the others where processors are short, as nice(2) has it: receiving goes first.
const NICE: i32 = 5;
/// SQLite's steps between two looks at the clock.
const DEADLINE_STEPS: i32 = 10_000;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the readers.
pub struct Readers {
    jobs: Mutex<Option<Sender<Job>>>,
}

impl Readers {
    /// Starts the threads on the file that is `shared`.
    pub fn start(shared: &Arc<Shared>, workers: &Workers) -> Result<Self, Box<dyn std::error::Error>> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..READERS {
            let reader = Reader::open(shared)?;
            let waiting = Arc::clone(&waiting);
            // It ends by itself after `close`; nobody has to wait for that.
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
            // A caller that is gone needs no answer, and no question asked.
            if !answer.is_closed() {
                let _ = answer.send(job(connection));
            }
        });
        let is_sent = self.jobs.lock().as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !is_sent {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        let read = answered
            .await
            .map_err(|_| StoreError::Unavailable("the question could not be answered".to_owned()))?;
        read.map_err(|fault| {
            if is_interrupted(&fault) {
                return StoreError::TooLong(DEADLINE.as_secs());
            }
            fault.into()
        })
    }

    /// Lets the threads end after what they are doing.
    pub fn close(&self) {
        self.jobs.lock().take();
    }
}

/// Whether a question that began then has had its time.
pub fn is_over(began: Instant) -> bool {
    began.elapsed() > DEADLINE
}

/// What a question ends with that has had its time.
pub fn interrupted() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT);
    rusqlite::Error::SqliteFailure(code, None)
}

/// Whether a question had no more time.
pub fn is_interrupted(fault: &rusqlite::Error) -> bool {
    fault.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// What a thread works with.
struct Reader {
    connection: Connection,
    /// When the question that is answered now has had its time.
    deadline: Arc<Mutex<Instant>>,
    /// Let go after the connection.
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

    /// Answers questions until there are no more. Each is interrupted at its deadline, so that none keeps the others
    /// waiting for ever. After a panic in one question, whoever asked gets no answer, and the statement is reset.
    fn answer(&self, waiting: &Mutex<Receiver<Job>>) {
        loop {
            let job = waiting.lock().recv();
            let Ok(job) = job else { return };
            *self.deadline.lock() = Instant::now() + DEADLINE;
            job(&self.connection);
        }
    }
}
