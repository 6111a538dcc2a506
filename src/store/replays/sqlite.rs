//! Replays in SQLite.

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{KEEP, MOST, STEP};
use crate::domain::{DeliveryId, MessageId, Replay, ReplayId, ReplaySignature, ReplaysAbout, Timestamp};
use crate::store::sqlite::fields::unreadable;
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Replays, StoreError};

const COLUMNS: &str = r"
    id, original, target, signature, is_edited, run,
    status, delivery, message, error, answer";

#[async_trait]
impl Replays for Sqlite {
    async fn add_replay(&self, replay: Replay, now: Timestamp) -> Result<(), StoreError> {
        self.add(move |to| add(to, &replay, now)).await
    }

    async fn replays(
        &self,
        run: Option<ReplayId>,
        before: Option<ReplayId>,
        limit: usize,
    ) -> Result<Vec<Replay>, StoreError> {
        self.read(move |from| list(from, run, before, limit)).await
    }

    async fn replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError> {
        self.read(move |from| one(from, id)).await
    }

    async fn replays_about(&self, delivery: DeliveryId) -> Result<ReplaysAbout, StoreError> {
        self.read(move |from| about(from, delivery)).await
    }
}

/// Stores a replay, and removes a few expired ones.
pub fn add(connection: &Connection, replay: &Replay, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            r"
            DELETE FROM replays
            WHERE id IN (SELECT id FROM replays WHERE id < ?1 ORDER BY id LIMIT ?2)
            ",
        )?
        .execute(params![ReplayId::new_at(now.minus(KEEP)).as_bytes(), whole(STEP)])?;
    connection
        .prepare_cached(&format!(
            r"
            INSERT INTO replays ({COLUMNS})
            VALUES (
                :id, :original, :target, :signature, :is_edited, :run,
                :status, :delivery, :message, :error, :answer
            )
            "
        ))?
        .execute(named_params! {
            ":id": replay.id.as_bytes(),
            ":original": replay.original.as_bytes(),
            ":target": replay.target,
            ":signature": replay.signature.as_str(),
            ":is_edited": replay.is_edited,
            ":run": replay.run.map(|id| *id.as_bytes()),
            ":status": replay.status,
            ":delivery": replay.delivery.map(|id| *id.as_bytes()),
            ":message": replay.message.map(|id| *id.as_bytes()),
            ":error": replay.error,
            ":answer": &*replay.answer,
        })?;
    Ok(())
}

/// The newest replays, of one run or of all, before the id `before`.
pub fn list(
    connection: &Connection,
    run: Option<ReplayId>,
    before: Option<ReplayId>,
    limit: usize,
) -> rusqlite::Result<Vec<Replay>> {
    let before = before.map_or([0xff; 16], |id| *id.as_bytes());
    let of_run = if run.is_some() { "run = :run" } else { ":run IS NULL" };
    connection
        .prepare_cached(&format!(
            r"
            SELECT {COLUMNS}
            FROM replays
            WHERE {of_run} AND id < :before
            ORDER BY id DESC
            LIMIT :limit
            "
        ))?
        .query_map(
            named_params! {
                ":run": run.map(|id| *id.as_bytes()),
                ":before": before,
                ":limit": whole(limit),
            },
            replay,
        )?
        .collect()
}

/// The replay with this id.
pub fn one(connection: &Connection, id: ReplayId) -> rusqlite::Result<Option<Replay>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM replays WHERE id = ?1"))?
        .query_row([id.as_bytes()], replay)
        .optional()
}

/// The replays that sent a delivery, newest first, and the replay that the delivery came from.
pub fn about(connection: &Connection, delivery: DeliveryId) -> rusqlite::Result<ReplaysAbout> {
    let replays = connection
        .prepare_cached(&format!(
            r"
            SELECT {COLUMNS}
            FROM replays
            WHERE original = ?1
            ORDER BY id DESC
            LIMIT ?2
            "
        ))?
        .query_map(params![delivery.as_bytes(), whole(MOST)], replay)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let came_by = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM replays WHERE delivery = ?1 ORDER BY id LIMIT 1"))?
        .query_row([delivery.as_bytes()], replay)
        .optional()?;
    Ok(ReplaysAbout { replays, came_by })
}

fn replay(row: &Row<'_>) -> rusqlite::Result<Replay> {
    let signature = ReplaySignature::from_word(row.get_ref("signature")?.as_str()?);
    Ok(Replay {
        id: ReplayId::from_bytes(row.get("id")?),
        original: DeliveryId::from_bytes(row.get("original")?),
        target: row.get("target")?,
        signature: signature.ok_or_else(|| unreadable(row, "signature", Type::Text))?,
        is_edited: row.get("is_edited")?,
        run: row.get::<_, Option<[u8; 16]>>("run")?.map(ReplayId::from_bytes),
        status: row.get("status")?,
        delivery: row.get::<_, Option<[u8; 16]>>("delivery")?.map(DeliveryId::from_bytes),
        message: row.get::<_, Option<[u8; 16]>>("message")?.map(MessageId::from_bytes),
        error: row.get("error")?,
        answer: Bytes::copy_from_slice(row.get_ref("answer")?.as_blob()?),
    })
}
