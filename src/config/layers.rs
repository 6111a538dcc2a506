//! The layers of the configuration, and the value of a key in the topmost layer that sets it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::environment::{PREFIX, Stranger, stranger};
use super::fault::{ConfigFaults, Origin};
use crate::domain::suggestion;

/// The compiled-in defaults, which document every option.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// A value and where it was set.
#[derive(Clone, Debug)]
pub struct Said {
    /// The value.
    pub value: Value,
    /// Where it was set.
    pub origin: Origin,
}

/// The file of `--config`.
#[derive(Debug)]
pub struct ConfigFile {
    /// Its path.
    pub path: PathBuf,
    text: String,
    /// Its contents.
    pub table: Table,
}

impl ConfigFile {
    /// Reads the file at `path`; a fault contains the line.
    pub fn read(path: &Path, faults: &mut ConfigFaults) -> Option<Self> {
        let origin = Origin::File(path.to_owned(), None);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(fault) => {
                let why = match fault.kind() {
                    ErrorKind::InvalidData => "is not UTF-8".to_owned(),
                    _ => format!("cannot be read: {fault}"),
                };
                faults.add(&origin, "file", why);
                return None;
            }
        };
        match text.parse::<Table>() {
            Ok(table) => Some(Self { path: path.to_owned(), text, table }),
            Err(fault) => {
                let line = fault.span().map(|span| line_at(&text, span.start));
                let origin = Origin::File(path.to_owned(), line);
                let written =
                    line.and_then(|line| text.lines().nth(line.checked_sub(1)?)).unwrap_or_default();
                faults.add(&origin, "TOML", syntax(fault.message(), written));
                None
            }
        }
    }

    /// Where `key` of `section` is set; `nth` is the index of a repeated section, from 0.
    pub fn origin(&self, section: &str, nth: usize, key: &str) -> Origin {
        Origin::File(self.path.clone(), self.line_of(section, nth, key))
    }

    fn line_of(&self, section: &str, nth: usize, key: &str) -> Option<usize> {
        let headers = [format!("[{section}]"), format!("[[{section}]]")];
        let mut sections_seen = 0_usize;
        let mut is_inside = section.is_empty();
        let mut header_line = None;
        for (at, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if line.starts_with('[') && !line.contains('=') {
                let is_section = headers.iter().any(|header| line.starts_with(header.as_str()));
                is_inside = is_section && sections_seen == nth;
                sections_seen = sections_seen.saturating_add(usize::from(is_section));
                header_line = if is_inside { Some(at.saturating_add(1)) } else { header_line };
            } else if is_inside {
                let name = line.split('=').next().unwrap_or_default().trim().trim_matches('"');
                if name == key {
                    return Some(at.saturating_add(1));
                }
            }
        }
        header_line
    }
}

/// What is wrong with the syntax of a line: usual slips by their cause, all others as the parser says it.
fn syntax(message: &str, line: &str) -> String {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let (key, value) = line.split_once('=').map_or((line, ""), |(key, value)| (key.trim(), value.trim()));
    if message == "duplicate key" {
        return format!("{key} is there twice");
    }
    if value.is_empty() && line.ends_with('=') {
        return format!("{key} has no value; write text in quotes");
    }
    if value.starts_with(|letter: char| letter.is_alphanumeric() || "./:*".contains(letter)) {
        return format!("put text in quotes: {key} = {value:?}");
    }
    message.to_owned()
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// Defaults, file and environment; later layers override earlier ones.
pub struct Layers<'a> {
    defaults: Table,
    file: Option<&'a ConfigFile>,
    env: Vec<(String, String)>,
    /// Variables with our prefix that belong to other programs.
    pub foreign: Vec<String>,
}

impl<'a> Layers<'a> {
    /// Combines the layers and reports every unknown key. The defaults are the list of known keys.
    pub fn new(file: Option<&'a ConfigFile>, env: &[(String, String)], faults: &mut ConfigFaults) -> Self {
        let defaults = DEFAULT_TOML.parse::<Table>().unwrap_or_default();
        let env = env.iter().filter(|(name, _)| name.starts_with(PREFIX)).cloned().collect();
        let mut layers = Self { defaults, file, env, foreign: Vec::new() };
        layers.check_file_keys(faults);
        layers.check_variables(faults);
        layers
    }

    /// The value of `key` in `section`; the empty section is the top of the file.
    pub fn value(&self, section: &str, key: &str) -> Option<Said> {
        let default = entry(&self.defaults, section, key)?;
        let name = variable(section, key);
        if let Some((_, text)) = self.env.iter().find(|(variable, _)| *variable == name) {
            return Some(Said { value: like(default, text), origin: Origin::Env(name) });
        }
        if let Some(file) = self.file
            && let Some(value) = entry(&file.table, section, key)
        {
            return Some(Said { value: value.clone(), origin: file.origin(section, 0, key) });
        }
        Some(Said { value: default.clone(), origin: Origin::Default })
    }

