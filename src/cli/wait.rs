//! `tagohook wait`: waits until a delivery matches, for tests and scripts.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::arguments::{Globals, Wait};
use super::fault::Fault;
use super::inspector::{self, Api, encoded, text};
use super::moment::read_since;
use super::output::{answer, complain, say};
use super::query::query_of;
use crate::config::duration;
use crate::domain::Clock as _;
use crate::telemetry::SystemClock;

/// The longest wait of one request.
const LONGEST: Duration = Duration::from_secs(240);
/// The pause before a request is repeated, if the instance was away.
const PAUSE: Duration = Duration::from_millis(500);

/// Prints the first match as JSON; exits with 1 if there was none in time.
pub fn run(globals: &Globals, asked: &Wait) -> anyhow::Result<ExitCode> {
    let timeout = duration(&asked.timeout).map_err(|why| Fault::usage(format!("--timeout: {why}")))?;
    let since = match &asked.since {
        Some(since) => read_since(since)?,
        None => SystemClock.wall().to_string(),
    };
    let query = query_of(&asked.query);
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        let deadline = Instant::now() + timeout;
        let mut is_known = false;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).min(LONGEST);
            if left.is_zero() {
                complain(format_args!("no delivery matched within {}", asked.timeout));
                return Ok(ExitCode::FAILURE);
            }
            let began = Instant::now();
            let path = format!("wait?timeout={}ms&from={}{query}", left.as_millis(), encoded(&since));
            match api.get(&path).await {
                Ok(row) => {
                    let whole = api.get(&format!("deliveries/{}", encoded(&text(&row, "id")))).await?;
                    return answer(say!("{whole}"), ExitCode::SUCCESS);
                }
                Err(fault) if Fault::is_timeout(&fault) => is_known = true,
                // A restart of the instance: what arrived in the meantime is found by its time.
                Err(fault) if Fault::may_pass(&fault) && (is_known || began.elapsed() > PAUSE) => {
                    is_known = true;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(fault) => return Err(fault),
            }
        }
    })
}
