//! Work on the outbox that rides in the writer's transaction beside the deliveries that wait.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::store::StoreError;

/// Something to be done in a transaction; who asked hears of it after COMMIT.
pub trait Job: Send {
    /// Whether it brings something new, which a full store refuses.
    fn takes_room(&self) -> bool;

    /// Does it. A fault of its own is undone and told to who asked; only one that spoils the transaction is returned.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;

    /// Tells who asked what became of it.
    fn finish(self: Box<Self>, committed: Result<(), &str>);
}

/// A closure as a job.
pub struct Asked<F, T> {
    takes_room: bool,
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Asked<F, T> {
    pub fn new(takes_room: bool, work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { takes_room, work: Some(work), done: None, answer }
    }
}

impl<F, T> Job for Asked<F, T>
where
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn takes_room(&self) -> bool {
        self.takes_room
    }

    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        // A fault of ours in one job must not end the writer; what it did is undone like that of any fault.
        let worked = catch_unwind(AssertUnwindSafe(|| work(connection)))
            .unwrap_or_else(|_| Err(rusqlite::Error::UserFunctionError("it could not be done".into())));
        match worked {
            Ok(value) => self.done = Some(Ok(value)),
            Err(fault) if spoils_transaction(&fault) || connection.is_autocommit() => return Err(fault),
            Err(fault) => {
                connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
                self.done = Some(Err(fault.into()));
            }
        }
        connection.prepare_cached("RELEASE job")?.execute([])?;
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<(), &str>) {
        let told = match (committed, self.done) {
            (Ok(()), Some(done)) => done,
            (Err(why), _) => Err(StoreError::Unavailable(why.to_owned())),
            (Ok(()), None) => Err(StoreError::Unavailable("it was not run".to_owned())),
        };
        // Who is gone needs no answer.
        let _ = self.answer.send(told);
    }
}

fn spoils_transaction(fault: &rusqlite::Error) -> bool {
    matches!(
        fault.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
        )
    )
}
