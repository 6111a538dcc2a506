//! Lists of entities, by the index of when they were last heard of; and the deliveries about one.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::entities;
use super::learn::delivery;
use crate::domain::Entity;
use crate::store::sqlite::codec::ROW_COLUMNS;
use crate::store::sqlite::insert::whole;
use crate::store::{EntityOrder, EntityPage, EntityPlace, EntityQuery, FannedDelivery};

/// The entity of an id.
pub fn one(connection: &Connection, source: &str, entity: &str) -> rusqlite::Result<Option<Entity>> {
    entities::one(connection, source, entity)
}

/// A page of at most `limit` entities. Those that match are found in the index alone.
pub fn list(connection: &Connection, query: &EntityQuery, limit: usize) -> rusqlite::Result<EntityPage> {
    let mut conditions = vec!["1".to_owned()];
    let mut values = Vec::new();
    let (index, silent) = match query.is_silent {
        true => ("entities_silent", "silent_at IS NOT NULL"),
        false => ("entities_last_seen", "1"),
    };
    let (beyond, direction) = match query.order {
        EntityOrder::Recent => ("<", "DESC"),
        EntityOrder::Silence => (">", "ASC"),
    };
    if let Some(place) = &query.after {
        conditions.push(format!("(last_seen, source, entity) {beyond} (?, ?, ?)"));
        values.push(Value::Integer(place.last_seen.as_micros()));
        values.push(Value::Text(place.source.clone()));
        values.push(Value::Text(place.entity.clone()));
    }
    if let Some(source) = &query.source {
        // A unary plus: the index of the time is walked, whatever else would do.
        conditions.push("+source = ?".to_owned());
        values.push(Value::Text(source.clone()));
    }
    if let Some(text) = &query.q {
        conditions.push("(instr(lower(entity), ?) OR instr(lower(coalesce(name, '')), ?))".to_owned());
        values.push(Value::Text(text.to_ascii_lowercase()));
        values.push(Value::Text(text.to_ascii_lowercase()));
    }
    values.push(Value::Integer(whole(limit.saturating_add(1))));
    let sql = format!(
        "SELECT source, entity FROM entities INDEXED BY {index} WHERE {silent} AND {} \
         ORDER BY last_seen {direction}, source {direction}, entity {direction} LIMIT ?",
        conditions.join(" AND ")
    );
    let places: Vec<(String, String)> = connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut found = Vec::new();
    for (source, entity) in places.iter().take(limit) {
        found.extend(entities::one(connection, source, entity)?);
    }
    let next = found.last().filter(|_| places.len() > limit).map(|last| EntityPlace {
        last_seen: last.last_seen,
        source: last.source.clone(),
        entity: last.entity.clone(),
    });
    Ok(EntityPage { entities: found, next })
}

/// Deliveries about an entity before the position `before`, newest first, at most `limit` and about `bytes` of bodies.
pub fn log(
    connection: &Connection,
    (source, entity): (&str, &str),
    before: i64,
    limit: usize,
    bytes: usize,
) -> rusqlite::Result<Vec<FannedDelivery>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ROW_COLUMNS}, b.headers, b.body FROM deliveries d INDEXED BY deliveries_entity \
         JOIN delivery_bytes b USING (seq) WHERE d.entity = ?1 AND +d.source = ?2 AND d.seq < ?3 AND +d.verdict = 0 \
         ORDER BY d.seq DESC LIMIT ?4"
    ))?;
    let mut rows = statement.query(params![entity, source, before, whole(limit)])?;
    let mut found = Vec::new();
    let mut weight = 0_usize;
    while let Some(row) = rows.next()? {
        let delivery = delivery(row)?;
        weight = weight.saturating_add(delivery.body.len());
        found.push(delivery);
        if weight >= bytes {
            break;
        }
    }
    Ok(found)
}
