//! Texts that SQLite packs, next to those of rows that an earlier release wrote.

use super::*;
use crate::domain::{Fault, StoredDelivery};
use crate::store::log::sqlite::add_functions;

/// Deliveries of many kinds.
fn entries(case: &Case) -> Vec<Entry> {
    let ids = [
        "evt_1",
        "660ee5f2-8c66-43b0-a531-696d1fa46c2c",
        "a\"b\\\0",
        "",
        "ä😀\u{7f}",
        "203.0.113.7",
        ",\"id ",
    ];
    let addresses = ["203.0.113.7", "2001:db8::1", "0.0.0.0", "127.0.0.1"];
    let versions = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0"];
    let (mut entries, mut number) = (Vec::new(), 0_usize);
    for (id, address) in ids.into_iter().flat_map(|id| addresses.map(|address| (id, address))) {
        let mut entry = case.with_id(&format!("{id}{number}"), 1);
        number += 1;
        let ip: IpAddr = address.parse().unwrap();
        let peer = if number % 3 == 0 { ip } else { "127.0.0.1".parse().unwrap() };
        let explanation = format!("X-Forwarded-For of trusted proxy {peer}, last address");
        entry.facts.event_id = (!id.is_empty()).then(|| format!("{id}{number}"));
        entry.facts.event_name = (number % 2 == 0).then(|| "user.made".to_owned());
        entry.delivery.client = ClientAddress { ip, peer, explanation: explanation.clone() };
        entry.delivery.http_version = versions[number % versions.len()].to_owned();
        entry.delivery.body_end = BodyEnd::ALL[number % BodyEnd::ALL.len()];
        let headers = &mut entry.delivery.headers;
        headers.push("Content-Type", b"application/json; charset=utf-8".to_vec());
        headers.push(
            "X-TagoRUN-Signature",
            b"5b180a3f4514b5ac17cab3532e150b6c1720551b40b06505c23d6057afa7aa90".to_vec(),
        );
        headers.push("webhook-id", id.replace('\0', "").into_bytes());
        for (at, check) in entry.checks.iter_mut().enumerate() {
            check.outcome = [Outcome::Pass, Outcome::Fail, Outcome::Skipped][(number + at) % 3];
            check.reason = (check.outcome == Outcome::Fail).then_some(Reason::SignatureMismatch);
            check.seen = format!("{ip} ({explanation}), id {id}{number}, user.made");
            check.rule = "one event is taken once".to_owned();
            check.duration_us = u32::try_from(number * at * 1_000).unwrap();
            check.notes = vec!["no id: accepted, and never taken for a duplicate".to_owned(); at % 3];
            check.faults = vec![Fault::new("/a/0", "Missing required field: \"\u{1}\""); number % 2];
        }
        entries.push(entry);
    }
    entries
}

async fn all(case: &Case) -> Vec<StoredDelivery> {
    let mut found = Vec::new();
    for row in case.store.list(&DeliveryFilter::default(), None, 1_000).await.unwrap() {
        found.push(case.store.delivery(row.id).await.unwrap().unwrap());
    }
    found.reverse();
    found
}

/// Every second row as an earlier release wrote it.
fn write_as_before(case: &Case) {
    let file = rusqlite::Connection::open(case.folder.path().join("t.db")).unwrap();
    add_functions(&file).unwrap();
    let sql = "UPDATE delivery_bytes AS b SET
             packed = NULL,
             http_version = plain_text(b.http_version, b.packed),
             peer_ip = coalesce(nullif(b.peer_ip, x''), d.client_ip),
             explanation = plain_text(b.explanation, b.packed),
             headers = plain_bytes(b.headers, b.packed),
             body_end = plain_text(b.body_end, b.packed),
             checks = plain_text(b.checks, b.packed, d.event_id, d.event_type, d.event_name, d.client_ip)
         FROM deliveries AS d WHERE d.seq = b.seq AND b.seq % 2 = 0";
    assert_eq!(file.execute(sql, []).unwrap(), 14);
    let texts = "SELECT count(*) FROM delivery_bytes WHERE typeof(checks) = 'text' AND checks LIKE '[[%' AND length(peer_ip) = 16";
    assert_eq!(file.query_row(texts, [], |row| row.get::<_, i64>(0)).unwrap(), 14);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packed_rows_and_those_of_an_earlier_release_say_what_came_and_are_moved() {
    let case = open_sqlite(|_| {}).await;
    let entries = entries(&case);
    let mut expected = Vec::new();
    for entry in entries {
        let delivery = &entry.delivery;
        expected.push((
            (delivery.http_version.to_owned(), delivery.client.clone(), delivery.headers.clone()),
            (delivery.body_end, entry.checks.clone()),
        ));
        case.put(entry).await;
    }
    let said = |found: &[StoredDelivery]| {
        let of = |found: &StoredDelivery| {
            let texts = (found.http_version.clone(), found.client.clone(), found.headers.clone());
            (texts, (found.body_end, found.checks.clone()))
        };
        found.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(said(&all(&case).await), expected);

    write_as_before(&case);
    assert_eq!(said(&all(&case).await), expected);
    let q = Condition::Header { name: "webhook-id".into(), text: Some("evt_1".into()) };
    let named = DeliveryFilter { q: Some(Query::Is(q)), ..DeliveryFilter::default() };
    assert_eq!(case.store.list(&named, None, 10).await.unwrap().len(), 4);

    case.store.close().await;
    // To the other engine and back, where there is one.
    let middle = place_in(case.folder.path()).await;
    if let Place::Postgres(_) = middle {
        let folder = tempfile::tempdir().unwrap();
        let back = Place::Sqlite(folder.path().join("t.db"));
        let there = StoreOptions { place: middle.clone(), ..case.options.clone() };
        for (from, to) in [(case.options, middle), (there, back.clone())] {
            move_store(Move { from, to, store_key: None, start_over: false }, &mut |_| ()).await.unwrap();
        }
        assert_eq!(said(&all(&open_at(folder, back, |_| {}).await).await), expected);
    }
}
