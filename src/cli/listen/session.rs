//! One run: reads the stream, forwards, and notes what is done.

use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::mpsc;

use super::forward::{Attempt, Forwarded, forward};
use super::history::{self, Span};
use super::keeper::{Keeper, Note};
use super::lanes::{Job, Lanes};
use super::lines::Lines;
use super::outage::{Outage, pause};
use super::parcel::Parcel;
use super::position::Position;
use super::reports::{Report, Reports};
use super::target::{Answer, Target};
use crate::cli::fault::Fault;
use crate::cli::inspector::Api;
use crate::cli::interrupt::{Interrupted, Interrupts};
use crate::cli::live::{Event, Live};
use crate::cli::output::{complain, counted, notice};
use crate::domain::AttemptError;
use crate::send::Failure;

/// The most deliveries that wait here; more wait in the log.
const MOST_WAITING: usize = 10_000;
/// The most events that wait to be looked at.
const MOST_EVENTS: usize = 256;

/// How long the last reports may take at the end.
const REPORT_WITHIN: Duration = Duration::from_secs(3);
/// The most failed attempts of a delivery that are reported.
const MOST_REPORTS: u32 = 10;

/// How deliveries are forwarded.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The most requests at once.
    pub concurrency: usize,
    /// How often a response 429 or 5xx is retried.
    pub retries: u32,
    /// The most attempts without a response, if there is a limit.
    pub attempts: Option<u32>,
    /// How lines are written.
    pub lines: Lines,
}

/// One run.
pub struct Session<'a> {
    api: &'a Api,
    target: &'a Target,
    rules: Rules,
    keeper: Keeper,
    lanes: Lanes,
    position: Position,
    /// Deliveries after the position that an earlier run has done.
    done: HashSet<String>,
    running: FuturesUnordered<LocalBoxFuture<'a, Forwarded>>,
    /// Lanes that rest before another attempt.
    resting: FuturesUnordered<LocalBoxFuture<'a, String>>,
    /// Parcels that were read before their turn, by the id of their delivery.
    ahead: HashMap<String, Parcel>,
    outage: Outage,
    reports: Reports<'a>,
    succeeded: u64,
    failed: u64,
}

impl<'a> Session<'a> {
    /// A run that begins with these deliveries.
    pub fn new(
        api: &'a Api,
        target: &'a Target,
        rules: Rules,
        keeper: Keeper,
        reports: Reports<'a>,
        (jobs, (position, done)): (Vec<Job>, (Position, HashSet<String>)),
    ) -> Self {
        let mut lanes = Lanes::default();
        jobs.into_iter().for_each(|job| lanes.push(job));
        Self {
            api,
            target,
            rules,
            keeper,
            lanes,
            position,
            done,
            running: FuturesUnordered::new(),
            resting: FuturesUnordered::new(),
            ahead: HashMap::new(),
            outage: Outage::default(),
            reports,
            succeeded: 0,
            failed: 0,
        }
    }

