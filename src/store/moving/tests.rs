//! The list of tables against both schemas, and digests.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::NoTls;

use super::digest::TableDigest;
use super::tables::{Kind, TABLES, Table};
use super::value::Cell;
use crate::store::postgres::MIGRATIONS;
use crate::store::sqlite;

/// Tables that are not moved, of both engines.
const NOT_MOVED: [&str; 13] = [
    "delivery_totals",
    "duties",
    "event_id_places",
    "event_id_runs",
    "moving",
    "nodes",
    "probes",
    "rate_marks",
    "refinery_schema_history",
    "schema_versions",
    "sorted_event_ids",
    "taken_event_ids",
    "totals",
];

/// Columns that only PostgreSQL has.
const ONLY_POSTGRES: [(&str, &str); 5] = [
    ("attempts", "claim"),
    ("deliveries", "node"),
    ("messages", "claim"),
    ("messages", "claimed_by"),
    ("subscriptions", "is_ordered"),
];

type Columns = BTreeMap<String, BTreeSet<String>>;

/// The tables and columns of the list.
fn listed() -> Columns {
    let names = |table: &Table| table.columns.iter().map(|column| column.name.to_owned()).collect();
    let mut listed: Columns = TABLES.iter().map(|table| (table.name.to_owned(), names(table))).collect();
    // Only the move has a column of its own for positions.
    listed.get_mut("facts").unwrap().remove("place");
    listed
}

#[test]
fn every_table_and_column_of_sqlite_is_moved() {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    sqlite::migrate(&mut connection, "memory").unwrap();
    let mut read = connection
        .prepare(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
        )
        .unwrap();
    let mut seen = Columns::new();
    for row in read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
        let (table, column): (String, String) = row.unwrap();
        let columns = match (&*table, &*column) {
            ("attempts", "key") => vec!["message_seq", "number"],
            ("dead_letters", "is_told") => vec!["is_reported"],
            // Another engine has the same texts in another form.
            ("delivery_bytes", "packed") => vec![],
            (_, column) => vec![column],
        };
        let table = if table == "delivery_bytes" { "deliveries".to_owned() } else { table };
        seen.entry(table).or_default().extend(columns.into_iter().map(str::to_owned));
    }
    seen.retain(|table, _| !NOT_MOVED.contains(&table.as_str()));
    assert_eq!(seen, listed());
}

#[tokio::test]
async fn every_table_and_column_of_postgresql_is_moved_and_has_that_kind() {
    let Some(url) = crate::config::server_of_tests() else { return };
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    let name = format!("tagohook_moving_{}", std::process::id());
    let (server, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    server.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (client, connection) = config.dbname(&name).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    for migration in MIGRATIONS {
        client.batch_execute(migration).await.unwrap();
    }
    let rows = client
        .query(
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND a.attnum > 0 AND NOT a.attisdropped",
            &[],
        )
        .await
        .unwrap();
    let (mut seen, mut kinds) = (Columns::new(), BTreeMap::new());
    for row in rows {
        let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        if !ONLY_POSTGRES.contains(&(&table, &column)) {
            seen.entry(table.clone()).or_default().insert(column.clone());
        }
        kinds.insert((table, column), kind);
    }
    seen.retain(|table, _| !NOT_MOVED.contains(&table.as_str()));
    assert_eq!(seen, listed());
    for (table, column) in
        TABLES.iter().flat_map(|table| table.columns.iter().map(|column| (table.name, column)))
    {
        let expected = match column.kind {
            Kind::Real => "double precision",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
            Kind::Flag => "boolean",
            Kind::Number | Kind::Own | Kind::About | Kind::Through | Kind::Learnt => "bigint",
        };
        if let Some(kind) = kinds.get(&(table.to_owned(), column.name.to_owned())) {
            assert_eq!(kind, expected, "{table}.{}", column.name);
        }
    }
    drop(client);
    server.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}

fn of(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).unwrap()
}

#[test]
fn a_digest_knows_every_change_but_no_order_and_no_position() {
    let digest = |table: &str, rows: &[&[Cell]]| {
        let mut digest = TableDigest::default();
        rows.iter().for_each(|row| digest.add(of(table), &row.to_vec()));
        digest
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let (a, b) = ([text("a"), text("x=1")], [text("b"), text("x=2")]);
    let both = digest("saved_searches", &[&a, &b]);
    assert_eq!(both, digest("saved_searches", &[&b, &a]));
    assert_ne!(both, digest("saved_searches", &[&a]));
    assert_ne!(both, digest("saved_searches", &[&a, &a]));
    assert_ne!(both, digest("saved_searches", &[&[text("ax"), text("=1")], &b]));
    assert_ne!(both, digest("saved_searches", &[&a, &[text("b"), Cell::Null]]));
    let cause = |seq: i64, id: u8| {
        digest("delivery_causes", &[&[Cell::Position(seq, Some(vec![id])), text("s"), text("c"), text("h")]])
    };
    assert_eq!(cause(1, 7), cause(1_024, 7));
    assert_ne!(cause(1, 7), cause(1, 8));
    let outage = |until: i64| digest("outages", &[&[Cell::Number(1), Cell::Number(until)]]);
    assert_ne!(outage(2), outage(3));
}
