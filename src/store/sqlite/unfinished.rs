//! Whether a file is the destination of an unfinished `tagohook migrate-store`.

use rusqlite::Connection;

/// Whether the file is the destination of an unfinished move: it has the table `moving`.
pub fn is_unfinished(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'moving')", [], |row| row.get(0))
}
