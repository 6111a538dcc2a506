//! The statements of a move in SQLite, made from the list of tables.

use crate::store::log::sqlite::FORM;
use crate::store::moving::facts;
use crate::store::moving::tables::{ATTEMPTS, Column, DEAD_LETTERS, DELIVERIES, FACTS, Kind, Table};

/// The columns of `deliveries`; the others are in `delivery_bytes`.
const NARROW: usize = 20;

/// The columns whose values are words of packed checks, in their order.
const CHECKS_WORDS: [&str; 4] = ["event_id", "event_type", "event_name", "client_ip"];

/// The key of an attempt: its message's number and its own number in one.
const ATTEMPT_KEY: &str = "?1 << 16 | ?2";

/// What is read from.
pub fn source(table: &Table) -> String {
    match table.name {
        // A row without its bytes is not passed over in silence.
        DELIVERIES => "deliveries AS t LEFT JOIN delivery_bytes AS b USING (seq)".to_owned(),
        FACTS => facts::source(),
        // CROSS: the deliveries are looked up for these rows, not the other way round.
        name if table.is_about_deliveries() => format!("{name} AS t CROSS JOIN deliveries AS d USING (seq)"),
        name => name.to_owned(),
    }
}

/// Selects the rows after a key, or all of them, in the order of the key. A position is followed by the id of its delivery.
pub fn select(table: &Table, is_after: bool) -> String {
    let keys: Vec<&str> = table.key().iter().map(|column| column.name).collect();
    let places: Vec<String> = (1..=keys.len()).map(|place| format!("?{place}")).collect();
    let (order, after) = match table.name {
        ATTEMPTS => ("key".to_owned(), format!("key > ({ATTEMPT_KEY})")),
        _ => (keys.join(", "), format!("({}) > ({})", keys.join(", "), places.join(", "))),
    };
    let columns: Vec<String> = table.columns.iter().map(|column| read(table, column)).collect();
    let after = if is_after { format!("WHERE {after}") } else { String::new() };
    format!("SELECT {} FROM {} {after} ORDER BY {order}", columns.join(", "), source(table))
}

fn read(table: &Table, column: &Column) -> String {
    let name = column.name;
    match (table.name, name, column.kind) {
        (ATTEMPTS, "message_seq", _) => "key >> 16".to_owned(),
        (ATTEMPTS, "number", _) => "key & 65535".to_owned(),
        (DEAD_LETTERS, "is_reported", _) => "is_told".to_owned(),
        (DELIVERIES, "peer_ip", _) => "coalesce(nullif(b.peer_ip, x''), t.client_ip)".to_owned(),
        (DELIVERIES, "headers", _) => "plain_bytes(b.headers, b.packed)".to_owned(),
        (DELIVERIES, "checks", _) => {
            format!("plain_text(b.checks, b.packed, t.{})", CHECKS_WORDS.join(", t."))
        }
        (DELIVERIES, "http_version" | "explanation" | "body_end", _) => {
            format!("plain_text(b.{name}, b.packed)")
        }
        (_, _, Kind::About) => format!("{name}, d.id"),
        (_, _, Kind::Through) => format!(
            "{name}, (SELECT d.id FROM deliveries AS d WHERE d.seq <= {}.{name} ORDER BY d.seq DESC LIMIT 1)",
            table.name
        ),
        _ if table.is_about_deliveries() => format!("t.{name}"),
        _ => name.to_owned(),
    }
}

/// Adds a row whose values are numbered parameters: one statement, or two for a delivery.
pub fn inserts(table: &Table) -> Vec<String> {
    let numbered = || (1..).zip(table.columns);
    match table.name {
        FACTS => vec![
            "INSERT INTO facts (name, value)
             VALUES (?1, coalesce(?2, (SELECT seq FROM deliveries WHERE id = ?3), 0))
             ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                .to_owned(),
        ],
        DELIVERIES => {
            let (narrow, wide) = (numbered().take(NARROW), numbered().skip(NARROW));
            let first = insert(DELIVERIES, narrow.map(|(place, column)| written(table, place, column)));
            let bytes = [("seq", "last_insert_rowid()".to_owned()), ("packed", FORM.to_string())];
            let bytes = bytes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .chain(wide.map(|(place, column)| written(table, place, column)));
            vec![first, insert("delivery_bytes", bytes)]
        }
        ATTEMPTS => {
            let key = std::iter::once(("key".to_owned(), ATTEMPT_KEY.to_owned()));
            let rest = numbered().skip(2).map(|(place, column)| written(table, place, column));
            vec![insert(ATTEMPTS, key.chain(rest))]
        }
        name => vec![insert(name, numbered().map(|(place, column)| written(table, place, column)))],
    }
}

/// The name of a column, and what is written to it.
fn written(table: &Table, place: usize, column: &Column) -> (String, String) {
    let name = match (table.name, column.name) {
        (DEAD_LETTERS, "is_reported") => "is_told",
        (_, name) => name,
    };
    let value = match column.kind {
        Kind::Text | Kind::Bytes if table.name == DELIVERIES => delivery_value(table, place, column),
        Kind::Own => "NULL".to_owned(),
        Kind::About => format!("(SELECT seq FROM deliveries WHERE id = ?{place})"),
        Kind::Through => format!("coalesce((SELECT seq FROM deliveries WHERE id = ?{place}), 0)"),
        Kind::Learnt => "(SELECT value FROM facts WHERE name = 'lens_cursor')".to_owned(),
        _ => format!("?{place}"),
    };
    (name.to_owned(), value)
}

/// A text or the bytes of a delivery, in the form of a row as the log writes it.
fn delivery_value(table: &Table, place: usize, column: &Column) -> String {
    let place_of =
        |name| (1..).zip(table.columns).find(|(_, other)| other.name == name).map(|(place, _)| place);
    match column.name {
        "http_version" | "explanation" | "headers" | "body_end" => format!("packed(?{place})"),
        "checks" => {
            let words = CHECKS_WORDS.into_iter().filter_map(place_of);
            format!("packed(?{place}{})", words.map(|word: usize| format!(", ?{word}")).collect::<String>())
        }
        "peer_ip" => {
            let client = place_of("client_ip").unwrap_or(place);
            format!("iif(?{place} = ?{client}, x'', ?{place})")
        }
        _ => format!("?{place}"),
    }
}

fn insert(table: &str, columns: impl Iterator<Item = (String, String)>) -> String {
    let (names, values): (Vec<_>, Vec<_>) = columns.unzip();
    format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
        names.join(", "),
        values.join(", ")
    )
}
