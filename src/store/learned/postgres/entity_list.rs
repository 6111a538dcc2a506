//! Lists of entities, each by an index; and the bytes of the deliveries about one.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;

use super::columns::{number, time};
use super::entities::entity;
use super::names;
use crate::domain::{DeliveryRow, Device, Entity, is_worldwide};
use crate::store::learned::columns::ENTITY;
use crate::store::learned::limits::MOST_MEMBERS;
use crate::store::learned::listing::{Filling, accepted_about, remaining};
use crate::store::learned::parts::{Part, direction};
use crate::store::learned::statements;
use crate::store::log::encoding::headers;
use crate::store::postgres::{Connection, Postgres, Transaction, column, params, whole};
use crate::store::{Devices, EntityPage, EntityPlace, EntityQuery, LoggedDelivery, Search as _, StoreError};

#[async_trait]
impl Devices for Postgres {
    async fn entities(&self, query: EntityQuery, limit: usize) -> Result<EntityPage, StoreError> {
        list(&self.connection().await?, &query, limit).await
    }

    async fn device(&self, source: String, entity: String) -> Result<Option<Device>, StoreError> {
        device(&self.connection().await?, &source, &entity).await
    }

    async fn name_device(
        &self,
        source: String,
        entity: String,
        name: Option<String>,
    ) -> Result<bool, StoreError> {
        let (source, entity, name) = (&source, &entity, name.as_deref());
        self.add(|to| async move { give_name(&to, source, entity, name).await }).await
    }

    async fn entity_counts(&self) -> Result<Vec<(String, u64, u64)>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT source, count(*) AS entities, count(silent_at) AS silent
                FROM entities
                GROUP BY source
                ORDER BY source
                ",
                &[],
            )
            .await?;
        rows.iter()
            .map(|row| Ok((column(row, "source")?, number(row, "entities")?, number(row, "silent")?)))
            .collect()
    }

    async fn entity_names(
        &self,
        entities: HashSet<(String, String)>,
    ) -> Result<HashMap<(String, String), String>, StoreError> {
        names::names(&self.connection().await?, entities).await
    }

    async fn entity_log(
        &self,
        (source, entity): (String, String),
        before: Option<i64>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<LoggedDelivery>, StoreError> {
        let rows = self.list(&accepted_about(source, entity), before, limit).await?;
        with_bytes(&self.connection().await?, rows, bytes).await
    }
}

/// The entity of an id with what other sources say of the same thing.
async fn device(from: &Connection, source: &str, id: &str) -> Result<Option<Device>, StoreError> {
    let found = from.maybe(&statements::entity(), &params![source, id]).await?;
    let Some(found) = found else { return Ok(None) };
    Ok(joined(from, vec![entity(&found)?]).await?.pop())
}

/// Entities, each with what other sources say of the same thing.
async fn joined(from: &Connection, entities: Vec<Entity>) -> Result<Vec<Device>, StoreError> {
    let ids: HashSet<&str> =
        entities.iter().map(|entity| entity.entity.as_str()).filter(|id| is_worldwide(id)).collect();
    let mut members: HashMap<String, Vec<Entity>> = HashMap::new();
    if !ids.is_empty() {
        let rows = from
            .rows(
                &format!(
                    r"
                    SELECT member.*
                    FROM unnest($1) AS asked (id)
                    CROSS JOIN LATERAL (
                        SELECT {ENTITY}
                        FROM entities
                        WHERE entity = asked.id
                          AND length(entity) >= 12
                        ORDER BY source
                        LIMIT $2
                    ) AS member
                    "
                ),
                &params![ids.into_iter().collect::<Vec<_>>(), whole(MOST_MEMBERS.saturating_add(1))],
            )
            .await?;
        for row in &rows {
            let member = entity(row)?;
            members.entry(member.entity.clone()).or_default().push(member);
        }
    }
    Ok(entities
        .into_iter()
        .map(|key| {
            let mut others = members.get(&key.entity).cloned().unwrap_or_default();
            others.retain(|other| other.source != key.source);
            others.sort_by(|a, b| a.source.cmp(&b.source));
            others.truncate(MOST_MEMBERS);
            Device { key, others }
        })
        .collect())
}

