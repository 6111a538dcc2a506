//! `tagohook messages`: list, show, send now, move, cancel.

use std::process::ExitCode;

use serde_json::{Map, Value};

use super::arguments::{ChosenMessages, Globals, MessageFilter, Messages, MessagesCommand, Rows};
use super::fault::Fault;
use super::inspector::{self, Api, encoded, text};
use super::output::{counted, say};
use super::table::show_rows;

/// Runs the command on the messages of the running instance.
pub fn run(globals: &Globals, asked: &Messages) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = || Api::find(globals, &asked.inspector);
        match &asked.command {
            MessagesCommand::List { filter, rows } => list(&api()?, filter, *rows).await,
            MessagesCommand::Show { id } => {
                let told = api()?.get(&format!("messages/{}", encoded(id))).await?;
                say!("{}", serde_json::to_string_pretty(&told)?)?;
                Ok(ExitCode::SUCCESS)
            }
            MessagesCommand::SendNow(chosen) => {
                let which = which(chosen, None)?;
                act(&api()?, "send-now", chosen, which, ("queued to be sent now", "sent_now")).await
            }
            MessagesCommand::Move { to, chosen } => {
                let which = which(chosen, Some(to))?;
                act(&api()?, "move", chosen, which, ("moved", "moved")).await
            }
            MessagesCommand::Cancel(chosen) => {
                let which = which(chosen, None)?;
                act(&api()?, "cancel", chosen, which, ("cancelled", "cancelled")).await
            }
        }
    })
}

fn members(filter: &MessageFilter) -> Vec<(&'static str, &String)> {
    let all =
        [("subscription_id", &filter.subscription), ("event_id", &filter.event), ("status", &filter.status)];
    all.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value))).collect()
}

async fn list(api: &Api, filter: &MessageFilter, how: Rows) -> anyhow::Result<ExitCode> {
    let query: String =
        members(filter).into_iter().map(|(key, value)| format!("&{key}={}", encoded(value))).collect();
    let messages = api.pages("messages", &query, None).await?;
    let keys = ["id", "created_at", "event_type", "subscription_id", "status", "attempts", "next_attempt_at"];
    let heading = ["ID", "CREATED AT", "EVENT", "SUBSCRIPTION", "STATUS", "ATTEMPTS", "NEXT ATTEMPT"];
    show_rows(&messages, how, &heading, |row| keys.map(|key| text(row, key)).to_vec(), "no messages")?;
    Ok(ExitCode::SUCCESS)
}

/// What chooses messages, as the API takes it.
fn which(chosen: &ChosenMessages, to: Option<&String>) -> anyhow::Result<Map<String, Value>> {
    let members = members(&chosen.filter);
    if chosen.id.is_empty() && members.is_empty() && !chosen.all {
        return Err(Fault::usage(
            "choose messages: ids, --subscription, --event or --status, or --all; --dry-run only counts them",
        ));
    }
    let mut body: Map<String, Value> =
        members.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))).collect();
    if !chosen.id.is_empty() {
        body.insert("ids".to_owned(), chosen.id.clone().into());
    }
    body.extend(to.map(|to| ("to".to_owned(), Value::from(to.as_str()))));
    body.insert("all".to_owned(), chosen.all.into());
    body.insert("dry_run".to_owned(), chosen.dry_run.into());
    Ok(body)
}

/// `done` is the result, in words and as the member in the response. Exits with 1 if a message given by id could not
/// be changed.
async fn act(
    api: &Api,
    act: &str,
    chosen: &ChosenMessages,
    which: Map<String, Value>,
    (done, key): (&str, &str),
) -> anyhow::Result<ExitCode> {
    let told = api.post_question(&format!("messages/{act}"), which).await?;
    if chosen.dry_run {
        say!("{} would be {done}", messages(&told, "count"))?;
    } else {
        say!("{} {done}", messages(&told, key))?;
    }
    for warning in told.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        say!("warning: {}", warning.as_str().unwrap_or_default())?;
    }
    let skipped = told.get("skipped").and_then(Value::as_array).cloned().unwrap_or_default();
    for skipped in &skipped {
        say!("skipped {}: {}", text(skipped, "id"), text(skipped, "why"))?;
    }
    let is_done = chosen.id.is_empty() || skipped.is_empty();
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn messages(told: &Value, key: &str) -> String {
    counted(told.get(key).and_then(Value::as_u64).unwrap_or_default(), "message")
}
