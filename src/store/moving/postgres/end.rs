//! A PostgreSQL database that is read or written by a move: see `End`.

use async_trait::async_trait;

use super::arrays::{Array, arrays, cells, key, received_at};
use super::sql;
use crate::domain::Timestamp;
use crate::store::StoreError;
use crate::store::log::postgres::days::{Days, day};
use crate::store::moving::end::{Counters, End};
use crate::store::moving::state;
use crate::store::moving::tables::{COUNTED, DELIVERIES, SUBSCRIPTIONS, TABLES, Table};
use crate::store::moving::value::{Cell, PAGE_BYTES, PAGE_ROWS, Progress, Row};
use crate::store::outbox::postgres::is_ordered;
use crate::store::postgres::{
    Database, Param, Transaction, Typed as _, column, is_unfinished, params, whole,
};

/// A PostgreSQL database.
pub struct PostgresEnd {
    pub database: Database,
    days: Days,
    /// The fingerprint of the key that the moved secrets are sealed with.
    store_key: Option<i64>,
    /// Reads see one state, also if a node starts in the meantime. A write ends it.
    snapshot: Option<Transaction>,
}

impl PostgresEnd {
    pub fn new(database: Database, store_key: Option<i64>) -> Self {
        Self { database, days: Days::default(), store_key, snapshot: None }
    }

    async fn reading(&mut self) -> Result<&Transaction, StoreError> {
        if self.snapshot.is_none() {
            self.snapshot = Some(self.database.begin_reading().await?);
        }
        self.snapshot.as_ref().ok_or_else(|| StoreError::Unavailable("nothing is read".to_owned()))
    }

    async fn writing(&mut self) -> Result<Transaction, StoreError> {
        self.snapshot = None;
        let transaction = self.database.begin().await?;
        // The other end works in the pauses.
        transaction.take_time().await?;
        Ok(transaction)
    }

    /// How many of the next rows fit into a page.
    async fn fitting(&mut self, table: &Table, after: Option<&[Cell]>) -> Result<usize, StoreError> {
        let Some(large) = table.large else { return Ok(PAGE_ROWS) };
        let asked = whole(PAGE_ROWS);
        let sql = sql::sizes(table, large, after.is_some());
        let rows = self.reading().await?.rows(&sql, &paged(after, &asked)).await?;
        let (mut size, mut fitting) = (0_usize, 0_usize);
        for row in &rows {
            let bytes: Option<i64> = column(row, "size")?;
            size = size.saturating_add(usize::try_from(bytes.unwrap_or(0)).unwrap_or(usize::MAX));
            fitting = fitting.saturating_add(1);
            if size >= PAGE_BYTES {
                break;
            }
        }
        Ok(fitting)
    }
}

/// The parameters of a page: its key, and the number of rows.
fn paged<'p>(after: Option<&'p [Cell]>, limit: &'p i64) -> Vec<Param<'p>> {
    after.unwrap_or_default().iter().map(key).chain([limit.param()]).collect()
}

