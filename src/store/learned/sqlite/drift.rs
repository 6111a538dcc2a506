//! Event types and their fields.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use crate::domain::{DeliveryId, JsonKinds};
use crate::store::learned::columns::{FIELD, TYPE};
use crate::store::learned::fields::Fields;
use crate::store::learned::statements::COUNT_FIELDS;
use crate::store::outbox::sqlite::to_json;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::fields::{count, json, time, time_if_any};
use crate::store::{Drift, DriftField, DriftType, StoreError, TypeLearnt};

#[async_trait]
impl Drift for Sqlite {
    async fn drift_types(&self) -> Result<Vec<DriftType>, StoreError> {
        self.read(types).await
    }

    async fn drift_fields(&self, type_id: i64) -> Result<Vec<DriftField>, StoreError> {
        self.read(move |from| fields(from, type_id)).await
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The position of the last delivery of this type that was counted; 0: there is none.
pub fn through(connection: &Connection, learnt: &TypeLearnt) -> rusqlite::Result<i64> {
    let through = connection
        .prepare_cached(
            r"
            SELECT through
            FROM drift_types
            WHERE source = ?1 AND event_type = ?2
            ",
        )?
        .query_row([&learnt.source, &learnt.event_type], |row| row.get("through"))
        .optional()?;
    Ok(through.unwrap_or(0))
}

/// Adds what was learnt about an event type.
pub fn learn(connection: &Connection, learnt: &TypeLearnt) -> rusqlite::Result<()> {
    let (id, before): (i64, i64) = connection
        .prepare_cached(
            r"
            INSERT INTO drift_types (
                source, event_type, deliveries, refused, samples, fields,
                is_cut, first_seen, first_in, last_seen, through
            ) VALUES (
                :source, :event_type, :deliveries, :refused, :samples, 0,
                :is_cut, :first_seen, :first_in, :last_seen, :through
            )
            ON CONFLICT (source, event_type) DO UPDATE SET
                deliveries = deliveries + :deliveries,
                refused = refused + :refused,
                samples = samples + :samples,
                is_cut = is_cut OR :is_cut,
                last_seen = max(last_seen, :last_seen),
                through = max(through, :through)
            RETURNING id, fields
            ",
        )?
        .query_row(
            named_params! {
                ":source": learnt.source,
                ":event_type": learnt.event_type,
                ":deliveries": number(learnt.deliveries),
                ":refused": number(learnt.refused),
                ":samples": number(learnt.samples),
                ":is_cut": learnt.is_cut,
                ":first_seen": learnt.first.at.as_micros(),
                ":first_in": learnt.first.delivery.as_bytes(),
                ":last_seen": learnt.last_seen.as_micros(),
                ":through": learnt.through,
            },
            |row| Ok((row.get("id")?, row.get("fields")?)),
        )?;
    let mut fields = Fields { count: before, is_cut: false };
    for field in &learnt.fields {
        if let Some(now) = fields.learn(known(connection, id, &field.pointer)?, field) {
            put(connection, id, &now)?;
        }
    }
    if fields.count != before || fields.is_cut {
        connection.prepare_cached(COUNT_FIELDS)?.execute(params![fields.count, fields.is_cut, id])?;
    }
    Ok(())
}

fn known(connection: &Connection, type_id: i64, pointer: &str) -> rusqlite::Result<Option<DriftField>> {
    connection
        .prepare_cached(&format!(
            r"
            SELECT {FIELD}
            FROM drift_fields
            WHERE type_id = ?1 AND pointer = ?2
            "
        ))?
        .query_row(params![type_id, pointer], field)
        .optional()
}

fn put(connection: &Connection, type_id: i64, field: &DriftField) -> rusqlite::Result<()> {
    let (before, changed_at, changed_in) = match &field.changed {
        Some((before, at, delivery)) => (before.bits(), Some(at.as_micros()), Some(*delivery.as_bytes())),
        None => (0, None, None),
    };
    connection
        .prepare_cached(&format!(
            r"
            INSERT OR REPLACE INTO drift_fields (
                type_id, {FIELD}
            ) VALUES (
                :type_id, :pointer, :types, :counts, :first_seen, :first_in, :first_sample, :last_seen,
                :types_before, :changed_at, :changed_in
            )
            "
        ))?
        .execute(named_params! {
            ":type_id": type_id,
            ":pointer": field.pointer,
            ":types": field.kinds.bits(),
            ":counts": to_json(&field.counts)?,
            ":first_seen": field.first_seen.as_micros(),
            ":first_in": field.first_in.as_bytes(),
            ":first_sample": number(field.first_sample),
            ":last_seen": field.last_seen.as_micros(),
            ":types_before": before,
            ":changed_at": changed_at,
            ":changed_in": changed_in,
        })?;
    Ok(())
}

fn field(row: &Row<'_>) -> rusqlite::Result<DriftField> {
    let before = JsonKinds::from_bits(row.get("types_before")?);
    let changed_at = time_if_any(row, "changed_at")?;
    let changed_in: Option<[u8; 16]> = row.get("changed_in")?;
    Ok(DriftField {
        pointer: row.get("pointer")?,
        kinds: JsonKinds::from_bits(row.get("types")?),
        counts: json(row, "counts").unwrap_or_default(),
        first_seen: time(row, "first_seen")?,
        first_in: DeliveryId::from_bytes(row.get("first_in")?),
        first_sample: count(row, "first_sample")?,
        last_seen: time(row, "last_seen")?,
        changed: changed_at
            .zip(changed_in)
            .map(|(at, delivery)| (before, at, DeliveryId::from_bytes(delivery))),
    })
}

/// Every event type, by source and name.
pub fn types(connection: &Connection) -> rusqlite::Result<Vec<DriftType>> {
    connection
        .prepare_cached(&format!("SELECT {TYPE} FROM drift_types ORDER BY source, event_type"))?
        .query_map([], |row| {
            Ok(DriftType {
                id: row.get("id")?,
                source: row.get("source")?,
                event_type: row.get("event_type")?,
                deliveries: count(row, "deliveries")?,
                refused: count(row, "refused")?,
                samples: count(row, "samples")?,
                fields: count(row, "fields")?,
                is_cut: row.get("is_cut")?,
                first_seen: time(row, "first_seen")?,
                first_in: DeliveryId::from_bytes(row.get("first_in")?),
                last_seen: time(row, "last_seen")?,
                through: row.get("through")?,
            })
        })?
        .collect()
}

/// The fields of an event type, by pointer.
pub fn fields(connection: &Connection, type_id: i64) -> rusqlite::Result<Vec<DriftField>> {
    connection
        .prepare_cached(&format!(
            r"
            SELECT {FIELD}
            FROM drift_fields
            WHERE type_id = ?1
            ORDER BY pointer
            "
        ))?
        .query_map([type_id], field)?
        .collect()
}
