//! The things to look at first: what it is, since when, how bad, and what to do.

mod devices;
mod left_none;
mod line;
mod words;

pub use devices::TroubledDevices;
pub use line::Attention;

use self::line::Topic;
use self::words::{list_of, share_of};
use super::sum::Overview;
use crate::domain::{Reason, Timestamp, Verdict, counted, percent};
use crate::inspect::ack::AckTimes;
use crate::inspect::search::term;
use crate::telemetry::{Panicked, RefusedKind};

/// The percentage of rejections that needs attention.
const MANY_REFUSED: u64 = 20;
/// Fewer say nothing.
const FEW: u64 = 5;
/// The percentage of the store's room that counts as nearly full.
const NEARLY_FULL: u64 = 90;

/// What many conflicts of ids usually mean.
const SAME_ID: &str = " Different events have the same id: it may be the device's. Set another id_pointer.";

/// An endpoint that is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwell {
    /// The subscription's name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Facts other than the received deliveries.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Now.
    pub now: Timestamp,
    /// When the configuration was not reloaded, and what is wrong in it.
    pub failed_reload: Option<(Timestamp, Vec<String>)>,
    /// How long senders wait.
    pub times: Vec<AckTimes>,
    /// Dead letters.
    pub dead: u64,
    /// The names of the subscriptions that have them, the most first.
    pub dead_of: Vec<String>,
    /// When the oldest of them failed.
    pub dead_since: Option<Timestamp>,
    /// Endpoints that are not well, and subscriptions that were disabled.
    pub unwell: Vec<Unwell>,
    /// Subscriptions that are not in force and have parked messages: why, and how many.
    pub parked: Vec<(String, u64)>,
    /// Bytes of the store in use, and the most.
    pub store: (u64, u64),
    /// Workers that panicked lately.
    pub panicked: Vec<(&'static str, Panicked)>,
    /// Requests that look like deliveries and left none lately.
    pub refused: Vec<RefusedKind>,
    /// Devices that are not as usual.
    pub devices: TroubledDevices,
}

/// What needs attention, the most urgent first. `overview` is of the last day.
#[must_use]
pub fn attention(overview: &Overview, beside: &Beside) -> Vec<Attention> {
    let mut all: Vec<Attention> =
        beside.panicked.iter().map(|(name, panicked)| stopped(name, panicked, beside.now)).collect();
    all.extend(beside.failed_reload.as_ref().map(|(when, faults)| not_reloaded(*when, faults)));
    all.extend(nearly_full(beside.store));
    all.extend(left_none::left_none(&beside.refused));
    all.extend(sources(overview));
    all.extend(beside.times.iter().filter(|times| times.gave_up > 0).map(gave_up));
    all.extend(beside.parked.iter().map(|(why, messages)| parked(why, *messages)));
    all.extend(endpoints(&beside.unwell));
    all.extend(dead_letters(beside));
    all.extend(devices::devices(&beside.devices, beside.now));
    all
}

/// A worker that a fault in the program stopped.
fn stopped(name: &str, panicked: &Panicked, now: Timestamp) -> Attention {
    let often = if panicked.times == 1 { String::new() } else { format!(" {} times", panicked.times) };
    let sentence = format!("A fault in the program stopped the worker {name}{often}; see the log.");
    let last = now.minus(panicked.last.elapsed());
    Attention::new(Topic::Program, sentence, Some(last), "/metrics")
}

fn not_reloaded(when: Timestamp, faults: &[String]) -> Attention {
    let first = faults.first().map_or("see the log", String::as_str).trim_end_matches('.');
    let more = match faults.len() {
        0 | 1 => String::new(),
        many => format!(" (+{} more)", many.saturating_sub(1)),
    };
    let sentence = format!("The configuration was not reloaded; the old one is in force: {first}{more}.");
    Attention::new(Topic::Configuration, sentence, Some(when), "/sources")
}

fn nearly_full((used, most): (u64, u64)) -> Option<Attention> {
    used.saturating_mul(100).checked_div(most).filter(|share| *share >= NEARLY_FULL)?;
    let share = percent(used, most);
    let sentence = format!("The store is {share} full; the oldest deliveries are deleted first.");
    Some(Attention::new(Topic::Storage, sentence, None, "/metrics"))
}

/// Sources that reject much of what arrives.
fn sources(overview: &Overview) -> Vec<Attention> {
    let mut all = Vec::new();
    for source in &overview.sources {
        let refused = source.refused();
        if refused < FEW || refused.saturating_mul(100) / source.counted.count.max(1) < MANY_REFUSED {
            continue;
        }
        let why = source.reasons.first().map(|(reason, _)| *reason);
        let because =
            why.map_or(String::new(), |reason| format!(", mostly {}", reason.as_str().replace('_', " ")));
        // Nobody is called unknown: those reached no source.
        let is_source = source.source != "unknown";
        let name = if is_source { format!("Source {}", source.source) } else { "Unknown URLs".to_owned() };
        let mut words: Vec<String> = why.map(|reason| term("reason", reason.as_str())).into_iter().collect();
        if why.is_none() {
            words.push(term("verdict", Verdict::Rejected.as_str()));
        }
        words.extend(is_source.then(|| term("source", &source.source)));
        let cure = if why == Some(Reason::IdConflict) { SAME_ID } else { "" };
        let share = share_of(refused, source.counted.count);
        let sentence = if is_source {
            format!("{name} rejected {share} deliveries{because}.{cure}")
        } else {
            format!("{name} rejected {}{because}.{cure}", counted(refused, "delivery"))
        };
        all.push(Attention::new(
            Topic::Source,
            sentence,
            source.refused_since,
            &search_url(&words.join(" ")),
        ));
    }
    all
}

/// A sender that did not wait.
fn gave_up(times: &AckTimes) -> Attention {
    let share = share_of(
        times.gave_up.try_into().unwrap_or(u64::MAX),
        times.deliveries.try_into().unwrap_or(u64::MAX),
    );
    let sentence =
        format!("The sender of {} disconnected before our response on {share} deliveries.", times.source);
    let url = search_url(&format!("reason:incomplete {}", term("source", &times.source)));
    Attention::new(Topic::Source, sentence, None, &url)
}

fn parked(why: &str, messages: u64) -> Attention {
    let (parked, are) = (counted(messages, "message"), if messages == 1 { "is" } else { "are" });
    Attention::new(Topic::Parked, format!("{why} {parked} {are} parked."), None, "/subscriptions")
}

/// Endpoints that are not well, in one line.
fn endpoints(unwell: &[Unwell]) -> Option<Attention> {
    let since = unwell.iter().filter_map(|one| one.since).min();
    let sentence = match unwell {
        [] => return None,
        [one] => format!("The endpoint of {} is {}.", one.name, one.state),
        many => {
            let names: Vec<String> = many.iter().map(|one| format!("{} ({})", one.name, one.state)).collect();
            format!("{} endpoints are failing: {}.", many.len(), list_of(&names))
        }
    };
    Some(Attention::new(Topic::Endpoint, sentence, since, "/health"))
}

fn dead_letters(beside: &Beside) -> Option<Attention> {
    let of =
        if beside.dead_of.is_empty() { String::new() } else { format!(" for {}", list_of(&beside.dead_of)) };
    let letters = counted(beside.dead, "dead letter");
    let sentence = format!("{letters}{of}: every attempt failed.");
    (beside.dead > 0)
        .then(|| Attention::new(Topic::DeadLetters, sentence, beside.dead_since, "/dead-letters"))
}

fn search_url(q: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    format!("/?{query}")
}

#[cfg(test)]
mod tests;
