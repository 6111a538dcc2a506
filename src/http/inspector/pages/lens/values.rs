//! The values of a device as charts on one time axis.

use std::time::Duration;

use crate::domain::{Device, Timestamp, plain};
use crate::http::inspector::pages::charts::{
    Bars, Column, Curve, LineChart, Style, TimeAxis, ValueAxis, measured,
};
use crate::inspect::entities::{Limit, Series, Values};

/// How high the charts are, in pixels.
const HEIGHT: u32 = 140;
/// How high the bars of the hours are, in pixels.
const HOURS_HEIGHT: u32 = 60;
const HOUR: Duration = Duration::from_secs(3_600);

/// A chart of one series.
pub struct SeriesView {
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
    /// The chart.
    pub chart: LineChart,
}

/// The times that all charts share: from the first value to the last, and on to now where that is not far.
pub fn times(values: &Values, now: Option<Timestamp>) -> TimeAxis {
    let numbers = values.series.iter().flat_map(|series| series.points.iter().map(|point| point.at));
    let states = values.states.iter().flat_map(|states| states.points.iter().map(|(at, _)| *at));
    let ends = numbers.chain(states).fold(None, |ends: Option<(Timestamp, Timestamp)>, at| {
        Some(ends.map_or((at, at), |(from, until)| (from.min(at), until.max(at))))
    });
    let Some((from, until)) = ends else { return TimeAxis::new(Timestamp::default(), Timestamp::default()) };
    // A long silence is seen as one, and does not press the values together.
    let furthest = until.plus(until.abs_diff(from) / 2);
    let until = now.map_or(until, |now| now.min(furthest).max(until));
    TimeAxis::new(from, until)
}

/// A chart for each series.
pub fn charts(values: &Values, times: &TimeAxis) -> Vec<SeriesView> {
    values.series.iter().filter_map(|series| chart(series, &values.limits, times)).collect()
}

fn chart(series: &Series, limits: &[Limit], times: &TimeAxis) -> Option<SeriesView> {
    let last = series.last()?;
    let (low, high) = series.range();
    let unit = series.unit.as_deref().map(plain).unwrap_or_default();
    let with_unit = |value: f64| {
        let value = measured(value);
        if unit.is_empty() { value } else { format!("{value} {unit}") }
    };
    let limits: Vec<&Limit> = limits.iter().filter(|limit| limit.name == series.name).collect();
    let bounds =
        limits.iter().fold((low, high), |(low, high), limit| (low.min(limit.value), high.max(limit.value)));
    let axis = ValueAxis::of(bounds.0, bounds.1, HEIGHT);
    let points: Vec<(Timestamp, f64)> = series.points.iter().map(|point| (point.at, point.value)).collect();
    let reads = points.iter().map(|(at, value)| (*at, with_unit(*value))).collect();
    let curve = Curve { style: Style::Main, points, longest_step: None };
    let limits: Vec<(f64, String)> = limits
        .iter()
        .map(|limit| {
            (limit.value, plain(format!("limit {} {}", limit.operator, with_unit(limit.value)).trim()))
        })
        .collect();
    Some(SeriesView {
        name: plain(&series.name),
        last: measured(last.value),
        low: measured(low),
        high: measured(high),
        count: series.points.len(),
        chart: LineChart::of(&[curve], (times, &axis), reads, |value| axis.label(value), &limits),
        unit,
    })
}

/// The deliveries of each of the last 24 hours.
pub fn hours(device: &Device, now: Timestamp) -> Bars {
    let mut sums: Vec<u64> = vec![0; 24];
    for member in device.members() {
        for (sum, more) in sums.iter_mut().zip(member.hours(now)) {
            *sum = sum.saturating_add(u64::from(more));
        }
    }
    let hour = Timestamp::from_secs(now.as_secs().div_euclid(3_600).saturating_mul(3_600));
    let mut from = hour.minus(HOUR.saturating_mul(23));
    let columns: Vec<Column> = sums
        .into_iter()
        .map(|sum| {
            let begin = from;
            from = from.plus(HOUR);
            Column { from: begin, until: from, parts: vec![("accepted", sum)], url: None }
        })
        .collect();
    Bars::of("hours", &columns, HOURS_HEIGHT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    #[test]
    fn charts_share_their_times_show_limits_and_leave_room_for_a_silence() {
        let event = |n: i64, more: serde_json::Value| {
            let mut payload =
                json!({"variable": {"name": "co2", "value": 400 + n, "unit": "ppm"}, "door": n % 2 == 0});
            payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            (at(n * 60), payload)
        };
        let mut payloads: Vec<_> = (0..10).map(|n| event(n, json!({}))).collect();
        payloads.push(event(10, json!({"threshold": {"value": 1200, "operator": ">"}})));
        let values = Values::of(&payloads, at(600));
        let axis = times(&values, Some(at(700)));
        assert_eq!((axis.from, axis.until), (at(0), at(700)));
        assert_eq!(times(&values, Some(at(86_400))).until, at(900), "half as much again at most");
        assert_eq!(times(&values, None).until, at(600));
        let charts = charts(&values, &axis);
        assert_eq!((charts[0].name.as_str(), charts[0].last.as_str()), ("co2", "410"));
        assert_eq!(charts[0].chart.limits[0].label, "limit > 1200 ppm");
        assert!(charts[0].chart.points.contains("410 ppm"), "{}", charts[0].chart.points);
    }
}
