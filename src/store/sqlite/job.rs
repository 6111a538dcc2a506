//! Outbox work that runs in the writer's transaction together with the waiting deliveries.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::store::StoreError;

/// Work for a transaction; the caller gets the result after COMMIT.
pub trait Job: Send {
    /// Whether it adds data, which a full store refuses.
    fn takes_room(&self) -> bool;

    /// Runs the job. Its own error is rolled back and reported to the caller. Only an error that breaks the
    /// transaction is returned. `is_first` says that the transaction has changed nothing so far.
    fn run(&mut self, connection: &Connection, is_first: bool) -> rusqlite::Result<()>;

    /// Reports the result to the caller.
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

    fn run(&mut self, connection: &Connection, is_first: bool) -> rusqlite::Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        // A savepoint costs a copy of each page that is changed.
        if !is_first {
            connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        }
        // A bug in one job must not end the writer; its changes are rolled back like those of any failed job.
        let worked = catch_unwind(AssertUnwindSafe(|| work(connection)))
            .unwrap_or_else(|_| Err(rusqlite::Error::UserFunctionError("it could not be done".into())));
        match worked {
            Ok(value) => self.done = Some(Ok(value)),
            Err(fault) if spoils_transaction(&fault) || connection.is_autocommit() => return Err(fault),
            Err(fault) => {
                let undo = if is_first { "ROLLBACK; BEGIN IMMEDIATE" } else { "ROLLBACK TO job" };
                connection.execute_batch(undo)?;
                self.done = Some(Err(fault.into()));
            }
        }
        if !is_first {
            connection.prepare_cached("RELEASE job")?.execute([])?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<(), &str>) {
        let told = match (committed, self.done) {
            (Ok(()), Some(done)) => done,
            (Err(why), _) => Err(StoreError::Unavailable(why.to_owned())),
            (Ok(()), None) => Err(StoreError::Unavailable("it was not run".to_owned())),
        };
        // A caller that is gone needs no result.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_job_changed_is_undone_whether_or_not_others_came_before_it() {
        for (before, left) in [(None, vec![3]), (Some(1), vec![1, 3])] {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch("CREATE TABLE t (n INTEGER); BEGIN IMMEDIATE").unwrap();
            let insert = |n: i64| connection.execute("INSERT INTO t VALUES (?1)", [n]).unwrap();
            before.map(insert);
            let (answer, mut told) = oneshot::channel();
            let work = |to: &Connection| {
                to.execute("INSERT INTO t VALUES (2)", [])?;
                to.execute("INSERT INTO nowhere VALUES (2)", [])
            };
            let mut job = Asked::new(false, work, answer);
            job.run(&connection, before.is_none()).unwrap();
            insert(3);
            connection.execute_batch("COMMIT").unwrap();
            Box::new(job).finish(Ok(()));
            assert!(told.try_recv().unwrap().is_err());
            let mut rows = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
            let rows: Vec<i64> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            assert_eq!(rows, left);
        }
    }
}
