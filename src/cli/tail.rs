//! `tagohook tail`: deliveries as they arrive, from the live stream.

use std::process::ExitCode;

use serde_json::Value;

use super::arguments::{Globals, Tail};
use super::colour::{Tone, toned};
use super::inspector::{self, Api, encoded, text};
use super::live::{Event, Live};
use super::moment::read_since;
use super::output::{Unwritten, complain, notice, say};
use super::query::query_of;

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
