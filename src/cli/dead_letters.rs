//! `tagohook dead-letters`: list, replay, discard.

use std::process::ExitCode;

use anyhow::bail;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::arguments::{DeadLetters, DeadLettersCommand, Globals, LetterFilter};
use super::inspector::{self, Api, encoded, print_table, text};
use super::output::{counted, say};

/// Runs the command on the dead letters of the running instance.
pub fn run(globals: &Globals, asked: &DeadLetters) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        match &asked.command {
            DeadLettersCommand::List(filter) => list(&api, filter).await,
            DeadLettersCommand::Replay { id, filter, all, dry_run } => {
                replay(&api, id, filter, *all, *dry_run).await
            }
            DeadLettersCommand::Drop { id } => {
                for id in id {
                    api.delete(&format!("dead-letters/{}", encoded(id))).await?;
                    say!("discarded {id}")?;
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

fn members(filter: &LetterFilter) -> Vec<(&'static str, &String)> {
    let all = [
        ("subscription_id", &filter.subscription),
        ("event_id", &filter.event),
        ("event_type", &filter.event_type),
        ("error", &filter.error),
    ];
    all.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value))).collect()
}

async fn list(api: &Api, filter: &LetterFilter) -> anyhow::Result<ExitCode> {
    let query: String =
        members(filter).into_iter().map(|(key, value)| format!("&{key}={}", encoded(value))).collect();
    let mut rows = Vec::new();
    let mut before = String::new();
    loop {
        let told = api.get(&format!("dead-letters?limit=500{before}{query}")).await?;
        let letters = told.get("dead_letters").and_then(Value::as_array).cloned().unwrap_or_default();
        rows.extend(letters.iter().map(|letter| {
            ["id", "failed_at", "event_type", "subscription_id", "attempts", "error"]
                .map(|key| text(letter, key))
                .to_vec()
        }));
        match told.get("next").and_then(Value::as_str) {
            Some(next) => before = format!("&before={}", encoded(next)),
            None => break,
        }
    }
    if rows.is_empty() {
        say!("no dead letters")?;
    } else {
        print_table(&["ID", "FAILED AT", "EVENT", "SUBSCRIPTION", "ATTEMPTS", "ERROR"], &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay(
    api: &Api,
    ids: &[String],
    filter: &LetterFilter,
    all: bool,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let members = members(filter);
    if !ids.is_empty() && (all || dry_run || !members.is_empty()) {
        bail!("give ids, or a filter (optionally with --dry-run), or --all");
    }
    for id in ids {
        let told = api.post(&format!("dead-letters/{}/replay", encoded(id)), Bytes::new()).await?;
        say!("replayed {id}")?;
        tell_warnings(&told)?;
    }
    if !ids.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if members.is_empty() && !all && !dry_run {
        bail!("give ids, --subscription, --event, --event-type or --error, or --all; --dry-run only counts");
    }
    let mut body: Map<String, Value> =
        members.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))).collect();
    body.insert("dry_run".to_owned(), dry_run.into());
    let told = api.post("dead-letters/replay", Bytes::from(Value::Object(body).to_string())).await?;
    if dry_run {
        say!("{} would be replayed", counted(text(&told, "count"), "dead letter"))?;
    } else {
        say!("{} queued for replay", counted(text(&told, "replayed"), "dead letter"))?;
    }
    tell_warnings(&told)?;
    Ok(ExitCode::SUCCESS)
}

fn tell_warnings(told: &Value) -> anyhow::Result<()> {
    for warning in told.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        say!("warning: {}", warning.as_str().unwrap_or_default())?;
    }
    Ok(())
}
