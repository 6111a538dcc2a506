//! `tagohook loop`: every event of the catalogue once round, through the program that runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde_json::{Value, json};

use super::arguments::{FullLoop, Globals};
use super::inspector::{self, Api, encoded, text};
use super::{configuration, environment};
use crate::app;
use crate::catalog::fresh_example;
use crate::config::read_addresses;
use crate::domain::{Clock as _, Scheme, Source};
use crate::send::{fresh_id, source_url};
use crate::telemetry::SystemClock;

/// How long the round may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is seen how far it came.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Makes a subscription to our own receiver, publishes everything, says what came of each, and takes it away again.
pub fn run(globals: &Globals, asked: &FullLoop) -> anyhow::Result<ExitCode> {
    let data_dir = globals.options().data_dir(&environment());
    let addresses = read_addresses(&data_dir)
        .with_context(|| format!("no tagohook runs on {}: start one with `tagohook`", data_dir.display()))?;
    let config = configuration(globals)?;
    let catalog = app::read_catalog(&config)?;
    let source = config.sources.first().context("there is no source")?;
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        let subscription = subscription(source, &source_url(addresses.receiver, &source.name))?;
        let made = api.post("subscriptions", Bytes::from(subscription.to_string())).await?;
        let mut failed = 0_u32;
        let mut published = Vec::new();
        for event_type in catalog.iter() {
            let now = SystemClock.now();
            let id = fresh_id(now);
            if let Some(example) = fresh_example(event_type, &id, &now.to_string()) {
                api.post("events", Bytes::from(example.to_string())).await?;
                published.push((event_type.name(), id));
            }
        }
        let end = Instant::now() + PATIENCE;
        for (name, id) in &published {
            let (is_round, words) = follow(&api, &source.name, &text(&made, "id"), id, end).await?;
            failed = failed.saturating_add(u32::from(!is_round));
            println!("{name:<34} {words}");
        }
        api.delete(&format!("subscriptions/{}", encoded(&text(&made, "id")))).await?;
        println!("{} published, {failed} did not come round", published.len());
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// A subscription to our own receiver, signed as its source wants it.
fn subscription(source: &Source, url: &str) -> anyhow::Result<Value> {
    if !source.credentials.is_empty() {
        bail!(
            "source {} asks for a credential; the loop goes through a first source without one",
            source.name
        );
    }
    let secrets: Vec<&str> = source.signature.secrets.iter().map(crate::domain::Secret::name).collect();
    let signature = match source.signature.scheme {
        scheme @ (Scheme::Tagorun | Scheme::StandardWebhooks) => {
            json!({"scheme": scheme.as_str(), "secrets": secrets.get(..1)})
        }
        Scheme::None => json!("none"),
        other => bail!("source {} is signed as {}, which is never sent", source.name, other.as_str()),
    };
    Ok(json!({
        "name": "The whole loop", "url": url, "events": ["*"], "sources": ["published"], "signature": signature,
        "retry_policy": {"max_attempts": 1},
    }))
}

/// Waits until an event was sent and received; whether it went round once, and that in words.
async fn follow(
    api: &Api,
    source: &str,
    subscription: &str,
    id: &str,
    end: Instant,
) -> anyhow::Result<(bool, String)> {
    let messages = format!("messages?event_id={}&subscription_id={}", encoded(id), encoded(subscription));
    let deliveries = format!("deliveries?event_id={}&source={}", encoded(id), encoded(source));
    loop {
        let sent = api.get(&messages).await?;
        let status =
            sent.pointer("/messages/0/status").and_then(Value::as_str).unwrap_or("not sent").to_owned();
        if matches!(status.as_str(), "pending" | "sending") && Instant::now() < end {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        let received = api.get(&deliveries).await?;
        let rows = received.get("deliveries").and_then(Value::as_array).cloned().unwrap_or_default();
        let verdicts: Vec<String> = rows.iter().map(|row| text(row, "verdict")).collect();
        let is_round = status == "delivered" && verdicts == ["accepted"];
        let received = if verdicts.is_empty() { "not received".to_owned() } else { verdicts.join(", ") };
        return Ok((is_round, format!("published, {status}, {received}")));
    }
}
