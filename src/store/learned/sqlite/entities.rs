//! Single entities.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use super::facts::{add, fact};
use crate::domain::{DeliveryId, Entity, Timestamp};
use crate::store::SeenEntity;
use crate::store::learned::columns::{ENTITY, SIGHTED, SIGHTED_AGAIN};
use crate::store::learned::limits::MOST_ENTITIES;
use crate::store::learned::sightings::{Sighted, sighted};
use crate::store::learned::statements;
use crate::store::numbers::clock_number;
use crate::store::outbox::sqlite::to_json;
use crate::store::sqlite::fields::{count, json, time, time_if_any};

/// Adds the sightings of an entity, except those added before.
pub fn see(connection: &Connection, seen: &SeenEntity, is_history: bool) -> rusqlite::Result<()> {
    let known = connection
        .prepare_cached(&format!(
            r"
            SELECT {ENTITY}, through
            FROM entities
            WHERE source = ?1 AND entity = ?2
            "
        ))?
        .query_row([&seen.source, &seen.entity], |row| Ok((entity(row)?, row.get("through")?)))
        .optional()?;
    let is_new = known.is_none();
    let Some(sighted) = sighted(known, seen, is_history) else { return Ok(()) };
    if is_new {
        add(connection, "entities", 1)?;
        make_room(connection)?;
    }
    put(connection, &sighted)
}

fn make_room(connection: &Connection) -> rusqlite::Result<()> {
    if fact(connection, "entities")? <= MOST_ENTITIES {
        return Ok(());
    }
    let removed = connection
        .prepare_cached(
            r"
            DELETE FROM entities
            WHERE (source, entity) IN (
                SELECT source, entity
                FROM entities
                ORDER BY last_seen, source, entity
                LIMIT 1
            )
            ",
        )?
        .execute([])?;
    add(connection, "entities", -i64::try_from(removed).unwrap_or(0))
}

fn put(connection: &Connection, sighted: &Sighted) -> rusqlite::Result<()> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let entity = &sighted.entity;
    connection
        .prepare_cached(&format!(
            r"
            INSERT INTO entities ({SIGHTED})
            VALUES (
                :source, :entity, :name, :first_seen, :last_seen, :last_delivery, :last_event_type,
                :deliveries, :newest_event_at, :out_of_order, :late, :silent_at, :habits,
                :due_at, :due_rule, :through, :trouble, :quiet_at
            )
            {SIGHTED_AGAIN}
            "
        ))?
        .execute(named_params! {
            ":source": entity.source,
            ":entity": entity.entity,
            ":name": entity.name,
            ":first_seen": entity.first_seen.as_micros(),
            ":last_seen": entity.last_seen.as_micros(),
            ":last_delivery": entity.last_delivery.as_bytes(),
            ":last_event_type": entity.last_event_type,
            ":deliveries": number(entity.deliveries),
            ":newest_event_at": entity.newest_event_at.map(Timestamp::as_micros),
            ":out_of_order": number(entity.out_of_order),
            ":late": number(entity.late),
            ":silent_at": entity.silent_at.map(Timestamp::as_micros),
            ":habits": to_json(&entity.habits)?,
            ":due_at": sighted.due.map(Timestamp::as_micros),
            ":due_rule": sighted.rule,
            ":through": sighted.through,
            ":trouble": clock_number(entity.clock_trouble()),
            ":quiet_at": entity.quiet_at().map(Timestamp::as_micros),
        })?;
    Ok(())
}

/// The entity with this id.
pub fn one(connection: &Connection, source: &str, entity_id: &str) -> rusqlite::Result<Option<Entity>> {
    connection.prepare_cached(&statements::entity())?.query_row([source, entity_id], entity).optional()
}

/// Reads an entity from `ENTITY`.
pub fn entity(row: &Row<'_>) -> rusqlite::Result<Entity> {
    Ok(Entity {
        source: row.get("source")?,
        entity: row.get("entity")?,
        name: row.get("name")?,
        own_name: row.get("own_name")?,
        first_seen: time(row, "first_seen")?,
        last_seen: time(row, "last_seen")?,
        last_delivery: DeliveryId::from_bytes(row.get("last_delivery")?),
        last_event_type: row.get("last_event_type")?,
        deliveries: count(row, "deliveries")?,
        newest_event_at: time_if_any(row, "newest_event_at")?,
        out_of_order: count(row, "out_of_order")?,
        late: count(row, "late")?,
        silent_at: time_if_any(row, "silent_at")?,
        habits: json(row, "habits").unwrap_or_default(),
    })
}
