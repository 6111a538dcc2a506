//! `tagohook replay`: stored deliveries are sent again, and their run is watched.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::arguments::{Globals, Replay};
use super::inspector::{self, Api, encoded, text};

/// How long to wait before a run is looked at again.
const PAUSE: Duration = Duration::from_millis(300);

/// Does what was asked; fails where a delivery failed or the run was stopped.
pub fn run(globals: &Globals, asked: &Replay) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        if let Some(id) = &asked.stop {
            let run = api.post(&format!("replay-runs/{}/stop", encoded(id)), Bytes::new()).await?;
            println!("{}", sentence(&run));
            return Ok(ExitCode::SUCCESS);
        }
        let id = match &asked.resume {
            Some(id) => {
                api.post(&format!("replay-runs/{}/resume", encoded(id)), Bytes::new()).await?;
                id.clone()
            }
            None => {
                let told = api
                    .post("deliveries/replay", Bytes::from(Value::Object(wish(asked)?).to_string()))
                    .await?;
                println!("{}", plan(&told));
                match told.get("run_id").and_then(Value::as_str) {
                    Some(id) => id.to_owned(),
                    None => return Ok(ExitCode::SUCCESS),
                }
            }
        };
        println!("run {id}");
        if asked.detach { Ok(ExitCode::SUCCESS) } else { watch(&api, &id).await }
    })
}

fn wish(asked: &Replay) -> anyhow::Result<Map<String, Value>> {
    let mut members = Map::new();
    let search = asked.search.join(" ");
    if search.trim().is_empty() && !asked.all {
        bail!(
            "say which: a search as verdict:rejected after:-2h, or --all; --dry-run only says what would go"
        );
    }
    if !search.trim().is_empty() {
        members.insert("q".to_owned(), search.into());
    }
    members.extend([
        ("to".to_owned(), json!(asked.to)),
        ("signature".to_owned(), json!(asked.signature)),
        ("order".to_owned(), json!(asked.order)),
        ("rate".to_owned(), json!(asked.rate)),
        ("concurrency".to_owned(), json!(asked.concurrency)),
        ("limit".to_owned(), json!(asked.limit)),
        ("stop_on_error".to_owned(), json!(asked.stop_on_error)),
        ("dry_run".to_owned(), json!(asked.dry_run)),
    ]);
    Ok(members)
}

fn plan(told: &Value) -> String {
    let would = if told.get("dry_run") == Some(&Value::Bool(true)) { "would go" } else { "go" };
    let lasts = match told.get("seconds").and_then(Value::as_f64) {
        Some(seconds) => format!(", in {seconds:.0} s at least"),
        None => String::new(),
    };
    format!(
        "{} deliveries {would} to {}, {} first, signature {}{lasts}; first {}, last {}",
        text(told, "count"),
        text(told, "to"),
        text(told, "order"),
        text(told, "signature"),
        text(told, "first"),
        text(told, "last"),
    )
}

async fn watch(api: &Api, id: &str) -> anyhow::Result<ExitCode> {
    loop {
        let run = api.get(&format!("replay-runs/{}", encoded(id))).await?;
        if run.get("state").and_then(Value::as_str) != Some("running") {
            println!("{}", sentence(&run));
            let is_well = text(&run, "state") == "done" && run.get("failed") == Some(&json!(0));
            return Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn sentence(run: &Value) -> String {
    let why = match text(run, "why").as_str() {
        "-" => String::new(),
        why => format!(" at {why}"),
    };
    format!(
        "{}{why}: {} of {} are through, {} failed, {} were gone",
        text(run, "state"),
        text(run, "done"),
        text(run, "total"),
        text(run, "failed"),
        text(run, "gone"),
    )
}
