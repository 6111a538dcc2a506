//! Lists of entities, each by an index; and the bytes of the deliveries about one.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, ToSql, named_params, params};

use super::{entities, names};
use crate::domain::{DeliveryRow, Device, DeviceState, Entity, Timestamp, is_worldwide};
use crate::store::learned::columns::ENTITY;
use crate::store::learned::limits::MOST_MEMBERS;
use crate::store::learned::listing::{Filling, accepted_about, remaining};
use crate::store::learned::parts::{Part, direction};
use crate::store::log::encoding::headers;
use crate::store::sqlite::fields::count;
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Devices, EntityPage, EntityPlace, EntityQuery, LoggedDelivery, Search as _, StoreError};

#[async_trait]
impl Devices for Sqlite {
    async fn entities(&self, query: EntityQuery, limit: usize) -> Result<EntityPage, StoreError> {
        self.read(move |from| list(from, &query, limit)).await
    }

    async fn device(&self, source: String, entity: String) -> Result<Option<Device>, StoreError> {
        self.read(move |from| device(from, &source, &entity)).await
    }

    async fn name_device(
        &self,
        source: String,
        entity: String,
        name: Option<String>,
    ) -> Result<bool, StoreError> {
        let give = move |to: &_| give_name(to, &source, &entity, name.as_deref());
        self.add(give).await
    }

    async fn entity_counts(&self) -> Result<Vec<(String, u64, u64)>, StoreError> {
        self.read(counts).await
    }

    async fn entity_names(
        &self,
        entities: HashSet<(String, String)>,
    ) -> Result<HashMap<(String, String), String>, StoreError> {
        self.read(move |from| names::names(from, entities)).await
    }

