//! An index changes how fast a search answers, never its result.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::{Moment, Pattern};

/// More than two segments.
const ROWS: usize = 17_000;

pub(super) fn is(condition: Condition) -> Query {
    Query::Is(condition)
}

pub(super) fn varied(case: &Case, at: usize) -> Entry {
    let decision = match at % 7 {
        0..=3 => Decision::Accept(None),
        4 => Decision::Reject(Reason::NotJson),
        5 => Decision::Capture(200),
        _ => Decision::Reject(Reason::SignatureMismatch),
    };
    let mut entry = case.entry(decision);
    let delivery = &mut entry.delivery;
    delivery.source = ["tagorun", "tagoio", "söurce"][at % 3].into();
    delivery.method = if at.is_multiple_of(50) { "PUT".into() } else { "POST".into() };
    delivery.client.ip = match at % 4 {
        0 => format!("203.0.113.{}", at % 200).parse().unwrap(),
        1 => format!("10.{}.0.7", at % 250).parse().unwrap(),
        2 => "2001:db8::1".parse().unwrap(),
        _ => "::1".parse().unwrap(),
    };
    delivery.received_at = Timestamp::from_secs(1_800_000_000 + i64::try_from(at).unwrap());
    delivery.headers.push("User-Agent", format!("Agent/{}", at % 30).into_bytes());
    if at.is_multiple_of(1_000) {
        delivery.headers.push("X-Rare", b"Rare Value".to_vec());
    }
    let body = match at {
        8_191 => "the last row of a segment: LAST-MARK".to_owned(),
        8_192 => r#"{"esc":"\u00c4rger"}"#.to_owned(),
        _ => format!(r#"{{"n":{at},"tag":"co{}","t":"Größe {}"}}"#, at % 40, at % 11),
    };
    delivery.body = Bytes::from(body);
    entry.facts.event_type = (!at.is_multiple_of(9)).then(|| format!("data.kind{}", at % 12));
    entry.facts.event_name = at.is_multiple_of(12).then(|| "an.alias".to_owned());
    entry.facts.event_id = Some(format!("evt_{at}"));
    entry.facts.entity = at.is_multiple_of(2).then(|| format!("dev-{}", at % 300));
    entry
}

fn queries(some: &[DeliveryId]) -> Vec<Query> {
    let text = |text: &str| is(Condition::Anywhere(text.into()));
    let body = |text: &str| is(Condition::Body(text.into()));
    let header = |name: &str, text: Option<&str>| {
        is(Condition::Header { name: name.into(), text: text.map(str::to_owned) })
    };
    let at = |seconds: i64| Moment::At(Timestamp::from_secs(1_800_000_000 + seconds));
    let mut queries = vec![
        is(Condition::Delivery(some.to_vec())),
        is(Condition::Delivery(Vec::new())),
        text("evt_12345"),
        text("EVT_777"),
        text("größe 7"),
        text("co"),
        text("c"),
        text("3,\"tag"),
        text("ärger"),
        text("LAST-mark"),
        text("nowhere to be found"),
        text("söurce"),
        text("agent/29"),
        body("agent/29"),
        body("\"co39\""),
        body("n\":16999}"),
        header("user-agent", Some("agent/1")),
        header("x-rare", None),
        header("X-RARE", Some("rare v")),
        header("x-none", None),
        is(Condition::Source(Pattern::exactly("söurce"))),
        is(Condition::Source(Pattern::parse("t*o"))),
        is(Condition::EventType(Pattern::parse("data.kind1*"))),
        is(Condition::EventType(Pattern::parse("*alias"))),
        is(Condition::EventType(Pattern::exactly("an.alias"))),
        is(Condition::EventId(Pattern::exactly("evt_8192"))),
        is(Condition::EventId(Pattern::parse("evt_81?2"))),
        is(Condition::Entity(Pattern::parse("dev-1*"))),
        is(Condition::Method(Pattern::exactly("PUT"))),
        is(Condition::Path(Pattern::parse("*tagorun?a=*"))),
        is(Condition::Status(400..=499)),
        is(Condition::Status(401..=401)),
        is(Condition::Status(RangeInclusive::new(500, 400))),
        is(Condition::Size(45..=46)),
        is(Condition::Duration(0..=0)),
        is(Condition::From(at(16_990))),
        is(Condition::To(at(3))),
    ];
    for range in [
        "203.0.113.0/24",
        "203.0.113.8/30",
        "10.0.0.0/8",
        "10.0.0.0/7",
        "0.0.0.0/0",
        "2001:db8::/32",
        "::/0",
        "::/31",
        "::/48",
        "::/96",
    ] {
        queries.push(is(Condition::ClientIp(range.parse().unwrap())));
    }
    queries.extend(Verdict::ALL.map(|verdict| is(Condition::Verdict(verdict))));
    queries.extend([Reason::NotJson, Reason::Stale].map(|reason| is(Condition::Reason(reason))));
    queries
}

/// Each query, its negation, and its AND and OR with the next query.
pub(super) fn combined(some: &[DeliveryId]) -> Vec<Query> {
    let single = queries(some);
    let mut all = vec![Query::everything(), Query::Any(Vec::new())];
    for (at, query) in single.iter().enumerate() {
        let other = single[(at * 7 + 5) % single.len()].clone();
        let denied = Query::Not(Box::new(query.clone()));
        all.extend([
            query.clone(),
            denied.clone(),
            Query::All(vec![query.clone(), other.clone()]),
            Query::Any(vec![query.clone(), other.clone()]),
            Query::All(vec![denied, Query::Any(vec![other.clone(), single[at / 2].clone()])]),
        ]);
    }
    all
}

async fn answers(case: &Case, queries: &[Query]) -> Vec<Vec<i64>> {
    let mut answers = Vec::new();
    for query in queries {
        let filter = DeliveryFilter { q: Some(query.clone()), ..DeliveryFilter::default() };
        for before in [None, Some(8_200), Some(8_192), Some(40), Some(0)] {
            let rows = case.store.list(&filter, before, 30).await.unwrap();
            answers.push(rows.iter().map(|row| row.seq).collect());
        }
    }
    answers
}

/// The first page of some queries, found in steps that have no time: each stops as soon as it may.
pub(super) async fn found_in_steps(store: &Store, queries: &[Query]) -> Vec<Vec<i64>> {
    let mut answers = Vec::new();
    for query in queries {
        let filter = DeliveryFilter { q: Some(query.clone()), ..DeliveryFilter::default() };
        let (mut seqs, mut before): (Vec<i64>, Option<i64>) = (Vec::new(), None);
        loop {
            let left = 30 - seqs.len();
            let page = store.page(&filter, before, left, Duration::ZERO).await.unwrap();
            seqs.extend(page.rows.iter().map(|row| row.seq));
            let Some(stopped) = page.stopped else { break };
            assert!(before.is_none_or(|before| stopped.before < before), "each step reads something");
            assert!(seqs.iter().all(|seq| *seq >= stopped.before));
            before = Some(stopped.before);
        }
        answers.push(seqs);
    }
    answers
}

/// The log positions of some entities and events.
async fn about(case: &Case) -> Vec<Vec<i64>> {
    let mut found = Vec::new();
    for (source, entity) in
        [("söurce", "dev-8"), ("tagorun", "dev-0"), ("tagorun", "dev-1"), ("none", "dev-0")]
    {
        for before in [None, Some(8_192)] {
            let names = (source.to_owned(), entity.to_owned());
            let log = case.store.entity_log(names, before, 20, 1 << 20).await.unwrap();
            assert!(
                log.iter()
                    .all(|delivery| !delivery.body.is_empty() && delivery.headers.iter().next().is_some())
            );
            found.push(log.iter().map(|delivery| delivery.row.seq).collect());
        }
    }
    for (source, event) in
        [("söurce", "evt_8"), ("tagorun", "evt_8"), ("tagoio", "evt_16999"), ("söurce", "evt_")]
    {
        let rows = case.store.of_event(source, event, 5).await.unwrap();
        found.push(rows.iter().map(|row| row.seq).collect());
    }
    found
}

async fn until_indexed(case: &Case, segments: u64) {
    while case.store.size().search_segments != segments {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indexed_log_answers_as_one_without_an_index() {
    let case = open_sqlite(|options| {
        options.queue = 20_000;
        options.retention.keep_captured = 20_000;
    })
    .await;
    let written = (0..ROWS).map(|at| case.store.append(varied(&case, at)));
    assert!(futures_util::future::join_all(written).await.into_iter().all(|written| written.is_ok()));
    let newest = case.store.list(&DeliveryFilter::default(), None, ROWS).await.unwrap();
    let some: Vec<DeliveryId> = newest.iter().step_by(1_500).map(|row| row.id).collect();
    let queries = combined(&some);
    let expected = answers(&case, &queries).await;
    assert!(expected.iter().filter(|rows| !rows.is_empty()).count() > expected.len() / 3);
    let some_queries: Vec<Query> = queries.iter().step_by(9).cloned().collect();
    let first_pages: Vec<Vec<i64>> = expected.iter().step_by(5 * 9).cloned().collect();
    assert_eq!(found_in_steps(&case.store, &some_queries).await, first_pages);
    let expected_about = about(&case).await;
    assert!(expected_about.iter().filter(|seqs| !seqs.is_empty()).count() >= 6, "{expected_about:?}");
    case.store.start_indexing().unwrap();
    until_indexed(&case, 2).await;
    assert_eq!(about(&case).await, expected_about);
    let found = answers(&case, &queries).await;
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "{:?}, page {}", queries[at / 5], at % 5);
    }
    assert_eq!(found_in_steps(&case.store, &some_queries).await, first_pages);

    // A restart finds the index again; what cannot be an index is replaced.
    let case = case.reopen().await;
    case.store.start_indexing().unwrap();
    until_indexed(&case, 2).await;
    let folder = case.folder.path().join("t.db-search");
    let case = case.reopen().await;
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, b"this is no index, and was never one").unwrap();
    case.store.start_indexing().unwrap();
    until_indexed(&case, 2).await;
    assert_eq!(answers(&case, &queries[..20]).await, expected[..100]);

    // Damaged files are also replaced, once a query reads from them.
    let case = case.reopen().await;
    let damaged = [0x5a; 1_024];
    for file in files(&folder) {
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 10..bytes.len() * 9 / 10;
        bytes[middle].fill(damaged[0]);
        std::fs::write(&file, bytes).unwrap();
    }
    case.store.start_indexing().unwrap();
    until_indexed(&case, 2).await;
    assert_eq!(answers(&case, &queries[..20]).await, expected[..100]);
    let is_damaged = |file: &PathBuf| {
        std::fs::read(file).is_ok_and(|bytes| memchr::memmem::find(&bytes, &damaged).is_some())
    };
    while files(&folder).iter().any(is_damaged) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until_indexed(&case, 2).await;
    assert_eq!(answers(&case, &queries[..20]).await, expected[..100]);

    // What an interrupted write left is deleted.
    let case = case.reopen().await;
    std::fs::write(folder.join("7-1.new"), b"half a file").unwrap();
    case.store.start_indexing().unwrap();
    until_indexed(&case, 2).await;
    assert_eq!(files(&folder).len(), 2);

    // Search no longer finds what retention removed, and the segment is dropped.
    let mut case = case;
    case.options.retention.keep_captured = 100;
    let case = case.reopen().await;
    case.store.start_indexing().unwrap();
    case.clock.advance(31 * DAY);
    case.store.prune().await.unwrap();
    until_indexed(&case, 1).await;
    let gone = DeliveryFilter { event_id: Some("evt_8000".into()), ..DeliveryFilter::default() };
    assert!(case.store.list(&gone, None, 5).await.unwrap().is_empty());
    let any = DeliveryFilter { q: Some(queries[0].clone()), ..DeliveryFilter::default() };
    assert!(case.store.list(&any, Some(5), 5).await.unwrap().is_empty(), "before the oldest that is left");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_segment_fills_every_row_is_found_once() {
    let case = open_sqlite(|options| {
        options.queue = 20_000;
        // Retention must not remove any of these rows in the meantime, however slow the machine.
        options.retention.keep_captured = 20_000;
    })
    .await;
    case.store.start_indexing().unwrap();
    let filter = DeliveryFilter {
        q: Some(Query::Not(Box::new(is(Condition::Source(Pattern::exactly("none")))))),
        ..DeliveryFilter::default()
    };
    let mut newest = 0;
    for batch in 0..36 {
        let written = (0..250).map(|at| case.store.append(varied(&case, batch * 250 + at)));
        let written = futures_util::future::join_all(written);
        let looked = async {
            let rows = case.store.list(&filter, None, 10_000).await.unwrap();
            let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
            let first = seqs.first().copied().unwrap_or(0);
            assert!(first >= newest, "{first} after {newest}");
            assert!(seqs.iter().copied().eq((1..=first).rev()), "batch {batch}");
        };
        let (written, ()) = tokio::join!(written, looked);
        assert!(written.into_iter().all(|written| written.is_ok()));
        newest = *case.store.newest().borrow();
    }
    until_indexed(&case, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ipv6_range_holds_no_ipv4_address() {
    let case = open().await;
    let mut written = Vec::new();
    for at in 0..4 {
        written.push(case.at(varied(&case, at)).await);
    }
    for (range, expected) in
        [("::/0", vec![3, 2]), ("0.0.0.0/0", vec![1, 0]), ("::/64", vec![3]), ("::/95", vec![3])]
    {
        let expected: Vec<i64> = expected.into_iter().map(|at: usize| written[at]).collect();
        let query = is(Condition::ClientIp(range.parse().unwrap()));
        let filter = DeliveryFilter { q: Some(query), ..DeliveryFilter::default() };
        let rows = case.store.list(&filter, None, 9).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), expected, "{range}");
    }
}
