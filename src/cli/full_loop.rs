//! `tagohook loop`: sends every event of the catalogue through the running instance and back.
//!
//! The round uses a temporary subscription, which is removed however the command ends. If the command is killed, the
//! subscription remains. It is marked: it accepts only the events of its own round, and the next round removes it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde_json::{Value, json};

use super::arguments::{FullLoop, Globals};
use super::fault::Fault;
use super::inspector::{self, Api, encoded, nobody_runs, text};
use super::interrupt::Interrupts;
use super::output::{answer, complain, say};
use super::{configuration, environment};
use crate::app;
use crate::catalog::{Catalog, fresh_example};
use crate::config::addresses_file;
use crate::domain::{Clock as _, Scheme, Source};
use crate::send::{OwnReceiver, fresh_id};
use crate::telemetry::SystemClock;

/// The time limit of a round.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often its progress is checked.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The time limit for removing the subscription.
const REMOVE_WITHIN: Duration = Duration::from_secs(5);
/// The header that marks the subscription of a round. User subscriptions never have it.
const MARK: &str = "X-Tagohook-Loop";

/// Creates a subscription to our own receiver, publishes every event, prints each result, and removes the
/// subscription.
pub fn run(globals: &Globals, asked: &FullLoop) -> anyhow::Result<ExitCode> {
    let data_dir = globals.options().data_dir(&environment());
    let receiver = OwnReceiver::of_data_dir(&data_dir).ok_or_else(|| match &asked.inspector.url {
        None => nobody_runs(&data_dir, ""),
        Some(_) => Fault::usage(
            "the loop goes through a receiver on this machine: give the --data-dir of the instance",
        ),
    })?;
    let config = configuration(globals)?;
    let catalog = app::read_catalog(&config)?;
    let source = config.sources.first().context("the configuration has no source")?;
    if receiver.listen().socket().is_some() {
        bail!("the receiver listens on {receiver}, which a subscription cannot reach");
    }
    let url = receiver.source_url(&source.name);
    let _only_one = only_one(&data_dir)?;
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        remove_left_behind(&api).await?;
        let round = Round { api: &api, source, catalog: &catalog, mark: fresh_id(SystemClock.now()), url };
        // From here on, a signal does not end the process: the subscription is removed first.
        let mut interrupts = Interrupts::listen()?;
        let subscription = Bytes::from(round.subscription()?.to_string());
        let made = tokio::select! {
            made = api.post("subscriptions", subscription) => text(&made?, "id"),
            signal = interrupts.twice() => return Err(signal.into()),
        };
        let done = interrupts.or(round.go(&made)).await;
        let removed = tokio::time::timeout(REMOVE_WITHIN, remove(&api, &made)).await;
        if !matches!(removed, Ok(Ok(()))) {
            complain(format_args!(
                "subscription {made} could not be removed; the next `tagohook loop` removes it, or `tagohook \
                 subscriptions remove {made}`"
            ));
        }
        let (published, failed) = done?;
        let code = if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        answer(say!("{published} published, {failed} did not arrive"), code)
    })
}

/// A lock for the duration of a round. With it, any marked subscription at the start must be left over.
fn only_one(data_dir: &Path) -> anyhow::Result<File> {
    let path = addresses_file(data_dir);
    let file = File::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            bail!("another `tagohook loop` is running on {}", data_dir.display())
        }
        // Without lock support, two rounds at once are still unlikely.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

async fn remove_left_behind(api: &Api) -> anyhow::Result<()> {
    let told = api.get("subscriptions").await?;
    let all = told.get("subscriptions").and_then(Value::as_array).cloned().unwrap_or_default();
    for left in all.iter().filter(|one| one.pointer(&format!("/headers/{MARK}")).is_some()) {
        let id = text(left, "id");
        remove(api, &id).await?;
        complain(format_args!("removed subscription {id}, which an earlier `tagohook loop` left behind"));
    }
    Ok(())
}

async fn remove(api: &Api, id: &str) -> anyhow::Result<()> {
    api.delete(&format!("subscriptions/{}", encoded(id))).await.map(drop)
}

/// One round.
struct Round<'a> {
    api: &'a Api,
    source: &'a Source,
    catalog: &'a Catalog,
    /// The prefix of its event ids.
    mark: String,
    url: String,
}

impl Round<'_> {
    /// Publishes every event and follows it. Returns the number of events and of those that did not return.
    async fn go(&self, subscription: &str) -> anyhow::Result<(usize, u32)> {
        let mut published = Vec::new();
        for event_type in self.catalog.iter() {
            let id = format!("{}_{}", self.mark, published.len());
            if let Some(example) = fresh_example(event_type, &id, &SystemClock.wall().to_string()) {
                self.api.post("events", Bytes::from(example.to_string())).await?;
                published.push((event_type.name(), id));
            }
        }
        let end = Instant::now() + PATIENCE;
        let mut failed = 0_u32;
        for (name, id) in &published {
            let (is_round, words) = follow(self.api, &self.source.name, subscription, id, end).await?;
            failed = failed.saturating_add(u32::from(!is_round));
            say!("{name:<34} {words}")?;
        }
        if failed > 0 {
            self.hint(subscription).await?;
        }
        Ok((published.len(), failed))
    }

    /// Names the subscriptions that send the same events to the same URL.
    async fn hint(&self, own: &str) -> anyhow::Result<()> {
        let told = self.api.get("subscriptions").await?;
        let all = told.get("subscriptions").and_then(Value::as_array).cloned().unwrap_or_default();
        for other in all.iter().filter(|one| text(one, "url") == self.url && text(one, "id") != own) {
            let (id, name) = (text(other, "id"), text(other, "name"));
            say!(
                "subscription {name:?} ({id}) sends to {} too, so events arrive twice; `tagohook subscriptions remove {id}` \
                 removes it",
                self.url
            )?;
        }
        Ok(())
    }

    /// A subscription to our own receiver, signed as its source requires.
    fn subscription(&self) -> anyhow::Result<Value> {
        let source = self.source;
        if !source.credentials.is_empty() {
            bail!("source {} requires a credential; the loop needs a first source without one", source.name);
        }
        let secrets: Vec<&str> = source.signature.secrets.iter().map(crate::domain::Secret::name).collect();
        let signature = match source.signature.scheme {
            scheme @ (Scheme::Tagorun | Scheme::StandardWebhooks) => {
                json!({"scheme": scheme.as_str(), "secrets": secrets.get(..1)})
            }
            Scheme::None => json!("none"),
            other => bail!("source {}: tagohook cannot send the signature {}", source.name, other.as_str()),
        };
        let is_of_this_round = json!({"field": "id", "operator": "starts_with", "value": self.mark});
        Ok(json!({
            "name": "tagohook loop (temporary)", "url": self.url, "events": ["*"], "sources": ["published"],
            "headers": {MARK: self.mark},
            "filters": {"*": {"conditions": [is_of_this_round]}},
            "signature": signature, "retry_policy": {"max_attempts": 1},
        }))
    }
}

/// Waits until an event was sent and received. Returns whether it returned exactly once, and a description.
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
