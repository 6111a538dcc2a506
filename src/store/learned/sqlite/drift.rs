//! Event types and their fields.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::{DeliveryId, JsonKinds, Timestamp};
use crate::store::learned::fields::{MOST_FIELDS, merged, new_field};
use crate::store::outbox::sqlite::to_json;
use crate::store::sqlite::Sqlite;
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

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Adds what was learnt about an event type.
pub fn learn(connection: &Connection, learnt: &TypeLearnt) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO drift_types (source, event_type, deliveries, refused, samples, fields, is_cut, first_seen, \
             first_in, last_seen, through) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (source, event_type) DO UPDATE SET deliveries = deliveries + ?3, refused = refused + ?4, \
             samples = samples + ?5, is_cut = is_cut OR ?6, last_seen = max(last_seen, ?9), \
             through = max(through, ?10)",
        )?
        .execute(params![
            learnt.source,
            learnt.event_type,
            count(learnt.deliveries),
            count(learnt.refused),
            count(learnt.samples),
            learnt.is_cut,
            learnt.first.at.as_micros(),
            learnt.first.delivery.as_bytes(),
            learnt.last_seen.as_micros(),
            learnt.through,
        ])?;
    if learnt.fields.is_empty() {
        return Ok(());
    }
    let (id, before): (i64, i64) = connection
        .prepare_cached("SELECT id, fields FROM drift_types WHERE source = ?1 AND event_type = ?2")?
        .query_row([&learnt.source, &learnt.event_type], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut fields = before;
    let mut is_cut = false;
    for field in &learnt.fields {
        match known(connection, id, &field.pointer)? {
            Some(known) => put(connection, id, &merged(known, field))?,
            None if fields >= MOST_FIELDS => is_cut = true,
            None => {
                if let Some(new) = new_field(field) {
                    put(connection, id, &new)?;
                    fields = fields.saturating_add(1);
                }
            }
        }
    }
    if fields != before || is_cut {
        connection
            .prepare_cached("UPDATE drift_types SET fields = ?2, is_cut = is_cut OR ?3 WHERE id = ?1")?
            .execute(params![id, fields, is_cut])?;
    }
    Ok(())
}

const COLUMNS: &str = "pointer, types, counts, first_seen, first_in, first_sample, last_seen, types_before, \
     changed_at, changed_in";

fn known(connection: &Connection, type_id: i64, pointer: &str) -> rusqlite::Result<Option<DriftField>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM drift_fields WHERE type_id = ?1 AND pointer = ?2"))?
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
            "INSERT OR REPLACE INTO drift_fields (type_id, {COLUMNS}) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        ))?
        .execute(params![
            type_id,
            field.pointer,
            field.kinds.bits(),
            to_json(&field.counts)?,
            field.first_seen.as_micros(),
            field.first_in.as_bytes(),
            count(field.first_sample),
            field.last_seen.as_micros(),
            before,
            changed_at,
            changed_in,
        ])?;
    Ok(())
}

fn field(row: &Row<'_>) -> rusqlite::Result<DriftField> {
    let counts: String = row.get(2)?;
    let before = JsonKinds::from_bits(row.get(7)?);
    let changed_at: Option<i64> = row.get(8)?;
    let changed_in: Option<[u8; 16]> = row.get(9)?;
    Ok(DriftField {
        pointer: row.get(0)?,
        kinds: JsonKinds::from_bits(row.get(1)?),
        counts: serde_json::from_str(&counts).unwrap_or_default(),
        first_seen: Timestamp::from_micros(row.get(3)?),
        first_in: DeliveryId::from_bytes(row.get(4)?),
        first_sample: row.get::<_, i64>(5)?.unsigned_abs(),
        last_seen: Timestamp::from_micros(row.get(6)?),
        changed: changed_at
            .zip(changed_in)
            .map(|(at, delivery)| (before, Timestamp::from_micros(at), DeliveryId::from_bytes(delivery))),
    })
}

/// Every event type, by source and name.
pub fn types(connection: &Connection) -> rusqlite::Result<Vec<DriftType>> {
    connection
        .prepare_cached(
            "SELECT id, source, event_type, deliveries, refused, samples, fields, is_cut, first_seen, first_in, \
             last_seen, through FROM drift_types ORDER BY source, event_type",
        )?
        .query_map([], |row| {
            let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(DriftType {
                id: row.get(0)?,
                source: row.get(1)?,
                event_type: row.get(2)?,
                deliveries: number(3)?,
                refused: number(4)?,
                samples: number(5)?,
                fields: number(6)?,
                is_cut: row.get(7)?,
                first_seen: Timestamp::from_micros(row.get(8)?),
                first_in: DeliveryId::from_bytes(row.get(9)?),
                last_seen: Timestamp::from_micros(row.get(10)?),
                through: row.get(11)?,
            })
        })?
        .collect()
}

/// The fields of an event type, by pointer.
pub fn fields(connection: &Connection, type_id: i64) -> rusqlite::Result<Vec<DriftField>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM drift_fields WHERE type_id = ?1 ORDER BY pointer"))?
        .query_map([type_id], field)?
        .collect()
}
