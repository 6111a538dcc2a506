//! Lines over time. Where nothing was measured for long, a line has a gap.

use std::time::Duration;

use super::axis::{Tick, TimeAxis, ValueAxis, percent};
use super::read_out;
use crate::domain::Timestamp;

/// The width of the drawing, in its own units; it is stretched to the width of the page.
const WIDTH: f64 = 1_000.0;
/// The most points of a line; of more, the extremes of each stretch are drawn.
const MOST_POINTS: usize = 320;
/// Of so few points each has a dot.
const DOTTED: usize = 60;
/// A gap is longer than this many usual intervals.
const GAP: u32 = 3;
/// No shorter time is a gap.
const SHORTEST_GAP: Duration = Duration::from_secs(2);

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Solid.
    Main,
    /// Dashed, in another colour.
    Second,
}

impl Style {
    /// Its class.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Second => "second",
        }
    }
}

/// Values over time that are one line, the earliest first.
#[derive(Clone, Debug)]
pub struct Curve {
    /// How it looks.
    pub style: Style,
    /// The values.
    pub points: Vec<(Timestamp, f64)>,
    /// The longest time between two points of one line; where none is given, a few usual intervals.
    pub longest_step: Option<Duration>,
}

/// A value that must not be passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Pixels from the top.
    pub y: String,
    /// Its words.
    pub label: String,
}

/// A line as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its class.
    pub class: &'static str,
    /// The line, as the path of SVG has it.
    pub path: String,
    /// Isolated points, or all points if there are few.
    pub dots: String,
}

/// A stretch in which nothing came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins.
    pub x: String,
    /// How wide it is.
    pub width: String,
}

/// Lines with their axes.
#[derive(Clone, Debug)]
pub struct LineChart {
    /// Pixels from the top to the axis.
    pub height: u32,
    /// The values.
    pub y: Vec<Tick>,
    /// The times.
    pub x: Vec<Tick>,
    /// The lines.
    pub lines: Vec<Drawn>,
    /// Where nothing came.
    pub gaps: Vec<Gap>,
    /// Values that must not be passed.
    pub limits: Vec<Limit>,
    /// For the cursor.
    pub points: String,
    /// Its ends, in milliseconds.
    pub ends_ms: (i64, i64),
}

impl LineChart {
    /// Lines on the axes that are given. `reads` are the words of each time for the cursor; `label` writes the values up the
    /// axis, `limits` are values with their words.
    #[must_use]
    pub fn of(
        curves: &[Curve],
        (times, values): (&TimeAxis, &ValueAxis),
        reads: Vec<(Timestamp, String)>,
        label: impl Fn(f64) -> String,
        limits: &[(f64, String)],
    ) -> Self {
        let mut gaps = Vec::new();
        let lines = curves.iter().map(|curve| {
            let runs = runs(curve);
            let ends = runs.iter().zip(runs.iter().skip(1));
            gaps.extend(ends.filter_map(|(before, after)| gap(times, before.last()?.0, after.first()?.0)));
            drawn(curve, &runs, times, values)
        });
        let lines = lines.collect();
        Self {
            height: format!("{:.0}", values.y(values.low)).parse().unwrap_or_default(),
            y: values.ticks(label),
            x: times.ticks(),
            lines,
            gaps,
            limits: limits
                .iter()
                .map(|(value, label)| Limit { y: format!("{:.1}", values.y(*value)), label: label.clone() })
                .collect(),
            points: read_out(reads),
            ends_ms: times.ends_ms(),
        }
    }
}

/// The stretch between two times.
pub fn gap(times: &TimeAxis, from: Timestamp, until: Timestamp) -> Option<Gap> {
    let (from, until) = (times.share(from), times.share(until));
    (until > from).then(|| Gap { x: percent(from), width: percent(until - from) })
}

/// The longest time between two points that belong together; `None` where all do.
pub fn longest_step(times: &[Timestamp]) -> Option<Duration> {
    let mut steps: Vec<Duration> =
        times.iter().zip(times.iter().skip(1)).map(|(before, after)| after.abs_diff(*before)).collect();
    steps.retain(|step| !step.is_zero());
    if steps.len() < 3 {
        return None;
    }
    steps.sort_unstable();
    let usual = *steps.get(steps.len().saturating_sub(1) / 2)?;
    Some(usual.saturating_mul(GAP).max(SHORTEST_GAP))
}

/// The points in runs without a gap.
fn runs(curve: &Curve) -> Vec<&[(Timestamp, f64)]> {
    let points = curve.points.as_slice();
    let times: Vec<Timestamp> = points.iter().map(|(at, _)| *at).collect();
    match curve.longest_step.or_else(|| longest_step(&times)) {
        None if points.is_empty() => Vec::new(),
        None => vec![points],
        Some(longest) => {
            points.chunk_by(|(before, _), (after, _)| after.abs_diff(*before) <= longest).collect()
        }
    }
}

