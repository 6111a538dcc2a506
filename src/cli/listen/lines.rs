//! The line of a delivery.

use std::time::Duration;

use serde_json::{Value, json};

use super::lanes::Job;
use super::target::Answer;
use crate::cli::colour::{Tone, toned};
use crate::cli::output::is_quiet;
use crate::send::Failure;

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// As JSON.
    pub json: bool,
}

impl Lines {
    /// The line of a response; `retried_in` if there will be another attempt. With `--quiet`, only failures have a line.
    pub fn answered(self, job: &Job, sent_to: &str, answer: &Answer, retried_in: Option<Duration>) -> String {
        let Answer { status, elapsed, remark, output, .. } = answer;
        if is_quiet() && answer.is_well {
            return output.clone();
        }
        let ms = elapsed.as_secs_f64() * 1_000.0;
        if self.json {
            let ms = (ms * 10.0).round() / 10.0;
            return row(
                job,
                sent_to,
                [
                    ("status", json!(status)),
                    ("ok", json!(answer.is_well)),
                    ("duration_ms", json!(ms)),
                    ("remark", json!(text(remark))),
                    ("output", json!(text(output))),
                ],
            );
        }
        let tone = if answer.is_well { Tone::Well } else { Tone::Bad };
        let shown = toned(&status.to_string(), tone);
        let remark = if remark.is_empty() { String::new() } else { format!("  ({remark})") };
        let again = retried_in.map_or(String::new(), |pause| format!("  retry in {}", seconds(pause)));
        format!("{output}{}{}  {ms:.1} ms  {}{remark}{again}\n", start(sent_to), shown, about(job))
    }

    /// The line of an attempt without a response.
    pub fn unanswered(
        self,
        job: &Job,
        sent_to: &str,
        failure: &Failure,
        retried_in: Option<Duration>,
    ) -> String {
        if self.json {
            let (error, detail) = (json!(failure.error.as_str()), json!(failure.detail));
            return row(job, sent_to, [("ok", json!(false)), ("error", error), ("detail", detail)]);
        }
        let next =
            retried_in.map_or_else(|| "skipped".to_owned(), |pause| format!("retry in {}", seconds(pause)));
        let error = toned(failure.error.as_str(), Tone::Bad);
        format!("{}{}: {}  {}  {next}\n", start(sent_to), error, failure.detail, about(job))
    }

    /// The line of a delivery that retention has removed.
    pub fn gone(self, job: &Job) -> String {
        if self.json {
            return row(job, "", [("ok", json!(false)), ("error", json!("removed"))]);
        }
        format!("removed by retention before it was forwarded  {}\n", about(job))
    }
}

/// A line of JSON: the delivery, and the members of the result.
fn row<const N: usize>(job: &Job, sent_to: &str, result: [(&str, Value); N]) -> String {
    let (method, path) = sent_to.split_once(' ').unzip();
    let delivery = [
        ("delivery_id", json!(job.id)),
        ("source", json!(job.source)),
        ("event_type", json!(text(&job.event_type))),
        ("event_id", json!(text(&job.event_id))),
        ("method", json!(method)),
        ("path", json!(path)),
        ("attempt", json!(job.attempts.saturating_add(1))),
    ];
    let members = delivery.into_iter().chain(result).map(|(key, value)| (key.to_owned(), value));
    format!("{}\n", Value::Object(members.collect()))
}

fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn start(sent_to: &str) -> String {
    if sent_to.is_empty() { String::new() } else { format!("{}  ", plain(sent_to)) }
}

fn about(job: &Job) -> String {
    let known = |text: &str| if text.is_empty() { "-".to_owned() } else { plain(text) };
    format!("{}  {}  {}", known(&job.event_type), known(&job.event_id), job.id)
}

/// Text of a sender, which cannot control the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn seconds(pause: Duration) -> String {
    format!("{} s", pause.as_secs_f64())
}
