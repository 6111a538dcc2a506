//! Logs go to standard error: a line a person reads, or JSON for machines.
//!
//! A line is handed to a thread that writes what has gathered, so that no delivery waits for a terminal or a pipe.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::workers::Workers;

/// How long lines gather before they are written.
const GATHER: Duration = Duration::from_millis(5);
/// The most bytes that gather; further lines are lost until they are written, so that memory stays flat when nobody
/// reads the log.
const MAX_GATHERED: usize = 4 * 1024 * 1024;

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How long the end of the process waits for a reader of standard error that does not read.
const END_WITHIN: Duration = Duration::from_secs(1);

/// The log of the process; what has gathered is written when this is dropped, as far as somebody reads it.
#[must_use]
pub struct LogGuard(Lines);

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.wait_until_written(END_WITHIN);
    }
}

/// Starts logging at `level` (`error`, `warn`, `info`, `debug`, `trace`); the libraries below us speak from `warn` on,
/// and at `trace` too; the library `noisy` speaks only then. `workers` watches the thread that writes. A second call in the
/// same process changes nothing.
pub fn start_logging(level: &str, format: LogFormat, noisy: &str, workers: &Workers) -> LogGuard {
    let lines = Lines::default();
    let (libraries, noise) = if level == "trace" { ("debug", "debug") } else { ("warn", "off") };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{libraries},{noisy}={noise},tagohook={level}")))
        .with_writer(lines.clone())
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    let started = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    let writer = lines.clone();
    // Without the thread there is no log.
    let _ = started.map(|()| workers.start("log", 0, move || writer.write_for_ever()));
    log_panics();
    LogGuard(lines)
}

/// A panic is a line of the log like any other. Words that were put together at run time are left out: they may quote what
/// was received.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let place = panic.location().map(ToString::to_string);
        let words = panic.payload().downcast_ref::<&'static str>();
        tracing::error!(thread, place, words, "a fault in the program: it panicked");
    }));
}

/// Lines that wait to be written.
#[derive(Clone, Default)]
struct Lines(Arc<Gathered>);

#[derive(Default)]
struct Gathered {
    waiting: Mutex<Waiting>,
    has_some: Condvar,
    is_written: Condvar,
    is_urgent: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Whether lines were taken that are not written yet.
    is_writing: bool,
}

impl Lines {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock()
    }

    fn write_for_ever(&self) {
        loop {
            let mut waiting = self.waiting();
            self.0.has_some.wait_while(&mut waiting, |waiting| waiting.bytes.is_empty());
            drop(waiting);
            if !self.0.is_urgent.swap(false, Ordering::AcqRel) {
                std::thread::sleep(GATHER);
            }
            let mut waiting = self.waiting();
            waiting.is_writing = true;
            let bytes = std::mem::take(&mut waiting.bytes);
            drop(waiting);
            // Nothing can be done about a log that cannot be written.
            let _ = io::stderr().write_all(&bytes);
            self.waiting().is_writing = false;
            self.0.is_written.notify_all();
        }
    }

    fn wait_until_written(&self, at_most: Duration) {
        self.0.is_urgent.store(true, Ordering::Release);
        let is_left = |waiting: &mut Waiting| waiting.is_writing || !waiting.bytes.is_empty();
        self.0.is_written.wait_while_for(&mut self.waiting(), is_left, at_most);
    }
}

/// Takes one line; one that somebody should look at is written without delay.
struct LineWriter {
    lines: Lines,
    is_urgent: bool,
}

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lines.waiting();
        // When nobody reads the log, lines are lost rather than deliveries.
        if waiting.bytes.len() < MAX_GATHERED {
            waiting.bytes.extend_from_slice(line);
        }
        drop(waiting);
        if self.is_urgent {
            self.lines.0.is_urgent.store(true, Ordering::Release);
        }
        self.lines.0.has_some.notify_one();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter { lines: self.clone(), is_urgent: false }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> LineWriter {
        LineWriter { lines: self.clone(), is_urgent: *meta.level() <= Level::WARN }
    }
}
