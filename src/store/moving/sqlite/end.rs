//! A SQLite file that is read or written by a move: see `End`.

use async_trait::async_trait;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Statement, params};

use super::sql;
use crate::store::StoreError;
use crate::store::moving::end::{Counters, End};
use crate::store::moving::state;
use crate::store::moving::tables::{COUNTED, DELIVERIES, Kind, TABLES, Table};
use crate::store::moving::value::{Cell, PAGE_BYTES, PAGE_ROWS, Progress, Row};
use crate::store::sqlite::is_unfinished;

/// A SQLite file.
pub struct SqliteEnd {
    connection: Connection,
}

impl SqliteEnd {
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
    }

    fn number(&self, sql: &str) -> rusqlite::Result<i64> {
        self.connection.query_row(sql, [], |row| row.get(0))
    }

    /// The row of the mark with that name.
    fn kept(&self, name: &str) -> rusqlite::Result<Option<String>> {
        self.connection
            .query_row("SELECT value FROM moving WHERE name = ?1", [name], |row| row.get(0))
            .optional()
    }
}

#[async_trait]
impl End for SqliteEnd {
    async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        let rows = self.number(&format!("SELECT count(*) FROM {}", sql::source(table)))?;
        Ok(rows.unsigned_abs())
    }

    async fn page(&mut self, table: &Table, after: Option<&[Cell]>) -> Result<Vec<Row>, StoreError> {
        let mut read = self.connection.prepare_cached(&sql::select(table, after.is_some()))?;
        for (place, cell) in (1..).zip(after.unwrap_or_default()) {
            read.raw_bind_parameter(place, Key(cell))?;
        }
        let mut found = read.raw_query();
        let (mut rows, mut size) = (Vec::new(), 0_usize);
        while rows.len() < PAGE_ROWS && size < PAGE_BYTES {
            let Some(row) = found.next()? else { break };
            let row = cells(table, row)?;
            size = row.iter().map(Cell::size).fold(size, usize::saturating_add);
            rows.push(row);
        }
        Ok(rows)
    }

    async fn state(&mut self) -> Result<String, StoreError> {
        let mut read = self.connection.prepare(&state::sql("hex(id)"))?;
        let lines = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(state::digest(lines.collect::<Result<Vec<(String, String)>, _>>()?))
    }

    async fn counters(&mut self) -> Result<Counters, StoreError> {
        let mut counters = Counters::new();
        for table in COUNTED {
            let key = if table == "drift_types" { "id" } else { "seq" };
            let sql = format!(
                "SELECT max(coalesce((SELECT max({key}) FROM {table}), 0),
                     coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0))"
            );
            counters.push((table, self.number(&sql)?));
        }
        Ok(counters)
    }

    async fn unfinished(&mut self) -> Result<Option<(String, Option<Progress>)>, StoreError> {
        if !is_unfinished(&self.connection)? {
            return Ok(None);
        }
        let source = self.kept("source")?.unwrap_or_default();
        let progress = self.kept("progress")?.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Some((source, progress)))
    }

    async fn begin(&mut self, source: &str) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch(
            "CREATE TABLE moving (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        )?;
        transaction.execute("INSERT INTO moving (name, value) VALUES ('source', ?1)", [source])?;
        Ok(transaction.commit()?)
    }

    async fn clear(&mut self) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for table in
            TABLES.iter().map(|table| table.name).chain(["delivery_bytes"]).filter(|name| *name != "facts")
        {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        transaction.execute_batch(
            "UPDATE totals SET rows = 0, bytes = 0; DELETE FROM sqlite_sequence;
             DROP TABLE moving",
        )?;
        transaction.commit()?;
        self.connection.execute_batch("PRAGMA incremental_vacuum")?;
        Ok(())
    }

    async fn write(&mut self, table: &Table, rows: Vec<Row>, progress: &Progress) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        let inserts = sql::inserts(table);
        for row in &rows {
            for sql in &inserts {
                let mut insert = transaction.prepare_cached(sql)?;
                bind(&mut insert, row)?;
                insert.raw_execute()?;
            }
        }
        transaction.execute(
            "INSERT INTO moving (name, value) VALUES ('progress', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [serde_json::to_string(progress).unwrap_or_default()],
        )?;
        Ok(transaction.commit()?)
    }

    async fn settle(&mut self, counters: &Counters) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        // As retention counts them: without those that are pinned.
        transaction.execute_batch(
            r"
            UPDATE totals SET rows = 0, bytes = 0;
            UPDATE totals
            SET rows = counted.rows, bytes = counted.bytes
            FROM (
                SELECT verdict, count(*) AS rows, sum(row_bytes) AS bytes
                FROM deliveries
                WHERE seq NOT IN (SELECT seq FROM delivery_marks WHERE is_pinned)
                GROUP BY verdict
            ) AS counted
            WHERE counted.verdict = totals.verdict;
            ",
        )?;
        for (table, highest) in counters.iter().filter(|(table, _)| *table != DELIVERIES) {
            transaction.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
                params![table, highest],
            )?;
        }
        Ok(transaction.commit()?)
    }

    async fn finish(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("DROP TABLE moving")?;
        Ok(())
    }
}

/// The values of a row that `sql::select` selects.
fn cells(table: &Table, row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let mut at = 0_usize;
    let mut next = || {
        let place = at;
        at = at.saturating_add(1);
        place
    };
    let mut cells = Row::with_capacity(table.columns.len());
    for column in table.columns {
        let place = next();
        let is_position = matches!(column.kind, Kind::About | Kind::Through);
        let id = if is_position { row.get(next())? } else { None };
        let cell = match column.kind {
            _ if row.get_ref(place)? == ValueRef::Null => Cell::Null,
            Kind::Number => Cell::Number(row.get(place)?),
            Kind::Real => Cell::Real(row.get(place)?),
            Kind::Text => Cell::Text(row.get(place)?),
            Kind::Bytes => Cell::Bytes(row.get(place)?),
            Kind::Flag => Cell::Flag(row.get(place)?),
            Kind::Own | Kind::About | Kind::Through | Kind::Learnt => Cell::Position(row.get(place)?, id),
        };
        cells.push(cell);
    }
    Ok(cells)
}

/// Binds the values, which are numbered by their columns, as far as the statement has places.
fn bind(insert: &mut Statement<'_>, row: &Row) -> rusqlite::Result<()> {
    (1..=insert.parameter_count())
        .zip(row)
        .try_for_each(|(place, cell)| insert.raw_bind_parameter(place, Written(cell)))
}

/// A value of a key: a position is a number.
struct Key<'c>(&'c Cell);

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Cell::Position(seq, _) => Ok(ToSqlOutput::from(*seq)),
            other => plain(other),
        }
    }
}

/// A value that is written: a position is the id of its delivery, since deliveries get new positions.
struct Written<'c>(&'c Cell);

impl ToSql for Written<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Cell::Position(_, id) => id.to_sql(),
            other => plain(other),
        }
    }
}

fn plain(cell: &Cell) -> rusqlite::Result<ToSqlOutput<'_>> {
    match cell {
        Cell::Null | Cell::Position(..) => rusqlite::types::Null.to_sql(),
        Cell::Number(number) => number.to_sql(),
        Cell::Real(number) => number.to_sql(),
        Cell::Text(text) => text.to_sql(),
        Cell::Bytes(bytes) => bytes.to_sql(),
        Cell::Flag(flag) => flag.to_sql(),
    }
}
