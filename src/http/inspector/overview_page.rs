//! `/overview`: rates, verdicts, reasons and times as charts, and what needs attention first.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::page::{self, Frame};
use super::row_view::shown_time;
use super::state::InspectorState;
use crate::domain::{Verdict, plain};
use crate::http::api::overview::found;
use crate::http::api::{Blank, Params};
use crate::inspect::ack::AckTimes;
use crate::inspect::duration::seconds;
use crate::inspect::overview::{Overview, Range, Slot, SourceSum};
use crate::inspect::search::term;
use crate::telemetry::Counted;

/// The charts' size, in their own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;
/// The part of a slot that its bar fills.
const BAR: f64 = 0.8;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    range: Range,
    ranges: [Range; 3],
    deliveries: u64,
    refused: String,
    rate: String,
    p50: String,
    p95: String,
    attention: Vec<(String, String)>,
    /// Kinds of requests that left no delivery.
    kinds_refused: usize,
    bars: Vec<Bar>,
    most: u64,
    lines: Vec<(&'static str, String)>,
    slowest: String,
    ticks: Vec<(String, String)>,
    slots: Vec<SlotView>,
    reasons: Vec<ReasonView>,
    sources: Vec<SourceView>,
}

struct Bar {
    verdict: &'static str,
    x: String,
    y: String,
    width: String,
    height: String,
    title: String,
}

struct SlotView {
    time: String,
    counts: [u64; Verdict::ALL.len()],
    p50: String,
    p95: String,
}

struct ReasonView {
    reason: String,
    url: String,
    count: u64,
    width: String,
}

struct SourceView {
    name: String,
    url: String,
    deliveries: u64,
    refused: String,
    why: String,
    last: String,
    p50: String,
    p95: String,
    p99: String,
    timeout: String,
    gave_up: usize,
}

/// The page.
pub async fn overview(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Absent);
    let range = params.text("range").and_then(|word| Range::from_word(&word)).unwrap_or(Range::Day);
    match found(&state, range).await {
        Ok((overview, beside, attention)) => {
            let mut shown = view(&state, range, &overview, &beside.times);
            shown.attention = attention.into_iter().map(|one| (plain(&one.sentence), one.url)).collect();
            page::html(StatusCode::OK, &shown)
        }
        Err(problem) => page::message(&state, problem.status(), "No store", &problem.sentences()),
    }
}

fn view(state: &InspectorState, range: Range, overview: &Overview, times: &[AckTimes]) -> OverviewPage {
    let (minutes, _) = range.minutes();
    let most = overview.slots.iter().map(|slot| slot.counted.count).max().unwrap_or(0);
    let per_minute = number(overview.counted.count) / number(minutes.unsigned_abs());
    let slowest = overview
        .slots
        .iter()
        .filter_map(|slot| slot.counted.percentile(95))
        .max()
        .map_or(0.001, |time| time.as_secs_f64());
    let count = overview.slots.len();
    OverviewPage {
        frame: Frame::of(state, "overview"),
        range,
        ranges: Range::ALL,
        deliveries: overview.counted.count,
        refused: share(refused(&overview.verdicts), overview.counted.count),
        rate: if per_minute >= 10.0 { format!("{per_minute:.0}") } else { format!("{per_minute:.1}") },
        p50: time(&overview.counted, 50),
        p95: time(&overview.counted, 95),
        attention: Vec::new(),
        kinds_refused: state.metrics.refusals().list().len(),
        bars: overview.slots.iter().enumerate().flat_map(|(at, slot)| bars(at, count, slot, most)).collect(),
        most,
        lines: [("p50", 50), ("p95", 95)].map(|(name, of)| (name, line(&overview.slots, of, slowest))).into(),
        slowest: seconds(slowest),
        ticks: ticks(&overview.slots),
        slots: overview.slots.iter().rev().filter(|slot| slot.counted.count > 0).map(slot_view).collect(),
        reasons: reasons(overview),
        sources: sources(overview, times),
    }
}

/// A count as a number to draw with.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn place(at: usize, count: usize) -> f64 {
    let slots = number(u64::try_from(count.max(1)).unwrap_or(1));
    number(u64::try_from(at).unwrap_or(0)) / slots * WIDTH
}