/// A page of at most `limit` devices.
async fn list(from: &Connection, query: &EntityQuery, limit: usize) -> Result<EntityPage, StoreError> {
    let mut page = Filling::new(query, limit);
    for (number, part, mut after) in remaining(query) {
        loop {
            let (entities, places) = candidates(from, query, (number, part), after.as_ref(), limit).await?;
            let has_more = places.len() > limit;
            after = places.last().cloned();
            for (device, place) in joined(from, entities).await?.into_iter().zip(places) {
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

/// The next entities of a part, one more than `limit`, and the place of each.
async fn candidates(
    from: &Connection,
    query: &EntityQuery,
    (class, part): (usize, Part),
    after: Option<&EntityPlace>,
    limit: usize,
) -> Result<(Vec<Entity>, Vec<EntityPlace>), StoreError> {
    let key = part.key();
    let condition = part.condition("$1");
    let (beyond, direction) = direction(query.order);
    // The server plans each call with its values, so a condition that is not asked for costs nothing.
    let rows = from
        .rows(
            &format!(
                r"
                SELECT {ENTITY}, {key} AS at
                FROM entities
                WHERE {condition}
                  AND ($2::bigint IS NULL OR ({key}, source, entity) {beyond} ($2, $3, $4))
                  AND ($5::text IS NULL OR source = $5)
                  AND (
                      $6::text IS NULL
                      OR strpos(lower(entity), $6) > 0
                      OR strpos(lower(name), $6) > 0
                      OR strpos(lower(own_name), $6) > 0
                  )
                ORDER BY {key} {direction}, source {direction}, entity {direction}
                LIMIT $7
                "
            ),
            &params![
                query.now.as_micros(),
                after.map(|place| place.at.as_micros()),
                after.map(|place| place.source.as_str()),
                after.map(|place| place.entity.as_str()),
                query.source,
                query.q.as_ref().map(|text| text.to_ascii_lowercase()),
                whole(limit.saturating_add(1)),
            ],
        )
        .await?;
    let place = |row| {
        let (source, entity) = (column(row, "source")?, column(row, "entity")?);
        Ok(EntityPlace { class, at: time(row, "at")?, source, entity })
    };
    let entities = rows.iter().map(entity).collect::<Result<_, _>>()?;
    Ok((entities, rows.iter().map(place).collect::<Result<_, StoreError>>()?))
}

/// Gives something a name, at every source that speaks of it; `None` takes it away. `false` where nothing of that id is known.
async fn give_name(to: &Transaction, source: &str, id: &str, name: Option<&str>) -> Result<bool, StoreError> {
    let Some(device) = device(to, source, id).await? else { return Ok(false) };
    let sources: Vec<&str> = device.members().map(|member| member.source.as_str()).collect();
    let locked = to
        .rows(
            r"
            SELECT source
            FROM entities
            WHERE source = ANY ($1)
              AND entity = $2
            ORDER BY source
            FOR UPDATE
            ",
            &params![sources, id],
        )
        .await?;
    to.run(
        r"
        UPDATE entities
        SET own_name = $3
        WHERE source = ANY ($1)
          AND entity = $2
        ",
        &params![sources, id, name],
    )
    .await?;
    Ok(!locked.is_empty())
}

/// The rows with their headers and bodies, up to about `bytes` of bodies. Rows removed in the meantime are left out.
async fn with_bytes(
    from: &Connection,
    rows: Vec<DeliveryRow>,
    bytes: usize,
) -> Result<Vec<LoggedDelivery>, StoreError> {
    let times = || rows.iter().map(|row| row.received_at.as_micros());
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(Vec::new()) };
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    // The times name the partitions; the bodies are read after the page is cut.
    let found = from
        .rows(
            r"
            SELECT d.seq, d.headers, d.body
            FROM (
                SELECT
                    seq,
                    sum(octet_length(body)) OVER (ORDER BY seq DESC) - octet_length(body) AS bytes_before
                FROM deliveries
                WHERE seq = ANY ($1)
                  AND received_at BETWEEN $2 AND $3
            ) AS page
            JOIN deliveries d USING (seq)
            WHERE page.bytes_before < $4
              AND d.received_at BETWEEN $2 AND $3
            ",
            &params![seqs, first, last, whole(bytes)],
        )
        .await?;
    let mut payloads: HashMap<i64, (Vec<u8>, Vec<u8>)> = HashMap::new();
    for row in &found {
        payloads.insert(column(row, "seq")?, (column(row, "headers")?, column(row, "body")?));
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let (lines, body) = payloads.remove(&row.seq)?;
            Some(LoggedDelivery { row, headers: headers(&lines), body: Bytes::from(body) })
        })
        .collect())
}
