//! What the pages remember while the program runs: the last check of a public address, and a reload that failed. The
//! address itself is kept in the data directory.

use parking_lot::Mutex;

use super::address_check::Found;
use crate::domain::Timestamp;

/// What is remembered.
#[derive(Debug, Default)]
pub struct Remembered {
    pub(super) checked: Mutex<Option<Checked>>,
    pub(super) failed_reload: Mutex<Option<FailedReload>>,
}

/// A check of a public address.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The address as it was typed.
    pub at: String,
    /// The result.
    pub found: Found,
    /// When it was checked.
    pub when: Timestamp,
}

/// A reload of the configuration that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedReload {
    /// When it failed.
    pub when: Timestamp,
    /// What is wrong in the configuration, one line each.
    pub faults: Vec<String>,
}

/// How a change of the configuration gets into force here.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The configuration file; empty if the program has none yet.
    pub file: String,
    /// The command that reloads it.
    pub command: String,
}