/// What a slot received, one part upon the other.
fn bars(at: usize, count: usize, slot: &Slot, most: u64) -> Vec<Bar> {
    let width = place(1, count) * BAR;
    let mut y = HEIGHT;
    let mut bars = Vec::new();
    for (verdict, part) in Verdict::ALL.iter().zip(slot.verdicts) {
        if part == 0 {
            continue;
        }
        let height = (number(part) / number(most.max(1)) * HEIGHT).max(1.0);
        y -= height;
        bars.push(Bar {
            verdict: verdict.as_str(),
            x: format!("{:.1}", place(at, count)),
            y: format!("{:.1}", y.max(0.0)),
            width: format!("{width:.1}"),
            height: format!("{height:.1}"),
            title: format!("{}: {part} {}", shown_time(&slot.from.to_string()), verdict.as_str()),
        });
    }
    bars
}

/// The points of a line of times; slots in which nothing came have none.
fn line(slots: &[Slot], hundredths: u64, slowest: f64) -> String {
    let points = slots.iter().enumerate().filter_map(|(at, slot)| {
        let time = slot.counted.percentile(hundredths)?.as_secs_f64();
        let x = place(at, slots.len()) + place(1, slots.len()) / 2.0;
        Some(format!("{x:.1},{:.1}", HEIGHT - time / slowest * (HEIGHT - 4.0) - 2.0))
    });
    let points: Vec<String> = points.collect();
    // A line of one point is drawn only where it goes somewhere.
    let last = points.last().filter(|_| points.len() == 1).cloned();
    points.into_iter().chain(last).collect::<Vec<_>>().join(" ")
}

/// Where on the axis which time stands.
fn ticks(slots: &[Slot]) -> Vec<(String, String)> {
    let step = (slots.len() / 6).max(1);
    slots
        .iter()
        .enumerate()
        .step_by(step)
        .map(|(at, slot)| {
            let time = slot.from.to_string();
            let shown = time.get(5..16).unwrap_or_default().replace('T', " ");
            (format!("{:.1}", place(at, slots.len())), shown)
        })
        .collect()
}

fn slot_view(slot: &Slot) -> SlotView {
    SlotView {
        time: shown_time(&slot.from.to_string()).get(..16).unwrap_or_default().to_owned(),
        counts: slot.verdicts,
        p50: time(&slot.counted, 50),
        p95: time(&slot.counted, 95),
    }
}

fn time(counted: &Counted, hundredths: u64) -> String {
    match counted.percentile(hundredths) {
        Some(time) => format!("≤ {}", seconds(time.as_secs_f64())),
        None if counted.count == 0 => "–".to_owned(),
        None => "> 30 s".to_owned(),
    }
}

fn refused(verdicts: &[u64; Verdict::ALL.len()]) -> u64 {
    Verdict::ALL
        .iter()
        .zip(verdicts)
        .find(|(known, _)| **known == Verdict::Rejected)
        .map_or(0, |(_, count)| *count)
}

fn share(part: u64, whole: u64) -> String {
    format!("{:.1} %", number(part) / number(whole.max(1)) * 100.0)
}

fn search_url(q: &str) -> String {
    format!("/?{}", form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish())
}

fn reasons(overview: &Overview) -> Vec<ReasonView> {
    let most = overview.reasons.first().map_or(1, |(_, count)| (*count).max(1));
    let view = |(reason, count): &(crate::domain::Reason, u64)| ReasonView {
        reason: reason.as_str().replace('_', " "),
        url: search_url(&term("reason", reason.as_str())),
        count: *count,
        width: format!("{:.1}", (number(*count) / number(most) * 100.0).max(0.5)),
    };
    overview.reasons.iter().map(view).collect()
}

fn sources(overview: &Overview, times: &[AckTimes]) -> Vec<SourceView> {
    let view = |source: &SourceSum| {
        let own = times.iter().find(|times| times.source == source.source);
        let shown = |time: fn(&AckTimes) -> std::time::Duration| {
            own.map_or("–".to_owned(), |own| seconds(time(own).as_secs_f64()))
        };
        SourceView {
            name: plain(&source.source),
            url: search_url(&term("source", &source.source)),
            deliveries: source.counted.count,
            refused: share(refused(&source.verdicts), source.counted.count),
            why: source.reasons.first().map(|(why, _)| why.as_str().replace('_', " ")).unwrap_or_default(),
            last: shown_time(&source.last.to_string()).get(..16).unwrap_or_default().to_owned(),
            p50: shown(|own| own.p50),
            p95: shown(|own| own.p95),
            p99: shown(|own| own.p99),
            timeout: own
                .and_then(|own| own.timeout)
                .map_or("–".to_owned(), |time| seconds(time.as_secs_f64())),
            gave_up: own.map_or(0, |own| own.gave_up),
        }
    };
    overview.sources.iter().map(view).collect()
}
