//! The connection of the writer's thread: whether its commits wait for the disk, and what happens to it after an error.

use rusqlite::ErrorCode;

use super::shared;
use super::writer::Work;

impl Work {
    /// Says whether the next commits wait for the disk. What retention does need not wait: after a crash, it is done again. The
    /// next commit that waits also brings those before it to the disk.
    pub(super) fn sync_commits(&mut self, synced: bool) -> rusqlite::Result<()> {
        if self.commits_are_synced != synced {
            self.connection.pragma_update(None, "synchronous", if synced { "FULL" } else { "NORMAL" })?;
            self.commits_are_synced = synced;
        }
        Ok(())
    }

    /// Rolls back after an error. After a disk error the connection is opened again, since SQLite's memory and the
    /// disk may differ. Nothing is written twice.
    pub(super) fn recover(&mut self, fault: &rusqlite::Error) {
        self.event_ids.forget();
        self.roll_back();
        let is_disk = matches!(
            fault.sqlite_error_code(),
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::CannotOpen)
        );
        if is_disk || !self.connection.is_autocommit() {
            self.reopen();
        }
    }

    pub(super) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // If this fails, the connection is dropped together with its transaction.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    pub(super) fn reopen(&mut self) {
        let opened = shared::open_writer(self.shared.path()).and_then(|mut connection| {
            self.checkpointer.watch(&mut connection)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => (self.connection, self.commits_are_synced) = (connection, true),
            Err(fault) => tracing::error!(%fault, "the store's file cannot be opened again"),
        }
    }
}
