//! Lists of entities, each by an index; and the bytes of the deliveries about one.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::{entities, names};
use crate::domain::{
    DeliveryFilter, DeliveryRow, Device, DeviceState, Entity, Timestamp, Verdict, is_worldwide,
};
use crate::store::learned::limits::{MOST_MEMBERS, is_shown};
use crate::store::log::encoding::headers;
use crate::store::numbers::{CLOCK_AHEAD, CLOCK_RIGHT, LATE};
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::whole;
use crate::store::{
    Devices, EntityOrder, EntityPage, EntityPlace, EntityQuery, LoggedDelivery, Search as _, StoreError,
};

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
        let about = DeliveryFilter {
            source: Some(source),
            entity: Some(entity),
            verdict: Some(Verdict::Accepted),
            ..DeliveryFilter::default()
        };
        let rows = self.list(&about, before, limit).await?;
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
            "SELECT {} FROM entities INDEXED BY entities_joined \
             WHERE entity = ?1 AND length(entity) >= 12 AND source <> ?2 ORDER BY source LIMIT ?3",
            entities::COLUMNS
        ))?
        .query_map(rusqlite::params![of.entity, of.source, whole(MOST_MEMBERS)], entities::entity)?
        .collect()
}

/// A part of a list: entities that an index has in their order.
struct Class {
    index: &'static str,
    condition: String,
    /// The column by which they are ordered.
    key: &'static str,
    /// Whether the condition asks for the time.
    is_timed: bool,
}

fn all() -> Class {
    Class { index: "entities_last_seen", condition: "1".to_owned(), key: "last_seen", is_timed: false }
}

/// Those in none of the troubles.
fn rest() -> Class {
    Class {
        index: "entities_last_seen",
        condition: format!(
            "silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND (quiet_at IS NULL OR quiet_at >= ?)"
        ),
        key: "last_seen",
        is_timed: true,
    }
}

fn class(state: DeviceState) -> Class {
    match state {
        DeviceState::Silent => Class {
            index: "entities_silent",
            condition: "silent_at IS NOT NULL".to_owned(),
            key: "last_seen",
            is_timed: false,
        },
        DeviceState::ClockAhead => Class {
            index: "entities_trouble",
            condition: format!("trouble > 0 AND trouble = {CLOCK_AHEAD} AND silent_at IS NULL"),
            key: "last_seen",
            is_timed: false,
        },
        DeviceState::Late => Class {
            index: "entities_trouble",
            condition: format!("trouble > 0 AND trouble = {LATE} AND silent_at IS NULL"),
            key: "last_seen",
            is_timed: false,
        },
        DeviceState::Quiet => Class {
            index: "entities_quiet",
            condition: format!(
                "quiet_at IS NOT NULL AND silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND quiet_at < ?"
            ),
            key: "quiet_at",
            is_timed: true,
        },
        DeviceState::Regular => Class {
            index: "entities_last_seen",
            condition: format!("silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND quiet_at >= ?"),
            key: "last_seen",
            is_timed: true,
        },
        DeviceState::New => Class {
            index: "entities_last_seen",
            condition: format!("silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND quiet_at IS NULL"),
            key: "last_seen",
            is_timed: false,
        },
    }
}

/// The parts of the list that is asked for, in their order.
fn classes(query: &EntityQuery) -> Vec<Class> {
    match (query.state, query.order) {
        (Some(state), _) => vec![class(state)],
        (None, EntityOrder::Recent | EntityOrder::Silence) => vec![all()],
        (None, EntityOrder::Trouble) => {
            let troubles =
                [DeviceState::Silent, DeviceState::ClockAhead, DeviceState::Late, DeviceState::Quiet];
            troubles.map(class).into_iter().chain([rest()]).collect()
        }
    }
}

/// A page of at most `limit` devices.
pub fn list(connection: &Connection, query: &EntityQuery, limit: usize) -> rusqlite::Result<EntityPage> {
    let mut devices: Vec<Device> = Vec::new();
    let mut last = None;
    let begun = query.after.as_ref().map_or(0, |place| place.class);
    for (number, class) in classes(query).iter().enumerate().skip(begun) {
        let mut after = query.after.clone().filter(|place| place.class == number);
        loop {
            let places = candidates(connection, query, (number, class), after.as_ref(), limit)?;
            for place in &places {
                let Some(device) = shown(connection, query, place, &devices)? else { continue };
                if devices.len() == limit {
                    return Ok(EntityPage { devices, next: last });
                }
                devices.push(device);
                last = Some(place.clone());
            }
            match places.last() {
                Some(end) if places.len() > limit => after = Some(end.clone()),
                _ => break,
            }
        }
    }
    Ok(EntityPage { devices, next: None })
}