#[async_trait]
impl End for PostgresEnd {
    async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) AS rows FROM {}", sql::source(table));
        let row = self.reading().await?.one(&sql, &[]).await?;
        Ok(column::<i64>(&row, "rows")?.unsigned_abs())
    }

    async fn page(&mut self, table: &Table, after: Option<&[Cell]>) -> Result<Vec<Row>, StoreError> {
        let limit = whole(self.fitting(table, after).await?);
        let sql = sql::select(table, after.is_some());
        let rows = self.reading().await?.rows(&sql, &paged(after, &limit)).await?;
        rows.iter().map(|row| cells(table.columns, row)).collect()
    }

    async fn state(&mut self) -> Result<String, StoreError> {
        let rows = self.reading().await?.rows(&state::sql("encode(id, 'hex')"), &[]).await?;
        let lines = rows.iter().map(|row| Ok((column(row, "name")?, column(row, "value")?)));
        Ok(state::digest(lines.collect::<Result<Vec<(String, String)>, StoreError>>()?))
    }

    async fn counters(&mut self) -> Result<Counters, StoreError> {
        let mut counters = Counters::new();
        for table in COUNTED {
            let sql = match table {
                DELIVERIES => "SELECT coalesce(max(seq), 0) AS highest FROM deliveries".to_owned(),
                _ => format!(
                    "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('{table}', '{}')::regclass), 0) AS highest",
                    key_of(table)
                ),
            };
            let row = self.reading().await?.one(&sql, &[]).await?;
            counters.push((table, column(&row, "highest")?));
        }
        Ok(counters)
    }

    async fn unfinished(&mut self) -> Result<Option<(String, Option<Progress>)>, StoreError> {
        self.snapshot = None;
        if !is_unfinished(&self.database).await? {
            return Ok(None);
        }
        let connection = self.database.connection().await?;
        let rows = connection.rows("SELECT name, value FROM moving", &[]).await?;
        let (mut source, mut progress) = (String::new(), None);
        for row in &rows {
            let (name, value): (String, String) = (column(row, "name")?, column(row, "value")?);
            match name.as_str() {
                "source" => source = value,
                _ => progress = serde_json::from_str(&value).ok(),
            }
        }
        Ok(Some((source, progress)))
    }

    async fn begin(&mut self, source: &str) -> Result<(), StoreError> {
        let to = self.writing().await?;
        to.batch("CREATE TABLE moving (name TEXT PRIMARY KEY, value TEXT NOT NULL)").await?;
        to.run("INSERT INTO moving (name, value) VALUES ('source', $1)", &params![source]).await?;
        to.commit().await
    }

    async fn clear(&mut self) -> Result<(), StoreError> {
        let to = self.writing().await?;
        let tables = TABLES.iter().map(|table| table.name).filter(|name| *name != "facts");
        let tables: Vec<&str> = tables.chain(["delivery_totals", "rate_marks"]).collect();
        to.batch(&format!("TRUNCATE {} RESTART IDENTITY", tables.join(", "))).await?;
        // Facts are replaced by those of the source.
        to.batch("DROP TABLE moving").await?;
        to.commit().await
    }

    async fn write(&mut self, table: &Table, rows: Vec<Row>, progress: &Progress) -> Result<(), StoreError> {
        if table.name == DELIVERIES {
            let days = received_at(table.columns, &rows)?;
            self.days
                .make(&self.database, days.into_iter().map(|at| day(Timestamp::from_micros(at))))
                .await?;
        }
        let mut arrays = arrays(table.columns, rows);
        if table.name == SUBSCRIPTIONS {
            arrays.extend(ordered(table, &arrays));
        }
        let params: Vec<Param<'_>> = arrays.iter().map(Array::param).collect();
        let to = self.writing().await?;
        to.run(&sql::insert(table), &params).await?;
        to.run(
            "INSERT INTO moving (name, value) VALUES ('progress', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            &params![serde_json::to_string(progress).unwrap_or_default()],
        )
        .await?;
        to.commit().await
    }

    async fn settle(&mut self, counters: &Counters) -> Result<(), StoreError> {
        let to = self.writing().await?;
        to.batch("DELETE FROM delivery_totals").await?;
        to.batch(sql::TOTALS).await?;
        for (table, highest) in counters {
            if *table == DELIVERIES {
                // New deliveries come after those that are moved.
                to.run(
                    "UPDATE facts
                     SET value = greatest(value, $1 / 1024 + 1 - pg_current_xact_id()::text::bigint)
                     WHERE name = 'xid_offset'",
                    &params![highest],
                )
                .await?;
                continue;
            }
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{}'), greatest($1, 1), $1 > 0)",
                key_of(table)
            );
            to.rows(&sql, &params![highest]).await?;
        }
        to.commit().await
    }

    async fn finish(&mut self) -> Result<(), StoreError> {
        let to = self.writing().await?;
        if let Some(store_key) = self.store_key {
            // A node with another key is refused at its start.
            to.run(
                "INSERT INTO facts (name, value) VALUES ('store_key', $1)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                &params![store_key],
            )
            .await?;
        }
        to.batch("DROP TABLE moving").await?;
        to.commit().await
    }
}

/// The column of a table's own numbers.
fn key_of(table: &str) -> &'static str {
    if table == "drift_types" { "id" } else { "seq" }
}

/// Whether each subscription sends in order: it follows from its document.
fn ordered(table: &Table, arrays: &[Array]) -> Option<Array> {
    let place = table.columns.iter().position(|column| column.name == "document")?;
    let Some(Array::Texts(documents)) = arrays.get(place) else { return None };
    Some(Array::Flags(documents.iter().map(|document| document.as_deref().map(is_ordered)).collect()))
}
