//! Writes one entry into its tables. Work that needs no lock is done before the writer gets the entry.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use crate::domain::{Appended, Claim, ClaimKey, Delivery, DeliveryId, Reason, Timestamp, Verdict};
use crate::store::log::encoding;
use crate::store::log::prepared::{MOST_COMPARED, Prepared, expiry, keys, says_the_same};
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
    claim: CachedStatement<'c>,
    first: CachedStatement<'c>,
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
                    first_received_at, peer_port, connection_deliveries
                ) VALUES (
                    ?1, ?2, ?3, ?4,
                    ?5, ?6, ?7, ?8,
                    ?9, ?10, ?11
                )
                ",
            )?,
            // The UNIQUE key decides; there is no read before the write. An expired id counts as free.
            claim: connection.prepare_cached(
                r"
                INSERT INTO event_ids (source, key, body_digest, delivery_id, first_received_at, expires_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                ON CONFLICT (source, key) DO UPDATE SET
                    body_digest = excluded.body_digest,
                    delivery_id = excluded.delivery_id,
                    first_received_at = excluded.first_received_at,
                    expires_at = excluded.expires_at
                WHERE event_ids.expires_at <= ?7
                ",
            )?,
            first: connection.prepare_cached(
                r"
                SELECT body_digest, delivery_id, first_received_at
                FROM event_ids
                WHERE source = ?1 AND key = ?2
                ",
            )?,
            first_body: connection.prepare_cached(
                r"
                SELECT b.headers, b.body
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
        prepared: &Prepared,
        retention: &Retention,
        now: Timestamp,
    ) -> rusqlite::Result<Inserted> {
        let appended = match prepared.claim() {
            Some(claim) => self.take(prepared, claim, retention, now)?,
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
        self.bytes.execute(params![
            seq,
            delivery.http_version,
            encoding::address_bytes(delivery.client.peer),
            delivery.client.explanation,
            prepared.headers,
            &*delivery.body,
            delivery.body_end.as_str(),
            prepared.checks,
            settled.first.and_then(|(_, received_at)| received_at).map(Timestamp::as_micros),
            delivery.connection.port,
            delivery.connection.deliveries,
        ])?;
        Ok(Inserted { written: Written { appended: settled.appended, seq, took }, verdict: settled.verdict })
    }

    /// Claims the event, unless another delivery has it.
    fn take(
        &mut self,
        prepared: &Prepared,
        claim: &Claim,
        retention: &Retention,
        now: Timestamp,
    ) -> rusqlite::Result<Appended> {
        for key in keys(claim) {
            let taken = self.take_key(prepared, claim, key, retention, now)?;
            if taken != Appended::New {
                return Ok(taken);
            }
        }
        Ok(Appended::New)
    }

    fn take_key(
        &mut self,
        prepared: &Prepared,
        claim: &Claim,
        claim_key: &ClaimKey,
        retention: &Retention,
        now: Timestamp,
    ) -> rusqlite::Result<Appended> {
        let source = &prepared.delivery.source;
        let key = encoding::key_bytes(claim_key);
        let taken = self.claim.execute(params![
            source,
            key,
            claim.body_digest,
            prepared.delivery.id.as_bytes(),
            prepared.delivery.received_at.as_micros(),
            expiry(claim, retention, now).as_micros(),
            now.as_micros(),
        ])?;
        if taken == 1 {
            return Ok(Appended::New);
        }
        let (digest, first, first_received_at) = self.first.query_row(params![source, key], |row| {
            Ok((row.get::<_, [u8; 32]>(0)?, DeliveryId::from_bytes(row.get(1)?), row.get::<_, i64>(2)?))
        })?;
        let first_received_at = Timestamp::from_micros(first_received_at);
        let is_conflict = matches!(claim_key, ClaimKey::Id(_))
            && digest != claim.body_digest
            && !self.says_the_same(&prepared.delivery, first)?;
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