    async fn entity_log(
        &self,
        (source, entity): (String, String),
        before: Option<i64>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<LoggedDelivery>, StoreError> {
        let rows = self.list(&accepted_about(source, entity), before, limit).await?;
        self.read(move |from| with_bytes(from, rows, bytes)).await
    }
}

/// The entity of an id with what other sources say of the same thing.
pub fn device(connection: &Connection, source: &str, entity: &str) -> rusqlite::Result<Option<Device>> {
    let Some(key) = entities::one(connection, source, entity)? else { return Ok(None) };
    let others = siblings(connection, &key)?;
    Ok(Some(Device { key, others }))
}

/// What other sources say of the same thing.
fn siblings(connection: &Connection, of: &Entity) -> rusqlite::Result<Vec<Entity>> {
    if !is_worldwide(&of.entity) {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached(&format!(
            r"
            SELECT {ENTITY}
            FROM entities INDEXED BY entities_joined
            WHERE entity = ?1
              AND length(entity) >= 12
              AND source <> ?2
            ORDER BY source
            LIMIT ?3
            "
        ))?
        .query_map(params![of.entity, of.source, whole(MOST_MEMBERS)], entities::entity)?
        .collect()
}

/// The index that has the entities of a part in their order.
const fn index(part: Part) -> &'static str {
    match part {
        Part::All | Part::Rest | Part::In(DeviceState::Regular | DeviceState::New) => "entities_last_seen",
        Part::In(DeviceState::Silent) => "entities_silent",
        Part::In(DeviceState::ClockAhead | DeviceState::Late) => "entities_trouble",
        Part::In(DeviceState::Quiet) => "entities_quiet",
    }
}

/// A page of at most `limit` devices.
pub fn list(connection: &Connection, query: &EntityQuery, limit: usize) -> rusqlite::Result<EntityPage> {
    let mut page = Filling::new(query, limit);
    for (number, part, mut after) in remaining(query) {
        loop {
            let places = candidates(connection, query, (number, part), after.as_ref(), limit)?;
            let has_more = places.len() > limit;
            after = places.last().cloned();
            for place in places {
                let Some(device) = device(connection, &place.source, &place.entity)? else { continue };
                if !page.add(place, device) {
                    return Ok(page.continued());
                }
            }
            if !has_more {
                break;
            }
        }
    }
    Ok(page.ended())
}

/// The next entities of a part, one more than `limit`.
fn candidates(
    connection: &Connection,
    query: &EntityQuery,
    (number, part): (usize, Part),
    after: Option<&EntityPlace>,
    limit: usize,
) -> rusqlite::Result<Vec<EntityPlace>> {
    let mut conditions = vec![part.condition(":now")];
    let mut values: Vec<(&str, Value)> = vec![(":limit", Value::Integer(whole(limit.saturating_add(1))))];
    if part.is_timed() {
        values.push((":now", Value::Integer(query.now.as_micros())));
    }
    let (beyond, direction) = direction(query.order);
    let key = part.key();
    if let Some(place) = after {
        conditions.push(format!("({key}, source, entity) {beyond} (:at, :after_source, :after_entity)"));
        values.push((":at", Value::Integer(place.at.as_micros())));
        values.push((":after_source", Value::Text(place.source.clone())));
        values.push((":after_entity", Value::Text(place.entity.clone())));
    }
    if let Some(source) = &query.source {
        // The unary plus makes SQLite walk the time index, whatever other index fits.
        conditions.push("+source = :source".to_owned());
        values.push((":source", Value::Text(source.clone())));
    }
    if let Some(text) = &query.q {
        conditions.push(
            r"
            (
                instr(lower(entity), :text)
                OR instr(lower(coalesce(name, '')), :text)
                OR (source, entity) IN (
                    SELECT source, entity
                    FROM entities INDEXED BY entities_named
                    WHERE own_name IS NOT NULL
                      AND instr(lower(own_name), :text)
                )
            )
            "
            .to_owned(),
        );
        values.push((":text", Value::Text(text.to_ascii_lowercase())));
    }
    let named: Vec<(&str, &dyn ToSql)> =
        values.iter().map(|(name, value)| -> (&str, &dyn ToSql) { (*name, value) }).collect();
    connection
        .prepare_cached(&format!(
            r"
            SELECT {key} AS at, source, entity
            FROM entities INDEXED BY {}
            WHERE {}
            ORDER BY {key} {direction}, source {direction}, entity {direction}
            LIMIT :limit
            ",
            index(part),
            conditions.join(" AND ")
        ))?
        .query_map(named.as_slice(), |row| {
            let at = Timestamp::from_micros(row.get("at")?);
            Ok(EntityPlace { class: number, at, source: row.get("source")?, entity: row.get("entity")? })
        })?
        .collect()
}

/// Gives something a name, at every source that speaks of it; `None` takes it away. `false` where nothing of that id is known.
pub fn give_name(
    connection: &Connection,
    source: &str,
    entity: &str,
    name: Option<&str>,
) -> rusqlite::Result<bool> {
    let Some(device) = device(connection, source, entity)? else { return Ok(false) };
    for member in device.members() {
        connection
            .prepare_cached(
                r"
                UPDATE entities
                SET own_name = :name
                WHERE source = :source
                  AND entity = :entity
                ",
            )?
            .execute(named_params! {
                ":name": name,
                ":source": member.source,
                ":entity": member.entity,
            })?;
    }
    Ok(true)
}

/// How many entities of each source there are, and how many of them are silent.
pub fn counts(connection: &Connection) -> rusqlite::Result<Vec<(String, u64, u64)>> {
    connection
        .prepare_cached(
            r"
            SELECT
                source,
                count(*) AS entities,
                (
                    SELECT count(*)
                    FROM entities s INDEXED BY entities_silent
                    WHERE s.silent_at IS NOT NULL
                      AND s.source = e.source
                ) AS silent
            FROM entities e
            GROUP BY source
            ORDER BY source
            ",
        )?
        .query_map([], |row| Ok((row.get("source")?, count(row, "entities")?, count(row, "silent")?)))?
        .collect()
}

/// The rows with their headers and bodies, up to about `bytes` of bodies. Rows removed in the meantime are left out.
pub fn with_bytes(
    connection: &Connection,
    rows: Vec<DeliveryRow>,
    bytes: usize,
) -> rusqlite::Result<Vec<LoggedDelivery>> {
    let mut read = connection.prepare_cached(
        r"
        SELECT plain_bytes(headers, packed) AS headers, body
        FROM delivery_bytes
        WHERE seq = ?1
        ",
    )?;
    let mut found = Vec::new();
    let mut weight = 0_usize;
    for row in rows {
        let whole = read.query_row([row.seq], |bytes| {
            Ok((
                headers(bytes.get_ref("headers")?.as_blob()?),
                Bytes::copy_from_slice(bytes.get_ref("body")?.as_blob()?),
            ))
        });
        let Some((headers, body)) = whole.optional()? else { continue };
        weight = weight.saturating_add(body.len());
        found.push(LoggedDelivery { row, headers, body });
        if weight >= bytes {
            break;
        }
    }
    Ok(found)
}
