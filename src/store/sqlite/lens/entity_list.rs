//! Lists of entities, from the index on the time last seen; and the bytes of deliveries about one entity.

use bytes::Bytes;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::entities;
use crate::domain::{DeliveryRow, Entity};
use crate::store::sqlite::codec;
use crate::store::sqlite::insert::whole;
use crate::store::{EntityOrder, EntityPage, EntityPlace, EntityQuery, FannedDelivery};

/// The entity with this id.
pub fn one(connection: &Connection, source: &str, entity: &str) -> rusqlite::Result<Option<Entity>> {
    entities::one(connection, source, entity)
}

/// A page of at most `limit` entities. Matches are found in the index alone.
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
        // The unary plus makes SQLite walk the time index, whatever other index fits.
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

/// The rows with their headers and bodies, up to about `bytes` of bodies. Rows removed in the meantime are left out.
pub fn with_bytes(
    connection: &Connection,
    rows: Vec<DeliveryRow>,
    bytes: usize,
) -> rusqlite::Result<Vec<FannedDelivery>> {
    let mut read = connection.prepare_cached("SELECT headers, body FROM delivery_bytes WHERE seq = ?1")?;
    let mut found = Vec::new();
    let mut weight = 0_usize;
    for row in rows {
        let whole = read.query_row([row.seq], |bytes| {
            Ok((
                codec::headers(bytes.get_ref(0)?.as_blob()?),
                Bytes::copy_from_slice(bytes.get_ref(1)?.as_blob()?),
            ))
        });
        let Some((headers, body)) = whole.optional()? else { continue };
        weight = weight.saturating_add(body.len());
        found.push(FannedDelivery { row, headers, body });
        if weight >= bytes {
            break;
        }
    }
    Ok(found)
}
