//! Event types and their fields.

use std::collections::HashMap;

use async_trait::async_trait;
use tokio_postgres::Row;

use super::columns::{delivery, each, number, time, time_if_any, to_json};
use crate::domain::{DeliveryId, JsonKinds, Timestamp};
use crate::store::learned::columns::{FIELD, TYPE};
use crate::store::learned::fields::Fields;
use crate::store::learned::statements::COUNT_FIELDS;
use crate::store::postgres::{Postgres, Transaction, column, count, params, small};
use crate::store::{Drift, DriftField, DriftType, StoreError, TypeLearnt};

#[async_trait]
impl Drift for Postgres {
    async fn drift_types(&self) -> Result<Vec<DriftType>, StoreError> {
        let rows = self.connection().await?.rows(&format!("SELECT {TYPE} FROM drift_types"), &[]).await?;
        let mut types = rows.iter().map(drift_type).collect::<Result<Vec<_>, _>>()?;
        types.sort_by(|a, b| (&a.source, &a.event_type).cmp(&(&b.source, &b.event_type)));
        Ok(types)
    }

    async fn drift_fields(&self, type_id: i64) -> Result<Vec<DriftField>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                &format!(
                    r"
                    SELECT {FIELD}
                    FROM drift_fields
                    WHERE type_id = $1
                    "
                ),
                &params![type_id],
            )
            .await?;
        let mut fields = rows.iter().map(field).collect::<Result<Vec<_>, _>>()?;
        fields.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        Ok(fields)
    }
}

/// Whether nothing was counted of these types since the caller read about them.
pub async fn are_known(to: &Transaction, types: &[TypeLearnt]) -> Result<bool, StoreError> {
    if types.is_empty() {
        return Ok(true);
    }
    let sources: Vec<&str> = types.iter().map(|learnt| learnt.source.as_str()).collect();
    let names: Vec<&str> = types.iter().map(|learnt| learnt.event_type.as_str()).collect();
    let rows = to
        .rows(
            r"
            SELECT source, event_type, through
            FROM drift_types
            WHERE (source, event_type) IN (SELECT * FROM unnest($1, $2))
            ",
            &params![sources, names],
        )
        .await?;
    let mut through: HashMap<(String, String), i64> = HashMap::new();
    for row in &rows {
        through.insert((column(row, "source")?, column(row, "event_type")?), column(row, "through")?);
    }
    Ok(types.iter().all(|learnt| {
        let key = (learnt.source.clone(), learnt.event_type.clone());
        through.get(&key).copied().unwrap_or(0) == learnt.after
    }))
}

/// Adds what was learnt about an event type.
pub async fn learn(to: &Transaction, learnt: &TypeLearnt) -> Result<(), StoreError> {
    let stored = to
        .one(
            r"
            INSERT INTO drift_types AS old (
                source, event_type, deliveries, refused, samples, fields,
                is_cut, first_seen, first_in, last_seen, through
            ) VALUES (
                $1, $2, $3, $4, $5, 0,
                $6, $7, $8, $9, $10
            )
            ON CONFLICT (source, event_type) DO UPDATE SET
                deliveries = old.deliveries + excluded.deliveries,
                refused = old.refused + excluded.refused,
                samples = old.samples + excluded.samples,
                is_cut = old.is_cut OR excluded.is_cut,
                last_seen = greatest(old.last_seen, excluded.last_seen),
                through = greatest(old.through, excluded.through)
            RETURNING id, fields
            ",
            &params![
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
            ],
        )
        .await?;
    if learnt.fields.is_empty() {
        return Ok(());
    }
    let (id, before): (i64, i64) = (column(&stored, "id")?, column(&stored, "fields")?);
    let mut known = known(to, id, learnt).await?;
    let mut fields = Fields { count: before, is_cut: false };
    for field in &learnt.fields {
        let now = fields.learn(known.remove(&field.pointer), field);
        known.extend(now.map(|field| (field.pointer.clone(), field)));
    }
    put(to, id, &known.into_values().collect::<Vec<_>>()).await?;
    if fields.count != before || fields.is_cut {
        to.run(COUNT_FIELDS, &params![fields.count, fields.is_cut, id]).await?;
    }
    Ok(())
}

