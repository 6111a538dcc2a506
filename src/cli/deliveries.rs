//! `tagohook deliveries`: list, show.

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use super::arguments::{Deliveries, DeliveriesCommand, Globals, Rows};
use super::inspector::{self, Api, encoded, text};
use super::output::{say, written};
use super::query::query_of;
use super::table::show_rows;

/// Runs the command on the deliveries of the running instance.
pub fn run(globals: &Globals, asked: &Deliveries) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        match &asked.command {
            DeliveriesCommand::List { query, limit, rows } => list(&api, query, *limit, *rows).await,
            DeliveriesCommand::Show { id, raw: true, .. } => {
                let bytes = api.bytes(&format!("deliveries/{}/raw", encoded(id))).await?;
                let mut out = std::io::stdout().lock();
                written(out.write_all(&bytes).and_then(|()| out.flush()))?;
                Ok(ExitCode::SUCCESS)
            }
            DeliveriesCommand::Show { id, json, .. } => {
                let delivery = api.get(&format!("deliveries/{}", encoded(id))).await?;
                if *json {
                    say!("{delivery}")?
                } else {
                    show(&delivery)?
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

async fn list(api: &Api, query: &[String], limit: u32, how: Rows) -> anyhow::Result<ExitCode> {
    let query = query_of(query);
    let rows = api.pages("deliveries", &query, usize::try_from(limit).ok()).await?;
    let heading = ["RECEIVED AT", "STATUS", "RESULT", "SOURCE", "EVENT", "EVENT ID", "ID"];
    let cells = |row: &Value| {
        let result = match row.get("reason").and_then(Value::as_str) {
            Some(reason) => reason.to_owned(),
            None => text(row, "verdict"),
        };
        let [received, status, source, id] =
            ["received_at", "status", "source", "id"].map(|key| text(row, key));
        vec![received, status, result, source, text(row, "event_type"), text(row, "event_id"), id]
    };
    show_rows(&rows, how, &heading, cells, "no deliveries")?;
    Ok(ExitCode::SUCCESS)
}

fn show(delivery: &Value) -> anyhow::Result<()> {
    let shown = |key: &str| text(delivery, key);
    say!("{}  {}  {}", shown("status"), shown("verdict"), shown("headline"))?;
    say!("{} {} from {} at {}", shown("method"), shown("path"), shown("client_ip"), shown("received_at"))?;
    say!("source {}, event {}, event id {}", shown("source"), shown("event_type"), shown("event_id"))?;
    if let Some(cause) = delivery.get("cause").filter(|cause| cause.is_object()) {
        say!("\n{}", text(cause, "text"))?;
        for fix in cause.get("fixes").and_then(Value::as_array).into_iter().flatten() {
            say!("  - {}", text(fix, "step"))?;
            if fix.get("line").is_some_and(Value::is_string) {
                say!("    {}", text(fix, "line"))?;
            }
        }
    }
    say!("\nChecks")?;
    for check in delivery.get("checks").and_then(Value::as_array).into_iter().flatten() {
        say!("  {:<12} {:<8} {}", text(check, "check"), text(check, "outcome"), text(check, "seen"))?;
    }
    say!("\nHeaders")?;
    for line in delivery.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let part = |at: &str| {
            line.pointer(at).and_then(Value::as_str).unwrap_or_default().escape_debug().to_string()
        };
        say!("  {}: {}", part("/0"), part("/1"))?;
    }
    match delivery.get("body").and_then(Value::as_str) {
        Some(body) => {
            let is_safe = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
            let body: String =
                body.chars().map(|letter| if is_safe(letter) { letter } else { '\u{fffd}' }).collect();
            say!("\nBody, {} bytes\n{body}", shown("size_bytes"))?;
        }
        None => say!(
            "\nBody, {} bytes, not text; `tagohook deliveries show {} --raw` prints it",
            shown("size_bytes"),
            shown("id")
        )?,
    }
    Ok(())
}
