//! Logs go to standard error: as text for people, or as JSON for machines.
//!
//! A separate thread writes the collected lines, so that no delivery waits for a terminal or a pipe.

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::traces;
use super::workers::Workers;

/// How long lines are collected before they are written.
const GATHER: Duration = Duration::from_millis(5);
/// The most bytes collected. Further lines are lost, so that memory stays bounded when standard error is not read.
const MAX_GATHERED: usize = 4 * 1024 * 1024;

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// How long the process waits at its end if standard error is not read.
const END_WITHIN: Duration = Duration::from_secs(1);

/// The log of the process. Dropping it writes the collected lines, if standard error is read.
#[must_use]
pub struct LogGuard {
    lines: Lines,
    #[cfg(feature = "otlp")]
    _traces: Option<super::otlp::Exporting>,
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.lines.wait_until_written(END_WITHIN);
    }
}

/// What is logged, and where traces go.
#[derive(Clone, Debug)]
pub struct Logging {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The format of lines.
    pub format: LogFormat,
    /// The collector of traces; only with the feature `otlp`.
    pub collector: Option<url::Url>,
}

/// Starts logging. Libraries log from `warn` on, at `trace` from `debug` on; the library `noisy` logs only at `trace`.
/// `workers` watches the writing thread. A second call in the same process changes nothing.
pub fn start_logging(logging: &Logging, noisy: &str, workers: &Workers) -> LogGuard {
    let lines = Lines::default();
    let level = &logging.level;
    debug_assert!(cfg!(feature = "otlp") || logging.collector.is_none(), "the configuration refuses it");
    let (libraries, noise) = if level == "trace" { ("debug", "debug") } else { ("warn", "off") };
    let spans = traces::TARGET;
    let filter = EnvFilter::new(format!("{libraries},{noisy}={noise},{spans}=off,tagohook={level}"));
    let is_terminal = io::stderr().is_terminal();
    let layer =
        tracing_subscriber::fmt::layer().with_writer(lines.clone()).with_ansi(is_terminal).with_target(false);
    let layer = match logging.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let registry = tracing_subscriber::registry().with(layer.with_filter(filter));
    #[cfg(feature = "otlp")]
    let (exporting, registry) =
        match logging.collector.as_ref().map(|url| super::otlp::start(url, spans)).transpose() {
            Ok(Some((exporting, layer))) => (Ok(Some(exporting)), registry.with(Some(layer))),
            Ok(None) => (Ok(None), registry.with(None)),
            Err(why) => (Err(why), registry.with(None)),
        };
    let started = registry.try_init();
    let has_plain_lines = logging.format == LogFormat::Text && !is_terminal;
    if started.is_ok() && has_plain_lines && !matches!(level.as_str(), "error" | "warn") {
        let _ = PLAIN.set(lines.clone());
    }
    let writer = lines.clone();
    // Without the thread there is no log.
    let _ = started.map(|()| workers.start("log", 0, move || writer.write_for_ever()));
    log_panics();
    #[cfg(feature = "otlp")]
    let _traces = exporting.unwrap_or_else(|why| {
        tracing::error!("there are no traces: {why}");
        None
    });
    LogGuard {
        lines,
        #[cfg(feature = "otlp")]
        _traces,
    }
}

/// Logs a panic as a normal line. Messages formatted at run time are omitted: they may quote received data.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let place = panic.location().map(ToString::to_string);
        let words = panic.payload().downcast_ref::<&'static str>();
        tracing::error!(thread, place, words, "a fault in the program: it panicked");
    }));
}

/// The log, if it has lines of level `info` as text without colours: then a `DeliveryLine` need not be an event.
static PLAIN: OnceLock<Lines> = OnceLock::new();

/// The log to which lines that are formatted already can be added.
pub(super) fn plain_log() -> Option<&'static Lines> {
    PLAIN.get()
}

/// Lines that wait to be written.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Gathered>);

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
    /// Whether lines were taken but not written yet.
    is_writing: bool,
}

impl Lines {
    /// Adds a line, with its line break.
    pub(super) fn add(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        // If the log is not read, lines are lost rather than deliveries.
        if waiting.bytes.len() < MAX_GATHERED {
            waiting.bytes.extend_from_slice(line);
        }
        drop(waiting);
        self.0.has_some.notify_one();
    }

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
            // A failure to write the log cannot be reported.
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

/// Takes one line; important lines are written without delay.
pub(super) struct LineWriter {
    lines: Lines,
    is_urgent: bool,
}

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.is_urgent {
            self.lines.0.is_urgent.store(true, Ordering::Release);
        }
        self.lines.add(line);
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
