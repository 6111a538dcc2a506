//! `tagohook tail`: deliveries as they arrive, from the live stream.

use std::process::ExitCode;

use serde_json::Value;

use super::arguments::{Globals, Tail};
use super::colour::{Tone, toned};
use super::inspector::{self, Api, encoded, text};
use super::live::{Event, Live};
use super::moment::read_since;
use super::output::{Unwritten, complain, notice, say};

/// Filters of the API that the search names otherwise.
const FILTERS: [&str; 4] = ["event_type", "event_id", "entity", "client_ip"];

/// Prints a line for each delivery until it is stopped. If the connection breaks, it reconnects without a gap.
pub fn run(globals: &Globals, tail: &Tail) -> anyhow::Result<ExitCode> {
    let query = query_of(&tail.query);
    let since = tail.since.as_deref().map(read_since).transpose()?;
    inspector::run(async {
        let api = Api::find(globals, &tail.inspector)?;
        let mut live = Live::new(&api, query.clone(), None);
        let (at, _) = live.first_position().await?;
        if let Some(since) = since {
            let (before, from) =
                (format!("&before={}", at.saturating_add(1)), format!("&from={}{query}", encoded(&since)));
            for row in api.pages_before(before, "deliveries", &from, None).await?.iter().rev() {
                show_row(&row.to_string(), tail.rows.json)?;
            }
        }
        notice(format_args!("waiting for deliveries of {}; Ctrl-C ends it", api.base()));
        loop {
            show(&live.next().await?, tail.rows.json)?;
        }
    })
}

/// The filters of the API, as `verdict=rejected`; everything else is a search.
fn query_of(words: &[String]) -> String {
    let (mut query, mut search) = (String::new(), Vec::new());
    for word in words {
        let at = word.find(['=', ':']);
        let filter = at.and_then(|at| Some((word.get(..at)?, word.get(at..)?)));
        match filter {
            Some((name, value)) if value.starts_with('=') || FILTERS.contains(&name) => {
                let value = value.get(1..).unwrap_or_default();
                query.push_str(&format!("&{}={}", encoded(name), encoded(value)));
            }
            _ => search.push(word.as_str()),
        }
    }
    if !search.is_empty() {
        query.push_str(&format!("&q={}", encoded(&search.join(" "))));
    }
    query
}

fn show(event: &Event, as_json: bool) -> Result<(), Unwritten> {
    match event.kind.as_str() {
        "reset" => complain("some deliveries were removed in the meantime and are not shown"),
        "delivery" => show_row(&event.data, as_json)?,
        _ => {}
    }
    Ok(())
}

fn show_row(data: &str, as_json: bool) -> Result<(), Unwritten> {
    if as_json { say!("{data}") } else { say!("{}", line(data)) }
}

fn line(data: &str) -> String {
    let row: Value = serde_json::from_str(data).unwrap_or_default();
    let tone = match text(&row, "verdict").as_str() {
        "rejected" => Tone::Bad,
        "accepted" => Tone::Well,
        _ => Tone::Notice,
    };
    let status = toned(&text(&row, "status"), tone);
    let verdict = match row.get("reason").and_then(Value::as_str) {
        Some(reason) => format!("{} ({reason})  {}", text(&row, "verdict"), text(&row, "headline")),
        None => text(&row, "verdict"),
    };
    let unverified = row.get("unverified").filter(|said| said.is_object());
    let shown = |key: &str, of: &str| match unverified.and_then(|said| said.get(of)).and_then(Value::as_str) {
        Some(_) => format!("{} (unverified)", unverified.map(|said| text(said, of)).unwrap_or_default()),
        None => text(&row, key),
    };
    let ms = row.get("duration_us").and_then(Value::as_f64).unwrap_or_default() / 1_000.0;
    format!(
        "{}  {status}  {verdict}  {}  {}  {}  {ms:.1} ms  {}",
        text(&row, "received_at"),
        text(&row, "source"),
        shown("event_type", "event"),
        shown("event_id", "event_id"),
        text(&row, "id"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_a_search_and_filters_of_the_api_stay_filters() {
        let query =
            |words: &[&str]| query_of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(query(&[]), "");
        assert_eq!(query(&["verdict=rejected", "source=a:b"]), "&verdict=rejected&source=a%3Ab");
        assert_eq!(query(&["event_type:user.login"]), "&event%5Ftype=user%2Elogin");
        assert_eq!(
            query(&["type:user.*", "OR", "text:a=b", "status=200"]),
            "&status=200&q=type%3Auser%2E%2A%20OR%20text%3Aa%3Db"
        );
    }
}
