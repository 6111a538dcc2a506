//! Two deliveries side by side.

use super::{JsonDiff, Line, first_difference, json_diff, lines};
use crate::domain::{HexLine, HexPage, StoredDelivery, plain};

/// Longer bodies are not compared line by line, in bytes.
const MAX_TEXT: usize = 1024 * 1024;

/// Lines of the dump around the first difference.
const HEX_LINES: usize = 3;

/// The differences between two deliveries.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Request line and headers, in wire order.
    pub head: Vec<Line>,
    /// The first byte in which the bodies differ; `None`: they are the same.
    pub first_difference: Option<usize>,
    /// The values that differ, where both bodies are JSON.
    pub json: Option<JsonDiff>,
    /// The lines, if both bodies are text and one of them is not JSON; and whether there are more.
    pub lines: Option<(Vec<Line>, bool)>,
    /// Some bytes of each around the first that differs.
    pub hex: Option<[Vec<HexLine>; 2]>,
}

impl Comparison {
    /// From `one` to `other`.
    #[must_use]
    pub fn of(one: &StoredDelivery, other: &StoredDelivery) -> Self {
        let first_difference = first_difference(&one.body, &other.body);
        let json = first_difference.and_then(|_| json_diff(&one.body, &other.body));
        let text = |delivery: &StoredDelivery| {
            let body = String::from_utf8(delivery.body.to_vec()).ok();
            body.filter(|body| body.len() <= MAX_TEXT)
        };
        let lines_of = match (first_difference, &json, text(one), text(other)) {
            (Some(_), None, Some(one), Some(other)) => Some(lines(&one, &other)),
            (Some(_), None, ..) if is_text(one) && is_text(other) => Some((Vec::new(), true)),
            _ => None,
        };
        let hex = first_difference.map(|at| {
            [&one.body, &other.body].map(|body| {
                let from = at.min(body.len()).saturating_sub(16);
                HexPage::of(body, from).lines.into_iter().take(HEX_LINES).collect()
            })
        });
        Self { head: lines(&head(one), &head(other)).0, first_difference, json, lines: lines_of, hex }
    }
}

fn is_text(delivery: &StoredDelivery) -> bool {
    std::str::from_utf8(&delivery.body).is_ok()
}

/// Each line made visible, so that a line is a line.
fn head(delivery: &StoredDelivery) -> String {
    let first = format!("{} {} {}\n", delivery.row.method, delivery.row.path, delivery.http_version);
    let headers = delivery
        .headers
        .iter()
        .map(|header| format!("{}: {}\n", plain(&header.name), plain(&header.text()).replace('\n', " ")));
    std::iter::once(first).chain(headers).collect()
}
