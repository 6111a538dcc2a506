//! Saves a user schema in `schemas_dir`, without overwriting an existing one.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::schema::{Neighbours, Schema};

/// The longest event name in a saved schema, in bytes.
const LONGEST: usize = 128;

/// Why a schema was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveFault {
    /// The event's name cannot be a file name.
    #[error(
        "{0:?} cannot be the name of a file; letters, digits, -, _ and ., at most 128, no . at its start"
    )]
    Name(String),
    /// It is not a schema.
    #[error("{0}")]
    Schema(String),
    /// The file already exists.
    #[error("{} already exists and was not overwritten", .0.display())]
    Exists(PathBuf),
    /// The folder cannot be written.
    #[error("{} cannot be written: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
}

/// Saves `schema` for the event `name`; it is in force after the next start. Returns the file.
///
/// # Errors
/// When the name cannot be a file name, the schema is invalid, or the file exists; when the folder cannot be written.
pub fn save_schema(folder: &Path, name: &str, schema: &str) -> Result<PathBuf, SaveFault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > LONGEST || name.starts_with('.') || !name.bytes().all(fits) {
        return Err(SaveFault::Name(name.chars().take(LONGEST).collect()));
    }
    let read = Schema::read(name, schema.to_owned(), &Neighbours::default());
    read.map_err(|faults| {
        SaveFault::Schema(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    let path = folder.join(format!("{name}.json"));
    let other = folder.join(format!("{name}.schema.json"));
    if other.exists() {
        return Err(SaveFault::Exists(other));
    }
    let failed = |cause: std::io::Error| match cause.kind() {
        ErrorKind::AlreadyExists => SaveFault::Exists(path.clone()),
        _ => SaveFault::Io { path: path.clone(), cause },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    let written = file.write_all(schema.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // A partial schema would prevent the next start. If it cannot be removed, the error already names the file.
        let _ = fs::remove_file(&path);
    }
    written.map_err(failed)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_saved_once_under_a_name_that_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = save_schema(folder.path(), "plant.watered", "{}").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "{}");
        let again = save_schema(folder.path(), "plant.watered", r#"{"title":"x"}"#);
        assert!(matches!(again, Err(SaveFault::Exists(_))), "{again:?}");
        for bad in ["", "../x", "a/b", ".hidden", "a\0b", "C:x", "é", &"x".repeat(129)] {
            assert!(matches!(save_schema(folder.path(), bad, "{}"), Err(SaveFault::Name(_))), "{bad}");
        }
        assert!(matches!(save_schema(folder.path(), "a", "{"), Err(SaveFault::Schema(_))));
        let gone = save_schema(&folder.path().join("none"), "a", "{}");
        assert!(matches!(gone, Err(SaveFault::Io { .. })), "{gone:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
