//! Opens a file that nobody else has open, and keeps everybody else out.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use super::end::SqliteEnd;
use crate::store::StoreError;
use crate::store::log::sqlite::event_ids;
use crate::store::moving::fault::MoveFault;
use crate::store::sqlite::{is_unfinished, migrate, shared};

impl SqliteEnd {
    /// The file of a source. Its schema becomes that of this program.
    ///
    /// # Errors
    /// `Missing`, `InUse`, `Unfinished` or `Open`.
    pub fn source(path: &Path) -> Result<Self, MoveFault> {
        if !path.is_file() {
            return Err(MoveFault::Missing(path.display().to_string()));
        }
        let connection = open(path)?;
        if is_unfinished(&connection).map_err(|fault| failed(path, &fault))? {
            return Err(MoveFault::Unfinished(path.display().to_string()));
        }
        Ok(Self::new(connection))
    }

    /// The file of a destination, which is made if it is missing.
    ///
    /// # Errors
    /// `InUse` or `Open`.
    pub fn destination(path: &Path) -> Result<Self, MoveFault> {
        shared::make_private(path).map_err(|fault| failed(path, &fault))?;
        open(path).map(Self::new)
    }
}

fn open(path: &Path) -> Result<Connection, MoveFault> {
    let mut connection = shared::open_alone(path).map_err(|fault| match fault.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            MoveFault::InUse(path.display().to_string())
        }
        _ => failed(path, &fault),
    })?;
    migrate(&mut connection, &path.display().to_string()).map_err(MoveFault::Open)?;
    event_ids::to_table(&mut connection).map_err(|fault| failed(path, &fault))?;
    Ok(connection)
}

fn failed(path: &Path, fault: &dyn std::fmt::Display) -> MoveFault {
    MoveFault::Open(StoreError::Open { path: path.display().to_string(), cause: fault.to_string() })
}
