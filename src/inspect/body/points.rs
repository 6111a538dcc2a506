//! TagoIO's data points as a table: a bare array of them, or `data.variables` of the event `data.received`.

use crate::domain::json::{Child, children, key_text, read_string};
use crate::domain::{Piece, pieces};

/// What a point has.
pub const COLUMNS: [&str; 8] = ["variable", "value", "unit", "time", "group", "location", "metadata", "id"];
/// Points of a page.
const PAGE: usize = 200;
/// Members of a point that are looked at.
const MOST_MEMBERS: usize = 50;
/// The longest value of a cell, in bytes.
const LONGEST: usize = 400;

/// A page of points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    /// The points.
    pub rows: Vec<PointRow>,
    /// The number of the first one.
    pub from: usize,
    /// How many there are.
    pub count: usize,
}

/// A point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointRow {
    /// A cell for each column; empty where it has no such member.
    pub cells: [Vec<Piece>; COLUMNS.len()],
}

/// The points of `bytes` from the number `from` on; `None` where they are none.
#[must_use]
pub fn points(bytes: &[u8], from: usize) -> Option<Points> {
    let at = array_of(bytes)?;
    let (first, count) = children(bytes, at, 0, 1);
    let first = first.first()?;
    let has_variable = children(bytes, first.value.start, 0, MOST_MEMBERS)
        .0
        .iter()
        .any(|member| member.key.is_some_and(|key| key_text(key.of(bytes)) == "variable"));
    if bytes.get(first.value.start) != Some(&b'{') || !has_variable {
        return None;
    }
    let (items, _) = children(bytes, at, from, PAGE);
    Some(Points { rows: items.iter().map(|item| row(bytes, item)).collect(), from, count })
}

/// The first byte of the array.
fn array_of(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let is_array = |at: usize| bytes.get(at) == Some(&b'[');
    if is_array(start) {
        return Some(start);
    }
    let data = member(bytes, start, "data")?;
    member(bytes, data, "variables").filter(|at| is_array(*at))
}

/// The first byte of a member's value.
fn member(bytes: &[u8], at: usize, name: &str) -> Option<usize> {
    let (members, _) = children(bytes, at, 0, MOST_MEMBERS);
    let found = members.iter().find(|member| member.key.is_some_and(|key| key_text(key.of(bytes)) == name));
    found.map(|member| member.value.start)
}

fn row(bytes: &[u8], item: &Child) -> PointRow {
    let mut row = PointRow::default();
    if bytes.get(item.value.start) != Some(&b'{') {
        return row;
    }
    for member in children(bytes, item.value.start, 0, MOST_MEMBERS).0 {
        let Some(key) = member.key else { continue };
        let key = key_text(key.of(bytes));
        if let Some(cell) =
            COLUMNS.iter().position(|column| *column == key).and_then(|at| row.cells.get_mut(at))
        {
            *cell = value(bytes.get(member.value).unwrap_or_default());
        }
    }
    row
}

fn value(written: &[u8]) -> Vec<Piece> {
    let dots = |is_cut: bool| is_cut.then(|| Piece { text: "…".to_owned(), is_mark: true });
    if written.starts_with(b"\"") {
        let text = read_string(written, LONGEST);
        let is_cut = text.left_out > 0;
        return text.pieces.into_iter().chain(dots(is_cut)).collect();
    }
    let shown = written.get(..LONGEST).unwrap_or(written);
    pieces(&String::from_utf8_lossy(shown)).into_iter().chain(dots(shown.len() < written.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &PointRow) -> Vec<String> {
        row.cells.iter().map(|cell| cell.iter().map(|piece| piece.text.as_str()).collect()).collect()
    }

    #[test]
    fn points_are_a_table_with_their_values_as_written() {
        let text = br#" [{"variable":"temp","value":1.0,"unit":"\u00b0C","time":"2026-03-09T07:14:58Z","location":{"lat":1,"lng":2},"device":"d"},
            {"variable":"co2","value":1152921504606846976123,"id":"x"}]"#;
        let points = points(text, 0).unwrap();
        assert_eq!((points.count, points.rows.len()), (2, 2));
        assert_eq!(
            cells(&points.rows[0]),
            ["temp", "1.0", "°C", "2026-03-09T07:14:58Z", "", r#"{"lat":1,"lng":2}"#, "", ""]
        );
        assert_eq!(cells(&points.rows[1])[1], "1152921504606846976123");
    }

    #[test]
    fn the_variables_of_an_event_are_points_and_other_arrays_are_not() {
        let event = br#"{"event":"data.received","data":{"variables":[{"variable":"a","value":1}]}}"#;
        assert_eq!(points(event, 0).unwrap().count, 1);
        for other in [&b"[]"[..], b"[1]", b"{}", b"[{\"a\":1}]", b"", b"[{\"variable\"", b"{\"data\":[1]}"] {
            assert_eq!(points(other, 0), None, "{}", String::from_utf8_lossy(other));
        }
        let many = format!("[{}]", vec![r#"{"variable":"a"}"#; 500].join(","));
        let page = points(many.as_bytes(), 400).unwrap();
        assert_eq!((page.rows.len(), page.from, page.count), (100, 400, 500));
    }
}
