//! Transactions.

use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::connection::{Connection, SetAside};
use super::fault::{PAUSE_SECONDS, STATEMENT_SECONDS, explain};
use crate::store::StoreError;

/// How long a node waits for a COMMIT, which may wait for a standby, before it answers that the outcome is unknown.
const COMMIT_LIMIT: Duration = Duration::from_secs(5);
/// How long a statement waits for a lock, in seconds.
const LOCK_SECONDS: u64 = 5;

/// The answer to BEGIN.
type Begun = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// An open transaction. Without `commit` it is rolled back.
pub struct Transaction {
    connection: Arc<Connection>,
    /// It is awaited last: the first statement is sent without it, which saves a round trip.
    begun: Mutex<Option<Begun>>,
    /// Whether COMMIT was sent and is not answered.
    is_committing: bool,
    is_over: bool,
    runtime: Handle,
}

impl Transaction {
    pub(super) async fn begin(connection: Connection, runtime: Handle) -> Result<Self, StoreError> {
        // A database may have another default: statements see what was committed before each of them. Settings are for this
        // transaction only: behind a pooler, the next one may have another server process. `remote_apply` is more than
        // `on`, and stays.
        let begin = format!(
            r"
                BEGIN ISOLATION LEVEL READ COMMITTED;
                SELECT set_config('statement_timeout', '{STATEMENT_SECONDS}s', true),
                    set_config('lock_timeout', '{LOCK_SECONDS}s', true),
                    set_config('idle_in_transaction_session_timeout', '{PAUSE_SECONDS}s', true),
                    CASE WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
                        THEN set_config('synchronous_commit', 'on', true)
                    END
                "
        );
        Self::send(connection, begin, runtime).await
    }

    /// Sends the statements that begin a transaction.
    async fn send(connection: Connection, begin: String, runtime: Handle) -> Result<Self, StoreError> {
        let connection = Arc::new(connection);
        let beginning = Arc::clone(&connection);
        let mut begun: Begun = Box::pin(async move { beginning.batch(&begin).await });
        let begun = match poll_fn(|context| Poll::Ready(begun.as_mut().poll(context))).await {
            Poll::Ready(answer) => answer.map(|()| None)?,
            Poll::Pending => Some(begun),
        };
        Ok(Self { connection, begun: Mutex::new(begun), is_committing: false, is_over: false, runtime })
    }

    /// Begins a transaction that reads rows in the order of an index, a page at a time, and sees one state of the database. A
    /// planner that expects few rows would read and sort all that are left for each page.
    pub(super) async fn begin_in_order(connection: Connection, runtime: Handle) -> Result<Self, StoreError> {
        let begin = r"
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
            SET LOCAL enable_sort = off;
            SET LOCAL enable_bitmapscan = off
            ";
        Self::send(connection, begin.to_owned(), runtime).await
    }

    /// Begins a transaction that only reads, as long as it takes, and sees one state of the database.
    pub(super) async fn begin_reading(connection: Connection, runtime: Handle) -> Result<Self, StoreError> {
        connection.be_patient();
        let begin = r"
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
            SET LOCAL statement_timeout = 0;
            SET LOCAL idle_in_transaction_session_timeout = 0
            ";
        Self::send(connection, begin.to_owned(), runtime).await
    }

    /// From now on statements and pauses may take as long as they take.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn take_time(&self) -> Result<(), StoreError> {
        self.connection.be_patient();
        self.connection
            .batch("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
            .await
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// `Unavailable` if a statement failed before: nothing is changed. Also if the outcome is unknown: the server went
    /// away, it waited for its standby in vain, or it did not answer in time. The wait is never cancelled, because the
    /// server would then report success; its connection is in use until the server ends it, also if the caller is gone.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let begun = self.begun.lock().take();
        if let Some(begun) = begun {
            begun.await?;
        }
        if self.connection.has_failed() {
            return Err(StoreError::Unavailable("a statement of the transaction failed".to_owned()));
        }
        self.is_committing = true;
        let link = self.connection.link();
        link.is_unsure.store(false, Ordering::SeqCst);
        // Without an answer, the ROLLBACK of `drop` is sent: it is answered once the COMMIT before it has ended.
        let committed = tokio::select! {
            biased;
            committed = link.client.batch_execute("COMMIT") => committed,
            () = self.connection.no_answer(Some(COMMIT_LIMIT)) => {
                return Err(unknown("the server did not answer in time"));
            }
        };
        self.is_over = true;
        let link = self.connection.link();
        match committed {
            Ok(()) if link.is_unsure.load(Ordering::SeqCst) => Err(unknown("the standby did not confirm it")),
            Ok(()) => Ok(()),
            Err(fault) => {
                link.is_spoilt.store(true, Ordering::SeqCst);
                Err(unknown(&explain(&fault)))
            }
        }
    }
}

fn unknown(why: &str) -> StoreError {
    StoreError::Unavailable(format!("it is not known whether the change was committed: {why}"))
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.is_over {
            let connection = Arc::clone(&self.connection);
            let is_due = self.is_committing || connection.is_silent();
            let set_aside = is_due.then(|| SetAside::new(connection.link()));
            self.runtime.spawn(async move {
                connection.spoil_unless(connection.link().client.batch_execute("ROLLBACK").await.is_ok());
                drop(set_aside);
            });
        }
    }
}
