//! How far listening is: everything up to a position is done, and some deliveries after it.

use std::collections::{BTreeMap, BTreeSet};

/// The deliveries that are not done, and the position before the first of them.
#[derive(Debug, Default)]
pub struct Position {
    /// Everything up to here was read.
    read: i64,
    /// Everything up to here is done.
    done: i64,
    /// Positions with deliveries that are not done, and how many.
    open: BTreeMap<i64, usize>,
}

impl Position {
    /// Everything up to `done` is done.
    pub fn new(done: i64) -> Self {
        Self { read: done, done, open: BTreeMap::new() }
    }

    /// Everything up to `read` was read.
    pub fn reached(&mut self, read: i64) {
        self.read = self.read.max(read);
    }

    /// A delivery at `seq` is to be forwarded.
    pub fn open(&mut self, seq: i64) {
        let count = self.open.entry(seq).or_default();
        *count = count.saturating_add(1);
    }

    /// A delivery at `seq` is done.
    pub fn close(&mut self, seq: i64) {
        if let Some(count) = self.open.get_mut(&seq) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.open.remove(&seq);
            }
        }
    }

    /// The position up to which everything is done, if it has moved since the last call.
    pub fn moved(&mut self) -> Option<i64> {
        let through = self.open.keys().next().map_or(self.read, |first| first.saturating_sub(1));
        if through <= self.done {
            return None;
        }
        self.done = through;
        Some(through)
    }

    /// The position up to which everything was read.
    pub const fn read_through(&self) -> i64 {
        self.read
    }
}

/// What is kept of an earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Everything up to here is done.
    pub position: Option<i64>,
    /// Without a position: where the first run began, as RFC 3339.
    pub since: Option<String>,
    /// Deliveries after the position that are done, with their positions.
    pub done: BTreeSet<(i64, String)>,
    /// Reports that were not sent, by their numbers.
    pub reports: BTreeMap<u64, String>,
}

impl Kept {
    /// Reads one line of the file; a line that broke off is left out.
    pub fn read(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("position", seq)) => {
                if let Ok(seq) = seq.parse() {
                    self.move_to(seq);
                }
            }
            Some(("since", time)) => self.since = Some(time.to_owned()),
            Some(("done", rest)) => {
                if let Some((seq, id)) = rest.split_once(' ')
                    && let Ok(seq) = seq.parse()
                {
                    self.done.insert((seq, id.to_owned()));
                }
            }
            Some(("report", rest)) => {
                if let Some((number, report)) = rest.split_once(' ')
                    && let Ok(number) = number.parse()
                {
                    self.reports.insert(number, report.to_owned());
                }
            }
            Some(("reported", number)) => {
                if let Ok(number) = number.parse() {
                    self.reported(number);
                }
            }
            _ => {}
        }
    }

    /// Reports up to this number were sent.
    pub fn reported(&mut self, number: u64) {
        self.reports = self.reports.split_off(&number.saturating_add(1));
    }

    /// Everything up to `seq` is done.
    pub fn move_to(&mut self, seq: i64) {
        self.position = Some(seq);
        self.done = self.done.split_off(&(seq.saturating_add(1), String::new()));
    }

    /// The lines of a file that has nothing else.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        if let Some(seq) = self.position {
            lines.push_str(&position_line(seq));
        } else if let Some(since) = &self.since {
            lines.push_str(&format!("since {since}\n"));
        }
        self.done.iter().for_each(|(seq, id)| lines.push_str(&done_line(*seq, id)));
        self.reports.iter().for_each(|(number, report)| lines.push_str(&report_line(*number, report)));
        lines
    }
}

/// The line of a position.
pub fn position_line(seq: i64) -> String {
    format!("position {seq}\n")
}

/// The line of a delivery that is done.
pub fn done_line(seq: i64, id: &str) -> String {
    format!("done {seq} {id}\n")
}

/// The line of a report that was not sent yet.
pub fn report_line(number: u64, report: &str) -> String {
    format!("report {number} {report}\n")
}

/// The line after reports up to this number were sent.
pub fn reported_line(number: u64) -> String {
    format!("reported {number}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_before_the_first_delivery_that_is_not_done() {
        let mut position = Position::new(10);
        assert_eq!(position.moved(), None);
        for seq in [12, 15] {
            position.open(seq);
            position.reached(seq);
        }
        assert_eq!(position.moved(), Some(11));
        position.close(15);
        assert_eq!(position.moved(), None);
        position.reached(20);
        position.close(12);
        assert_eq!((position.moved(), position.moved()), (Some(20), None));
    }

    #[test]
    fn deliveries_of_one_position_are_done_together() {
        let mut position = Position::new(0);
        position.open(1);
        position.open(1);
        position.reached(9);
        position.close(1);
        assert_eq!(position.moved(), None);
        position.close(1);
        assert_eq!(position.moved(), Some(9));
    }

    #[test]
    fn what_is_kept_is_what_was_written_also_where_the_last_line_broke_off() {
        let mut kept = Kept::default();
        for line in "since 2026-03-09T07:14:58Z\ndone 4 a\ndone 7 b\nposition 5\ndone 8".lines() {
            kept.read(line);
        }
        assert_eq!((kept.position, kept.done.len()), (Some(5), 1));
        assert_eq!(kept.lines(), "position 5\ndone 7 b\n");
    }

    #[test]
    fn a_report_is_kept_until_it_was_sent() {
        let mut kept = Kept::default();
        for line in ["report 1 {\"a\": 1}", "done 4 a", "report 2 {}", "reported 1", "report x"] {
            kept.read(line);
        }
        assert_eq!(kept.lines(), "done 4 a\nreport 2 {}\n");
    }
}
