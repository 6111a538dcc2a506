//! `/overview`: what needs attention first, then rates, verdicts, response times and reasons.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::charts::{Bars, Column, Curve, LineChart, Style, TimeAxis, ValueAxis, verdicts};
use super::page::{self, Frame};
use crate::domain::{Timestamp, Verdict, grouped, percent, plain};
use crate::http::inspector::operations::overview::found;
use crate::http::inspector::request::{As, Blank, Fields, Members};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::{shown_time, took};
use crate::inspect::ack::AckTimes;
use crate::inspect::duration::{seconds, span};
use crate::inspect::overview::{Attention, Overview, Range, Slot, SourceSum, refused};
use crate::inspect::search::term;
use crate::store::NodeState;
use crate::telemetry::Counted;

/// How high the charts are, in pixels.
const HEIGHTS: (u32, u32) = (180, 120);

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    range: Range,
    ranges: [(Range, &'static str); 3],
    deliveries: String,
    rejected: String,
    rate: String,
    p50: String,
    p95: String,
    attention: Vec<AttentionView>,
    /// Kinds of requests that left no delivery.
    kinds_refused: usize,
    rates: Bars,
    times: LineChart,
    slots: Vec<SlotView>,
    reasons: Vec<ReasonView>,
    sources: Vec<SourceView>,
    nodes: Vec<NodeView>,
}

struct AttentionView {
    topic: &'static str,
    is_grave: bool,
    sentence: String,
    since: String,
    since_at: String,
    /// How long that is.
    lasted: String,
    action: &'static str,
    url: String,
}

struct SlotView {
    time: String,
    url: String,
    counts: [u64; Verdict::ALL.len()],
    p50: String,
    p95: String,
}

struct ReasonView {
    reason: String,
    url: String,
    count: String,
    width: String,
}

/// A node of a shared store.
struct NodeView {
    name: String,
    state: &'static str,
    is_own: bool,
    started: String,
    started_at: String,
    seen: String,
    seen_at: String,
}

struct SourceView {
    name: String,
    url: String,
    deliveries: String,
    rejected: String,
    why: String,
    last: String,
    last_at: String,
    p50: String,
    p95: String,
    timeout: String,
    gave_up: usize,
}

/// Which time is shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Shown {
    range: Option<As<Range>>,
}

impl Members for Shown {}

/// The page.
pub async fn overview(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let Shown { range } = Fields::of_query(request.query_string(), Blank::Absent).take();
    let range = range.map_or(Range::Day, |As(range)| range);
    let nodes = state.store.nodes().await.unwrap_or_default();
    match found(&state, range).await {
        Ok((overview, beside, attention)) => {
            let mut shown = view(&state, range, &overview, &beside.times);
            shown.attention = attention.into_iter().map(|one| AttentionView::of(one, beside.now)).collect();
            shown.nodes = nodes.into_iter().map(|node| NodeView::of(node, beside.now)).collect();
            page::html(StatusCode::OK, &shown)
        }
        Err(problem) => page::message(&state, problem.status(), "No store", &problem.sentences()),
    }
}

fn view(state: &InspectorState, range: Range, overview: &Overview, times: &[AckTimes]) -> OverviewPage {
    let (minutes, _) = range.minutes();
    let per_minute = number(overview.counted.count) / number(minutes.unsigned_abs());
    OverviewPage {
        frame: Frame::of(state, "overview"),
        range,
        ranges: [(Range::Hour, "1 h"), (Range::Day, "24 h"), (Range::Week, "7 d")],
        deliveries: grouped(overview.counted.count),
        rejected: percent(refused(&overview.verdicts), overview.counted.count),
        rate: match overview.counted.count {
            0 => "0".to_owned(),
            _ if per_minute >= 10.0 => grouped(overview.counted.count / minutes.unsigned_abs()),
            _ if per_minute < 0.1 => "< 0.1".to_owned(),
            _ => format!("{per_minute:.1}"),
        },
        p50: time(&overview.counted, 50),
        p95: time(&overview.counted, 95),
        attention: Vec::new(),
        kinds_refused: state.metrics.refusals().list().len(),
        rates: rates(overview),
        times: times_chart(overview),
        slots: overview
            .slots
            .iter()
            .rev()
            .filter(|slot| slot.counted.count > 0)
            .map(|slot| slot_view(slot, overview.slot))
            .collect(),
        reasons: reasons(overview),
        sources: sources(overview, times, state.clock.wall()),
        nodes: Vec::new(),
    }
}

impl NodeView {
    fn of(node: NodeState, now: Timestamp) -> Self {
        let (started_at, seen_at) = (node.started_at.to_string(), node.seen_at.to_string());
        Self {
            state: node.state(),
            name: node.name,
            is_own: node.is_own,
            started: short_time(&started_at, now),
            started_at,
            seen: short_time(&seen_at, now),
            seen_at,
        }
    }
}

