//! The statements that each event id needs.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params};

use super::identity::Identity;
use super::places::{first_of, first_part, places};
use crate::domain::{DeliveryId, Timestamp};

/// An event id that a delivery claims.
#[derive(Clone, Copy, Debug)]
pub struct New<'n> {
    /// The source.
    pub source: &'n str,
    /// The key, as `encoding::key_bytes` writes it.
    pub key: &'n [u8],
    /// The digest of the body.
    pub body_digest: &'n [u8; 32],
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it was received.
    pub received_at: Timestamp,
    /// When the claim expires.
    pub expires_at: Timestamp,
}

/// The delivery that has an event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// The digest of its body.
    pub body_digest: [u8; 32],
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it was received.
    pub received_at: Timestamp,
}

/// The prepared statements of a batch.
pub struct Statements<'c> {
    add: CachedStatement<'c>,
    remove: CachedStatement<'c>,
    taken: CachedStatement<'c>,
    places: CachedStatement<'c>,
    sorted: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    /// Prepares the statements on the writer's connection.
    pub fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            add: connection.prepare_cached(
                r"
                INSERT INTO taken_event_ids (
                    id, identity, source, key,
                    body_digest, delivery_id, first_received_at, expires_at
                ) VALUES (
                    ?1, ?2, ?3, ?4,
                    ?5, ?6, ?7, ?8
                )
                ",
            )?,
            remove: connection.prepare_cached("DELETE FROM taken_event_ids WHERE id = ?1")?,
            // Another process may have removed the row, and this one may have given its number to another id.
            taken: connection.prepare_cached(
                r"
                SELECT body_digest, delivery_id, first_received_at, expires_at
                FROM taken_event_ids
                WHERE id = ?1 AND identity = ?2
                ",
            )?,
            places: connection.prepare_cached("SELECT places FROM event_id_places WHERE part = ?1")?,
            sorted: connection.prepare_cached(
                r"
                SELECT body_digest, delivery_id, first_received_at, expires_at
                FROM sorted_event_ids
                WHERE run = ?1 AND identity = ?2
                ",
            )?,
        })
    }

    /// Writes a row of `taken_event_ids`; `expires_at` as stored.
    pub fn add(
        &mut self,
        id: i64,
        identity: Identity,
        new: &New<'_>,
        expires_at: i64,
    ) -> rusqlite::Result<()> {
        self.add.execute(params![
            id,
            identity,
            new.source,
            new.key,
            new.body_digest,
            new.delivery.as_bytes(),
            new.received_at.as_micros(),
            expires_at,
        ])?;
        Ok(())
    }

    /// Removes a row of `taken_event_ids`.
    pub fn remove(&mut self, id: i64) -> rusqlite::Result<()> {
        self.remove.execute([id])?;
        Ok(())
    }

    /// A row of `taken_event_ids`, and when it expires, as stored.
    pub fn taken(&mut self, id: i64, identity: Identity) -> rusqlite::Result<Option<(First, i64)>> {
        self.taken.query_row(params![id, identity], first).optional()
    }

    /// The row of an identity in a listed run, and when it expires, as stored.
    pub fn listed(&mut self, run: i64, identity: Identity) -> rusqlite::Result<Option<(First, i64)>> {
        let (part, next) = identity.part();
        let part: Option<Vec<u8>> = self
            .places
            .query_row([first_part(run).saturating_add(part.into())], |row| row.get(0))
            .optional()?;
        // A run of the version before.
        let Some(part) = part else { return self.sorted.query_row(params![run, identity], first).optional() };
        for place in places(&part, next) {
            if let Some(found) = self.taken(first_of(run).saturating_add(place), identity)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn first(row: &Row<'_>) -> rusqlite::Result<(First, i64)> {
    let first = First {
        body_digest: row.get(0)?,
        delivery: DeliveryId::from_bytes(row.get(1)?),
        received_at: Timestamp::from_micros(row.get(2)?),
    };
    Ok((first, row.get(3)?))
}
