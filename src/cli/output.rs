//! Prints a command's output and errors. The standard macros panic if the reader is gone or the disk is full, so lints
//! forbid them.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::domain::{plain, without_os_numbers};

/// How long an error waits if standard error is not read.
const COMPLAIN_WITHIN: Duration = Duration::from_secs(5);

/// The escape sequences of our own colours. Whatever else a payload has is shown, and does nothing.
const COLOURS: [&str; 4] = ["\u{1b}[0m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];

/// Whether notices are left out, as `--quiet` asks.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// Its reader is gone, as with `| head`. That is not an error.
    #[error("the reader of the output has gone")]
    Closed,
    /// It cannot be written, as on a full disk.
    #[error("standard output cannot be written: {0}")]
    Fault(io::Error),
}

/// Prints a line like `println!`, and returns an error if it cannot be written.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::print(format_args!("{}\n", format_args!($($text)*))) };
}
pub(super) use say;

/// Prints text to standard output. On a terminal, control characters and what changes how others are displayed are shown
/// as marks: payloads are written by strangers.
///
/// # Errors
/// `Unwritten`.
pub fn print(text: fmt::Arguments<'_>) -> Result<(), Unwritten> {
    let text = text.to_string();
    let mut out = io::stdout().lock();
    let text = if out.is_terminal() { harmless(&text) } else { text };
    // A single write, so that a line arrives whole.
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// `text` without anything that controls a terminal, except our own colours.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, from) = rest.split_at(at);
        shown.push_str(&plain(before));
        let colour = COLOURS.into_iter().find(|colour| from.starts_with(colour));
        let (escape, after) = from.split_at(colour.map_or(1, str::len));
        shown.push_str(&colour.map_or_else(|| plain(escape), str::to_owned));
        rest = after;
    }
    shown.push_str(&plain(rest));
    shown
}

/// The result of a write to standard output.
///
/// # Errors
/// `Unwritten`.
pub fn written(result: io::Result<()>) -> Result<(), Unwritten> {
    result.map_err(|fault| match fault.kind() {
        ErrorKind::BrokenPipe => Unwritten::Closed,
        _ => Unwritten::Fault(fault),
    })
}

/// The exit code of a command whose exit code is its result, even if the output is not read.
///
/// # Errors
/// If printing failed for a reason other than a closed reader.
pub fn answer(printed: Result<(), Unwritten>, code: ExitCode) -> anyhow::Result<ExitCode> {
    match printed {
        Ok(()) | Err(Unwritten::Closed) => Ok(code),
        Err(fault) => Err(fault.into()),
    }
}

/// `1 message`, `2 messages`.
pub fn counted(count: impl fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    if count == "1" { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Leaves out notices from now on.
pub fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Whether notices are left out.
pub fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// The width of the terminal on standard output, if there is one.
pub fn terminal_width() -> Option<u16> {
    rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// Writes a notice to standard error, unless `--quiet` was given.
pub fn notice(text: impl fmt::Display) {
    if !is_quiet() {
        complain(text);
    }
}

/// Writes a line to standard error, made harmless like those of `print`: errors quote what a server said. It is lost if
/// standard error is not read.
pub fn complain(text: impl fmt::Display) {
    let line = format!("{}\n", harmless(&without_os_numbers(&text.to_string())));
    let (done, is_done) = mpsc::channel();
    let writer = std::thread::Builder::new().spawn(move || {
        // There is nowhere left to report a failure.
        let _ = io::stderr().lock().write_all(line.as_bytes());
        let _ = done.send(());
    });
    if writer.is_ok() {
        let _ = is_done.recv_timeout(COMPLAIN_WITHIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_cannot_control_the_terminal_and_our_colours_stay() {
        assert_eq!(harmless("\u{1b}[32m200\u{1b}[0m in\t5 ms\n"), "\u{1b}[32m200\u{1b}[0m in\t5 ms\n");
        for attack in [
            "\u{1b}]0;title\u{7}",
            "\u{1b}[2J\u{1b}[1;1H",
            "\u{9b}8m",
            "a\rb",
            "\u{202e}x",
            "\u{1b}",
            "\u{1b}[8m",
        ] {
            let shown = harmless(attack);
            assert!(!shown.chars().any(|letter| letter.is_control() || letter == '\u{202e}'), "{shown:?}");
            assert!(shown.contains('⟨'), "{shown:?}");
        }
    }
}
