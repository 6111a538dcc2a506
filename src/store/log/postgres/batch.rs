//! Writes a batch of entries in one transaction, with a fixed number of statements.

use std::collections::BTreeMap;
use std::time::Duration;

use super::claims::{Claims, Taken};
use super::days::day;
use crate::domain::{Appended, Reason, Timestamp};
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
    let claims = Claims::of(entries, &database.retention, now);
    let wanted = claims.wanted();
    let by = By { node: &database.node, writer };
    let taken = if wanted.is_shared {
        claims.take(to, &wanted).await?
    } else {
        // Usually every event is new, and one statement does it all.
        let batch = Batch::of(entries, entries.iter().map(|_| Appended::New));
        let (taken, added) = batch.append(to, &by, &claims.rows(&wanted), now).await?;
        match added {
            Some(added) => return batch.written(added, taken.first),
            None => taken,
        }
    };
    let batch = Batch::of(entries, claims.decide(to, &wanted, &taken).await?.into_iter());
    let added = batch.add(to, &by, taken.first).await?;
    batch.written(added, taken.first)
}

/// The node and its writer.
struct By<'d> {
    node: &'d str,
    writer: i64,
}

/// The rows of a batch.
struct Batch {
    settled: Vec<Settled>,
    took: Vec<Duration>,
    /// Of the type `new_delivery`, with places instead of positions.
    rows: Records,
    totals: Totals,
}

impl Batch {
    fn of(entries: &[&Prepared], appended: impl Iterator<Item = Appended>) -> Self {
        let settled: Vec<Settled> =
            entries.iter().zip(appended).map(|(entry, appended)| entry.settled(appended)).collect();
        let took: Vec<Duration> = entries.iter().map(|entry| entry.took()).collect();
        let (mut rows, mut totals) = (Records::default(), Totals::default());
        for (place, ((entry, settled), took)) in (0..).zip(entries.iter().zip(&settled).zip(&took)) {
            rows.add(|row| fill(row, place, entry, settled, *took));
            totals.add(entry, settled);
        }
        Self { settled, took, rows, totals }
    }

    /// Takes the event ids `wanted`, and adds the rows if all of them are free: how many, or `None`.
    async fn append(
        &self,
        to: &Transaction,
        by: &By<'_>,
        wanted: &Records,
        now: Timestamp,
    ) -> Result<(Taken, Option<i64>), StoreError> {
        let (ids, kind) = (to.records_of("new_event_id").await?, to.records_of("new_delivery").await?);
        let [days, verdicts, rows, bytes] = &self.totals.columns();
        let now = now.as_micros();
        let [now, node, writer, days, verdicts, rows, bytes] =
            params![now, by.node, by.writer, days, verdicts, rows, bytes];
        let row = to
            .one(
                r"
                SELECT first_position, sources, keys, added
                FROM append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ",
                &[wanted.param(ids), now, node, self.rows.param(kind), writer, days, verdicts, rows, bytes],
            )
            .await?;
        Ok((Taken::of(&row)?, column(&row, "added")?))
    }

    /// Adds the rows, from the position `first` on: how many.
    async fn add(&self, to: &Transaction, by: &By<'_>, first: i64) -> Result<i64, StoreError> {
        let kind = to.records_of("new_delivery").await?;
        let [days, verdicts, rows, bytes] = &self.totals.columns();
        let [node, writer, days, verdicts, rows, bytes, first] =
            params![by.node, by.writer, days, verdicts, rows, bytes, first];
        let row = to
            .one(
                "SELECT add_deliveries($1, $2, $3, $4, $5, $6, $7, $8) AS added",
                &[node, self.rows.param(kind), writer, days, verdicts, rows, bytes, first],
            )
            .await?;
        column(&row, "added")
    }

    /// The results, when `added` rows are there, from the position `first` on.
    fn written(self, added: i64, first: i64) -> Result<Vec<Written>, StoreError> {
        if added != whole(self.settled.len()) {
            return Err(StoreError::Unavailable("a batch was not written as a whole".to_owned()));
        }
        let written = self.settled.into_iter().zip(self.took).zip(first..);
        Ok(written.map(|((settled, took), seq)| Written { appended: settled.appended, seq, took }).collect())
    }
}

/// Gives the values of a row in the order of the type `new_delivery`.
fn fill(row: &mut Record<'_>, place: i64, entry: &Prepared, settled: &Settled, took: Duration) {
    let (delivery, facts) = (&entry.delivery, &entry.facts);
    row.number(place);
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
    row.bytes(&entry.texts.headers);
    row.bytes(&delivery.body);
    row.text(delivery.body_end.as_str());
    row.text(&entry.texts.checks);
    row.maybe_number(settled.first.and_then(|first| first.1).map(Timestamp::as_micros));
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

    /// Days, verdicts, rows and bytes.
    fn columns(&self) -> [Vec<i64>; 4] {
        let each = || self.0.iter();
        [
            each().map(|(key, _)| key.0).collect(),
            each().map(|(key, _)| key.1).collect(),
            each().map(|(_, more)| more.0).collect(),
            each().map(|(_, more)| more.1).collect(),
        ]
    }
}
