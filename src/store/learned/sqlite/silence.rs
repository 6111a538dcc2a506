//! Silences: which are due, and which were published.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::entities::{COLUMNS, entity};
use crate::domain::{Entity, Now, OutgoingEvent, SilenceAfter, Timestamp};
use crate::store::learned::limits::MOST_OUTAGES;
use crate::store::outbox::sqlite as outbox;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::whole;
use crate::store::{NewMessage, Outage, Silences, StoreError};

#[async_trait]
impl Silences for Sqlite {
    async fn due_silences(&self, now: Timestamp, limit: usize) -> Result<Vec<Entity>, StoreError> {
        self.read(move |from| due(from, now, limit)).await
    }

    async fn postpone_silence(&self, entity: Entity, due: Timestamp) -> Result<(), StoreError> {
        self.change(move |to| postpone(to, &entity, due)).await
    }

    async fn tell_silence(
        &self,
        entity: Entity,
        (event, messages): (OutgoingEvent, Vec<NewMessage>),
        now: Now,
    ) -> Result<bool, StoreError> {
        self.add(move |to| tell(to, &entity, &event, &messages, now)).await
    }

    async fn reckoned_otherwise(
        &self,
        source: String,
        rule: SilenceAfter,
        after: String,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError> {
        self.read(move |from| other_rule(from, &source, rule, &after, limit)).await
    }

    async fn reckon_silences(
        &self,
        entities: Vec<Entity>,
        rule: SilenceAfter,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(move |to| reckon(to, &entities, rule, now)).await
    }

    async fn heard_until(&self, now: Timestamp, outage: Option<Outage>) -> Result<(), StoreError> {
        self.change(move |to| heard(to, now, outage)).await
    }

    async fn outages(&self) -> Result<Vec<Outage>, StoreError> {
        self.read(outages).await
    }
}

/// Entities whose silence check is due, the earliest first.
pub fn due(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Entity>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM entities INDEXED BY entities_due WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2"
        ))?
        .query_map(params![now.as_micros(), whole(limit)], entity)?
        .collect()
}

/// Moves the silence check of an entity to another time.
pub fn postpone(connection: &Connection, entity: &Entity, due: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE entities SET due_at = ?4 WHERE source = ?1 AND entity = ?2 AND last_seen = ?3 AND due_at IS NOT NULL",
        )?
        .execute(params![entity.source, entity.entity, entity.last_seen.as_micros(), due.as_micros()])?;
    Ok(())
}

/// Marks an entity as silent and publishes the event, in one transaction. Returns `false` if the entity reported in
/// the meantime or its silence was already published.
pub fn tell(
    connection: &Connection,
    entity: &Entity,
    event: &OutgoingEvent,
    messages: &[NewMessage],
    now: Now,
) -> rusqlite::Result<bool> {
    let told = connection
        .prepare_cached(
            "UPDATE entities SET silent_at = ?4, due_at = NULL WHERE source = ?1 AND entity = ?2 AND last_seen = ?3 \
             AND silent_at IS NULL",
        )?
        .execute(params![entity.source, entity.entity, entity.last_seen.as_micros(), now.wall.as_micros()])?;
    if told == 0 {
        return Ok(false);
    }
    outbox::publish(connection, event, [0; 32], messages, now)?;
    Ok(true)
}

/// Entities of `source` after `after` whose silence was not computed with `rule`, by id.
pub fn other_rule(
    connection: &Connection,
    source: &str,
    rule: SilenceAfter,
    after: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Entity>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM entities WHERE source = ?1 AND entity > ?2 AND due_rule <> ?3 ORDER BY entity LIMIT ?4"
        ))?
        .query_map(params![source, after, rule.number(), whole(limit)], entity)?
        .collect()
}

/// Recomputes when these entities count as silent. An entity that is already silent when a rule is introduced is
/// marked silent without an event.
pub fn reckon(
    connection: &Connection,
    entities: &[Entity],
    rule: SilenceAfter,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE entities SET due_rule = ?4, due_at = ?5, silent_at = ?6 WHERE source = ?1 AND entity = ?2 AND last_seen = ?3",
    )?;
    for entity in entities {
        let due = rule.due(entity.heard_at(), entity.usual());
        let is_over = due.is_some_and(|due| due <= now);
        let silent_at = if is_over { entity.silent_at.or(Some(now)) } else { None };
        update.execute(params![
            entity.source,
            entity.entity,
            entity.last_seen.as_micros(),
            rule.number(),
            due.filter(|_| !is_over).map(Timestamp::as_micros),
            silent_at.map(Timestamp::as_micros),
        ])?;
    }
    Ok(())
}

/// Records that the program listened until `now`, except during `outage`.
pub fn heard(connection: &Connection, now: Timestamp, outage: Option<Outage>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE facts SET value = ?1 WHERE name = 'lens_heard_at'")?
        .execute([now.as_micros()])?;
    if let Some(outage) = outage {
        connection
            .prepare_cached("INSERT OR REPLACE INTO outages (since, until) VALUES (?1, ?2)")?
            .execute([outage.since.as_micros(), outage.until.as_micros()])?;
        connection
            .prepare_cached(
                "DELETE FROM outages WHERE since NOT IN (SELECT since FROM outages ORDER BY since DESC LIMIT ?1)",
            )?
            .execute([whole(MOST_OUTAGES)])?;
    }
    Ok(())
}

/// The stored outages.
pub fn outages(connection: &Connection) -> rusqlite::Result<Vec<Outage>> {
    connection
        .prepare_cached("SELECT since, until FROM outages ORDER BY since")?
        .query_map([], |row| {
            Ok(Outage {
                since: Timestamp::from_micros(row.get(0)?),
                until: Timestamp::from_micros(row.get(1)?),
            })
        })?
        .collect()
}
