//! Logs go to standard error: a line a person reads, or JSON for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging at `level` (`error`, `warn`, `info`, `debug`, `trace`); the libraries below us speak from `warn` on,
/// and at `trace` too. A second call changes nothing.
pub fn start_logging(level: &str, format: LogFormat) {
    let libraries = if level == "trace" { "debug" } else { "warn" };
    let filter = EnvFilter::new(format!("{libraries},tagohook={level}"));
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // A second start is one in the same process: tests, where the first logger serves all.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
