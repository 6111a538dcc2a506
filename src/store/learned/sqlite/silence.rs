//! Silences: which are due, and which were published.

use async_trait::async_trait;
use rusqlite::{Connection, named_params, params};

use super::entities::entity;
use super::facts::fact;
use crate::domain::{Entity, Now, OutgoingEvent, SilenceAfter, Timestamp};
use crate::store::learned::columns::ENTITY;
use crate::store::learned::limits::{MOST_OUTAGES, due_by, unheard};
use crate::store::learned::statements::{FORGET_OUTAGES, MARK_SILENT, OUTAGES, POSTPONE, with_other_rule};
use crate::store::outbox::sqlite as outbox;
use crate::store::sqlite::fields::time;
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{NewMessage, Outage, Silences, StoreError};

#[async_trait]
impl Silences for Sqlite {
    async fn due_silences(
        &self,
        now: Timestamp,
        cursor: i64,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError> {
        self.read(move |from| due(from, now, cursor, limit)).await
    }

    async fn postpone_silence(&self, entity: Entity, due: Timestamp) -> Result<(), StoreError> {
        self.change(move |to| postpone(to, &entity, due)).await
    }

    async fn publish_silence(
        &self,
        entity: Entity,
        (event, messages): (OutgoingEvent, Vec<NewMessage>),
        now: Now,
    ) -> Result<bool, StoreError> {
        self.add(move |to| publish(to, &entity, &event, &messages, now)).await
    }

    async fn entities_with_other_rule(
        &self,
        source: String,
        rule: SilenceAfter,
        after: String,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError> {
        self.read(move |from| other_rule(from, &source, rule, &after, limit)).await
    }

    async fn recompute_silences(
        &self,
        entities: Vec<Entity>,
        rule: SilenceAfter,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(move |to| recompute(to, &entities, rule, now)).await
    }

    async fn record_listening(&self, now: Timestamp, outage: Option<Outage>) -> Result<(), StoreError> {
        self.change(move |to| listened(to, now, outage)).await
    }

    async fn outages(&self) -> Result<Vec<Outage>, StoreError> {
        self.read(outages).await
    }
}

/// Entities whose silence check is due, the earliest first. None unless the log is learnt up to `cursor`.
pub fn due(
    connection: &Connection,
    now: Timestamp,
    cursor: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Entity>> {
    connection
        .prepare_cached(&format!(
            r"
            SELECT {ENTITY}
            FROM entities INDEXED BY entities_due
            WHERE due_at <= ?1
              AND ?2 <= (SELECT value FROM facts WHERE name = 'lens_cursor')
            ORDER BY due_at, source, entity
            LIMIT ?3
            "
        ))?
        .query_map(params![now.as_micros(), cursor, whole(limit)], entity)?
        .collect()
}

/// Moves the silence check of an entity to another time.
pub fn postpone(connection: &Connection, entity: &Entity, due: Timestamp) -> rusqlite::Result<()> {
    connection.prepare_cached(POSTPONE)?.execute(params![
        due.as_micros(),
        entity.source,
        entity.entity,
        entity.last_seen.as_micros()
    ])?;
    Ok(())
}

/// Marks an entity as silent and publishes the event, in one transaction. Returns `false` if the entity reported in
/// the meantime or its silence was already published.
pub fn publish(
    connection: &Connection,
    entity: &Entity,
    event: &OutgoingEvent,
    messages: &[NewMessage],
    now: Now,
) -> rusqlite::Result<bool> {
    let marked = connection.prepare_cached(MARK_SILENT)?.execute(params![
        now.wall.as_micros(),
        entity.source,
        entity.entity,
        entity.last_seen.as_micros()
    ])?;
    if marked == 0 {
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
        .prepare_cached(&with_other_rule())?
        .query_map(params![source, after, rule.number(), whole(limit)], entity)?
        .collect()
}

/// Recomputes when these entities count as silent. An entity that is already silent when a rule is introduced is
/// marked silent without an event.
pub fn recompute(
    connection: &Connection,
    entities: &[Entity],
    rule: SilenceAfter,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        r"
        UPDATE entities
        SET due_rule = :rule, due_at = :due_at, silent_at = :silent_at
        WHERE source = :source
          AND entity = :entity
          AND last_seen = :last_seen
          AND due_rule <> :rule
        ",
    )?;
    for entity in entities {
        let (due, silent_at) = due_by(rule, entity, now);
        update.execute(named_params! {
            ":rule": rule.number(),
            ":due_at": due.map(Timestamp::as_micros),
            ":silent_at": silent_at.map(Timestamp::as_micros),
            ":source": entity.source,
            ":entity": entity.entity,
            ":last_seen": entity.last_seen.as_micros(),
        })?;
    }
    Ok(())
}

/// Records that the program listened until `now`, except during `outage`.
pub fn listened(connection: &Connection, now: Timestamp, outage: Option<Outage>) -> rusqlite::Result<()> {
    let heard_at = Timestamp::from_micros(fact(connection, "lens_heard_at")?);
    connection
        .prepare_cached(
            r"
            UPDATE facts
            SET value = ?1
            WHERE name = 'lens_heard_at'
            ",
        )?
        .execute([now.as_micros()])?;
    let Some(outage) = outage.and_then(|outage| unheard(outage, heard_at)) else { return Ok(()) };
    connection
        .prepare_cached(
            r"
            INSERT OR REPLACE INTO outages (since, until)
            VALUES (?1, ?2)
            ",
        )?
        .execute([outage.since.as_micros(), outage.until.as_micros()])?;
    connection.prepare_cached(FORGET_OUTAGES)?.execute([whole(MOST_OUTAGES)])?;
    Ok(())
}

/// The stored outages.
pub fn outages(connection: &Connection) -> rusqlite::Result<Vec<Outage>> {
    connection
        .prepare_cached(OUTAGES)?
        .query_map([], |row| Ok(Outage { since: time(row, "since")?, until: time(row, "until")? }))?
        .collect()
}
