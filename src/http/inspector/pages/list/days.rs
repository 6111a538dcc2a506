//! Rows under the day on which they came, in UTC. A browser that shows local times puts them under its own days.

use jiff::Unit;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::Timestamp;
use crate::http::inspector::list_row::ListRow;

/// The rows of one day, the newest first.
pub struct Day {
    /// `Today`, `Yesterday` or the day of the week.
    pub name: String,
    /// The date, `28 Nov 2026`.
    pub date: String,
    /// Its rows.
    pub rows: Vec<ListRow>,
}

/// The days of some rows, in their order.
pub fn days(rows: Vec<ListRow>, now: Timestamp) -> Vec<Day> {
    let today = date_of(now);
    let mut days: Vec<(Date, Day)> = Vec::new();
    for row in rows {
        let date = date_of(row.at);
        match days.last_mut().filter(|(last, _)| *last == date) {
            Some((_, day)) => day.rows.push(row),
            None => {
                let day = Day { name: name(date, today), date: shown(date), rows: vec![row] };
                days.push((date, day));
            }
        }
    }
    days.into_iter().map(|(_, day)| day).collect()
}

fn date_of(at: Timestamp) -> Date {
    let end = if at.as_micros() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(end);
    TimeZone::UTC.to_datetime(instant).date()
}

fn shown(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

fn name(date: Date, today: Date) -> String {
    let ago = date.until((Unit::Day, today)).map(|span| span.get_days());
    match ago {
        Ok(0) => "Today".to_owned(),
        Ok(1) => "Yesterday".to_owned(),
        _ => date.strftime("%A").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_the_name_that_people_use() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let now = date_of(at("2026-11-28T00:00:10Z"));
        for (time, expected) in [
            ("2026-11-28T00:00:00Z", "Today"),
            ("2026-11-27T23:59:59Z", "Yesterday"),
            ("2026-11-26T12:00:00Z", "Thursday"),
            ("2026-11-29T00:00:00Z", "Sunday"),
        ] {
            assert_eq!(name(date_of(at(time)), now), expected, "{time}");
        }
        assert_eq!(shown(now), "28 Nov 2026");
        assert_eq!(shown(date_of(Timestamp::MAX)), "30 Dec 9999");
    }
}
