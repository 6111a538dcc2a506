//! Reads the rows that retention removes next. They are the oldest ones, often no longer in memory: the writer would wait for
//! the disk, and each delivery for the writer.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::shared::{self, Shared};
use crate::domain::Verdict;
use crate::store::upkeep::sqlite::retention::{self, Unread};
use crate::telemetry::{Worker, Workers};

/// The niceness of the thread, as in nice(2).
const NICE: i32 = 5;

/// The position up to which the rows of a verdict were read.
type Read = (Verdict, i64);

/// The thread, and what it has read.
pub struct ReadAhead {
    wanted: Option<Sender<Unread>>,
    done: Receiver<Read>,
    is_reading: bool,
    read: Option<Read>,
    thread: Worker,
}

impl ReadAhead {
    /// Starts the thread for the file of `shared`.
    pub fn start(shared: &Arc<Shared>, workers: &Workers) -> std::io::Result<Self> {
        let (wanted, waiting) = channel();
        let (answer, done) = channel();
        let mut work = Work { shared: Arc::clone(shared), waiting, answer, current: None };
        let thread = workers.start("store-read-ahead", NICE, move || work.run())?;
        Ok(Self { wanted: Some(wanted), done, is_reading: false, read: None, thread })
    }

    /// Whether it still reads.
    pub fn is_reading(&mut self) -> bool {
        if let Ok(read) = self.done.try_recv() {
            (self.is_reading, self.read) = (false, Some(read));
        }
        self.is_reading
    }

    /// The position up to which the rows of a verdict were read.
    pub fn read(&self) -> impl Fn(Verdict) -> i64 + use<> {
        let read = self.read;
        move |verdict| read.filter(|(which, _)| *which == verdict).map_or(i64::MIN, |(_, through)| through)
    }

    /// Lets the thread read.
    pub fn ask(&mut self, unread: Unread) {
        self.is_reading = self.wanted.as_ref().is_some_and(|wanted| wanted.send(unread).is_ok());
    }

    /// Ends the thread.
    pub fn stop(&mut self) {
        self.wanted.take();
        self.thread.join();
    }
}

/// The resources of the thread.
struct Work {
    shared: Arc<Shared>,
    waiting: Receiver<Unread>,
    answer: Sender<Read>,
    /// What it reads now.
    current: Option<Unread>,
}

impl Work {
    fn run(&mut self) {
        // After a panic: the row is removed unread.
        if let Some(unread) = self.current.take() {
            let _ = self.answer.send((unread.verdict, unread.first));
        }
        while let Ok(unread) = self.waiting.recv() {
            self.current = Some(unread);
            // A connection of its own each time: it is rarely needed, and then needs no memory.
            let read = shared::open_reader(self.shared.path())
                .and_then(|connection| retention::read(&connection, unread));
            let through = read.unwrap_or_else(|fault| {
                tracing::warn!(%fault, "the rows that retention removes next could not be read ahead");
                unread.first
            });
            self.current = None;
            // If this fails, the store is closed.
            let _ = self.answer.send((unread.verdict, through));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::sqlite::migrate;
    use crate::store::upkeep::rules::Surplus;

    #[test]
    fn rows_that_cannot_be_read_ahead_are_removed_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let file = shared::make_private(&path).unwrap();
        let mut connection = shared::open_writer(&path).unwrap();
        migrate(&mut connection, "t.db").unwrap();
        let shared = Arc::new(Shared::read(&path, file, &connection).unwrap());
        let mut ahead = ReadAhead::start(&shared, &Workers::default()).unwrap();
        assert!(!ahead.is_reading());
        assert_eq!(ahead.read()(Verdict::Accepted), i64::MIN);

        connection.execute_batch("DROP TABLE delivery_bytes").unwrap();
        let surplus = Surplus::OlderThan(i64::MAX);
        ahead.ask(Unread { verdict: Verdict::Accepted, first: 7, surplus });
        while ahead.is_reading() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(ahead.read()(Verdict::Accepted), 7);
        assert_eq!(ahead.read()(Verdict::Rejected), i64::MIN);
        ahead.stop();
    }
}
