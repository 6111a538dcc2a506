//! `tagohook stats`: what arrived, what was forwarded, and what needs attention.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::arguments::{Globals, Stats};
use super::inspector::{self, Api, text};
use super::output::{counted, say};
use super::table::print_table;

/// Prints the figures of the running instance.
pub fn run(globals: &Globals, asked: &Stats) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        let overview = api.get(&format!("overview?range={}", asked.range)).await?;
        let sent = api.get("stats").await?;
        if asked.json {
            say!("{}", json!({"range": asked.range, "overview": overview, "forwarding": sent}))?;
            return Ok(ExitCode::SUCCESS);
        }
        received(&overview, &asked.range)?;
        forwarded(&sent)?;
        attention(&overview, &api)?;
        Ok(ExitCode::SUCCESS)
    })
}

fn items<'v>(of: &'v Value, key: &str) -> Vec<&'v Value> {
    of.get(key).and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

fn received(overview: &Value, range: &str) -> anyhow::Result<()> {
    let deliveries = match text(overview, "deliveries") {
        one if one == "1" => "1 delivery".to_owned(),
        more => format!("{more} deliveries"),
    };
    say!("Received in the last {range}: {deliveries}")?;
    let counts = |key: &str| -> Vec<String> {
        let members = overview.get(key).and_then(Value::as_object).into_iter().flatten();
        members
            .filter(|(_, count)| count.as_u64() != Some(0))
            .map(|(name, count)| format!("{count} {name}"))
            .collect()
    };
    let verdicts = counts("verdicts");
    if !verdicts.is_empty() {
        say!("  {}", verdicts.join(", "))?;
    }
    say!("  response time: median {}, 95th percentile {}", ms(overview, "p50_ms"), ms(overview, "p95_ms"))?;
    Ok(())
}

/// A time, or `–` where none was measured.
fn ms(of: &Value, key: &str) -> String {
    of.get(key).and_then(Value::as_f64).map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1} ms"))
}

fn forwarded(sent: &Value) -> anyhow::Result<()> {
    let Some(overall) = sent.get("overall") else { return Ok(()) };
    say!(
        "\nForwarded: {}, {} succeeded, {} failed; {} waiting, {}",
        counted(text(overall, "total_sent"), "attempt"),
        text(overall, "successful_deliveries"),
        text(overall, "failed_deliveries"),
        text(overall, "pending_messages"),
        counted(text(overall, "dead_letters"), "dead letter"),
    )?;
    let subscriptions = sent.get("subscriptions").and_then(Value::as_object).into_iter().flatten();
    let keys =
        ["total_sent", "successful_deliveries", "failed_deliveries", "pending_messages", "dead_letters"];
    let rows: Vec<Vec<String>> = subscriptions
        .map(|(id, own)| std::iter::once(id.clone()).chain(keys.map(|key| text(own, key))).collect())
        .collect();
    if !rows.is_empty() {
        print_table(&["SUBSCRIPTION", "ATTEMPTS", "SUCCEEDED", "FAILED", "WAITING", "DEAD LETTERS"], &rows)?;
    }
    Ok(())
}

fn attention(overview: &Value, api: &Api) -> anyhow::Result<()> {
    let attention = items(overview, "attention");
    if attention.is_empty() {
        say!("\nNeeds attention: nothing")?;
        return Ok(());
    }
    say!("\nNeeds attention")?;
    for one in attention {
        say!("  - {}", text(one, "sentence"))?;
        if one.get("action").is_some_and(Value::is_string) {
            say!("    {}: {}", text(one, "action"), api.page(&text(one, "url")))?;
        }
    }
    Ok(())
}
