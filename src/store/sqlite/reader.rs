//! Threads that read, each with a connection of its own. They never wait for the writer, nor it for them.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::shared;
use crate::store::StoreError;

/// How many questions are answered at once.
const READERS: usize = 2;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the readers.
pub struct Readers {
    jobs: Mutex<Option<Sender<Job>>>,
}

impl Readers {
    /// Starts the threads on the file at `path`.
    pub fn start(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..READERS {
            let connection = shared::open_reader(path)?;
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || answer(&connection, &waiting))?;
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
            // A caller that is gone needs no answer.
            let _ = answer.send(job(connection));
        });
        let is_sent = self
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok());
        if !is_sent {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        let read = answered.await.map_err(|_| StoreError::Unavailable("a reader ended".to_owned()))?;
        Ok(read?)
    }

    /// Lets the threads end after what they are doing.
    pub fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn answer(connection: &Connection, waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job(connection);
    }
}