/// The stored ones of the fields that were learnt.
async fn known(
    to: &Transaction,
    type_id: i64,
    learnt: &TypeLearnt,
) -> Result<HashMap<String, DriftField>, StoreError> {
    let pointers: Vec<&str> = learnt.fields.iter().map(|field| field.pointer.as_str()).collect();
    let rows = to
        .rows(
            &format!(
                r"
                SELECT {FIELD}
                FROM drift_fields
                WHERE type_id = $1
                  AND pointer = ANY ($2)
                "
            ),
            &params![type_id, pointers],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let field = field(row)?;
            Ok((field.pointer.clone(), field))
        })
        .collect()
}

async fn put(to: &Transaction, type_id: i64, fields: &[DriftField]) -> Result<(), StoreError> {
    let before = |field: &DriftField| field.changed.map_or(0, |(before, ..)| i64::from(before.bits()));
    let changed_at = |field: &DriftField| field.changed.map(|(_, at, _)| at.as_micros());
    let changed_in: Vec<Option<Vec<u8>>> =
        fields.iter().map(|field| field.changed.map(|(.., delivery)| delivery.as_bytes().to_vec())).collect();
    let counts = fields.iter().map(|field| to_json(&field.counts)).collect::<Result<Vec<_>, _>>()?;
    to.run(
        &format!(
            r"
            INSERT INTO drift_fields (
                type_id, {FIELD}
            )
            SELECT $1, learnt.*
            FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS learnt
            ON CONFLICT (type_id, pointer) DO UPDATE SET
                types = excluded.types,
                counts = excluded.counts,
                first_seen = excluded.first_seen,
                first_in = excluded.first_in,
                first_sample = excluded.first_sample,
                last_seen = excluded.last_seen,
                types_before = excluded.types_before,
                changed_at = excluded.changed_at,
                changed_in = excluded.changed_in
            "
        ),
        &params![
            type_id,
            each(fields, |field| field.pointer.as_str()),
            each(fields, |field| i64::from(field.kinds.bits())),
            counts,
            each(fields, |field| field.first_seen.as_micros()),
            each(fields, |field| field.first_in.as_bytes().as_slice()),
            each(fields, |field| count(field.first_sample)),
            each(fields, |field| field.last_seen.as_micros()),
            each(fields, before),
            each(fields, changed_at),
            changed_in,
        ],
    )
    .await?;
    Ok(())
}

fn kinds(row: &Row, name: &str) -> Result<JsonKinds, StoreError> {
    Ok(JsonKinds::from_bits(small(column(row, name)?, name)?))
}

fn field(row: &Row) -> Result<DriftField, StoreError> {
    let counts: String = column(row, "counts")?;
    let changed_in: Option<[u8; 16]> = column(row, "changed_in")?;
    let before = kinds(row, "types_before")?;
    let changed: Option<(Timestamp, DeliveryId)> =
        time_if_any(row, "changed_at")?.zip(changed_in.map(DeliveryId::from_bytes));
    Ok(DriftField {
        pointer: column(row, "pointer")?,
        kinds: kinds(row, "types")?,
        counts: serde_json::from_str(&counts).unwrap_or_default(),
        first_seen: time(row, "first_seen")?,
        first_in: delivery(row, "first_in")?,
        first_sample: number(row, "first_sample")?,
        last_seen: time(row, "last_seen")?,
        changed: changed.map(|(at, delivery)| (before, at, delivery)),
    })
}

fn drift_type(row: &Row) -> Result<DriftType, StoreError> {
    Ok(DriftType {
        id: column(row, "id")?,
        source: column(row, "source")?,
        event_type: column(row, "event_type")?,
        deliveries: number(row, "deliveries")?,
        refused: number(row, "refused")?,
        samples: number(row, "samples")?,
        fields: number(row, "fields")?,
        is_cut: column(row, "is_cut")?,
        first_seen: time(row, "first_seen")?,
        first_in: delivery(row, "first_in")?,
        last_seen: time(row, "last_seen")?,
        through: column(row, "through")?,
    })
}
