//! TagoIO's data points as a table: a bare array of them, or `data.variables` of the event `data.received`.

use std::ops::Range;

use crate::domain::json::{Child, children, key_text, read_string};
use crate::domain::{Piece, pieces};

/// What a point has. The device is a column where the points are of several.
const COLUMNS: [&str; 8] = [NAME, VALUE, "unit", "time", "group", "location", "metadata", "id"];
const NAME: &str = "variable";
const VALUE: &str = "value";
const DEVICE: &str = "device";
/// Points of a page.
const PAGE: usize = 200;
/// The most points whose devices are compared.
const MOST_COMPARED: usize = 20_000;
/// Members of a point that are looked at.
const MOST_MEMBERS: usize = 50;
/// The longest value of a cell, in bytes.
const LONGEST: usize = 400;

/// A page of points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    /// The names of the columns.
    pub columns: Vec<&'static str>,
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
    /// A cell for each column; empty if it has no such member, other than a value.
    pub cells: Vec<Vec<Piece>>,
}

impl Points {
    /// Whether a cell may take several lines.
    #[must_use]
    pub fn is_long(&self, cell: &[Piece]) -> bool {
        cell.iter().map(|piece| piece.text.len()).sum::<usize>() > 40
    }
}

/// Whether `bytes` are points.
#[must_use]
pub fn is_points(bytes: &[u8]) -> bool {
    array_of_points(bytes).is_some()
}

/// The points of `bytes` from the number `from` on; `None` if they are none.
#[must_use]
pub fn points(bytes: &[u8], from: usize) -> Option<Points> {
    let at = array_of_points(bytes)?;
    let (items, count) = children(bytes, at, from, PAGE);
    let device = devices_differ(bytes, at).then_some(DEVICE);
    let columns: Vec<&'static str> = device.into_iter().chain(COLUMNS).collect();
    let mut rows: Vec<PointRow> = items.iter().map(|item| row(bytes, item, &columns)).collect();
    let columns = without_empty(columns, &mut rows);
    Some(Points { columns, rows, from, count })
}

/// The first byte of the array, where its first item is a point.
fn array_of_points(bytes: &[u8]) -> Option<usize> {
    let at = array_of(bytes)?;
    let (first, _) = children(bytes, at, 0, 1);
    let first = first.first()?.value.start;
    let is_object = bytes.get(first) == Some(&b'{');
    (is_object && member(bytes, first, "variable").is_some()).then_some(at)
}

fn devices_differ(bytes: &[u8], at: usize) -> bool {
    let (items, _) = children(bytes, at, 0, MOST_COMPARED);
    let mut devices = items.iter().map(|item| {
        let device = member(bytes, item.value.start, DEVICE)?;
        bytes.get(device)
    });
    let first = devices.next();
    devices.any(|device| Some(device) != first)
}

/// The first byte of the array.
fn array_of(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let is_array = |at: usize| bytes.get(at) == Some(&b'[');
    if is_array(start) {
        return Some(start);
    }
    let data = member(bytes, start, "data")?.start;
    member(bytes, data, "variables").map(|list| list.start).filter(|at| is_array(*at))
}

/// Where a member's value is.
fn member(bytes: &[u8], at: usize, name: &str) -> Option<Range<usize>> {
    let (members, _) = children(bytes, at, 0, MOST_MEMBERS);
    let mut found = members.into_iter();
    found
        .find(|member| member.key.is_some_and(|key| key_text(key.of(bytes)) == name))
        .map(|member| member.value)
}

fn row(bytes: &[u8], item: &Child, columns: &[&str]) -> PointRow {
    let is_object = bytes.get(item.value.start) == Some(&b'{');
    let members = if is_object { children(bytes, item.value.start, 0, MOST_MEMBERS).0 } else { Vec::new() };
    let keyed = |member: &Child| member.key.map(|key| key_text(key.of(bytes)));
    let cell = |column: &&str| {
        // Of two members of one name the last counts.
        let found = members.iter().rfind(|member| keyed(member).as_deref() == Some(*column));
        match found {
            Some(member) => value(bytes.get(member.value.clone()).unwrap_or_default(), *column == VALUE),
            None if *column == VALUE => vec![mark("absent")],
            None => Vec::new(),
        }
    };
    PointRow { cells: columns.iter().map(cell).collect() }
}

