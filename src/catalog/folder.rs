//! `schemas_dir`: the user's own JSON Schema files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::schema::{Neighbours, Schema, document};
use super::schema_fault::SchemaFault;
use super::slips;

/// A fault in one file of `schemas_dir`, or in the folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schemas_dir: {}: {fault}", file.display())]
pub struct CatalogFault {
    /// The file or folder.
    pub file: PathBuf,
    /// What is wrong, and where.
    pub fault: SchemaFault,
}

/// Every fault of every file, one line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct CatalogFaults(pub Vec<CatalogFault>);

fn lines(faults: &[CatalogFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A schema file.
struct Found {
    path: PathBuf,
    name: String,
    event: String,
    text: String,
}

/// The contents of a folder.
pub struct Folder {
    /// The schemas by event name.
    pub schemas: Vec<(String, Schema)>,
    /// All schemas, for references.
    pub neighbours: Neighbours,
    /// Valid keywords that check nothing, one line each.
    pub notices: Vec<String>,
}

/// Reads a folder of schemas.
///
/// # Errors
/// Every fault of every file.
pub fn read(folder: &Path) -> Result<Folder, CatalogFaults> {
    let mut faults = Vec::new();
    let mut fault = |file: &Path, pointer: &str, why: String| {
        let fault = SchemaFault { pointer: pointer.to_owned(), why };
        faults.push(CatalogFault { file: file.to_owned(), fault });
    };
    let mut files: Vec<Found> = Vec::new();
    let mut notices: Vec<CatalogFault> = Vec::new();
    match fs::read_dir(folder) {
        Err(error) => fault(folder, "", format!("cannot be read: {}", plain(&error))),
        Ok(entries) => {
            let mut paths: Vec<PathBuf> =
                entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
            paths.sort();
            for path in paths {
                notices.extend(unread(&path));
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
    for (file, id) in taken_ids(&documents) {
        fault(&folder.join(file), "/$id", format!("{id:?} is the \"$id\" of another file too"));
    }
    for (name, document) in &documents {
        let slips = slips::of(document).into_iter();
        notices.extend(slips.map(|fault| CatalogFault { file: folder.join(name), fault }));
    }
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
        let notices = notices.iter().map(ToString::to_string).collect();
        Ok(Folder { schemas: schemas.into_iter().collect(), neighbours, notices })
    } else {
        Err(CatalogFaults(faults))
    }
}

/// The files whose `$id` is already used by an earlier file.
fn taken_ids<'d>(documents: &'d [(&'d str, Value)]) -> Vec<(&'d str, &'d str)> {
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    let id = |(file, document): &'d (&'d str, Value)| Some((*file, document.get("$id")?.as_str()?));
    documents.iter().filter_map(id).filter(|(_, id)| !ids.insert(id.trim_end_matches('#'))).collect()
}

/// A file that looks like a schema but is not read.
fn unread(path: &Path) -> Option<CatalogFault> {
    let name = path.file_name()?.to_str()?;
    let why = if name.starts_with('.') {
        return None;
    } else if path.is_dir() {
        "is a folder; the schemas in it are not read"
    } else if without_end(name, ".yaml").or_else(|| without_end(name, ".yml")).is_some() {
        "is not read; a schema is a JSON file"
    } else {
        return None;
    };
    Some(CatalogFault {
        file: path.to_owned(),
        fault: SchemaFault { pointer: String::new(), why: why.to_owned() },
    })
}

/// The names of a schema file and its event: `plant.watered.json`, `plant.watered.schema.json`, ignoring case. `None`
/// for other files and hidden files.
fn names(path: &Path) -> Option<(String, String)> {
    let name = path.file_name()?.to_str()?;
    let event = without_end(name, ".json")?;
    let event = without_end(event, ".schema").unwrap_or(event);
    (!event.is_empty() && !name.starts_with('.') && !path.is_dir())
        .then(|| (name.to_owned(), event.to_owned()))
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
