//! Bars over time, one part upon the other. Parts differ by pattern as well as by colour.

use super::axis::{Tick, TimeAxis, ValueAxis, percent};
use super::{numbers, read_out};
use crate::domain::{Timestamp, Verdict, grouped};

/// The part of a stretch that its bar fills.
const BAR: f64 = 0.8;
/// The least height of a part, in pixels.
const LEAST: f64 = 2.0;

/// The data of a bar: a period, and the count of each kind in it.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// Each kind, as its class and word, with its count; the lowest part first.
    pub parts: Vec<(&'static str, u64)>,
    /// The page behind the bar.
    pub url: Option<String>,
}

/// The parts of a column of deliveries: its verdicts, in the order of `Verdict::ALL`.
#[must_use]
pub fn verdicts(counts: &[u64; Verdict::ALL.len()]) -> Vec<(&'static str, u64)> {
    Verdict::ALL.iter().map(|verdict| verdict.as_str()).zip(counts.iter().copied()).collect()
}

/// A part of a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its kind.
    pub kind: &'static str,
    /// Its top, in pixels.
    pub y: String,
    /// Its height, in pixels.
    pub height: String,
}

/// A bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Where it begins, and how wide it is.
    pub x: String,
    /// Its width.
    pub width: String,
    /// What it says.
    pub title: String,
    /// The page behind it; empty: none.
    pub url: String,
    /// Its parts.
    pub parts: Vec<Part>,
}

/// Bars with their axes.
#[derive(Clone, Debug)]
pub struct Bars {
    /// The chart's id on its page; ids of its patterns begin with it.
    pub id: &'static str,
    /// Pixels from the top to the axis.
    pub height: u32,
    /// The values.
    pub y: Vec<Tick>,
    /// The times.
    pub x: Vec<Tick>,
    /// The bars that are not empty.
    pub bars: Vec<Bar>,
    /// The kinds that are there.
    pub kinds: Vec<&'static str>,
    /// For the cursor.
    pub points: String,
    /// Its ends, in milliseconds.
    pub ends_ms: (i64, i64),
}

impl Bars {
    /// The bars of some columns, the earliest first, with a height in pixels.
    #[must_use]
    pub fn of(id: &'static str, columns: &[Column], height: u32) -> Self {
        let total =
            |column: &Column| column.parts.iter().map(|(_, count)| *count).fold(0, u64::saturating_add);
        let most = columns.iter().map(total).max().unwrap_or(0);
        let values = ValueAxis::counts(most, height);
        let from = columns.first().map(|column| column.from).unwrap_or_default();
        let times = TimeAxis::new(from, columns.last().map_or(from, |column| column.until));
        let mut kinds: Vec<&'static str> = Vec::new();
        for (kind, _) in columns.iter().flat_map(|column| &column.parts).filter(|(_, count)| *count > 0) {
            if !kinds.contains(kind) {
                kinds.push(kind);
            }
        }
        // In the order of the parts, whichever came first.
        if let Some(column) = columns.first() {
            kinds.sort_by_key(|kind| column.parts.iter().position(|(known, _)| known == kind));
        }
        let middle = |column: &Column| {
            let half = column.until.as_micros().saturating_sub(column.from.as_micros()) / 2;
            column.from.moved(half)
        };
        Self {
            id,
            height,
            y: values.ticks(|value| values.label(value)),
            x: times.ticks(),
            bars: columns
                .iter()
                .filter(|column| total(column) > 0)
                .map(|one| bar(one, &times, &values))
                .collect(),
            kinds,
            points: read_out(columns.iter().map(|column| (middle(column), words(column)))),
            ends_ms: times.ends_ms(),
        }
    }

    /// The words that describe the chart to those who do not see it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }
}

fn bar(column: &Column, times: &TimeAxis, values: &ValueAxis) -> Bar {
    let (from, until) = (times.share(column.from), times.share(column.until));
    let width = until - from;
    let mut under = 0_u64;
    let mut above = values.y(0.0);
    let mut parts = Vec::new();
    for (kind, count) in column.parts.iter().filter(|(_, count)| *count > 0) {
        under = under.saturating_add(*count);
        let y = values.y(numbers::drawn(under)).min(above - LEAST).max(0.0);
        parts.push(Part { kind, y: format!("{y:.1}"), height: format!("{:.1}", above - y) });
        above = y;
    }
    Bar {
        x: percent(from + width * (1.0 - BAR) / 2.0),
        width: percent(width * BAR),
        title: words(column),
        url: column.url.clone().unwrap_or_default(),
        parts,
    }
}

/// `14:00–14:15: 12 accepted, 3 rejected`.
fn words(column: &Column) -> String {
    let clock = |at: Timestamp| at.to_string().get(11..16).unwrap_or_default().to_owned();
    let there = column.parts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = there.map(|(kind, number)| format!("{} {kind}", grouped(*number))).collect();
    let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    format!("{}–{}: {counts}", clock(column.from), clock(column.until))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(minute: i64, counts: [u64; 5]) -> Column {
        let at = |minute: i64| Timestamp::from_secs(1_800_000_000 + minute * 60);
        Column { from: at(minute), until: at(minute + 1), parts: verdicts(&counts), url: Some("/?x".into()) }
    }

    #[test]
    fn bars_are_stacked_on_a_round_axis_and_empty_ones_lead_nowhere() {
        let chart =
            Bars::of("c", &[column(0, [3, 0, 1, 0, 0]), column(1, [0; 5]), column(2, [0, 2, 0, 0, 0])], 108);
        assert_eq!(chart.bars.len(), 2);
        assert_eq!(chart.kinds, ["accepted", "duplicate", "rejected"]);
        let first = &chart.bars[0];
        assert_eq!((first.x.as_str(), first.width.as_str()), ("3.333%", "26.667%"));
        let parts: Vec<_> = first.parts.iter().map(|part| (part.kind, &*part.y, &*part.height)).collect();
        assert_eq!(parts, [("accepted", "33.0", "75.0"), ("rejected", "8.0", "25.0")]);
        assert_eq!(first.title, "08:00–08:01: 3 accepted, 1 rejected");
        assert!(chart.points.contains("08:01–08:02: none"), "{}", chart.points);
    }

    #[test]
    fn one_of_thousands_is_seen_and_nothing_leaves_the_chart() {
        let chart = Bars::of("c", &[column(0, [9_999, 0, 1, 0, 0])], 100);
        let parts = &chart.bars[0].parts;
        assert_eq!(parts[1].height, "2.0");
        assert!(Bars::of("c", &[], 100).is_empty());
    }
}
