//! Silences: which are due, and which were published. Several nodes look for them; a condition in each change makes one of
//! them win.

use async_trait::async_trait;

use super::columns::time;
use super::entities::entity;
use super::facts::{lock, set};
use crate::domain::{Entity, Now, OutgoingEvent, SilenceAfter, Timestamp};
use crate::store::learned::columns::ENTITY;
use crate::store::learned::limits::{MOST_OUTAGES, SHORTEST_OUTAGE, due_by, unheard};
use crate::store::learned::statements::{FORGET_OUTAGES, MARK_SILENT, OUTAGES, POSTPONE, with_other_rule};
use crate::store::outbox::postgres as outbox;
use crate::store::postgres::{Postgres, Transaction, params, whole};
use crate::store::{NewMessage, Outage, Silences, StoreError};

#[async_trait]
impl Silences for Postgres {
    async fn due_silences(
        &self,
        now: Timestamp,
        cursor: i64,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                &format!(
                    r"
                    SELECT {ENTITY}
                    FROM entities
                    WHERE due_at <= $1
                      AND $2 <= (SELECT value FROM facts WHERE name = 'lens_cursor')
                    ORDER BY due_at, source, entity
                    LIMIT $3
                    "
                ),
                &params![now.as_micros(), cursor, whole(limit)],
            )
            .await?;
        rows.iter().map(entity).collect()
    }

    async fn postpone_silence(&self, entity: Entity, due: Timestamp) -> Result<(), StoreError> {
        self.connection()
            .await?
            .run(
                POSTPONE,
                &params![due.as_micros(), entity.source, entity.entity, entity.last_seen.as_micros()],
            )
            .await?;
        Ok(())
    }

    async fn publish_silence(
        &self,
        entity: Entity,
        (event, messages): (OutgoingEvent, Vec<NewMessage>),
        now: Now,
    ) -> Result<bool, StoreError> {
        let (entity, event, messages) = (&entity, &event, messages.as_slice());
        self.add(|to| async move { publish(&to, entity, event, messages, now).await }).await
    }

    async fn entities_with_other_rule(
        &self,
        source: String,
        rule: SilenceAfter,
        after: String,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(&with_other_rule(), &params![source, after, rule.number(), whole(limit)])
            .await?;
        rows.iter().map(entity).collect()
    }

    async fn recompute_silences(
        &self,
        entities: Vec<Entity>,
        rule: SilenceAfter,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let entities = entities.as_slice();
        self.change(|to| async move { recompute(&to, entities, rule, now).await }).await
    }

    async fn record_listening(&self, now: Timestamp, outage: Option<Outage>) -> Result<(), StoreError> {
        self.change(|to| async move { listened(&to, now, outage).await }).await
    }

    async fn outages(&self) -> Result<Vec<Outage>, StoreError> {
        let rows = self.connection().await?.rows(OUTAGES, &[]).await?;
        rows.iter().map(|row| Ok(Outage { since: time(row, "since")?, until: time(row, "until")? })).collect()
    }
}

/// Marks an entity as silent and publishes the event. Of several nodes at once, one changes the row; the others wait for
/// it, find the row changed and publish nothing.
async fn publish(
    to: &Transaction,
    entity: &Entity,
    event: &OutgoingEvent,
    messages: &[NewMessage],
    now: Now,
) -> Result<bool, StoreError> {
    let marked = to
        .run(
            MARK_SILENT,
            &params![now.wall.as_micros(), entity.source, entity.entity, entity.last_seen.as_micros()],
        )
        .await?;
    if marked == 0 {
        return Ok(false);
    }
    outbox::publish(to, event, [0; 32], messages, now).await?;
    Ok(true)
}

/// Recomputes when these entities count as silent. An entity that is already silent when a rule is introduced is
/// marked silent without an event. What another node has recomputed stays, since its silence may be published by now.
async fn recompute(
    to: &Transaction,
    entities: &[Entity],
    rule: SilenceAfter,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sources: Vec<&str> = entities.iter().map(|entity| entity.source.as_str()).collect();
    let ids: Vec<&str> = entities.iter().map(|entity| entity.entity.as_str()).collect();
    to.rows(
        r"
        SELECT 1
        FROM entities
        WHERE (source, entity) IN (SELECT * FROM unnest($1, $2))
        ORDER BY source, entity
        FOR UPDATE
        ",
        &params![sources, ids],
    )
    .await?;
    let (due, silent): (Vec<_>, Vec<_>) = entities.iter().map(|entity| due_by(rule, entity, now)).unzip();
    let micros = |times: Vec<Option<Timestamp>>| {
        times.into_iter().map(|time| time.map(Timestamp::as_micros)).collect::<Vec<_>>()
    };
    to.run(
        r"
        UPDATE entities AS old
        SET due_rule = $1, due_at = new.due_at, silent_at = new.silent_at
        FROM unnest($2, $3, $4, $5, $6) AS new (source, entity, last_seen, due_at, silent_at)
        WHERE old.source = new.source
          AND old.entity = new.entity
          AND old.last_seen = new.last_seen
          AND old.due_rule <> $1
        ",
        &params![
            rule.number(),
            sources,
            ids,
            entities.iter().map(|entity| entity.last_seen.as_micros()).collect::<Vec<_>>(),
            micros(due),
            micros(silent),
        ],
    )
    .await?;
    Ok(())
}

/// Records that this node listened until `now`, except during `outage`. The time only goes forward, unless a wrong clock
/// set it far ahead.
async fn listened(to: &Transaction, now: Timestamp, outage: Option<Outage>) -> Result<(), StoreError> {
    let heard_at = Timestamp::from_micros(lock(to, "lens_heard_at").await?);
    if heard_at < now || heard_at > now.plus(SHORTEST_OUTAGE) {
        set(to, "lens_heard_at", now.as_micros()).await?;
    }
    let Some(outage) = outage.and_then(|outage| unheard(outage, heard_at)) else { return Ok(()) };
    to.run(
        r"
        INSERT INTO outages (since, until)
        VALUES ($1, $2)
        ON CONFLICT (since) DO UPDATE SET until = greatest(outages.until, excluded.until)
        ",
        &params![outage.since.as_micros(), outage.until.as_micros()],
    )
    .await?;
    to.run(FORGET_OUTAGES, &params![whole(MOST_OUTAGES)]).await?;
    Ok(())
}
