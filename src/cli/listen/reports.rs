//! The app's responses, on their way to the running instance, which shows them on the page of each delivery.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::fault::Fault;
use crate::cli::inspector::Api;
use crate::cli::output::notice;
use crate::send::redacted_url;

/// Where reports are sent to.
const PATH: &str = "deliveries/attempts";
/// The most reports of one request.
const BATCH: usize = 100;
/// The most reports that wait; newer ones are left out.
const MOST: usize = 20_000;
/// The most bytes of a response that are reported.
const MAX_ANSWER: usize = 2_048;
/// The pause after a request that was not answered.
const PAUSE: Duration = Duration::from_secs(1);

/// The result of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The delivery.
    pub delivery: String,
    /// The status.
    pub status: Option<u16>,
    /// Why there was no response.
    pub error: Option<String>,
    /// The first bytes of the response.
    pub answer: Bytes,
}

/// A report as it is kept and sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    to: String,
    signature: String,
    attempt: Value,
}

impl Pending {
    fn may_join(&self, first: &Self) -> bool {
        self.to == first.to && self.signature == first.signature
    }
}

/// Asks whether reports may be sent at all, with an empty one.
///
/// # Errors
/// When the scope of the token is too small.
pub async fn check(api: &Api, to: &str) -> anyhow::Result<()> {
    let none = json!({"to": redacted_url(to), "attempts": []}).to_string();
    match api.post(PATH, Bytes::from(none)).await {
        Err(fault) if Fault::is_forbidden(&fault) => {
            Err(fault.context("the responses of the app cannot be kept"))
        }
        // Everything else is the same for all requests, and the next one says it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A report that has to be kept until it is sent: its number, and one line of JSON.
pub type Unsent = (u64, String);

type Numbered = VecDeque<(u64, Pending)>;

/// The reports that wait, and those that are being sent. They are numbered, and sent in that order.
pub struct Reports<'a> {
    api: &'a Api,
    to: String,
    signature: &'static str,
    last: u64,
    waiting: Numbered,
    sending: Option<LocalBoxFuture<'a, (Numbered, anyhow::Result<Value>)>>,
    is_off: bool,
}

impl<'a> Reports<'a> {
    /// Reports about what is sent to the target `to`, after those that an earlier run could not send.
    pub fn new(api: &'a Api, to: &str, is_signed: bool, unsent: &BTreeMap<u64, String>) -> Self {
        let read = |(number, line): (&u64, &String)| Some((*number, serde_json::from_str(line).ok()?));
        let mut reports = Self {
            api,
            to: redacted_url(to),
            signature: if is_signed { "fresh" } else { "original" },
            last: unsent.keys().next_back().copied().unwrap_or_default(),
            waiting: unsent.iter().filter_map(read).collect(),
            sending: None,
            is_off: false,
        };
        reports.begin(Duration::ZERO);
        reports
    }

    /// Adds one, to be sent with others. It has to be kept until `next` returns its number or a higher one.
    pub fn add(&mut self, report: &Report) -> Option<Unsent> {
        if self.is_off || self.waiting.len() >= MOST {
            return None;
        }
        let kept = report.answer.get(..MAX_ANSWER).unwrap_or(&report.answer);
        let attempt = json!({
            "delivery_id": report.delivery, "status": report.status, "error": report.error,
            "answer_base64": STANDARD.encode(kept),
        });
        let pending = Pending { to: self.to.clone(), signature: self.signature.to_owned(), attempt };
        let line = serde_json::to_string(&pending).ok()?;
        self.last = self.last.saturating_add(1);
        self.waiting.push_back((self.last, pending));
        self.begin(Duration::ZERO);
        Some((self.last, line))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.sending.is_none() && self.waiting.is_empty()
    }

    /// Waits until a request was answered. Returns the number up to which nothing has to be kept any more. Cancelling it
    /// loses nothing.
    pub async fn next(&mut self) -> Option<u64> {
        let Some(sending) = &mut self.sending else { return pending().await };
        let (mut reports, answered) = sending.await;
        self.sending = None;
        match answered {
            Ok(_) => {
                self.begin(Duration::ZERO);
                reports.back().map(|(number, _)| *number)
            }
            Err(fault) if Fault::may_pass(&fault) => {
                reports.append(&mut self.waiting);
                self.waiting = reports;
                self.begin(PAUSE);
                None
            }
            Err(fault) => {
                notice(format_args!("the instance does not keep the responses of the app: {fault:#}"));
                self.is_off = true;
                self.waiting.clear();
                Some(self.last)
            }
        }
    }

    fn begin(&mut self, pause: Duration) {
        if self.sending.is_some() {
            return;
        }
        let Some((_, first)) = self.waiting.front().cloned() else { return };
        let alike = self.waiting.iter().take(BATCH).take_while(|(_, report)| report.may_join(&first)).count();
        let reports: Numbered = self.waiting.drain(..alike).collect();
        let attempts: Vec<&Value> = reports.iter().map(|(_, report)| &report.attempt).collect();
        let body = json!({"to": first.to, "signature": first.signature, "attempts": attempts}).to_string();
        let api = self.api;
        let sending = async move {
            tokio::time::sleep(pause).await;
            let answered = api.post(PATH, Bytes::from(body)).await;
            (reports, answered)
        };
        self.sending = Some(sending.boxed_local());
    }
}
