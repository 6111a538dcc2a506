//! Writes a batch of entries in one transaction, with a fixed number of statements.

use std::collections::BTreeMap;
use std::time::Duration;

use super::claims::{Claimed, Claims};
use super::days::day;
use crate::domain::{Reason, Timestamp};
use crate::store::log::encoding::{address_bytes, verdict_number};
use crate::store::log::prepared::{Prepared, Settled};
use crate::store::postgres::{Database, Record, Records, Transaction, column, params, whole};
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
    let Claimed { appended, first } = Claims::of(entries, &database.retention, now).take(to).await?;
    let settled: Vec<Settled> =
        entries.iter().zip(appended).map(|(entry, appended)| entry.settled(appended)).collect();
    let took: Vec<Duration> = entries.iter().map(|entry| entry.started.elapsed()).collect();
    let mut rows = Records::default();
    for (seq, ((entry, settled), took)) in (first..).zip(entries.iter().zip(&settled).zip(&took)) {
        rows.add(|row| fill(row, seq, entry, settled, *took));
    }
    let mut totals = Totals::default();
    for (entry, settled) in entries.iter().zip(&settled) {
        totals.add(entry, settled);
    }
    if add(to, &database.node, writer, &rows, &totals).await? != whole(entries.len()) {
        return Err(StoreError::Unavailable("a batch was not written as a whole".to_owned()));
    }
    let written = settled.into_iter().zip(took).zip(first..);
    Ok(written.map(|((settled, took), seq)| Written { appended: settled.appended, seq, took }).collect())
}

/// Adds rows of the type `new_delivery`; how many.
async fn add(
    to: &Transaction,
    node: &str,
    writer: i64,
    rows: &Records,
    totals: &Totals,
) -> Result<i64, StoreError> {
    let kind = to.records_of("new_delivery").await?;
    let (days, verdicts): (Vec<i64>, Vec<i64>) = totals.0.keys().copied().unzip();
    let (more_rows, more_bytes): (Vec<i64>, Vec<i64>) = totals.0.values().copied().unzip();
    let [node, writer, days, verdicts, more_rows, more_bytes] =
        params![node, writer, days, verdicts, more_rows, more_bytes];
    let row = to
        .one(
            "SELECT add_deliveries($1, $2, $3, $4, $5, $6, $7) AS added",
            &[node, rows.param(kind), writer, days, verdicts, more_rows, more_bytes],
        )
        .await?;
    column(&row, "added")
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

/// The rows and bytes of a batch, by day and verdict.
#[derive(Default)]
struct Totals(BTreeMap<(i64, i64), (i64, i64)>);

impl Totals {
    fn add(&mut self, entry: &Prepared, settled: &Settled) {
        let key = (day(entry.delivery.received_at), verdict_number(settled.verdict));
        let (rows, bytes) = self.0.entry(key).or_default();
        *rows = rows.saturating_add(1);
        *bytes = bytes.saturating_add(whole(entry.weight));
    }
}
