//! How far a long command is: a bar that is drawn over on a terminal, otherwise a line now and then.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::output::complain;
use crate::domain::grouped;

/// How often the bar is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// The width of the bar, in letters.
const WIDTH: u64 = 24;
/// No time is estimated before.
const ESTIMATE_AFTER: Duration = Duration::from_secs(2);

/// How far a long command is, on standard error.
pub struct Progress {
    noun: &'static str,
    is_terminal: bool,
    /// What is being done, when that began, and how much was done before.
    phase: Option<(&'static str, Instant, u64)>,
    shown_at: Option<Instant>,
}

impl Progress {
    /// Counts `noun`, such as `rows`.
    pub fn new(noun: &'static str) -> Self {
        Self { noun, is_terminal: io::stderr().is_terminal(), phase: None, shown_at: None }
    }

    /// Shows how much is done, if it is time to.
    pub fn show(&mut self, doing: &'static str, what: &str, done: u64, total: u64) {
        let now = Instant::now();
        let (since, before) = match self.phase {
            Some((known, since, before)) if known == doing => (since, before),
            _ => {
                self.end();
                self.phase = Some((doing, now, done));
                (now, done)
            }
        };
        let every = if self.is_terminal { DRAW_EVERY } else { LINE_EVERY };
        let is_last = done >= total && self.is_terminal;
        if self.shown_at.is_some_and(|shown| now.duration_since(shown) < every) && !is_last {
            return;
        }
        self.shown_at = Some(now);
        let left = left(now.duration_since(since), done.saturating_sub(before), total.saturating_sub(done));
        let (noun, percent) = (self.noun, percent(done, total));
        let counts = format!("{} of {} {noun}{left}", grouped(done), grouped(total));
        if self.is_terminal {
            // The rest of a longer line before is removed. A terminal that is gone needs no bar.
            let line = format!("\r{doing} [{}] {percent:>3} %  {counts}  {what}\x1b[K", bar(done, total));
            let mut out = io::stderr().lock();
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        } else {
            complain(format_args!("{doing} {what}: {counts}, {percent} %"));
        }
    }

    /// Ends the line of the bar.
    pub fn end(&mut self) {
        if self.is_terminal && self.shown_at.is_some() {
            let _ = io::stderr().lock().write_all(b"\n");
        }
        self.shown_at = None;
    }
}

fn percent(done: u64, total: u64) -> u64 {
    done.min(total).saturating_mul(100).checked_div(total).unwrap_or(100)
}

fn bar(done: u64, total: u64) -> String {
    let full = done.min(total).saturating_mul(WIDTH).checked_div(total).unwrap_or(WIDTH);
    (0..WIDTH).map(|place| if place < full { '#' } else { '-' }).collect()
}

/// The time that is left, judged by the rate so far.
fn left(took: Duration, done: u64, left: u64) -> String {
    if took < ESTIMATE_AFTER || done == 0 || left == 0 {
        return String::new();
    }
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let seconds = left.saturating_mul(millis).checked_div(done).unwrap_or(0) / 1_000;
    match seconds {
        0..60 => format!(", about {seconds} s left"),
        60..7_200 => format!(", about {} min left", seconds / 60),
        _ => format!(", about {} h left", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_at_the_end_also_of_nothing() {
        assert_eq!([percent(0, 0), percent(1, 3), percent(3, 3), percent(4, 3)], [100, 33, 100, 100]);
        assert_eq!(bar(1, 2), "############------------");
        assert_eq!(bar(9, 2), "#".repeat(24));
    }

    #[test]
    fn time_is_estimated_after_a_while() {
        assert_eq!(left(Duration::from_secs(1), 10, 90), "");
        assert_eq!(left(Duration::from_secs(3), 0, 90), "");
        assert_eq!(left(Duration::from_secs(3), 10, 90), ", about 27 s left");
        assert_eq!(left(Duration::from_secs(10), 10, 60), ", about 1 min left");
        assert_eq!(left(Duration::from_secs(10), 1, 720), ", about 2 h left");
    }
}
