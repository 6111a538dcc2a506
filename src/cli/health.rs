//! `tagohook health`: can the running instance store deliveries?

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;

use super::arguments::Globals;
use super::environment;
use super::fault::Fault;
use super::inspector::{self, nobody_runs};
use super::output::{answer, say};
use crate::send::{Client, Method, Outgoing, OwnReceiver};

/// The time limit for the response.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes in the response.
const MAX_ANSWER: usize = 64 * 1024;

/// Asks the receiver, and prints what it says.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let data_dir = globals.options().data_dir(&environment());
    let Some(receiver) = OwnReceiver::of_data_dir(&data_dir) else {
        return Err(nobody_runs(&data_dir, ""));
    };
    inspector::run(async {
        let request = Outgoing {
            method: Method::Get,
            url: url::Url::parse(&receiver.url("readyz"))?,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: TIMEOUT,
            max_answer: MAX_ANSWER,
        };
        let asked = Client::of_receiver(&receiver)?.send(request).await;
        let response = asked.result.map_err(|failure| {
            Fault::unreachable(format!(
                "the receiver on {receiver} does not answer: {}; is tagohook still running?",
                failure.detail
            ))
        })?;
        match response.status {
            200 => answer(say!("OK: {receiver} stores deliveries"), ExitCode::SUCCESS),
            status => bail!("{receiver} cannot store deliveries now: HTTP {status}; see its log"),
        }
    })
}
