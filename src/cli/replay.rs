//! `tagohook replay`: replays stored deliveries and follows the run. Ending the command stops its run.

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::arguments::{Globals, Replay};
use super::fault::Fault;
use super::inspector::{self, Api, encoded, text};
use super::interrupt::{Interrupted, Interrupts};
use super::output::{Unwritten, answer, complain, say};

/// The pause between two checks of a run.
const PAUSE: Duration = Duration::from_millis(300);

/// Runs the command; fails if a delivery failed or the run was stopped.
pub fn run(globals: &Globals, asked: &Replay) -> anyhow::Result<ExitCode> {
    let is_new = asked.resume.is_none() && asked.stop.is_none();
    let wish = is_new.then(|| wish(asked)).transpose()?.unwrap_or_default();
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        if let Some(id) = &asked.stop {
            say!("{}", sentence(&stop(&api, id).await?))?;
            return Ok(ExitCode::SUCCESS);
        }
        // From here on, a signal does not end the process: the run is stopped first.
        let mut interrupts = Interrupts::listen()?;
        let (id, plan) = tokio::select! {
            begun = begin(&api, asked, wish) => begun?,
            signal = interrupts.twice() => {
                complain("no answer yet; a run may have started. The page Replays of the inspector shows and stops runs.");
                return Err(signal.into());
            }
        };
        let Some(id) = id else {
            say!("{plan}")?;
            return Ok(ExitCode::SUCCESS);
        };
        if asked.detach {
            say!(
                "{plan}\nrun {id}\nThe run continues in the background; `tagohook replay --stop {id}` stops it"
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        match interrupts.or(follow(&api, &id, &plan)).await {
            Err(fault) if fault.is::<Interrupted>() || fault.is::<Unwritten>() => {
                end(&api, &id, &mut interrupts).await;
                Err(fault)
            }
            Err(fault) => {
                complain(format_args!("run {id} may continue; `tagohook replay --stop {id}` stops it"));
                Err(fault)
            }
            done => done,
        }
    })
}

/// Starts or continues a run. Returns its id, if there is one, and a description.
async fn begin(
    api: &Api,
    asked: &Replay,
    wish: Map<String, Value>,
) -> anyhow::Result<(Option<String>, String)> {
    if let Some(id) = &asked.resume {
        let run = api.post(&format!("replay-runs/{}/resume", encoded(id)), Bytes::new()).await?;
        return Ok((Some(id.clone()), sentence(&run)));
    }
    let told = api.post_question("deliveries/replay", wish).await?;
    Ok((told.get("run_id").and_then(Value::as_str).map(str::to_owned), plan(&told)))
}

async fn stop(api: &Api, id: &str) -> anyhow::Result<Value> {
    api.post(&format!("replay-runs/{}/stop", encoded(id)), Bytes::new()).await
}

/// Stops a run whose command was ended, and prints the result.
async fn end(api: &Api, id: &str, interrupts: &mut Interrupts) {
    let stopped = async {
        match stop(api, id).await {
            // The run was already finished.
            Err(_) => api.get(&format!("replay-runs/{}", encoded(id))).await,
            stopped => stopped,
        }
    };
    match interrupts.or(stopped).await {
        Ok(run) => complain(sentence(&run)),
        Err(fault) => complain(format_args!(
            "run {id} may continue ({fault:#}); `tagohook replay --stop {id}` stops it"
        )),
    }
}

fn wish(asked: &Replay) -> anyhow::Result<Map<String, Value>> {
    let mut members = Map::new();
    let search = asked.search.join(" ");
    if search.trim().is_empty() && !asked.all {
        return Err(Fault::usage(
            "give a search, as verdict:rejected after:-2h, or --all; --dry-run only prints what would be replayed",
        ));
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
    let would =
        if told.get("dry_run") == Some(&Value::Bool(true)) { "would be replayed" } else { "to replay" };
    let lasts = match told.get("seconds").and_then(Value::as_f64) {
        Some(seconds) => format!(", in {seconds:.0} s at least"),
        None => String::new(),
    };
    format!(
        "{} {would} to {}, {} first, signature {}{lasts}; first {}, last {}",
        deliveries(&text(told, "count")),
        text(told, "to"),
        text(told, "order"),
        text(told, "signature"),
        text(told, "first"),
        text(told, "last"),
    )
}

async fn follow(api: &Api, id: &str, plan: &str) -> anyhow::Result<ExitCode> {
    say!("{plan}\nrun {id}")?;
    loop {
        let run = api.get(&format!("replay-runs/{}", encoded(id))).await?;
        if run.get("state").and_then(Value::as_str) != Some("running") {
            let is_well = text(&run, "state") == "done" && run.get("failed") == Some(&json!(0));
            let code = if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            return answer(say!("{}", sentence(&run)), code);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The result of a run: `stopped: 3 of 40 deliveries replayed, 0 failed, 0 expired; --resume ID continues`.
fn sentence(run: &Value) -> String {
    let why = match text(run, "why").as_str() {
        "-" => String::new(),
        why => format!(" at {why}"),
    };
    let state = text(run, "state");
    let next = match state.as_str() {
        "stopped" => format!("; `tagohook replay --resume {}` continues", text(run, "id")),
        _ => String::new(),
    };
    format!(
        "{state}{why}: {} of {} replayed, {} failed, {} expired{next}",
        text(run, "done"),
        deliveries(&text(run, "total")),
        text(run, "failed"),
        text(run, "gone"),
    )
}

fn deliveries(count: &str) -> String {
    if count == "1" { "1 delivery".to_owned() } else { format!("{count} deliveries") }
}
