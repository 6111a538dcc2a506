//! Writes a batch of entries in one transaction, with a fixed number of statements.

use std::collections::BTreeMap;
use std::time::Duration;

use super::claims::Claims;
use super::days::day;
use crate::domain::{Reason, Timestamp};
use crate::store::log::encoding::{address_bytes, verdict_number};
use crate::store::log::prepared::{Prepared, Settled};
use crate::store::postgres::{Database, NEXT_POSITION, Transaction, column, params, unreadable, whole};
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
    entries: &[Box<Prepared>],
    now: Timestamp,
) -> Result<Vec<Written>, StoreError> {
    let appended = Claims::of(entries, &database.retention, now).take(to).await?;
    let settled: Vec<Settled> =
        entries.iter().zip(appended).map(|(entry, appended)| entry.settled(appended)).collect();
    let took: Vec<Duration> = entries.iter().map(|entry| entry.started.elapsed()).collect();
    // Both are sent at once. After a fault in the first one, the second one only says that there was one.
    let (first, added) = tokio::join!(
        insert(to, &database.node, entries, &settled, &took),
        add_to_totals(to, &database.node, writer, entries, &settled),
    );
    let first = first?;
    added?;
    let written = settled.into_iter().zip(took).zip(first..);
    Ok(written.map(|((settled, took), seq)| Written { appended: settled.appended, seq, took }).collect())
}

/// Inserts the rows; the position of the first one, whom the others follow.
async fn insert(
    to: &Transaction,
    node: &str,
    entries: &[Box<Prepared>],
    settled: &[Settled],
    took: &[Duration],
) -> Result<i64, StoreError> {
    let deliveries = || entries.iter().map(|entry| &entry.delivery);
    let facts = || entries.iter().map(|entry| &entry.facts);
    let clients: Vec<_> = deliveries().map(|delivery| address_bytes(delivery.client.ip)).collect();
    let peers: Vec<_> = deliveries().map(|delivery| address_bytes(delivery.client.peer)).collect();
    let firsts: Vec<_> = settled.iter().map(|settled| settled.first).collect();
    let row = to
        .one(
            &format!(
                r"
                WITH made AS (
                    INSERT INTO deliveries (
                        seq, node,
                        id, source, received_at, method, path, client_ip,
                        event_type, event_name, event_id, entity,
                        verdict, reason, status,
                        size_bytes, duration_us, duplicate_of, row_bytes, unverified,
                        http_version, peer_ip, explanation, headers, body, body_end, checks,
                        first_received_at, peer_port, connection_deliveries
                    )
                    SELECT base.seq + new.place, $1,
                        id, source, received_at, method, path, client_ip,
                        event_type, event_name, event_id, entity,
                        verdict, reason, status,
                        size_bytes, duration_us, duplicate_of, row_bytes, unverified,
                        http_version, peer_ip, explanation, headers, body, body_end, checks,
                        first_received_at, peer_port, connection_deliveries
                    FROM (SELECT {NEXT_POSITION} AS seq) AS base,
                        unnest(
                            $2,
                            $3, $4, $5, $6, $7, $8,
                            $9, $10, $11, $12,
                            $13, $14, $15,
                            $16, $17, $18, $19, $20,
                            $21, $22, $23, $24, $25, $26, $27,
                            $28, $29, $30
                        ) AS new (
                            place,
                            id, source, received_at, method, path, client_ip,
                            event_type, event_name, event_id, entity,
                            verdict, reason, status,
                            size_bytes, duration_us, duplicate_of, row_bytes, unverified,
                            http_version, peer_ip, explanation, headers, body, body_end, checks,
                            first_received_at, peer_port, connection_deliveries
                        )
                    RETURNING seq
                )
                SELECT min(seq) AS first, count(*) AS rows
                FROM made
                "
            ),
            &params![
                node,
                (0..).zip(entries).map(|(place, _)| place).collect::<Vec<i64>>(),
                deliveries().map(|delivery| delivery.id.as_bytes().as_slice()).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.source.as_str()).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.received_at.as_micros()).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.method.as_str()).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.path.as_str()).collect::<Vec<_>>(),
                clients.iter().map(<[u8; 16]>::as_slice).collect::<Vec<_>>(),
                facts().map(|facts| facts.event_type.as_deref()).collect::<Vec<_>>(),
                facts().map(|facts| facts.event_name.as_deref()).collect::<Vec<_>>(),
                facts().map(|facts| facts.event_id.as_deref()).collect::<Vec<_>>(),
                facts().map(|facts| facts.entity.as_deref()).collect::<Vec<_>>(),
                settled.iter().map(|settled| verdict_number(settled.verdict)).collect::<Vec<_>>(),
                settled.iter().map(|settled| settled.reason.map(Reason::as_str)).collect::<Vec<_>>(),
                settled.iter().map(|settled| i64::from(settled.status)).collect::<Vec<_>>(),
                deliveries().map(|delivery| whole(delivery.body.len())).collect::<Vec<_>>(),
                took.iter().map(|took| micros(*took)).collect::<Vec<_>>(),
                firsts.iter().map(|first| first.map(|first| first.0.as_bytes().to_vec())).collect::<Vec<_>>(),
                entries.iter().map(|entry| whole(entry.weight)).collect::<Vec<_>>(),
                entries.iter().map(|entry| entry.unverified.as_deref()).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.http_version.as_str()).collect::<Vec<_>>(),
                peers.iter().map(<[u8; 16]>::as_slice).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.client.explanation.as_str()).collect::<Vec<_>>(),
                entries.iter().map(|entry| entry.headers.as_slice()).collect::<Vec<_>>(),
                deliveries().map(|delivery| &*delivery.body).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.body_end.as_str()).collect::<Vec<_>>(),
                entries.iter().map(|entry| entry.checks.as_str()).collect::<Vec<_>>(),
                firsts.iter().map(|first| first.map(|first| first.1.as_micros())).collect::<Vec<_>>(),
                deliveries().map(|delivery| delivery.connection.port.map(i64::from)).collect::<Vec<_>>(),
                deliveries().map(|delivery| i64::from(delivery.connection.deliveries)).collect::<Vec<_>>(),
            ],
        )
        .await?;
    if column::<i64>(&row, "rows")? != whole(entries.len()) {
        return Err(StoreError::Unavailable("a batch was not written as a whole".to_owned()));
    }
    column::<Option<i64>>(&row, "first")?.ok_or_else(|| unreadable("first"))
}

fn micros(took: Duration) -> i64 {
    i64::try_from(took.as_micros()).unwrap_or(i64::MAX)
}

/// Adds the rows of a batch to the totals of their days and verdicts. No other writer changes these rows.
async fn add_to_totals(
    to: &Transaction,
    node: &str,
    writer: i64,
    entries: &[Box<Prepared>],
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
