//! The app's responses, on their way to the running instance, which shows them on the page of each delivery.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use crate::cli::fault::Fault;
use crate::cli::inspector::Api;
use crate::cli::output::notice;

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

impl Report {
    fn object(&self) -> Value {
        let kept = self.answer.get(..MAX_ANSWER).unwrap_or(&self.answer);
        json!({
            "delivery_id": self.delivery, "status": self.status, "error": self.error,
            "answer_base64": STANDARD.encode(kept),
        })
    }
}

/// The reports that wait, and those that are being sent.
pub struct Reports<'a> {
    api: &'a Api,
    to: String,
    signature: &'static str,
    waiting: VecDeque<Report>,
    sending: Option<LocalBoxFuture<'a, (Vec<Report>, anyhow::Result<Value>)>>,
    is_off: bool,
}

impl<'a> Reports<'a> {
    /// Reports about what is sent to the target `to`.
    pub fn new(api: &'a Api, to: String, is_signed: bool) -> Self {
        let signature = if is_signed { "fresh" } else { "original" };
        Self { api, to, signature, waiting: VecDeque::new(), sending: None, is_off: false }
    }

    /// Adds one, to be sent with others.
    pub fn add(&mut self, report: Report) {
        if !self.is_off && self.waiting.len() < MOST {
            self.waiting.push_back(report);
        }
        self.begin(Duration::ZERO);
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.sending.is_none() && self.waiting.is_empty()
    }

    /// Waits until a request was answered. Cancelling it loses nothing.
    pub async fn next(&mut self) {
        let Some(sending) = &mut self.sending else { return pending().await };
        let (reports, answered) = sending.await;
        self.sending = None;
        let pause = match answered {
            Ok(_) => Duration::ZERO,
            Err(fault) if Fault::may_pass(&fault) => {
                reports.into_iter().rev().for_each(|report| self.waiting.push_front(report));
                PAUSE
            }
            Err(fault) => {
                notice(format_args!("the instance does not keep the responses of the app: {fault:#}"));
                self.is_off = true;
                self.waiting.clear();
                return;
            }
        };
        self.begin(pause);
    }

    fn begin(&mut self, pause: Duration) {
        if self.sending.is_some() || self.waiting.is_empty() {
            return;
        }
        let reports: Vec<Report> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
        let attempts: Vec<Value> = reports.iter().map(Report::object).collect();
        let body = json!({"to": self.to, "signature": self.signature, "attempts": attempts}).to_string();
        let api = self.api;
        let sending = async move {
            tokio::time::sleep(pause).await;
            let answered = api.post("deliveries/attempts", Bytes::from(body)).await;
            (reports, answered)
        };
        self.sending = Some(sending.boxed_local());
    }
}
