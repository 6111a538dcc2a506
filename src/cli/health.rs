//! `tagohook health`: can the running instance store deliveries?

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;

use super::arguments::{Globals, Health};
use super::environment;
use super::fault::Fault;
use super::inspector::{self, Api, nobody_runs};
use super::output::{answer, say};
use crate::send::{Client, Method, Outgoing, OwnReceiver, TargetGuard};

/// The time limit for the response.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes in the response.
const MAX_ANSWER: usize = 64 * 1024;

/// Asks the receiver on this machine, or a remote inspector, and prints what it says.
pub fn run(globals: &Globals, asked: &Health) -> anyhow::Result<ExitCode> {
    if asked.inspector.url.is_some() {
        let api = Api::find(globals, &asked.inspector)?;
        let client = Client::new(TargetGuard::new(false))?;
        return ask(&client, &api.page("readyz"), api.base().as_str(), "inspector at");
    }
    let data_dir = globals.options().data_dir(&environment());
    let Some(receiver) = OwnReceiver::of_data_dir(&data_dir) else {
        return Err(nobody_runs(&data_dir, ", or --url URL of a remote one"));
    };
    let client = Client::of_receiver(&receiver)?;
    ask(&client, &receiver.url("readyz"), &receiver.to_string(), "receiver on")
}

fn ask(client: &Client, url: &str, shown: &str, what: &str) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let request = Outgoing {
            method: Method::Get,
            url: url::Url::parse(url)?,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: TIMEOUT,
            max_answer: MAX_ANSWER,
        };
        let response = client.send(request).await.result.map_err(|failure| {
            Fault::unreachable(format!(
                "the {what} {shown} does not answer: {}; is tagohook still running?",
                failure.detail
            ))
        })?;
        match response.status {
            200 => answer(say!("OK: {shown} stores deliveries"), ExitCode::SUCCESS),
            503 => bail!("{shown} cannot store deliveries now: HTTP 503; see its log"),
            status => bail!("HTTP {status} from something else at {url}"),
        }
    })
}
