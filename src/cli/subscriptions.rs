//! `tagohook subscriptions`: list, add, show, enable, disable, remove, test.

use std::process::ExitCode;

use anyhow::bail;
use bytes::Bytes;
use serde_json::{Value, json};

use super::arguments::{Globals, Rows, Subscriptions, SubscriptionsCommand};
use super::inspector::{self, Api, encoded, text};
use super::output::{answer, say};
use super::sign::read_body;
use super::table::print_table;

/// Runs the command on the subscriptions of the running instance.
pub fn run(globals: &Globals, asked: &Subscriptions) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        match &asked.command {
            SubscriptionsCommand::List(rows) => list(&api, *rows).await,
            SubscriptionsCommand::Add { file } => add(&api, as_utf8(read_body(file.as_deref())?)).await,
            SubscriptionsCommand::Show { subscription } => show(&api, subscription).await,
            SubscriptionsCommand::Enable { subscription } => enable(&api, subscription, true).await,
            SubscriptionsCommand::Disable { subscription } => enable(&api, subscription, false).await,
            SubscriptionsCommand::Remove { subscription } => remove(&api, subscription).await,
            SubscriptionsCommand::Test { subscription } => test(&api, subscription).await,
        }
    })
}

fn items<'v>(told: &'v Value, key: &str) -> Vec<&'v Value> {
    told.get(key).and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

async fn list(api: &Api, how: Rows) -> anyhow::Result<ExitCode> {
    let told = api.get("subscriptions").await?;
    if how.json {
        items(&told, "subscriptions")
            .into_iter()
            .chain(items(&told, "parked"))
            .try_for_each(|row| say!("{row}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let health = api.get("health").await?;
    let mut rows: Vec<Vec<String>> = items(&told, "subscriptions")
        .into_iter()
        .map(|subscription| {
            let id = text(subscription, "id");
            let endpoint = items(&health, "endpoints")
                .into_iter()
                .find(|endpoint| text(endpoint, "subscription_id") == id);
            let events =
                items(subscription, "events").into_iter().filter_map(Value::as_str).collect::<Vec<_>>();
            let state = match (subscription.get("enabled"), subscription.get("disabled_reason")) {
                (Some(Value::Bool(true)), _) => "enabled".to_owned(),
                (_, Some(Value::String(reason))) => format!("disabled: {reason}"),
                _ => "disabled".to_owned(),
            };
            let seen = endpoint.map_or_else(|| "-".to_owned(), |endpoint| text(endpoint, "status"));
            vec![id, text(subscription, "name"), events.join(","), state, seen, text(subscription, "url")]
        })
        .collect();
    rows.extend(items(&told, "parked").into_iter().map(|parked| {
        let state = format!("{}: {} parked", text(parked, "state"), text(parked, "parked_messages"));
        vec![
            text(parked, "id"),
            text(parked, "name"),
            "-".to_owned(),
            state,
            "-".to_owned(),
            text(parked, "url"),
        ]
    }));
    if rows.is_empty() {
        say!("no subscriptions; `tagohook subscriptions add FILE` adds one")?;
    } else {
        print_table(&["ID", "NAME", "EVENTS", "STATE", "ENDPOINT", "URL"], &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(api: &Api, json: Bytes) -> anyhow::Result<ExitCode> {
    let told = api.post("subscriptions", json).await?;
    say!("{}  {}", text(&told, "id"), text(&told, "name"))?;
    print_warnings(&told)
}

fn print_warnings(told: &Value) -> anyhow::Result<ExitCode> {
    for warning in items(told, "warnings") {
        say!("  warning: {}", warning.as_str().unwrap_or_default())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(api: &Api, id_or_name: &str) -> anyhow::Result<ExitCode> {
    let id = find(api, id_or_name).await?;
    say!("{}", api.get(&format!("subscriptions/{}", encoded(&id))).await?)?;
    Ok(ExitCode::SUCCESS)
}

async fn enable(api: &Api, id_or_name: &str, enabled: bool) -> anyhow::Result<ExitCode> {
    let id = find(api, id_or_name).await?;
    let change = json!({"enabled": enabled}).to_string();
    let told = api.patch(&format!("subscriptions/{}", encoded(&id)), change.into()).await?;
    say!("{} {id}", if enabled { "enabled" } else { "disabled" })?;
    print_warnings(&told)
}

async fn remove(api: &Api, id_or_name: &str) -> anyhow::Result<ExitCode> {
    let id = find(api, id_or_name).await?;
    let told = api.delete(&format!("subscriptions/{}", encoded(&id))).await?;
    say!("removed {id}")?;
    print_warnings(&told)
}

/// The id of the subscription with this id, or else with this name.
async fn find(api: &Api, id_or_name: &str) -> anyhow::Result<String> {
    let told = api.get("subscriptions").await?;
    let all = items(&told, "subscriptions");
    if all.iter().any(|one| text(one, "id") == id_or_name) {
        return Ok(id_or_name.to_owned());
    }
    let named: Vec<String> =
        all.iter().filter(|one| text(one, "name") == id_or_name).map(|one| text(one, "id")).collect();
    match &*named {
        [id] => Ok(id.clone()),
        [] => bail!("no subscription {id_or_name:?}; `tagohook subscriptions list` lists them"),
        several => {
            bail!("{id_or_name:?} is the name of several subscriptions; use an id: {}", several.join(", "))
        }
    }
}

/// JSON converted to UTF-8: PowerShell writes files in UTF-16.
fn as_utf8(json: Bytes) -> Bytes {
    let units = |order: fn([u8; 2]) -> u16| -> Vec<u16> {
        json.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(order)).collect()
    };
    let text = match json.get(..2) {
        Some([0xff, 0xfe]) => String::from_utf16(&units(u16::from_le_bytes)),
        Some([0xfe, 0xff]) => String::from_utf16(&units(u16::from_be_bytes)),
        _ => return json,
    };
    text.map_or(json, Bytes::from)
}

async fn test(api: &Api, id_or_name: &str) -> anyhow::Result<ExitCode> {
    let id = find(api, id_or_name).await?;
    let sent = api.post(&format!("subscriptions/{}/test", encoded(&id)), Bytes::new()).await?;
    let Some(attempt) = sent.get("attempt").filter(|attempt| !attempt.is_null()) else {
        bail!(
            "message {} was not sent in time; see its page in the inspector, or `tagohook dead-letters list`",
            text(&sent, "message_id")
        );
    };
    let ms = attempt.get("duration_ms").and_then(Value::as_f64).unwrap_or_default();
    let printed = match attempt.get("status").and_then(Value::as_u64) {
        Some(status) => say!("{status} in {ms:.1} ms  {}", text(attempt, "response_body")),
        None => say!("{} after {ms:.1} ms: {}", text(attempt, "error"), text(attempt, "error_detail")),
    };
    let is_delivered = text(&sent, "status") == "delivered";
    answer(printed, if is_delivered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
