//! Why deliveries were rejected or were duplicates, in SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};
use tokio::sync::watch;

use super::MOST_ALIKE;
use crate::domain::{Cause, DeliveryRow, Timestamp};
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Alike, Causes, StoreError};

#[async_trait]
impl Causes for Sqlite {
    async fn name_causes(&self, found: Vec<(i64, Cause)>) -> Result<(), StoreError> {
        self.change(move |to| name(to, &found)).await
    }

    fn causes_are_named(&self, through: i64) {
        self.shared.named.send_replace(through);
    }

    fn named_through(&self) -> watch::Receiver<i64> {
        self.shared.named.subscribe()
    }

    async fn alike(&self, row: &DeliveryRow, code: &str) -> Result<Option<Alike>, StoreError> {
        let (seq, source, code) = (row.seq, row.source.clone(), code.to_owned());
        self.read(move |from| alike(from, seq, &source, &code, MOST_ALIKE)).await
    }
}

/// Stores causes; deliveries that were removed in the meantime are skipped.
pub fn name(connection: &Connection, found: &[(i64, Cause)]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        r"
        INSERT INTO delivery_causes (seq, source, code, headline)
        SELECT d.seq, d.source, ?2, ?3
        FROM deliveries d
        WHERE d.seq = ?1
        ON CONFLICT (seq) DO UPDATE SET
            code = excluded.code,
            headline = excluded.headline
        ",
    )?;
    for (seq, cause) in found {
        insert.execute(params![seq, cause.code, cause.headline])?;
    }
    Ok(())
}

/// Other deliveries of a source with the same cause, at most `most`.
pub fn alike(
    connection: &Connection,
    seq: i64,
    source: &str,
    code: &str,
    most: usize,
) -> rusqlite::Result<Option<Alike>> {
    let (count, first): (i64, Option<i64>) = connection
        .prepare_cached(
            r"
            SELECT count(*) AS count, min(seq) AS first
            FROM (
                SELECT seq
                FROM delivery_causes
                WHERE source = :source AND code = :code AND seq <> :seq
                ORDER BY seq DESC
                LIMIT :most
            )
            ",
        )?
        .query_row(
            named_params! { ":source": source, ":code": code, ":seq": seq, ":most": whole(most) },
            |row| Ok((row.get("count")?, row.get("first")?)),
        )?;
    let since = connection
        .prepare_cached("SELECT received_at FROM deliveries WHERE seq = ?1")?
        .query_row([first], |row| row.get(0))
        .optional()?;
    let count = usize::try_from(count).unwrap_or_default();
    Ok(since.map(|since| Alike { count, is_all: count < most, since: Timestamp::from_micros(since) }))
}
