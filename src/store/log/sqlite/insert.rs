//! Writes one entry into its tables. Work that needs no lock is done before the writer gets the entry.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::event_ids::{self, EventIds, First, New};
use crate::domain::{Appended, Claim, ClaimKey, Delivery, DeliveryId, Reason, Timestamp, Verdict};
use crate::store::log::encoding;
use crate::store::log::prepared::{MOST_COMPARED, Prepared, expiry, keys, says_the_same};
use crate::store::log::sqlite::packed::{self, Packed};
use crate::store::sqlite::whole;
use crate::store::{Retention, Written};

/// An inserted row: the result for its caller, and the totals it changes.
pub struct Inserted {
    pub written: Written,
    pub verdict: Verdict,
}

/// The prepared statements of a batch.
pub struct Statements<'c> {
    row: CachedStatement<'c>,
    bytes: CachedStatement<'c>,
    event_ids: event_ids::Statements<'c>,
    first_body: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    /// Prepares the statements on the writer's connection. Every delivery runs them, so their values have positions:
    /// SQLite would look up a name for each value of each delivery.
    pub fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            row: connection.prepare_cached(
                r"
                INSERT INTO deliveries (
                    id, source, received_at, method, path, client_ip,
                    event_type, event_name, event_id, entity,
                    verdict, reason, status,
                    size_bytes, duration_us, duplicate_of, row_bytes, unverified
                ) VALUES (
                    ?1, ?2, ?3, ?4, ?5, ?6,
                    ?7, ?8, ?9, ?10,
                    ?11, ?12, ?13,
                    ?14, ?15, ?16, ?17, ?18
                )
                ",
            )?,
            bytes: connection.prepare_cached(
                r"
                INSERT INTO delivery_bytes (
                    seq, http_version, peer_ip, explanation,
                    headers, body, body_end, checks,
                    first_received_at, peer_port, connection_deliveries, packed
                ) VALUES (
                    ?1, ?2, ?3, ?4,
                    ?5, ?6, ?7, ?8,
                    ?9, ?10, ?11, ?12
                )
                ",
            )?,
            event_ids: event_ids::Statements::prepare(connection)?,
            first_body: connection.prepare_cached(
                r"
                SELECT plain_bytes(b.headers, b.packed), b.body
                FROM deliveries d
                JOIN delivery_bytes b USING (seq)
                WHERE d.id = ?1 AND length(b.body) <= ?2
                ",
            )?,
        })
    }

    /// Writes `prepared` inside the open transaction. `now` is the time of the batch.
    pub fn insert(
        &mut self,
        event_ids: &mut EventIds,
        prepared: &Prepared<Packed>,
        retention: &Retention,
        now: Timestamp,
    ) -> rusqlite::Result<Inserted> {
        let appended = match prepared.claim() {
            Some(claim) => self.take(event_ids, prepared, claim, retention, now)?,
            None => Appended::New,
        };
        let settled = prepared.settled(appended);
        let delivery = &prepared.delivery;
        let facts = &prepared.facts;
        let took = prepared.took();
        let duration_us = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
        let seq = self.row.insert(params![
            delivery.id.as_bytes(),
            delivery.source,
            delivery.received_at.as_micros(),
            delivery.method,
            delivery.path,
            encoding::address_bytes(delivery.client.ip),
            facts.event_type,
            facts.event_name,
            facts.event_id,
            facts.entity,
            encoding::verdict_number(settled.verdict),
            settled.reason.map(Reason::as_str),
            settled.status,
            whole(delivery.body.len()),
            duration_us,
            settled.first.map(|(first, _)| *first.as_bytes()),
            whole(prepared.weight),
            prepared.unverified,
        ])?;
        let texts = &prepared.texts;
        self.bytes.execute(params![
            seq,
            texts.http_version,
            texts.peer_ip,
            texts.explanation,
            texts.headers,
            &*delivery.body,
            texts.body_end,
            texts.checks,
            settled.first.and_then(|(_, received_at)| received_at).map(Timestamp::as_micros),
            delivery.connection.port,
            delivery.connection.deliveries,
            packed::FORM,
        ])?;
        Ok(Inserted { written: Written { appended: settled.appended, seq, took }, verdict: settled.verdict })
    }

    /// Claims the event, unless another delivery has it.
    fn take(
        &mut self,
        event_ids: &mut EventIds,
        prepared: &Prepared<Packed>,
        claim: &Claim,
        retention: &Retention,
        now: Timestamp,
    ) -> rusqlite::Result<Appended> {
        let delivery = &prepared.delivery;
        for claim_key in keys(claim) {
            let key = encoding::key_bytes(claim_key);
            let new = New {
                source: &delivery.source,
                key: &key,
                body_digest: &claim.body_digest,
                delivery: delivery.id,
                received_at: delivery.received_at,
                expires_at: expiry(claim, retention, now),
            };
            if let Some(first) = event_ids.take(&mut self.event_ids, &new, now)? {
                return self.repeated(delivery, claim, claim_key, first);
            }
        }
        Ok(Appended::New)
    }

    fn repeated(
        &mut self,
        delivery: &Delivery,
        claim: &Claim,
        claim_key: &ClaimKey,
        found: First,
    ) -> rusqlite::Result<Appended> {
        let First { body_digest, delivery: first, received_at: first_received_at } = found;
        let is_conflict = matches!(claim_key, ClaimKey::Id(_))
            && body_digest != claim.body_digest
            && !self.says_the_same(delivery, first)?;
        Ok(if is_conflict {
            Appended::Conflict { first, first_received_at }
        } else {
            Appended::Duplicate { first, first_received_at }
        })
    }
}

impl Statements<'_> {
    /// Whether a delivery has the same values as the first one, in different bytes.
    fn says_the_same(&mut self, delivery: &Delivery, first: DeliveryId) -> rusqlite::Result<bool> {
        if delivery.body.len() > MOST_COMPARED {
            return Ok(false);
        }
        let found = self.first_body.query_row(params![first.as_bytes(), whole(MOST_COMPARED)], |row| {
            Ok((encoding::headers(row.get_ref(0)?.as_blob()?), row.get_ref(1)?.as_blob()?.to_vec()))
        });
        Ok(found.optional()?.is_some_and(|(headers, body)| says_the_same(delivery, &headers, &body)))
    }
}
