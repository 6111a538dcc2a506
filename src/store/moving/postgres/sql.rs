//! The statements of a move in PostgreSQL, made from the list of tables.

use crate::store::moving::facts;
use crate::store::moving::tables::{
    ATTEMPTS, COUNTED, Column, DELIVERIES, FACTS, Kind, SUBSCRIPTIONS, Table,
};

/// What is read from.
pub fn source(table: &Table) -> String {
    match table.name {
        FACTS => facts::source(),
        // A node whose message was taken over may have made an attempt of the same number. That of the last claim is kept.
        ATTEMPTS => r"
            (
                SELECT *
                FROM attempts AS a
                WHERE NOT EXISTS (
                    SELECT 1
                    FROM attempts AS later
                    WHERE later.message_seq = a.message_seq AND later.number = a.number AND later.claim > a.claim
                )
            ) AS attempts
            "
        .to_owned(),
        name if table.is_about_deliveries() => format!("{name} AS t JOIN deliveries AS d USING (seq)"),
        name => name.to_owned(),
    }
}

/// Selects a number of rows after a key, or the first ones, in the order of the key. The id of the delivery at a position is
/// named after it.
pub fn select(table: &Table, is_after: bool) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| read(table, column)).collect();
    page(table, &columns.join(", "), is_after)
}

/// Selects the sizes of the same rows.
pub fn sizes(table: &Table, large: &str, is_after: bool) -> String {
    page(table, &format!("octet_length({large})::bigint AS size"), is_after)
}

fn page(table: &Table, columns: &str, is_after: bool) -> String {
    let keys: Vec<&str> = table.key().iter().map(|column| column.name).collect();
    let (order, limit) = (keys.join(", "), table.keys.saturating_add(1));
    let places: Vec<String> = (1..limit).map(|place| format!("${place}")).collect();
    let (after, limit) = if is_after {
        (format!("WHERE ({order}) > ({})", places.join(", ")), limit)
    } else {
        (String::new(), 1)
    };
    format!("SELECT {columns} FROM {} {after} ORDER BY {order} LIMIT ${limit}", source(table))
}

fn read(table: &Table, column: &Column) -> String {
    let name = column.name;
    match column.kind {
        Kind::About => format!("{name}, d.id AS {name}_id"),
        Kind::Through => format!(
            "{name}, (SELECT d.id FROM deliveries AS d WHERE d.seq <= {}.{name} ORDER BY d.seq DESC LIMIT 1) AS {name}_id",
            table.name
        ),
        _ if table.is_about_deliveries() => format!("t.{name}"),
        _ => name.to_owned(),
    }
}

/// Adds rows that are parameters, an array for each column; for subscriptions, one more array says whether each is ordered.
pub fn insert(table: &Table) -> String {
    let given: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let more = (table.name == SUBSCRIPTIONS).then_some("is_ordered");
    let places: Vec<String> =
        (1..).zip(given.iter().chain(&more)).map(|(place, _)| format!("${place}")).collect();
    let arrays = format!(
        "unnest({}) AS new ({})",
        places.join(", "),
        given.iter().copied().chain(more).collect::<Vec<_>>().join(", ")
    );
    if table.name == FACTS {
        return format!(
            "INSERT INTO facts (name, value) SELECT name, coalesce(value, place) FROM {arrays}
             ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        );
    }
    // What SQLite does not have.
    let own = match table.name {
        DELIVERIES => Some(("node", "''")),
        ATTEMPTS => Some(("claim", "0")),
        SUBSCRIPTIONS => Some(("is_ordered", "is_ordered")),
        _ => None,
    };
    let (names, values): (Vec<&str>, Vec<&str>) = given.iter().map(|name| (*name, *name)).chain(own).unzip();
    let numbered = if table.name != DELIVERIES && COUNTED.contains(&table.name) {
        "OVERRIDING SYSTEM VALUE"
    } else {
        ""
    };
    format!(
        "INSERT INTO {} ({}) {numbered} SELECT {} FROM {arrays} ON CONFLICT DO NOTHING",
        table.name,
        names.join(", "),
        values.join(", ")
    )
}

/// The totals of deliveries, without those that are pinned.
pub const TOTALS: &str = r"
    INSERT INTO delivery_totals (day, verdict, node, writer, rows, bytes)
    SELECT received_at / 86400000000, verdict, '', 0, count(*), sum(row_bytes)
    FROM deliveries
    WHERE seq NOT IN (SELECT seq FROM delivery_marks WHERE is_pinned)
    GROUP BY 1, 2
    ";
