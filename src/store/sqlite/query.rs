//! Questions to the log.

use ipnet::IpNet;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::codec::{self, BYTES_COLUMNS, ROW_COLUMNS, address_bytes};
use super::insert::whole;
use crate::domain::{DeliveryFilter, DeliveryId, DeliveryRow, Reason, StoredDelivery};

/// Rows that match, newest first.
pub fn list(
    connection: &Connection,
    filter: &DeliveryFilter,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryRow>> {
    let mut conditions = Conditions::of(filter);
    if let Some(before) = before {
        conditions.add("d.seq < ?", before);
    }
    conditions.rows(connection, "DESC", limit)
}

/// Rows that match after a position, oldest first.
pub fn since(
    connection: &Connection,
    filter: &DeliveryFilter,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryRow>> {
    let mut conditions = Conditions::of(filter);
    conditions.add("d.seq > ?", after);
    // The tail is short: walking it beats any index on what is asked for.
    conditions.without_indexes().rows(connection, "ASC", limit)
}

/// Everything that is kept of a delivery.
pub fn delivery(connection: &Connection, id: DeliveryId) -> rusqlite::Result<Option<StoredDelivery>> {
    connection
        .prepare_cached(&format!(
            "SELECT {ROW_COLUMNS}, {BYTES_COLUMNS} FROM deliveries d JOIN delivery_bytes b USING (seq) \
             WHERE d.id = ?1"
        ))?
        .query_row([id.as_bytes()], codec::stored)
        .optional()
}

/// The WHERE of a question.
#[derive(Default)]
struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
    reads_bytes: bool,
}

impl Conditions {
    fn of(filter: &DeliveryFilter) -> Self {
        let mut conditions = Self::default();
        let texts = [
            ("d.source = ?", &filter.source),
            ("d.event_id = ?", &filter.event_id),
            ("d.entity = ?", &filter.entity),
            ("d.method = ?", &filter.method),
        ];
        for (sql, text) in texts {
            if let Some(text) = text {
                conditions.add(sql, text.clone());
            }
        }
        if let Some(verdict) = filter.verdict {
            conditions.add("d.verdict = ?", codec::verdict_number(verdict));
        }
        if let Some(reason) = filter.reason.map(Reason::as_str) {
            conditions.add("d.reason = ?", reason.to_owned());
        }
        if let Some(event_type) = &filter.event_type {
            conditions.add_all("(d.event_type = ? OR d.event_name = ?)", event_type, 2);
        }
        if let Some(status) = filter.status {
            conditions.add("d.status = ?", i64::from(status));
        }
        if let Some(range) = filter.client_ip {
            let (first, last) = bounds(range);
            conditions.add("d.client_ip >= ?", first.to_vec());
            conditions.add("d.client_ip <= ?", last.to_vec());
        }
        if let Some(from) = filter.from {
            conditions.add("d.received_at >= ?", from.as_micros());
        }
        if let Some(to) = filter.to {
            conditions.add("d.received_at < ?", to.as_micros());
        }
        if let Some(text) = &filter.q {
            conditions.reads_bytes = true;
            let columns = [
                "d.path",
                "d.source",
                "d.event_type",
                "d.event_name",
                "d.event_id",
                "d.entity",
                "CAST(b.headers AS TEXT)",
                "CAST(b.body AS TEXT)",
            ];
            let any = columns.map(|column| format!("{column} LIKE ? ESCAPE '\\'")).join(" OR ");
            conditions.add_all(&format!("({any})"), &like(text), columns.len());
        }
        conditions
    }

    fn add(&mut self, sql: &str, value: impl Into<Value>) {
        self.sql.push(sql.to_owned());
        self.values.push(value.into());
    }

    fn add_all(&mut self, sql: &str, text: &str, times: usize) {
        self.sql.push(sql.to_owned());
        self.values.extend(std::iter::repeat_n(Value::Text(text.to_owned()), times));
    }

    /// A unary plus keeps SQLite from using an index on anything but the position.
    fn without_indexes(mut self) -> Self {
        for sql in &mut self.sql {
            if !sql.starts_with("d.seq") {
                *sql = sql.replace("d.", "+d.");
            }
        }
        self
    }

    fn rows(self, connection: &Connection, order: &str, limit: usize) -> rusqlite::Result<Vec<DeliveryRow>> {
        let from =
            if self.reads_bytes { "deliveries d JOIN delivery_bytes b USING (seq)" } else { "deliveries d" };
        let filter = if self.sql.is_empty() { "1".to_owned() } else { self.sql.join(" AND ") };
        let sql = format!(
            "SELECT {ROW_COLUMNS} FROM {from} WHERE {filter} ORDER BY d.seq {order} LIMIT {}",
            whole(limit)
        );
        connection.prepare_cached(&sql)?.query_map(params_from_iter(self.values), codec::row)?.collect()
    }
}

fn bounds(range: IpNet) -> ([u8; 16], [u8; 16]) {
    (address_bytes(range.network()), address_bytes(range.broadcast()))
}

/// A LIKE pattern for text that occurs anywhere.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
