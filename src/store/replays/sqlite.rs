//! Replays in SQLite.

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension as _, Row, params};

use super::{KEEP, MOST, STEP};
use crate::domain::{DeliveryId, MessageId, Replay, ReplayId, ReplaySignature, ReplaysAbout, Timestamp};
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::whole;
use crate::store::{Replays, StoreError};

const COLUMNS: &str =
    "id, original, target, signature, is_edited, run, status, delivery, message, error, answer";

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
            "DELETE FROM replays WHERE id IN (SELECT id FROM replays WHERE id < ?1 ORDER BY id LIMIT ?2)",
        )?
        .execute(params![ReplayId::new_at(now.minus(KEEP)).as_bytes(), whole(STEP)])?;
    connection
        .prepare_cached(&format!(
            "INSERT INTO replays ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        ))?
        .execute(params![
            replay.id.as_bytes(),
            replay.original.as_bytes(),
            replay.target,
            replay.signature.as_str(),
            replay.is_edited,
            replay.run.map(|id| *id.as_bytes()),
            replay.status,
            replay.delivery.map(|id| *id.as_bytes()),
            replay.message.map(|id| *id.as_bytes()),
            replay.error,
            &*replay.answer,
        ])?;
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
    let of_run = if run.is_some() { "run = ?3 AND" } else { "?3 IS NULL AND" };
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM replays WHERE {of_run} id < ?1 ORDER BY id DESC LIMIT ?2"
        ))?
        .query_map(params![before, whole(limit), run.map(|id| *id.as_bytes())], replay)?
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
            "SELECT {COLUMNS} FROM replays WHERE original = ?1 ORDER BY id DESC LIMIT ?2"
        ))?
        .query_map(params![delivery.as_bytes(), whole(MOST)], replay)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let came_by = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM replays WHERE delivery = ?1"))?
        .query_row([delivery.as_bytes()], replay)
        .optional()?;
    Ok(ReplaysAbout { replays, came_by })
}

fn replay(row: &Row<'_>) -> rusqlite::Result<Replay> {
    let signature: String = row.get(3)?;
    let signature = ReplaySignature::from_word(&signature).ok_or_else(|| {
        Error::InvalidColumnType(3, "a choice that this program does not know".to_owned(), Type::Text)
    })?;
    Ok(Replay {
        id: ReplayId::from_bytes(row.get(0)?),
        original: DeliveryId::from_bytes(row.get(1)?),
        target: row.get(2)?,
        signature,
        is_edited: row.get(4)?,
        run: row.get::<_, Option<[u8; 16]>>(5)?.map(ReplayId::from_bytes),
        status: row.get(6)?,
        delivery: row.get::<_, Option<[u8; 16]>>(7)?.map(DeliveryId::from_bytes),
        message: row.get::<_, Option<[u8; 16]>>(8)?.map(MessageId::from_bytes),
        error: row.get(9)?,
        answer: Bytes::copy_from_slice(row.get_ref(10)?.as_blob()?),
    })
}
