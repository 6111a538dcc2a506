//! The faults of a configuration, one line each.

use std::fmt;
use std::path::PathBuf;

use crate::domain::without_os_numbers;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the compiled-in defaults.
    Default,
    /// In a file, with the line if it is known.
    File(PathBuf, Option<usize>),
    /// In an environment variable.
    Env(String),
    /// On the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default.toml"),
            Self::File(path, Some(line)) => write!(out, "{}:{line}", path.display()),
            Self::File(path, None) => write!(out, "{}", path.display()),
            Self::Env(name) => out.write_str(name),
            Self::Flag(name) => out.write_str(name),
        }
    }
}

/// Every fault of a configuration, one line each: where, which key, what is wrong, what is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigFaults(pub Vec<String>);

impl ConfigFaults {
    /// Adds a fault, as a single line.
    pub fn add(&mut self, origin: &Origin, key: &str, what: impl fmt::Display) {
        let line = format!("{origin}: {key}: {what}");
        self.0.push(without_os_numbers(&line).replace(['\n', '\r'], " "));
    }

    /// Whether there are no faults.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("\n"))
    }
}
