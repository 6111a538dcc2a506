//! Single entities.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::columns::{delivery, each, number, time, time_if_any, to_json};
use super::facts::add;
use crate::domain::{Entity, Timestamp};
use crate::store::learned::columns::{ENTITY, SIGHTED, SIGHTED_AGAIN};
use crate::store::learned::limits::MOST_ENTITIES;
use crate::store::learned::sightings::{Sighted, sighted};
use crate::store::numbers::clock_number;
use crate::store::postgres::{Transaction, column, count, params, whole};
use crate::store::{SeenEntity, StoreError};

/// Adds the sightings of entities, except those added before. Only learners, one after the other, add and remove entities.
pub async fn see(to: &Transaction, seen: &[SeenEntity], is_history: bool) -> Result<(), StoreError> {
    if seen.is_empty() {
        return Ok(());
    }
    let mut known = known(to, seen).await?;
    let mut new = 0_usize;
    let mut changed: HashMap<(&str, &str), Sighted> = HashMap::new();
    for seen in seen {
        let key = (seen.source.as_str(), seen.entity.as_str());
        let before = changed.get(&key).map(|sighted| (sighted.entity.clone(), sighted.through));
        let before = before.or_else(|| known.remove(&(seen.source.clone(), seen.entity.clone())));
        let is_new = before.is_none();
        if let Some(sighted) = sighted(before, seen, is_history) {
            new = new.saturating_add(usize::from(is_new));
            changed.insert(key, sighted);
        }
    }
    let changed: Vec<Sighted> = changed.into_values().collect();
    if new > 0 {
        let entities = add(to, "entities", whole(new)).await?;
        make_room(to, entities.saturating_sub(MOST_ENTITIES), &changed).await?;
    }
    put(to, &changed).await
}

/// What is known of these entities, and through which position. They are locked.
async fn known(
    to: &Transaction,
    seen: &[SeenEntity],
) -> Result<HashMap<(String, String), (Entity, i64)>, StoreError> {
    let sources: Vec<&str> = seen.iter().map(|seen| seen.source.as_str()).collect();
    let entities: Vec<&str> = seen.iter().map(|seen| seen.entity.as_str()).collect();
    let rows = to
        .rows(
            &format!(
                r"
                SELECT {ENTITY}, through
                FROM entities
                WHERE (source, entity) IN (SELECT * FROM unnest($1, $2))
                ORDER BY source, entity
                FOR UPDATE
                "
            ),
            &params![sources, entities],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let entity = entity(row)?;
            Ok(((entity.source.clone(), entity.entity.clone()), (entity, column(row, "through")?)))
        })
        .collect()
}

/// Removes entities, those that are silent for longest, for others that are written next. What another transaction has
/// locked stays: somebody deals with it.
async fn make_room(to: &Transaction, surplus: i64, next: &[Sighted]) -> Result<(), StoreError> {
    if surplus <= 0 {
        return Ok(());
    }
    let removed = to
        .run(
            r"
            WITH longest_silent AS MATERIALIZED (
                SELECT source, entity
                FROM entities
                WHERE (source, entity) NOT IN (SELECT * FROM unnest($1, $2))
                ORDER BY last_seen, source, entity
                LIMIT $3
                FOR UPDATE SKIP LOCKED
            )
            DELETE FROM entities
            USING longest_silent
            WHERE entities.source = longest_silent.source
              AND entities.entity = longest_silent.entity
            ",
            &params![
                next.iter().map(|next| next.entity.source.as_str()).collect::<Vec<_>>(),
                next.iter().map(|next| next.entity.entity.as_str()).collect::<Vec<_>>(),
                surplus,
            ],
        )
        .await?;
    add(to, "entities", count(removed).saturating_neg()).await?;
    Ok(())
}

async fn put(to: &Transaction, sighted: &[Sighted]) -> Result<(), StoreError> {
    let times = |time: fn(&Sighted) -> Option<Timestamp>| {
        each(sighted, |sighted| time(sighted).map(Timestamp::as_micros))
    };
    let habits =
        sighted.iter().map(|sighted| to_json(&sighted.entity.habits)).collect::<Result<Vec<_>, _>>()?;
    to.run(
        &format!(
            r"
            INSERT INTO entities ({SIGHTED})
            SELECT *
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            {SIGHTED_AGAIN}
            "
        ),
        &params![
            each(sighted, |sighted| sighted.entity.source.as_str()),
            each(sighted, |sighted| sighted.entity.entity.as_str()),
            each(sighted, |sighted| sighted.entity.name.as_deref()),
            each(sighted, |sighted| sighted.entity.first_seen.as_micros()),
            each(sighted, |sighted| sighted.entity.last_seen.as_micros()),
            each(sighted, |sighted| sighted.entity.last_delivery.as_bytes().as_slice()),
            each(sighted, |sighted| sighted.entity.last_event_type.as_deref()),
            each(sighted, |sighted| count(sighted.entity.deliveries)),
            times(|sighted| sighted.entity.newest_event_at),
            each(sighted, |sighted| count(sighted.entity.out_of_order)),
            each(sighted, |sighted| count(sighted.entity.late)),
            times(|sighted| sighted.entity.silent_at),
            habits,
            times(|sighted| sighted.due),
            each(sighted, |sighted| sighted.rule),
            each(sighted, |sighted| sighted.through),
            each(sighted, |sighted| clock_number(sighted.entity.clock_trouble())),
            times(|sighted| sighted.entity.quiet_at()),
        ],
    )
    .await?;
    Ok(())
}

/// Reads an entity from `ENTITY`.
pub fn entity(row: &Row) -> Result<Entity, StoreError> {
    let habits: String = column(row, "habits")?;
    Ok(Entity {
        source: column(row, "source")?,
        entity: column(row, "entity")?,
        name: column(row, "name")?,
        own_name: column(row, "own_name")?,
        first_seen: time(row, "first_seen")?,
        last_seen: time(row, "last_seen")?,
        last_delivery: delivery(row, "last_delivery")?,
        last_event_type: column(row, "last_event_type")?,
        deliveries: number(row, "deliveries")?,
        newest_event_at: time_if_any(row, "newest_event_at")?,
        out_of_order: number(row, "out_of_order")?,
        late: number(row, "late")?,
        silent_at: time_if_any(row, "silent_at")?,
        habits: serde_json::from_str(&habits).unwrap_or_default(),
    })
}