    /// Works until it is interrupted, or cannot continue.
    pub async fn work(
        &mut self,
        live: Live<'_>,
        filter: &str,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<ExitCode> {
        let (events, mut coming) = mpsc::channel(MOST_EVENTS);
        let mut reading = std::pin::pin!(read(live, events));
        self.note(Note::default()).await;
        loop {
            self.begin_more();
            let ask_at = self.outage.ask_at();
            tokio::select! {
                signal = interrupts.next() => return Err(signal.into()),
                () = self.keeper.failed() => return Ok(ExitCode::SUCCESS),
                Some(forwarded) = self.running.next(), if !self.running.is_empty() => self.take_back(forwarded).await?,
                Some(lane) = self.resting.next(), if !self.resting.is_empty() => self.lanes.wake(lane),
                reported = self.reports.next() => self.note(Note { reported, ..Note::default() }).await,
                fault = &mut reading => return Err(fault),
                Some(event) = coming.recv(), if self.lanes.count() < MOST_WAITING => {
                    self.look_at(event, filter).await?;
                }
                () = until(ask_at) => {}
            }
        }
    }

    /// Waits for the responses to requests under way; a second signal ends that.
    pub async fn finish(mut self, interrupts: &mut Interrupts) -> anyhow::Result<ExitCode> {
        if !self.running.is_empty() {
            let requests = counted(self.running.len(), "request");
            notice(format_args!("waiting for the response to {requests}; press Ctrl-C again to end at once"));
        }
        while !self.running.is_empty() {
            tokio::select! {
                Some(forwarded) = self.running.next() => self.take_back(forwarded).await?,
                signal = interrupts.next() => return Err(signal.into()),
            }
        }
        let patience = tokio::time::sleep(REPORT_WITHIN);
        tokio::pin!(patience);
        while !self.reports.is_empty() {
            tokio::select! {
                reported = self.reports.next() => self.note(Note { reported, ..Note::default() }).await,
                () = &mut patience => break,
                signal = interrupts.next() => return Err(signal.into()),
            }
        }
        let (succeeded, failed) = (self.succeeded, self.failed);
        notice(format_args!("{succeeded} forwarded, {failed} failed"));
        tokio::select! {
            ended = self.keeper.finish() => ended.map(|()| ExitCode::SUCCESS),
            signal = interrupts.next() => Err(signal.into()),
        }
    }

    fn begin_more(&mut self) {
        while self.running.len() < self.rules.concurrency
            && self.outage.may_send(self.running.len(), Instant::now())
            && let Some((job, next)) = self.lanes.take()
        {
            let read = self.ahead.remove(&job.id);
            self.running.push(Box::pin(forward(self.api, self.target, job, read, next)));
        }
    }

    async fn look_at(&mut self, event: Event, filter: &str) -> anyhow::Result<()> {
        let Some(at) = event.id.as_deref().and_then(|id| id.parse::<i64>().ok()) else { return Ok(()) };
        match event.kind.as_str() {
            "delivery" => {
                let row: Value = serde_json::from_str(&event.data).unwrap_or_default();
                if let Some(job) = Job::of(at, &row).filter(|job| !self.done.contains(&job.id)) {
                    self.position.open(at);
                    self.lanes.push(job);
                }
            }
            "reset" => self.catch_up(at, filter).await?,
            _ => {}
        }
        self.position.reached(at);
        self.note(Note::default()).await;
        Ok(())
    }

    /// Retention removed the position of the stream in the meantime: what is left of the log is read as a list.
    async fn catch_up(&mut self, at: i64, filter: &str) -> anyhow::Result<()> {
        let after = self.position.read_through();
        if after >= at {
            complain("this instance has another store than before; continuing from now");
            self.position = Position::new(at);
            return Ok(());
        }
        let jobs = history::read(self.api, Span { filter, after, through: at, from: None }).await?;
        for job in jobs.into_iter().filter(|job| !self.done.contains(&job.id)) {
            self.position.open(job.seq);
            self.lanes.push(job);
        }
        Ok(())
    }

    async fn take_back(&mut self, forwarded: Forwarded) -> anyhow::Result<()> {
        let Forwarded { job, attempt, sent_to, ahead } = forwarded;
        self.ahead.extend(ahead);
        match attempt {
            Attempt::Answered(answer) => self.answered(job, &sent_to, &answer).await,
            Attempt::Unanswered(failure) => self.unanswered(job, &sent_to, failure).await?,
            Attempt::Unread(fault) if Fault::may_pass(&fault) => {
                self.outage.begin("the instance", &format!("{fault:#}"), Instant::now());
                self.retry(job, Duration::ZERO);
            }
            Attempt::Unread(fault) => return Err(fault),
            Attempt::Gone => {
                let text = self.rules.lines.gone(&job);
                self.done(job, Note { text, ..Note::default() }, false).await;
            }
        }
        Ok(())
    }

    async fn answered(&mut self, mut job: Job, sent_to: &str, answer: &Answer) {
        self.outage.end();
        let report = self.reports.add(&Report {
            delivery: job.id.clone(),
            status: Some(answer.status),
            error: None,
            answer: answer.body.clone(),
        });
        let is_retried = (answer.status >= 500 || answer.status == 429)
            && job.attempts < self.rules.retries
            && !sent_to.is_empty();
        let wait = pause(job.attempts.saturating_add(1));
        let text = self.rules.lines.answered(&job, sent_to, answer, is_retried.then_some(wait));
        let note = Note { report, text, ..Note::default() };
        if is_retried {
            job.attempts = job.attempts.saturating_add(1);
            self.retry(job, wait);
            self.note(note).await;
        } else {
            self.done(job, note, answer.is_well).await;
        }
    }

    async fn unanswered(&mut self, mut job: Job, sent_to: &str, failure: Failure) -> anyhow::Result<()> {
        match failure.error {
            AttemptError::BlockedAddress => {
                return Err(Fault::usage(format!("--forward-to: {}", failure.detail)));
            }
            // The app is away: this was not an attempt.
            AttemptError::Connect | AttemptError::Dns => {
                self.outage.begin(&self.target.shown(), &failure.detail, Instant::now());
                self.retry(job, Duration::ZERO);
                return Ok(());
            }
            _ => {}
        }
        // The app is there, though it does not answer this one.
        self.outage.end();
        let attempts = job.attempts.saturating_add(1);
        let report = (attempts <= MOST_REPORTS).then(|| {
            let (delivery, error) = (job.id.clone(), Some(failure.to_string()));
            self.reports.add(&Report { delivery, status: None, error, answer: Bytes::new() })
        });
        let is_last = failure.error == AttemptError::HeaderInvalid
            || self.rules.attempts.is_some_and(|most| attempts >= most);
        let wait = pause(attempts);
        let text = self.rules.lines.unanswered(&job, sent_to, &failure, (!is_last).then_some(wait));
        let note = Note { report: report.flatten(), text, ..Note::default() };
        if is_last {
            self.done(job, note, false).await;
        } else {
            job.attempts = attempts;
            self.retry(job, wait);
            self.note(note).await;
        }
        Ok(())
    }

    fn retry(&mut self, job: Job, wait: Duration) {
        let lane = job.lane.clone();
        self.lanes.put_back(job);
        self.resting.push(Box::pin(async move {
            tokio::time::sleep(wait).await;
            lane
        }));
    }

    async fn done(&mut self, job: Job, note: Note, is_well: bool) {
        self.lanes.done(&job.lane);
        self.position.close(job.seq);
        let count = if is_well { &mut self.succeeded } else { &mut self.failed };
        *count = count.saturating_add(1);
        self.note(Note { done: Some((job.seq, job.id)), ..note }).await;
    }

    /// Hands a note to the keeper, with the position if that has moved.
    async fn note(&mut self, note: Note) {
        let position = self.position.moved();
        let is_empty = note.done.is_none() && note.reported.is_none() && note.text.is_empty();
        if !is_empty || position.is_some() {
            self.keeper.note(Note { position, ..note }).await;
        }
    }
}

/// Reads the stream for ever; the result is why it ended.
async fn read(mut live: Live<'_>, events: mpsc::Sender<Event>) -> anyhow::Error {
    loop {
        let event = match live.next().await {
            Ok(event) => event,
            Err(fault) => return fault,
        };
        if events.send(event).await.is_err() {
            return Interrupted::Terminate.into();
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}
