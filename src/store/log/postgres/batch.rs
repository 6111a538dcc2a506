//! Writes a batch of entries in one transaction, with a fixed number of statements.

use std::collections::BTreeMap;
use std::time::Duration;

use super::claims::Claims;
use super::days::day;
use crate::domain::{Reason, Timestamp};
use crate::store::log::encoding::{address_bytes, verdict_number};
use crate::store::log::prepared::{Prepared, Settled};
use crate::store::postgres::{
    Database, NEXT_POSITION, Record, Records, Transaction, column, count, params, whole,
};
use crate::store::{StoreError, Written};

/// Writes `entries`. `now` is the time of the batch, `writer` the number of the one who writes.
///
/// Each entry gets a row of its own, also a duplicate. So a batch of duplicates waits for the standby like any other,
/// and with it for the deliveries that came first.
///
/// # Errors
/// `Unavailable` if the batch cannot be written.
pub async fn write(
    to: &Transaction,
    database: &Database,
    writer: i64,
    entries: &[&Prepared],
    now: Timestamp,
) -> Result<Vec<Written>, StoreError> {
    let claims = Claims::of(entries, &database.retention, now);
    let position = format!("SELECT {NEXT_POSITION} AS first");
    // Of statements that are sent together, the first fault is the one that says what is wrong.
    let (appended, position) = tokio::join!(claims.take(to), to.one(&position, &[]));
    let (appended, first) = (appended?, column::<i64>(&position?, "first")?);
    let settled: Vec<Settled> =
        entries.iter().zip(appended).map(|(entry, appended)| entry.settled(appended)).collect();
    let took: Vec<Duration> = entries.iter().map(|entry| entry.started.elapsed()).collect();
    let mut rows = Records::default();
    for (seq, ((entry, settled), took)) in (first..).zip(entries.iter().zip(&settled).zip(&took)) {
        rows.add(|row| fill(row, seq, entry, settled, *took));
    }
    let (inserted, added) = tokio::join!(
        insert(to, &database.node, &rows),
        add_to_totals(to, &database.node, writer, entries, &settled),
    );
    if count(inserted?) != whole(entries.len()) {
        return Err(StoreError::Unavailable("a batch was not written as a whole".to_owned()));
    }
    added?;
    let written = settled.into_iter().zip(took).zip(first..);
    Ok(written.map(|((settled, took), seq)| Written { appended: settled.appended, seq, took }).collect())
}

/// Inserts rows of the type `new_delivery`; how many.
async fn insert(to: &Transaction, node: &str, rows: &Records) -> Result<u64, StoreError> {
    let kind = to.records_of("new_delivery").await?;
    let [node] = params![node];
    to.run(
        r"
        INSERT INTO deliveries (
            node, seq, id, source, received_at, method, path, client_ip,
            event_type, event_name, event_id, entity,
            verdict, reason, status,
            size_bytes, duration_us, duplicate_of, row_bytes, unverified,
            http_version, peer_ip, explanation, headers, body, body_end, checks,
            first_received_at, peer_port, connection_deliveries
        )
        SELECT $1, new.*
        FROM unnest($2) AS new
        ",
        &[node, rows.param(kind)],
    )
    .await
}

/// Gives the values of a row in the order of the type `new_delivery`.
fn fill(row: &mut Record<'_>, seq: i64, entry: &Prepared, settled: &Settled, took: Duration) {
    let (delivery, facts) = (&entry.delivery, &entry.facts);
    row.number(seq);
    row.bytes(delivery.id.as_bytes());
    row.text(&delivery.source);
    row.number(delivery.received_at.as_micros());
    row.text(delivery.method.as_str());
    row.text(&delivery.path);
    row.bytes(&address_bytes(delivery.client.ip));
    row.maybe_text(facts.event_type.as_deref());
    row.maybe_text(facts.event_name.as_deref());
    row.maybe_text(facts.event_id.as_deref());
    row.maybe_text(facts.entity.as_deref());
    row.number(verdict_number(settled.verdict));
    row.maybe_text(settled.reason.map(Reason::as_str));
    row.number(i64::from(settled.status));
    row.number(whole(delivery.body.len()));
    row.number(micros(took));
    row.maybe_bytes(settled.first.as_ref().map(|first| first.0.as_bytes().as_slice()));
    row.number(whole(entry.weight));
    row.maybe_text(entry.unverified.as_deref());
    row.text(delivery.http_version.as_str());
    row.bytes(&address_bytes(delivery.client.peer));
    row.text(&delivery.client.explanation);
    row.bytes(&entry.headers);
    row.bytes(&delivery.body);
    row.text(delivery.body_end.as_str());
    row.text(&entry.checks);
    row.maybe_number(settled.first.map(|first| first.1.as_micros()));
    row.maybe_number(delivery.connection.port.map(i64::from));
    row.number(i64::from(delivery.connection.deliveries));
}

fn micros(took: Duration) -> i64 {
    i64::try_from(took.as_micros()).unwrap_or(i64::MAX)
}

/// Adds the rows of a batch to the totals of their days and verdicts. No other writer changes these rows.
async fn add_to_totals(
    to: &Transaction,
    node: &str,
    writer: i64,
    entries: &[&Prepared],
    settled: &[Settled],
) -> Result<(), StoreError> {
    let mut sums: BTreeMap<(i64, i64), (i64, i64)> = BTreeMap::new();
    for (entry, settled) in entries.iter().zip(settled) {
        let key = (day(entry.delivery.received_at), verdict_number(settled.verdict));
        let (rows, bytes) = sums.entry(key).or_default();
        *rows = rows.saturating_add(1);
        *bytes = bytes.saturating_add(whole(entry.weight));
    }
    to.run(
        r"
        INSERT INTO delivery_totals AS known (day, verdict, node, writer, rows, bytes)
        SELECT day, verdict, $1, $2, rows, bytes
        FROM unnest($3, $4, $5, $6) AS added (day, verdict, rows, bytes)
        ON CONFLICT (day, verdict, node, writer) DO UPDATE SET
            rows = known.rows + excluded.rows,
            bytes = known.bytes + excluded.bytes
        ",
        &params![
            node,
            writer,
            sums.keys().map(|key| key.0).collect::<Vec<_>>(),
            sums.keys().map(|key| key.1).collect::<Vec<_>>(),
            sums.values().map(|sum| sum.0).collect::<Vec<_>>(),
            sums.values().map(|sum| sum.1).collect::<Vec<_>>(),
        ],
    )
    .await?;
    Ok(())
}
