//! Single entities.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::columns::{delivery, number, time, time_if_any, to_json};
use super::facts::add;
use crate::domain::{Entity, Timestamp};
use crate::store::learned::limits::MOST_ENTITIES;
use crate::store::learned::sightings::{Sighted, sighted};
use crate::store::numbers::clock_number;
use crate::store::postgres::{Transaction, column, count, params, whole};
use crate::store::{SeenEntity, StoreError};

/// The columns of an entity, as `entity` reads them.
pub const COLUMNS: &str = r"
    source, entity, name, first_seen, last_seen, last_delivery, last_event_type, deliveries,
    newest_event_at, out_of_order, late, silent_at, habits, own_name
";

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
                SELECT {COLUMNS}, through
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
            DELETE FROM entities
            WHERE (source, entity) IN (
                SELECT source, entity
                FROM entities
                WHERE (source, entity) NOT IN (SELECT * FROM unnest($1, $2))
                ORDER BY last_seen, source, entity
                LIMIT $3
                FOR UPDATE SKIP LOCKED
            )
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
    let numbers = |number: fn(&Sighted) -> i64| sighted.iter().map(number).collect::<Vec<_>>();
    let times = |time: fn(&Sighted) -> Option<Timestamp>| {
        sighted.iter().map(|sighted| time(sighted).map(Timestamp::as_micros)).collect::<Vec<_>>()
    };
    let names = |name: fn(&Entity) -> Option<&str>| {
        sighted.iter().map(|sighted| name(&sighted.entity)).collect::<Vec<_>>()
    };
    let habits =
        sighted.iter().map(|sighted| to_json(&sighted.entity.habits)).collect::<Result<Vec<_>, _>>()?;
    to.run(
        r"
        INSERT INTO entities (
            source, entity, name, first_seen, last_seen, last_delivery, last_event_type,
            deliveries, newest_event_at, out_of_order, late, silent_at, habits,
            due_at, due_rule, through, trouble, quiet_at
        )
        SELECT *
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (source, entity) DO UPDATE SET
            name = excluded.name,
            first_seen = excluded.first_seen,
            last_seen = excluded.last_seen,
            last_delivery = excluded.last_delivery,
            last_event_type = excluded.last_event_type,
            deliveries = excluded.deliveries,
            newest_event_at = excluded.newest_event_at,
            out_of_order = excluded.out_of_order,
            late = excluded.late,
            silent_at = excluded.silent_at,
            habits = excluded.habits,
            due_at = excluded.due_at,
            due_rule = excluded.due_rule,
            through = excluded.through,
            trouble = excluded.trouble,
            quiet_at = excluded.quiet_at
        ",
        &params![
            sighted.iter().map(|sighted| sighted.entity.source.as_str()).collect::<Vec<_>>(),
            sighted.iter().map(|sighted| sighted.entity.entity.as_str()).collect::<Vec<_>>(),
            names(|entity| entity.name.as_deref()),
            numbers(|sighted| sighted.entity.first_seen.as_micros()),
            numbers(|sighted| sighted.entity.last_seen.as_micros()),
            sighted
                .iter()
                .map(|sighted| sighted.entity.last_delivery.as_bytes().as_slice())
                .collect::<Vec<_>>(),
            names(|entity| entity.last_event_type.as_deref()),
            numbers(|sighted| count(sighted.entity.deliveries)),
            times(|sighted| sighted.entity.newest_event_at),
            numbers(|sighted| count(sighted.entity.out_of_order)),
            numbers(|sighted| count(sighted.entity.late)),
            times(|sighted| sighted.entity.silent_at),
            habits,
            times(|sighted| sighted.due),
            numbers(|sighted| sighted.rule),
            numbers(|sighted| sighted.through),
            numbers(|sighted| clock_number(sighted.entity.clock_trouble())),
            times(|sighted| sighted.entity.quiet_at()),
        ],
    )
    .await?;
    Ok(())
}

/// Reads an entity from `COLUMNS`.
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
