//! `tagohook dead-letters`: list, count by cause, replay, discard.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::arguments::{DeadLetters, DeadLettersCommand, Globals, LetterFilter, Rows};
use super::fault::Fault;
use super::inspector::{self, Api, encoded, text};
use super::output::{counted, say};
use super::table::show_rows;

/// Runs the command on the dead letters of the running instance.
pub fn run(globals: &Globals, asked: &DeadLetters) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = || Api::find(globals, &asked.inspector);
        match &asked.command {
            DeadLettersCommand::List { filter, rows } => list(&api()?, filter, *rows).await,
            DeadLettersCommand::Replay { id, filter, all, dry_run } => {
                let which = which(id, filter, *all, *dry_run)?;
                replay(&api()?, id, which, *dry_run).await
            }
            DeadLettersCommand::Groups { filter, rows } => groups(&api()?, filter, *rows).await,
            DeadLettersCommand::Discard { id, filter, all, dry_run, yes } => {
                let which = which(id, filter, *all, *dry_run)?;
                discard(&api()?, id, which, *dry_run, *yes).await
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
        ("error_is", &filter.error_is),
    ];
    all.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value))).collect()
}

async fn list(api: &Api, filter: &LetterFilter, how: Rows) -> anyhow::Result<ExitCode> {
    let query: String =
        members(filter).into_iter().map(|(key, value)| format!("&{key}={}", encoded(value))).collect();
    let letters = api.pages("dead_letters", &query, None).await?;
    let keys = ["id", "failed_at", "event_type", "subscription_id", "attempts", "error"];
    let heading = ["ID", "FAILED AT", "EVENT", "SUBSCRIPTION", "ATTEMPTS", "ERROR"];
    show_rows(&letters, how, &heading, |row| keys.map(|key| text(row, key)).to_vec(), "no dead letters")?;
    Ok(ExitCode::SUCCESS)
}

async fn groups(api: &Api, filter: &LetterFilter, how: Rows) -> anyhow::Result<ExitCode> {
    let query: Vec<String> =
        members(filter).into_iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    let told = api.get(&format!("dead-letters/groups?{}", query.join("&"))).await?;
    let groups = told.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
    let keys = ["count", "subscription_id", "error", "since", "last"];
    let heading = ["COUNT", "SUBSCRIPTION", "ERROR", "SINCE", "LAST"];
    show_rows(&groups, how, &heading, |row| keys.map(|key| text(row, key)).to_vec(), "no dead letters")?;
    Ok(ExitCode::SUCCESS)
}

/// What chooses dead letters, as the API takes it.
fn which(
    ids: &[String],
    filter: &LetterFilter,
    all: bool,
    dry_run: bool,
) -> anyhow::Result<Map<String, Value>> {
    let members = members(filter);
    if !ids.is_empty() && (all || dry_run || !members.is_empty()) {
        return Err(Fault::usage("give ids, or a filter (optionally with --dry-run), or --all"));
    }
    if ids.is_empty() && members.is_empty() && !all && !dry_run {
        return Err(Fault::usage(
            "give ids, --subscription, --event, --event-type or --error, or --all; --dry-run only counts",
        ));
    }
    Ok(members.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))).collect())
}

async fn discard(
    api: &Api,
    ids: &[String],
    mut which: Map<String, Value>,
    dry_run: bool,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    for id in ids {
        api.delete(&format!("dead-letters/{}", encoded(id))).await?;
        say!("discarded {id}")?;
    }
    if !ids.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    which.insert("dry_run".to_owned(), true.into());
    let told = api.post_question("dead-letters/discard", which.clone()).await?;
    let found = counted(text(&told, "count"), "dead letter");
    if dry_run {
        say!("{found} would be discarded")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !yes && text(&told, "count") != "0" && !is_confirmed(&format!("Discard {found}?"))? {
        say!("nothing was discarded")?;
        return Ok(ExitCode::FAILURE);
    }
    which.insert("dry_run".to_owned(), false.into());
    which.insert("all".to_owned(), true.into());
    let told = api.post_question("dead-letters/discard", which).await?;
    say!("{} discarded", counted(text(&told, "discarded"), "dead letter"))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks on the terminal.
///
/// # Errors
/// Where there is no terminal to ask on.
fn is_confirmed(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Fault::usage(format!(
            "{question} There is no terminal to ask on: add --yes, or --dry-run to count"
        )));
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut reply = String::new();
    std::io::stdin().read_line(&mut reply)?;
    Ok(matches!(reply.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

async fn replay(
    api: &Api,
    ids: &[String],
    mut which: Map<String, Value>,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    for id in ids {
        let told = api.post(&format!("dead-letters/{}/replay", encoded(id)), Bytes::new()).await?;
        say!("replayed {id}")?;
        tell_warnings(&told)?;
    }
    if !ids.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    which.insert("dry_run".to_owned(), dry_run.into());
    let told = api.post_question("dead-letters/replay", which).await?;
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
