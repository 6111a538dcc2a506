//! `schemas_dir`: the files of the user's own JSON Schemas.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::schema::{Neighbours, Schema, document};
use super::schema_fault::SchemaFault;

/// What is wrong with one file of `schemas_dir`, or with the folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schemas_dir: {}: {fault}", file.display())]
pub struct CatalogFault {
    /// The file or folder.
    pub file: PathBuf,
    /// What is wrong, and where in it.
    pub fault: SchemaFault,
}

/// Every fault of every file, one line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct CatalogFaults(pub Vec<CatalogFault>);

fn lines(faults: &[CatalogFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A file that was read.
struct Found {
    path: PathBuf,
    name: String,
    event: String,
    text: String,
}

/// The schemas of a folder by the names of their events, and all of them for references.
///
/// # Errors
/// Every fault of every file.
pub fn read(folder: &Path) -> Result<(Vec<(String, Schema)>, Neighbours), CatalogFaults> {
    let mut faults = Vec::new();
    let mut fault = |file: &Path, pointer: &str, why: String| {
        let fault = SchemaFault { pointer: pointer.to_owned(), why };
        faults.push(CatalogFault { file: file.to_owned(), fault });
    };
    let mut files: Vec<Found> = Vec::new();
    match fs::read_dir(folder) {
        Err(error) => fault(folder, "", format!("cannot be read: {}", plain(&error))),
        Ok(entries) => {
            let mut paths: Vec<PathBuf> =
                entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
            paths.sort();
            for path in paths {
                let Some((name, event)) = names(&path) else { continue };
                match fs::read_to_string(&path) {
                    Ok(text) => {
                        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
                        files.push(Found { path, name, event, text });
                    }
                    Err(error) => fault(&path, "", format!("cannot be read: {}", plain(&error))),
                }
            }
        }
    }
    let documents: Vec<(&str, Value)> =
        files.iter().filter_map(|file| Some((file.name.as_str(), document(&file.text).ok()?))).collect();
    let neighbours = Neighbours::of(documents.iter().map(|(name, document)| (*name, document)));
    let mut schemas: BTreeMap<String, Schema> = BTreeMap::new();
    for Found { path, name, event, text } in files {
        if schemas.contains_key(&event) {
            fault(&path, "", format!("is a second schema of the event {event:?}; keep one of the files"));
            continue;
        }
        match Schema::read(&name, text, &neighbours) {
            Ok(schema) => drop(schemas.insert(event, schema)),
            Err(found) => {
                for SchemaFault { pointer, why } in found {
                    fault(&path, &pointer, why);
                }
            }
        }
    }
    if faults.is_empty() {
        Ok((schemas.into_iter().collect(), neighbours))
    } else {
        Err(CatalogFaults(faults))
    }
}

/// The name of a schema's file, and that of its event: `plant.watered.json`, `plant.watered.schema.json`, in any case.
/// `None` for what is not a schema, hidden files among them.
fn names(path: &Path) -> Option<(String, String)> {
    let name = path.file_name()?.to_str()?;
    let event = without_end(name, ".json")?;
    let event = without_end(event, ".schema").unwrap_or(event);
    (!event.is_empty() && !name.starts_with('.')).then(|| (name.to_owned(), event.to_owned()))
}

fn without_end<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let (start, found) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
    found.eq_ignore_ascii_case(end).then_some(start)
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        std::io::ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        _ => error.to_string(),
    }
}