fn drawn(curve: &Curve, runs: &[&[(Timestamp, f64)]], times: &TimeAxis, values: &ValueAxis) -> Drawn {
    let place =
        |(at, value): &(Timestamp, f64)| format!("{:.1} {:.1}", times.share(*at) * WIDTH, values.y(*value));
    let is_dotted = curve.points.len() <= DOTTED;
    let room = (MOST_POINTS / runs.len().max(1)).max(8);
    let (mut path, mut dots) = (String::new(), String::new());
    for run in runs {
        if let [alone] = run {
            dots.push_str(&format!("M{}h.01", place(alone)));
            continue;
        }
        for (number, point) in thinned(run, room).into_iter().enumerate() {
            path.push_str(&format!("{}{}", if number == 0 { "M" } else { "L" }, place(point)));
            if is_dotted {
                dots.push_str(&format!("M{}h.01", place(point)));
            }
        }
    }
    Drawn { class: curve.style.class(), path, dots }
}

/// The least and the greatest of each stretch, in their order.
fn thinned(points: &[(Timestamp, f64)], most: usize) -> Vec<&(Timestamp, f64)> {
    if points.len() <= most {
        return points.iter().collect();
    }
    let stretch = points.len().div_ceil((most / 2).max(1));
    let mut drawn = Vec::new();
    for stretch in points.chunks(stretch) {
        let by_value = |a: &&(Timestamp, f64), b: &&(Timestamp, f64)| a.1.total_cmp(&b.1);
        let (low, high) = (stretch.iter().min_by(by_value), stretch.iter().max_by(by_value));
        let mut ends: Vec<_> = low.into_iter().chain(high).collect();
        ends.sort_by_key(|(at, _)| *at);
        drawn.extend(ends);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(i64, f64)]) -> Vec<(Timestamp, f64)> {
        values.iter().map(|(secs, value)| (Timestamp::from_secs(*secs), *value)).collect()
    }

    fn chart(values: &[(i64, f64)]) -> LineChart {
        let points = points(values);
        let times = TimeAxis::new(points[0].0, points[points.len() - 1].0);
        let (low, high) = values
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), (_, value)| (low.min(*value), high.max(*value)));
        let values = ValueAxis::of(low, high, 108);
        LineChart::of(
            &[Curve { style: Style::Main, points, longest_step: None }],
            (&times, &values),
            Vec::new(),
            |v| values.label(v),
            &[],
        )
    }

    #[test]
    fn a_line_fills_its_chart_and_a_flat_one_runs_through_the_middle() {
        let line = |values: &[(i64, f64)]| chart(values).lines[0].path.clone();
        assert_eq!(line(&[(0, 0.0), (10, 10.0), (20, 5.0)]), "M0.0 108.0L500.0 8.0L1000.0 58.0");
        assert_eq!(line(&[(0, 5.0), (10, 5.0)]).matches("58.0").count(), 2);
        assert_eq!(chart(&[(0, 5.0)]).lines[0].dots, "M500.0 58.0h.01");
        assert_eq!(chart(&[(0, 0.0), (10, 10.0)]).height, 108);
    }

    #[test]
    fn a_long_time_without_a_value_is_a_gap_in_the_line() {
        let mut values: Vec<(i64, f64)> = (0..10).map(|n| (n * 60, 1.0)).collect();
        values.extend((0..10).map(|n| (3_600 + n * 60, 2.0)));
        values.push((9_000, 3.0));
        let chart = chart(&values);
        assert_eq!(chart.lines[0].path.matches('M').count(), 2, "{}", chart.lines[0].path);
        assert_eq!(chart.gaps.len(), 2);
        assert_eq!(chart.gaps[0], Gap { x: "6.000%".into(), width: "34.000%".into() });
        assert!(chart.lines[0].dots.ends_with("M1000.0 8.0h.01"), "what stands alone is a dot");
    }

    #[test]
    fn extremes_survive_and_no_value_breaks_a_line() {
        let mut values: Vec<(i64, f64)> = (0..10_000).map(|n| (n, 0.0)).collect();
        values[5_000].1 = 9.0;
        let thin = chart(&values);
        assert!(thin.lines[0].path.matches('L').count() <= MOST_POINTS);
        assert!(thin.lines[0].path.contains(" 18.0L"), "{}", thin.lines[0].path);
        let wide = chart(&[(0, f64::MAX), (10, f64::MIN)]);
        assert_eq!(wide.lines[0].path, "M0.0 8.0L1000.0 108.0");
    }
}