/// The next entities of a part, one more than `limit`.
fn candidates(
    connection: &Connection,
    query: &EntityQuery,
    (number, class): (usize, &Class),
    after: Option<&EntityPlace>,
    limit: usize,
) -> rusqlite::Result<Vec<EntityPlace>> {
    let mut conditions = vec![class.condition.clone()];
    let mut values = Vec::new();
    if class.is_timed {
        values.push(Value::Integer(query.now.as_micros()));
    }
    let (beyond, direction) = match query.order {
        EntityOrder::Recent | EntityOrder::Trouble => ("<", "DESC"),
        EntityOrder::Silence => (">", "ASC"),
    };
    let key = class.key;
    if let Some(place) = after {
        conditions.push(format!("({key}, source, entity) {beyond} (?, ?, ?)"));
        values.push(Value::Integer(place.at.as_micros()));
        values.push(Value::Text(place.source.clone()));
        values.push(Value::Text(place.entity.clone()));
    }
    if let Some(source) = &query.source {
        // The unary plus makes SQLite walk the time index, whatever other index fits.
        conditions.push("+source = ?".to_owned());
        values.push(Value::Text(source.clone()));
    }
    if let Some(text) = &query.q {
        conditions.push(
            "(instr(lower(entity), ?) OR instr(lower(coalesce(name, '')), ?) OR (source, entity) IN \
             (SELECT source, entity FROM entities INDEXED BY entities_named \
              WHERE own_name IS NOT NULL AND instr(lower(own_name), ?)))"
                .to_owned(),
        );
        values.extend(std::iter::repeat_n(Value::Text(text.to_ascii_lowercase()), 3));
    }
    values.push(Value::Integer(whole(limit.saturating_add(1))));
    let sql = format!(
        "SELECT {key}, source, entity FROM entities INDEXED BY {} WHERE {} \
         ORDER BY {key} {direction}, source {direction}, entity {direction} LIMIT ?",
        class.index,
        conditions.join(" AND ")
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| {
            let at = Timestamp::from_micros(row.get(0)?);
            Ok(EntityPlace { class: number, at, source: row.get(1)?, entity: row.get(2)? })
        })?
        .collect()
}

/// The device at a place of the list; `None` where another of its entities stands for it.
fn shown(
    connection: &Connection,
    query: &EntityQuery,
    place: &EntityPlace,
    before: &[Device],
) -> rusqlite::Result<Option<Device>> {
    let Some(device) = device(connection, &place.source, &place.entity)? else { return Ok(None) };
    Ok(Some(device).filter(|device| is_shown(query, device, before)))
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
            .prepare_cached("UPDATE entities SET own_name = ?3 WHERE source = ?1 AND entity = ?2")?
            .execute(rusqlite::params![member.source, member.entity, name])?;
    }
    Ok(true)
}

/// How many entities of each source there are, and how many of them are silent.
pub fn counts(connection: &Connection) -> rusqlite::Result<Vec<(String, u64, u64)>> {
    connection
        .prepare_cached(
            "SELECT source, count(*), (SELECT count(*) FROM entities s INDEXED BY entities_silent \
             WHERE s.silent_at IS NOT NULL AND s.source = e.source) FROM entities e GROUP BY source",
        )?
        .query_map([], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), row.get::<_, i64>(2)?.unsigned_abs()))
        })?
        .collect()
}

/// The rows with their headers and bodies, up to about `bytes` of bodies. Rows removed in the meantime are left out.
pub fn with_bytes(
    connection: &Connection,
    rows: Vec<DeliveryRow>,
    bytes: usize,
) -> rusqlite::Result<Vec<LoggedDelivery>> {
    let mut read = connection.prepare_cached("SELECT headers, body FROM delivery_bytes WHERE seq = ?1")?;
    let mut found = Vec::new();
    let mut weight = 0_usize;
    for row in rows {
        let whole = read.query_row([row.seq], |bytes| {
            Ok((headers(bytes.get_ref(0)?.as_blob()?), Bytes::copy_from_slice(bytes.get_ref(1)?.as_blob()?)))
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
