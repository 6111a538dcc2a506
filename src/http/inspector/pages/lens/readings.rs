//! The table of a device's last deliveries: a row each, with its variables as columns.

use crate::domain::{Timestamp, plain};
use crate::http::inspector::pages::charts::measured;
use crate::http::inspector::words::When;
use crate::inspect::entities::{EntityLog, Values};

/// Rows of the table.
const ROWS: usize = 25;
/// Columns of the table: the variables with the most values.
const COLUMNS: usize = 7;

/// A column.
pub struct Heading {
    /// The variable.
    pub name: String,
    /// The last part of its name.
    pub short: String,
    /// Its unit; empty where there is none.
    pub unit: String,
    /// Whether it is of numbers.
    pub is_number: bool,
}

/// A delivery.
pub struct Reading {
    /// Its id.
    pub id: String,
    /// When it was received.
    pub received: When,
    /// The event type; empty where all have the same.
    pub event_type: String,
    /// The values, in the order of the columns; empty where it has none.
    pub cells: Vec<String>,
}

/// The table.
pub struct Readings {
    /// The columns.
    pub headings: Vec<Heading>,
    /// The rows, the newest first.
    pub rows: Vec<Reading>,
    /// Whether the deliveries have several event types.
    pub has_types: bool,
}

impl Readings {
    /// The table of a log whose values these are.
    pub fn of(log: &EntityLog, values: &Values, now: Timestamp) -> Self {
        let names: Vec<Heading> = headings(values);
        let rows = log.rows.iter().take(ROWS);
        let first_type = log.rows.first().and_then(|row| row.event_type.as_ref());
        let has_types = rows.clone().any(|row| row.event_type.as_ref() != first_type);
        let rows = rows.enumerate().map(|(place, row)| {
            let payload = log.places.iter().position(|known| *known == place);
            let payload = payload.and_then(|at| log.payloads.get(at));
            let own = payload.map(|(at, payload)| Values::of(&[(*at, payload.clone())], row.received_at));
            Reading {
                id: row.id.to_string(),
                received: When::clock(row.received_at, now),
                event_type: row.event_type.as_deref().map(plain).unwrap_or_default(),
                cells: names.iter().map(|heading| cell(own.as_ref(), &heading.name)).collect(),
            }
        });
        Self { rows: rows.collect(), headings: names.into_iter().map(Heading::shown).collect(), has_types }
    }
}

impl Heading {
    fn shown(self) -> Self {
        Self { name: plain(&self.name), ..self }
    }
}

/// The variables with the most values, numbers before states.
fn headings(values: &Values) -> Vec<Heading> {
    let short = |name: &str| plain(name.rsplit('.').next().unwrap_or(name));
    let numbers = values.series.iter().map(|series| Heading {
        short: short(&series.name),
        name: series.name.clone(),
        unit: series.unit.as_deref().map(plain).unwrap_or_default(),
        is_number: true,
    });
    let states = values.states.iter().map(|states| Heading {
        short: short(&states.name),
        name: states.name.clone(),
        unit: String::new(),
        is_number: false,
    });
    let few = COLUMNS.saturating_sub(values.states.len().min(COLUMNS / 2));
    let mut all: Vec<Heading> = numbers.take(few).collect();
    all.extend(states.take(COLUMNS.saturating_sub(all.len())));
    all
}

/// The last value of a variable in one delivery, and how many more there are.
fn cell(own: Option<&Values>, name: &str) -> String {
    let Some(own) = own else { return String::new() };
    let number = own.series.iter().find(|series| series.name == name);
    if let Some((series, last)) = number.and_then(|series| Some((series, series.last()?))) {
        return with_more(measured(last.value), series.points.len());
    }
    let states = own.states.iter().find(|states| states.name == name);
    states.and_then(|states| Some(with_more(plain(states.last()?), states.points.len()))).unwrap_or_default()
}

fn with_more(value: String, count: usize) -> String {
    if count > 1 { format!("{value} (+{})", count.saturating_sub(1)) } else { value }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn the_last_value_of_a_delivery_is_shown_and_the_others_are_counted() {
        let at = Timestamp::from_secs(1_800_000_000);
        let payload = json!([{"variable": "t", "value": 1.5}, {"variable": "t", "value": 2, "time": "2027-01-15T08:00:05Z"},
            {"variable": "mode", "value": "eco"}, {"variable": "door", "value": true}]);
        let values = Values::of(&[(at, payload)], at.plus(std::time::Duration::from_secs(60)));
        assert_eq!(cell(Some(&values), "t"), "2 (+1)");
        assert_eq!(
            (cell(Some(&values), "mode"), cell(Some(&values), "x")),
            ("eco".to_owned(), String::new())
        );
        let names: Vec<(String, bool)> =
            headings(&values).into_iter().map(|heading| (heading.short, heading.is_number)).collect();
        assert_eq!(names, [("t".to_owned(), true), ("door".to_owned(), false), ("mode".to_owned(), false)]);
    }
}