    /// Every option with its value: section, key, value.
    pub fn all(&self) -> Vec<(String, String, Value)> {
        let mut all = Vec::new();
        for (name, value) in &self.defaults {
            let keys: Vec<(&str, &str)> = match value {
                Value::Table(keys) => keys.keys().map(|key| (name.as_str(), key.as_str())).collect(),
                Value::Array(_) => Vec::new(),
                _ => vec![("", name.as_str())],
            };
            for (section, key) in keys {
                if let Some(said) = self.value(section, key) {
                    all.push((section.to_owned(), key.to_owned(), said.value));
                }
            }
        }
        all
    }

    /// The `[[source]]` tables of the file, or the default ones; with the file if they come from it.
    pub fn sources(&self, faults: &mut ConfigFaults) -> (Vec<Table>, Option<&'a ConfigFile>) {
        match self.own_tables("source", faults) {
            Some((tables, file)) => (tables, Some(file)),
            None => (tables(self.defaults.get("source")).unwrap_or_default(), None),
        }
    }

    /// The tables `[[name]]` of the file, if it has any.
    pub fn own_tables(&self, name: &str, faults: &mut ConfigFaults) -> Option<(Vec<Table>, &'a ConfigFile)> {
        let file = self.file?;
        let value = file.table.get(name)?;
        let found = tables(Some(value));
        if found.is_none() {
            faults.add(&file.origin(name, 0, ""), name, format!("written as [[{name}]], one for each"));
        }
        Some((found.unwrap_or_default(), file))
    }

    fn check_file_keys(&self, faults: &mut ConfigFaults) {
        let Some(file) = self.file else { return };
        for (name, value) in &file.table {
            match (self.defaults.get(name), value) {
                // Sources and subscriptions are read separately.
                (Some(Value::Array(_)), _) => {}
                (None, _) if name == "subscription" => {}
                (Some(Value::Table(known)), Value::Table(section)) => {
                    for key in section.keys().filter(|key| !known.contains_key(*key)) {
                        let near = suggestion(key, known.keys().map(String::as_str));
                        faults.add(
                            &file.origin(name, 0, key),
                            &format!("{name}.{key}"),
                            format!("unknown key{near}"),
                        );
                    }
                }
                (Some(Value::Table(_)), _) => {
                    faults.add(&file.origin("", 0, name), name, format!("a section: write [{name}]"));
                }
                (Some(_), _) => {}
                (None, _) => {
                    let near = suggestion(name, self.defaults.keys().map(String::as_str));
                    let section = if value.is_table() || value.is_array() { name.as_str() } else { "" };
                    faults.add(&file.origin(section, 0, name), name, format!("unknown key{near}"));
                }
            }
        }
    }

    fn check_variables(&mut self, faults: &mut ConfigFaults) {
        let options: Vec<String> = self
            .defaults
            .iter()
            .flat_map(|(section, value)| match value {
                Value::Table(keys) => keys.keys().map(|key| variable(section, key)).collect(),
                Value::Array(_) => Vec::new(),
                _ => vec![variable("", section)],
            })
            .collect();
        for (name, value) in &self.env {
            match stranger(name, value, &options) {
                Some(Stranger::Typo(meant)) => {
                    let what = format!("no such option (did you mean {meant}?)");
                    faults.add(&Origin::Env(name.clone()), "environment", what);
                }
                Some(Stranger::Foreign) => self.foreign.push(name.clone()),
                Some(Stranger::ServiceLink) | None => {}
            }
        }
        // The environment has no defined order.
        self.foreign.sort();
    }
}

fn tables(value: Option<&Value>) -> Option<Vec<Table>> {
    let items = value.and_then(Value::as_array)?;
    Some(items.iter().filter_map(Value::as_table).cloned().collect())
}

fn entry<'t>(table: &'t Table, section: &str, key: &str) -> Option<&'t Value> {
    if section.is_empty() { table.get(key) } else { table.get(section)?.get(key) }
}

fn variable(section: &str, key: &str) -> String {
    let name = if section.is_empty() { key.to_owned() } else { format!("{section}_{key}") };
    format!("{PREFIX}{}", name.to_ascii_uppercase())
}

/// The text of a variable as a value of the default's type, if possible.
fn like(default: &Value, text: &str) -> Value {
    let list = || {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
    };
    let as_text = || Value::String(text.to_owned());
    match default {
        Value::Array(_) => list(),
        Value::Boolean(_) => text.parse().map_or_else(|_| as_text(), Value::Boolean),
        Value::Integer(_) => text.parse().map_or_else(|_| as_text(), Value::Integer),
        _ => as_text(),
    }
}
