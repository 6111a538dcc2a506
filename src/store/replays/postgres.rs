//! Replays in PostgreSQL.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::{KEEP, MOST, STEP};
use crate::domain::{DeliveryId, MessageId, Replay, ReplayId, ReplaySignature, ReplaysAbout, Timestamp};
use crate::store::postgres::{Postgres, Transaction, column, params, small, unreadable, whole};
use crate::store::{Replays, StoreError};

const COLUMNS: &str = r"
    id, original, target, signature, is_edited, run,
    status, delivery, message, error, answer";

#[async_trait]
impl Replays for Postgres {
    async fn add_replay(&self, replay: Replay, now: Timestamp) -> Result<(), StoreError> {
        let replay = &replay;
        self.add(|to| async move { add(&to, replay, now).await }).await
    }

    async fn replays(
        &self,
        run: Option<ReplayId>,
        before: Option<ReplayId>,
        limit: usize,
    ) -> Result<Vec<Replay>, StoreError> {
        let before = before.map_or([0xff; 16], |id| *id.as_bytes());
        let run = run.map(|id| *id.as_bytes());
        let of_run = if run.is_some() { "run = $3" } else { "$3 IS NULL" };
        let sql = format!(
            r"
            SELECT {COLUMNS}
            FROM replays
            WHERE {of_run} AND id < $1
            ORDER BY id DESC
            LIMIT $2
            "
        );
        let rows = self.connection().await?.rows(&sql, &params![before, whole(limit), run]).await?;
        rows.iter().map(read).collect()
    }

    async fn replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM replays WHERE id = $1");
        let row = self.connection().await?.maybe(&sql, &params![id.as_bytes()]).await?;
        row.as_ref().map(read).transpose()
    }

    async fn replays_about(&self, delivery: DeliveryId) -> Result<ReplaysAbout, StoreError> {
        let connection = self.connection().await?;
        let sent_it = format!(
            r"
            SELECT {COLUMNS}
            FROM replays
            WHERE original = $1
            ORDER BY id DESC
            LIMIT $2
            "
        );
        let replays = connection.rows(&sent_it, &params![delivery.as_bytes(), whole(MOST)]).await?;
        let became_it = format!("SELECT {COLUMNS} FROM replays WHERE delivery = $1 ORDER BY id LIMIT 1");
        let came_by = connection.maybe(&became_it, &params![delivery.as_bytes()]).await?;
        Ok(ReplaysAbout {
            replays: replays.iter().map(read).collect::<Result<_, _>>()?,
            came_by: came_by.as_ref().map(read).transpose()?,
        })
    }
}

/// Stores a replay, and removes a few expired ones.
pub async fn add(to: &Transaction, replay: &Replay, now: Timestamp) -> Result<(), StoreError> {
    to.run(
        r"
        DELETE FROM replays
        WHERE id = ANY (ARRAY(
            SELECT id
            FROM replays
            WHERE id < $1
            ORDER BY id
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        ))
        ",
        &params![ReplayId::new_at(now.minus(KEEP)).as_bytes(), whole(STEP)],
    )
    .await?;
    to.run(
        &format!(
            r"
            INSERT INTO replays ({COLUMNS})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            "
        ),
        &params![
            replay.id.as_bytes(),
            replay.original.as_bytes(),
            replay.target,
            replay.signature.as_str(),
            replay.is_edited,
            replay.run.map(|id| *id.as_bytes()),
            replay.status.map(i64::from),
            replay.delivery.map(|id| *id.as_bytes()),
            replay.message.map(|id| *id.as_bytes()),
            replay.error,
            &*replay.answer,
        ],
    )
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Replay, StoreError> {
    let signature: String = column(row, "signature")?;
    let status: Option<i64> = column(row, "status")?;
    let answer: Vec<u8> = column(row, "answer")?;
    Ok(Replay {
        id: ReplayId::from_bytes(column(row, "id")?),
        original: DeliveryId::from_bytes(column(row, "original")?),
        target: column(row, "target")?,
        signature: ReplaySignature::from_word(&signature).ok_or_else(|| unreadable("signature"))?,
        is_edited: column(row, "is_edited")?,
        run: column::<Option<[u8; 16]>>(row, "run")?.map(ReplayId::from_bytes),
        status: status.map(|status| small(status, "status")).transpose()?,
        delivery: column::<Option<[u8; 16]>>(row, "delivery")?.map(DeliveryId::from_bytes),
        message: column::<Option<[u8; 16]>>(row, "message")?.map(MessageId::from_bytes),
        error: column(row, "error")?,
        answer: answer.into(),
    })
}
