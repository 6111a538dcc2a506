//! A series as a small chart: the points of an SVG line.

use crate::domain::plain;
use crate::inspect::entities::{Point, Series};

/// The chart's size, in its own units.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 64.0;
/// Room for the line's own width.
const MARGIN: f64 = 4.0;
/// The most points of a line; of more the extremes of each stretch are drawn.
const MOST_POINTS: usize = 320;

/// A chart of one series.
pub struct Chart {
    /// The variable, or where the field is.
    pub name: String,
    /// The unit; empty where there is none.
    pub unit: String,
    /// The last value.
    pub last: String,
    /// The least value.
    pub low: String,
    /// The greatest value.
    pub high: String,
    /// How many values.
    pub count: usize,
    /// `x,y` of each point.
    pub line: String,
    /// Where the last point is.
    pub end: (String, String),
}

impl Chart {
    /// The chart of a series; `None` where it has no value.
    pub fn of(series: &Series) -> Option<Self> {
        let last = series.last()?;
        let (low, high) = series.range();
        let first = series.points.first()?.at.as_micros();
        let span = last.at.as_micros().saturating_sub(first);
        let place = |point: &Point| {
            let along = ratio(point.at.as_micros().saturating_sub(first), span);
            // Halves first: the whole span of two doubles may be infinite.
            let height = (point.value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            let height = if height.is_finite() { height } else { 0.5 };
            let x = MARGIN + along * (WIDTH - 2.0 * MARGIN);
            let y = HEIGHT - MARGIN - height * (HEIGHT - 2.0 * MARGIN);
            (format!("{x:.1}"), format!("{y:.1}"))
        };
        let drawn = thinned(&series.points);
        let line: Vec<String> =
            drawn.iter().map(|point| place(point)).map(|(x, y)| format!("{x},{y}")).collect();
        Some(Self {
            name: plain(&series.name),
            unit: series.unit.as_deref().map(plain).unwrap_or_default(),
            last: number(last.value),
            low: number(low),
            high: number(high),
            count: series.points.len(),
            line: line.join(" "),
            end: place(&last),
        })
    }
}

/// A part of a whole, from 0 to 1; of nothing the end.
pub fn ratio(part: i64, whole: i64) -> f64 {
    const STEPS: i128 = 100_000;
    let steps = i128::from(part).saturating_mul(STEPS).checked_div(i128::from(whole)).unwrap_or(STEPS);
    f64::from(u32::try_from(steps).unwrap_or(0)) / 100_000.0
}

/// The least and the greatest of each stretch, in their order.
fn thinned(points: &[Point]) -> Vec<&Point> {
    if points.len() <= MOST_POINTS {
        return points.iter().collect();
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    let mut drawn = Vec::new();
    for stretch in points.chunks(stretch) {
        let by_value = |a: &&Point, b: &&Point| a.value.total_cmp(&b.value);
        let (low, high) = (stretch.iter().min_by(by_value), stretch.iter().max_by(by_value));
        let mut ends: Vec<&Point> = low.into_iter().chain(high).collect();
        ends.sort_by_key(|point| point.at);
        drawn.extend(ends);
    }
    drawn
}

/// A number for people: no more digits than tell it, none of a million zeros.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) { format!("{value:e}") } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn series(values: &[f64]) -> Series {
        let points = (0..).zip(values).map(|(n, value)| Point { at: Timestamp::from_secs(n), value: *value });
        Series { name: "t".to_owned(), unit: None, points: points.collect() }
    }

    #[test]
    fn a_line_fills_its_chart_and_a_flat_one_runs_through_the_middle() {
        assert_eq!(Chart::of(&series(&[1.0, 3.0, 2.0])).unwrap().line, "4.0,60.0 160.0,4.0 316.0,32.0");
        assert_eq!(Chart::of(&series(&[5.0, 5.0])).unwrap().line, "4.0,32.0 316.0,32.0");
        assert_eq!(Chart::of(&series(&[5.0])).unwrap().end, ("316.0".to_owned(), "32.0".to_owned()));
        assert!(Chart::of(&series(&[])).is_none());
    }

    #[test]
    fn extremes_survive_and_no_value_breaks_a_line() {
        let mut values = vec![0.0; 10_000];
        values[5_000] = 9.0;
        let chart = Chart::of(&series(&values)).unwrap();
        assert!(chart.line.split(' ').count() <= MOST_POINTS && chart.line.contains(",4.0"));
        let wide = Chart::of(&series(&[f64::MAX, f64::MIN])).unwrap();
        assert_eq!(wide.line, "4.0,4.0 316.0,60.0");
        assert_eq!(
            [number(23.8), number(0.0), number(1e300), number(-2e-9)],
            ["23.8", "0", "1e300", "-2e-9"]
        );
    }
}
