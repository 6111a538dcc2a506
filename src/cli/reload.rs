//! `tagohook reload`: the running instance reads its configuration again.

use std::process::ExitCode;

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::Value;

use super::arguments::{Globals, Reload};
use super::inspector::{self, Api};
use super::output::{Unwritten, answer, say};
use crate::config::Change;

/// Prints what has changed, one line each.
pub fn run(globals: &Globals, reload: &Reload) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let told = Api::find(globals, &reload.inspector)?.post("reload", Bytes::new()).await?;
        let changes = told.get("changes").and_then(Value::as_array).cloned().unwrap_or_default();
        if reload.rows.json {
            return answer(changes.iter().try_for_each(|change| say!("{change}")), ExitCode::SUCCESS);
        }
        let changes = serde_json::from_value(Value::Array(changes));
        answer(print(changes.context("the running instance is of another version")?), ExitCode::SUCCESS)
    })
}

fn print(changes: Vec<Change>) -> Result<(), Unwritten> {
    if changes.is_empty() {
        return say!("Nothing has changed.");
    }
    changes.iter().try_for_each(|change| say!("{change}"))
}