/// Only columns with something in them; the variable and its value are always there.
fn without_empty(columns: Vec<&'static str>, rows: &mut [PointRow]) -> Vec<&'static str> {
    let is_used = |(place, column): (usize, &&str)| {
        [NAME, VALUE].contains(column)
            || rows.iter().any(|row| row.cells.get(place).is_some_and(|cell| !cell.is_empty()))
    };
    let used: Vec<bool> = columns.iter().enumerate().map(is_used).collect();
    for row in rows {
        let mut is_kept = used.iter();
        row.cells.retain(|_| is_kept.next() == Some(&true));
    }
    columns.into_iter().zip(used).filter_map(|(column, is_used)| is_used.then_some(column)).collect()
}

fn mark(text: &str) -> Piece {
    Piece { text: text.to_owned(), is_mark: true }
}

/// What is written. Text is in quotes where `is_quoted`, and where without them it would be nothing or read as another
/// kind of value.
fn value(written: &[u8], is_quoted: bool) -> Vec<Piece> {
    let dots = |is_cut: bool| is_cut.then(|| mark("…"));
    if !written.starts_with(b"\"") {
        let shown = written.get(..LONGEST).unwrap_or(written);
        let shown_pieces = pieces(&String::from_utf8_lossy(shown));
        return shown_pieces.into_iter().chain(dots(shown.len() < written.len())).collect();
    }
    let text = read_string(written, LONGEST);
    let plain: String = text.pieces.iter().map(|piece| piece.text.as_str()).collect();
    let is_other = || serde_json::from_str::<serde_json::Value>(&plain).is_ok();
    let quote = (is_quoted || plain.is_empty() || is_other())
        .then(|| Piece { text: "\"".to_owned(), is_mark: false });
    let cut = dots(text.left_out > 0);
    quote.iter().cloned().chain(text.pieces).chain(cut).chain(quote.clone()).collect()
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
        assert_eq!(points.columns[..2], ["device", "variable"]);
        assert_eq!(
            cells(&points.rows[0]),
            ["d", "temp", "1.0", "°C", "2026-03-09T07:14:58Z", r#"{"lat":1,"lng":2}"#, ""]
        );
        assert_eq!(points.columns[2..], ["value", "unit", "time", "location", "id"], "no column is empty");
        assert_eq!(cells(&points.rows[1])[..3], ["", "co2", "1152921504606846976123"]);
    }

    #[test]
    fn text_numbers_truth_nothing_and_absence_look_different() {
        let text = br#"[{"variable":"a","value":25,"group":"7"},{"variable":"a","value":"25","group":"g"},
            {"variable":"a","value":true,"unit":""},{"variable":"a","value":"true"},{"variable":"a","value":""},
            {"variable":"a"},{"variable":"a","value":null},{"variable":"a","value":"null"}]"#;
        let points = points(text, 0).unwrap();
        assert_eq!(points.columns, ["variable", "value", "unit", "group"], "no device differs");
        let values: Vec<String> = points.rows.iter().map(|row| cells(row)[1].clone()).collect();
        assert_eq!(values, ["25", "\"25\"", "true", "\"true\"", "\"\"", "absent", "null", "\"null\""]);
        assert!(points.rows[5].cells[1][0].is_mark, "absent is our word");
        assert_eq!((&*cells(&points.rows[0])[3], &*cells(&points.rows[1])[3]), ("\"7\"", "g"));
        assert_eq!((&*cells(&points.rows[2])[2], &*cells(&points.rows[3])[2]), ("\"\"", ""));
    }

    #[test]
    fn the_device_is_a_column_where_the_points_are_of_several() {
        let of = |text: &str| points(text.as_bytes(), 0).unwrap().columns[0];
        assert_eq!(of(r#"[{"variable":"a","device":"d"},{"variable":"b","device":"e"}]"#), "device");
        assert_eq!(of(r#"[{"variable":"a","device":"d"},{"variable":"b","device":"d"}]"#), "variable");
        assert_eq!(of(r#"[{"variable":"a"},{"variable":"b"}]"#), "variable");
        let page: Vec<String> =
            (0..300).map(|n| format!(r#"{{"variable":"a","device":"d{}"}}"#, n / 299)).collect();
        assert_eq!(of(&format!("[{}]", page.join(","))), "device", "also of those on another page");
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
