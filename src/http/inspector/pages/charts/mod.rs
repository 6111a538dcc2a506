//! Charts, drawn here as SVG: axes with round ticks, a grid, bars, lines with visible gaps, strips of states, and a map. They are
//! as wide as the page and as high as they say. Places along the width are percentages, so that text keeps its size.
//! `static/chart.js` only moves a cursor over them.

mod axis;
mod bars;
mod lines;
mod map;
mod numbers;
mod strip;

pub use axis::{TimeAxis, ValueAxis};
pub use bars::{Bars, Column, verdicts};
pub use lines::{Curve, LineChart, Style};
pub use map::Map;
pub use numbers::measured;
pub use strip::Strip;

use crate::domain::Timestamp;

/// A chart's points as the cursor reads them: each time in milliseconds with its words, the earliest first.
fn read_out(points: impl IntoIterator<Item = (Timestamp, String)>) -> String {
    let points: Vec<(i64, String)> =
        points.into_iter().map(|(at, words)| (at.as_micros().div_euclid(1_000), words)).collect();
    serde_json::to_string(&points).unwrap_or_default()
}
