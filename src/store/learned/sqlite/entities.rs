//! Single entities.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::facts::add;
use crate::domain::{DeliveryId, Entity, Timestamp};
use crate::store::SeenEntity;
use crate::store::learned::limits::MOST_ENTITIES;
use crate::store::numbers::clock_number;
use crate::store::outbox::sqlite::to_json;

/// The columns of an entity, in the order that `entity` reads them.
pub const COLUMNS: &str = "source, entity, name, first_seen, last_seen, last_delivery, last_event_type, deliveries, \
     newest_event_at, out_of_order, late, silent_at, habits, own_name";

/// Adds the sightings of an entity, except those added before. History is not evaluated yet, so old silences are not
/// published.
pub fn see(connection: &Connection, seen: &SeenEntity, is_history: bool) -> rusqlite::Result<()> {
    let known = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, through FROM entities WHERE source = ?1 AND entity = ?2"
        ))?
        .query_row([&seen.source, &seen.entity], |row| Ok((entity(row)?, row.get::<_, i64>(14)?)))
        .optional()?;
    let (mut known, before) = known.map_or((None, 0), |(entity, through)| (Some(entity), through));
    let is_new = known.is_none();
    let mut through = before;
    for (seq, seen_in) in seen.seen.iter().filter(|(seq, _)| *seq > before) {
        through = *seq;
        match &mut known {
            Some(known) => known.see(seen_in),
            None => known = Some(Entity::first(seen.source.clone(), seen.entity.clone(), seen_in)),
        }
    }
    let Some(entity) = known.filter(|_| through > before) else { return Ok(()) };
    if is_new {
        add(connection, "entities", 1)?;
        make_room(connection)?;
    }
    let (due, rule) = match is_history {
        true => (None, 0),
        false => (seen.rule.due(entity.heard_at(), entity.usual()), seen.rule.number()),
    };
    put(connection, &entity, through, (due, rule))
}

fn make_room(connection: &Connection) -> rusqlite::Result<()> {
    let entities: i64 = connection
        .prepare_cached("SELECT value FROM facts WHERE name = 'entities'")?
        .query_row([], |row| row.get(0))?;
    if entities <= MOST_ENTITIES {
        return Ok(());
    }
    let removed = connection
        .prepare_cached(
            "DELETE FROM entities WHERE (source, entity) IN \
             (SELECT source, entity FROM entities ORDER BY last_seen LIMIT 1)",
        )?
        .execute([])?;
    add(connection, "entities", -i64::try_from(removed).unwrap_or(0))
}

fn put(
    connection: &Connection,
    entity: &Entity,
    through: i64,
    (due, rule): (Option<Timestamp>, i64),
) -> rusqlite::Result<()> {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let trouble = clock_number(entity.clock_trouble());
    connection
        .prepare_cached(
            "INSERT INTO entities (source, entity, name, first_seen, last_seen, last_delivery, last_event_type, \
             deliveries, newest_event_at, out_of_order, late, silent_at, habits, due_at, due_rule, through, trouble, \
             quiet_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
             ON CONFLICT (source, entity) DO UPDATE SET name = ?3, first_seen = ?4, last_seen = ?5, \
             last_delivery = ?6, last_event_type = ?7, deliveries = ?8, newest_event_at = ?9, out_of_order = ?10, \
             late = ?11, silent_at = ?12, habits = ?13, due_at = ?14, due_rule = ?15, through = ?16, trouble = ?17, \
             quiet_at = ?18",
        )?
        .execute(params![
            entity.source,
            entity.entity,
            entity.name,
            entity.first_seen.as_micros(),
            entity.last_seen.as_micros(),
            entity.last_delivery.as_bytes(),
            entity.last_event_type,
            count(entity.deliveries),
            entity.newest_event_at.map(Timestamp::as_micros),
            count(entity.out_of_order),
            count(entity.late),
            entity.silent_at.map(Timestamp::as_micros),
            to_json(&entity.habits)?,
            due.map(Timestamp::as_micros),
            rule,
            through,
            trouble,
            entity.quiet_at().map(Timestamp::as_micros),
        ])?;
    Ok(())
}

/// The entity with this id.
pub fn one(connection: &Connection, source: &str, entity_id: &str) -> rusqlite::Result<Option<Entity>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM entities WHERE source = ?1 AND entity = ?2"))?
        .query_row([source, entity_id], entity)
        .optional()
}

/// Reads an entity from `COLUMNS`.
pub fn entity(row: &Row<'_>) -> rusqlite::Result<Entity> {
    let time = |at| row.get::<_, Option<i64>>(at).map(|time| time.map(Timestamp::from_micros));
    let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
    let habits: String = row.get(12)?;
    Ok(Entity {
        source: row.get(0)?,
        entity: row.get(1)?,
        name: row.get(2)?,
        first_seen: time(3)?.unwrap_or_default(),
        last_seen: time(4)?.unwrap_or_default(),
        last_delivery: DeliveryId::from_bytes(row.get(5)?),
        last_event_type: row.get(6)?,
        deliveries: number(7)?,
        newest_event_at: time(8)?,
        out_of_order: number(9)?,
        late: number(10)?,
        silent_at: time(11)?,
        habits: serde_json::from_str(&habits).unwrap_or_default(),
        own_name: row.get(13)?,
    })
}
