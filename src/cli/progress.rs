//! How far a long command is, on standard error: a bar on a terminal, otherwise a line now and then.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{complain, is_quiet};
use crate::domain::grouped;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How often a spinner turns.
const TURN_EVERY: Duration = Duration::from_millis(100);
/// The bar of a terminal.
const BAR: &str = "{prefix} [{bar:24.cyan}] {percent:>3} %  {human_pos} of {human_len} {msg}  {eta} left";
/// The line of a spinner.
const SPINNER: &str = "{spinner} {prefix}: {msg}";

/// How far a long command is.
pub struct Progress {
    noun: &'static str,
    is_terminal: bool,
    /// What is being done, and its bar.
    bar: Option<(&'static str, ProgressBar)>,
    shown_at: Option<Instant>,
}

impl Progress {
    /// Counts `noun`, such as `rows`.
    pub fn new(noun: &'static str) -> Self {
        Self { noun, is_terminal: io::stderr().is_terminal(), bar: None, shown_at: None }
    }

    /// Shows how much is done, if it is time to.
    pub fn show(&mut self, doing: &'static str, what: &str, done: u64, total: u64) {
        if is_quiet() {
            return;
        }
        if !self.is_terminal {
            let now = Instant::now();
            if self.shown_at.is_none_or(|shown| now.duration_since(shown) >= LINE_EVERY) {
                self.shown_at = Some(now);
                let (noun, percent) = (self.noun, percent(done, total));
                complain(format_args!(
                    "{doing} {what}: {} of {} {noun}, {percent} %",
                    grouped(done),
                    grouped(total)
                ));
            }
            return;
        }
        if self.bar.as_ref().is_none_or(|(known, _)| *known != doing) {
            self.end();
            let bar = ProgressBar::new(total).with_prefix(doing).with_style(style(BAR));
            self.bar = Some((doing, bar));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_length(total);
            bar.set_message(format!("{}  {what}", self.noun));
            bar.set_position(done);
        }
    }

    /// Ends the line of the bar.
    pub fn end(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.abandon();
        }
        self.shown_at = None;
    }
}

/// Work whose rows are printed as it goes, on a terminal: the bar stays below them.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar of `total` steps. Nothing is shown in a pipe, with `--quiet`, and for a single step.
    pub fn new(doing: &'static str, noun: &'static str, total: u32) -> Self {
        let is_shown = io::stderr().is_terminal() && !is_quiet() && total > 1;
        let bar = if is_shown { ProgressBar::new(total.into()) } else { ProgressBar::hidden() };
        Self(bar.with_prefix(doing).with_message(noun).with_style(style(BAR)))
    }

    /// Prints above the bar.
    pub fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }

    /// A step is done.
    pub fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Work without a known end, on a terminal.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// A spinner that says what is being done. Where the output itself goes to a terminal, nothing is shown.
    pub fn new(doing: &'static str) -> Self {
        let is_shown = io::stderr().is_terminal() && !io::stdout().is_terminal() && !is_quiet();
        let bar = if is_shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if is_shown {
            bar.enable_steady_tick(TURN_EVERY);
        }
        Self(bar.with_prefix(doing).with_style(style(SPINNER)))
    }

    /// Says how far it is.
    pub fn show(&mut self, done: &str) {
        self.0.set_message(done.to_owned());
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A style; the templates here are valid.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("#-")
}

fn percent(done: u64, total: u64) -> u64 {
    done.min(total).saturating_mul(100).checked_div(total).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_whole_at_the_end_also_of_nothing() {
        assert_eq!([percent(0, 0), percent(1, 3), percent(3, 3), percent(4, 3)], [100, 33, 100, 100]);
    }

    #[test]
    fn the_templates_are_valid() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
