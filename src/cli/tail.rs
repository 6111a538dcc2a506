//! `tagohook tail`: deliveries as they arrive, from the live stream.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::Value;

use super::arguments::{Globals, Tail};
use super::inspector::{self, Api, encoded, text};
use super::output::{Unwritten, complain, say};

/// The pause before reconnecting to the stream.
const PAUSE: Duration = Duration::from_secs(1);

/// Prints a line for each delivery until it is stopped. If the connection breaks, it reconnects without a gap.
pub fn run(globals: &Globals, tail: &Tail) -> anyhow::Result<ExitCode> {
    let mut query = String::new();
    for condition in &tail.filter {
        let (name, value) = condition
            .split_once(['=', ':'])
            .ok_or_else(|| anyhow!("{condition:?}: expected NAME=VALUE, as verdict=rejected"))?;
        query.push_str(&format!("&{}={}", encoded(name), encoded(value)));
    }
    inspector::run(async {
        let api = Api::find(globals, &tail.inspector)?;
        let mut position: Option<String> = None;
        loop {
            let from =
                position.as_ref().map_or(String::new(), |at| format!("&last_event_id={}", encoded(at)));
            let asked = format!("{query}{from}");
            let path = format!("deliveries/stream?{}", asked.trim_start_matches('&'));
            let mut pieces = match api.stream(&path).await {
                Ok(pieces) => pieces,
                // The first failure is an error; later ones may be a restart of the program.
                Err(fault) if position.is_none() => return Err(fault),
                Err(fault) => {
                    complain(format_args!("{fault:#}; trying again"));
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let mut waiting = Vec::new();
            while let Some(piece) = pieces.next().await {
                waiting.extend_from_slice(&piece);
                while let Some(end) = waiting.windows(2).position(|two| two == b"\n\n") {
                    let event: Vec<u8> = waiting.drain(..end.saturating_add(2)).collect();
                    let event = Event::read(&String::from_utf8_lossy(&event));
                    position = event.id.clone().or(position);
                    event.show(tail.json)?;
                }
            }
            complain("the connection broke; trying again");
            tokio::time::sleep(PAUSE).await;
        }
    })
}

/// One server-sent event.
#[derive(Default)]
struct Event {
    id: Option<String>,
    kind: String,
    data: String,
}

impl Event {
    fn read(text: &str) -> Self {
        let mut event = Self::default();
        for line in text.lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("id", id) => event.id = Some(id.to_owned()),
                ("event", kind) => kind.clone_into(&mut event.kind),
                ("data", data) => event.data.push_str(data),
                _ => {}
            }
        }
        event
    }

    fn show(&self, as_json: bool) -> Result<(), Unwritten> {
        match self.kind.as_str() {
            "reset" => complain("some deliveries were removed in the meantime and are not shown"),
            "delivery" if as_json => say!("{}", self.data)?,
            "delivery" => say!("{}", line(&self.data))?,
            _ => {}
        }
        Ok(())
    }
}

fn line(data: &str) -> String {
    let row: Value = serde_json::from_str(data).unwrap_or_default();
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
        "{}  {}  {verdict}  {}  {}  {}  {ms:.1} ms  {}",
        text(&row, "received_at"),
        text(&row, "status"),
        text(&row, "source"),
        shown("event_type", "event"),
        shown("event_id", "event_id"),
        text(&row, "id"),
    )
}