impl AttentionView {
    fn of(one: Attention, now: Timestamp) -> Self {
        let at = one.since.map(|since| since.to_string()).unwrap_or_default();
        Self {
            topic: one.topic.as_str(),
            is_grave: one.topic.is_grave(),
            sentence: plain(&one.sentence),
            since: short_time(&at, now),
            since_at: at,
            lasted: one.since.map(|since| span(now.abs_diff(since))).unwrap_or_default(),
            action: one.topic.action(),
            url: one.url,
        }
    }
}

/// The clock of a time of today, else with its day.
fn short_time(at: &str, now: Timestamp) -> String {
    let is_today = at.get(..10) == now.to_string().get(..10);
    shown_time(at).get(if is_today { 11..16 } else { 0..16 }).unwrap_or_default().to_owned()
}

/// A count as a number to draw with.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The deliveries of a stretch of time.
fn slot_url(from: Timestamp, length: Duration) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("from", &from.to_string()).append_pair("to", &from.plus(length).to_string());
    format!("/?{}", query.finish())
}

fn rates(overview: &Overview) -> Bars {
    let column = |slot: &Slot| Column {
        from: slot.from,
        until: slot.from.plus(overview.slot),
        parts: verdicts(&slot.verdicts),
        url: Some(slot_url(slot.from, overview.slot)),
    };
    let columns: Vec<Column> = overview.slots.iter().map(column).collect();
    Bars::of("rates", &columns, HEIGHTS.0)
}

fn times_chart(overview: &Overview) -> LineChart {
    let middle = |slot: &Slot| slot.from.plus(overview.slot / 2);
    let line = |style: Style, hundredths: u64| Curve {
        style,
        points: overview
            .slots
            .iter()
            .filter_map(|slot| Some((middle(slot), slot.counted.percentile(hundredths)?.as_secs_f64())))
            .collect(),
        // A stretch in which nothing arrived is a gap.
        longest_step: Some(overview.slot.saturating_mul(3) / 2),
    };
    let curves = [line(Style::Main, 50), line(Style::Second, 95)];
    let highest = curves.iter().flat_map(|curve| &curve.points).map(|(_, value)| *value).fold(0.0, f64::max);
    let values = ValueAxis::of(0.0, if highest > 0.0 { highest } else { 0.001 }, HEIGHTS.1);
    let from = overview.slots.first().map(|slot| slot.from).unwrap_or_default();
    let until = overview.slots.last().map_or(from, |slot| slot.from.plus(overview.slot));
    let reads = overview.slots.iter().map(|slot| {
        let words = match slot.counted.count {
            0 => "nothing arrived".to_owned(),
            _ => format!("p50 {}, p95 {}", time(&slot.counted, 50), time(&slot.counted, 95)),
        };
        (middle(slot), words)
    });
    let label = |value: f64| if value == 0.0 { "0".to_owned() } else { seconds(value) };
    LineChart::of(&curves, (&TimeAxis::new(from, until), &values), reads.collect(), label, &[])
}

fn slot_view(slot: &Slot, length: Duration) -> SlotView {
    SlotView {
        time: shown_time(&slot.from.to_string()).get(..16).unwrap_or_default().to_owned(),
        url: slot_url(slot.from, length),
        counts: slot.verdicts,
        p50: time(&slot.counted, 50),
        p95: time(&slot.counted, 95),
    }
}

/// A percentile as the list shows times; a dash where nothing was measured.
fn time(counted: &Counted, hundredths: u64) -> String {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    counted.percentile(hundredths).map_or_else(|| "–".to_owned(), |time| took(micros(time)))
}

fn search_url(q: &str) -> String {
    format!("/?{}", form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish())
}

fn reasons(overview: &Overview) -> Vec<ReasonView> {
    let most = overview.reasons.first().map_or(1, |(_, count)| (*count).max(1));
    let view = |(reason, times): &(crate::domain::Reason, u64)| ReasonView {
        reason: reason.as_str().replace('_', " "),
        url: search_url(&term("reason", reason.as_str())),
        count: grouped(*times),
        width: format!("{:.1}", (number(*times) / number(most) * 100.0).max(0.5)),
    };
    overview.reasons.iter().map(view).collect()
}

fn sources(overview: &Overview, times: &[AckTimes], now: Timestamp) -> Vec<SourceView> {
    let view = |source: &SourceSum| {
        let own = times.iter().find(|times| times.source == source.source);
        let last_at = source.last.to_string();
        SourceView {
            name: plain(&source.source),
            url: search_url(&term("source", &source.source)),
            deliveries: grouped(source.counted.count),
            rejected: percent(source.refused(), source.counted.count),
            why: source.reasons.first().map(|(why, _)| why.as_str().replace('_', " ")).unwrap_or_default(),
            last: short_time(&last_at, now),
            last_at,
            p50: time(&source.counted, 50),
            p95: time(&source.counted, 95),
            timeout: own.and_then(|own| own.timeout).map_or("–".to_owned(), span),
            gave_up: own.map_or(0, |own| own.gave_up),
        }
    };
    overview.sources.iter().map(view).collect()
}
