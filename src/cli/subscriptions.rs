//! `tagohook subscriptions`: list, add, test.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde_json::Value;

use super::arguments::{Globals, Subscriptions, SubscriptionsCommand};
use super::inspector::{self, Api, encoded, print_table, text};
use super::sign::read_body;

/// Does what was asked with the subscriptions of the program that runs.
pub fn run(globals: &Globals, asked: &Subscriptions) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        match &asked.command {
            SubscriptionsCommand::List => list(&api).await,
            SubscriptionsCommand::Add { file } => add(&api, read_body(file.as_deref())?).await,
            SubscriptionsCommand::Test { subscription } => test(&api, subscription).await,
        }
    })
}

fn items<'v>(told: &'v Value, key: &str) -> Vec<&'v Value> {
    told.get(key).and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

async fn list(api: &Api) -> anyhow::Result<ExitCode> {
    let told = api.get("subscriptions").await?;
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
        println!("no subscriptions; `tagohook subscriptions add FILE` adds one");
    } else {
        print_table(&["ID", "NAME", "EVENTS", "STATE", "ENDPOINT", "URL"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(api: &Api, json: Bytes) -> anyhow::Result<ExitCode> {
    let told = api.post("subscriptions", json).await?;
    println!("{}  {}", text(&told, "id"), text(&told, "name"));
    for warning in items(&told, "warnings") {
        println!("  warning: {}", warning.as_str().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}

async fn test(api: &Api, id_or_name: &str) -> anyhow::Result<ExitCode> {
    let told = api.get("subscriptions").await?;
    let all = items(&told, "subscriptions");
    let is_it = |key: &'static str| all.iter().find(|one| text(one, key) == id_or_name);
    let found = is_it("id").or_else(|| is_it("name"));
    let subscription = found.with_context(|| {
        format!("there is no subscription {id_or_name:?}; `tagohook subscriptions list` lists them")
    })?;
    let sent =
        api.post(&format!("subscriptions/{}/test", encoded(&text(subscription, "id"))), Bytes::new()).await?;
    let Some(attempt) = sent.get("attempt").filter(|attempt| !attempt.is_null()) else {
        bail!(
            "message {} was not sent in time; `tagohook dead-letters list` may tell more",
            text(&sent, "message_id")
        );
    };
    let ms = attempt.get("duration_ms").and_then(Value::as_f64).unwrap_or_default();
    match attempt.get("status").and_then(Value::as_u64) {
        Some(status) => println!("{status} in {ms:.1} ms  {}", text(attempt, "response_body")),
        None => println!("{} after {ms:.1} ms: {}", text(attempt, "error"), text(attempt, "error_detail")),
    }
    let is_delivered = text(&sent, "status") == "delivered";
    Ok(if is_delivered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
