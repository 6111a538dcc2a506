//! Event ids that lie in the table `event_ids`: an older version kept them there, and `migrate-store` reads and writes them
//! there, in the order of source and key. A start makes runs of them.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::identity::Identity;
use super::listing::Listing;
use super::load::newest_run;
use super::places::first_of;

/// Moves the rows of `event_ids` to runs of `run_rows` ids, and the rest to the fresh ids.
pub fn to_runs(connection: &mut Connection, run_rows: u32) -> rusqlite::Result<()> {
    let has = |table: &str| {
        connection
            .query_row(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), [], |row| row.get::<_, bool>(0))
    };
    if !has("event_ids")? {
        return Ok(());
    }
    if has("taken_event_ids")? {
        // New runs would stand before those that are not listed.
        to_table(connection)?;
    }
    add_identity(connection)?;
    let is_long = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM event_ids LIMIT 1 OFFSET ?1)",
        [run_rows],
        |row| row.get(0),
    )?;
    if is_long {
        tracing::info!("event ids are being moved to sorted runs, once; a million takes about ten seconds");
    }
    loop {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        let rows: u32 = transaction.query_row(
            "SELECT count(*) FROM (SELECT 1 FROM event_ids LIMIT ?1)",
            [run_rows],
            |row| row.get(0),
        )?;
        let run = newest_run(&transaction)?.saturating_add(1);
        if rows < run_rows {
            add(&transaction, run, rows)?;
            return transaction.commit();
        }
        add_run(&transaction, run, run_rows)?;
        transaction.commit()?;
    }
}

/// Moves all event ids to `event_ids`. Of two rows of an id the newer one stays.
pub fn to_table(connection: &mut Connection) -> rusqlite::Result<()> {
    // What is sorted may be larger than the memory.
    connection.pragma_update(None, "temp_store", "FILE")?;
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        r"
        INSERT INTO event_ids (source, key, body_digest, delivery_id, first_received_at, expires_at)
        SELECT source, key, body_digest, delivery_id, first_received_at,
            expires_at + (SELECT value FROM facts WHERE name = 'event_ids_shift')
        FROM (
            SELECT source, key, body_digest, delivery_id, first_received_at, expires_at, id AS age
            FROM taken_event_ids
            UNION ALL
            SELECT source, key, body_digest, delivery_id, first_received_at, expires_at, run
            FROM sorted_event_ids JOIN event_id_runs USING (run)
        )
        ORDER BY source, key, age DESC
        ON CONFLICT DO NOTHING;
        DELETE FROM taken_event_ids;
        DELETE FROM event_id_places;
        DELETE FROM sorted_event_ids;
        DELETE FROM event_id_runs;
        UPDATE facts SET value = 0 WHERE name = 'event_ids_shift';
        ",
    )?;
    transaction.commit()?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

/// The first `rows` rows become a run.
fn add_run(transaction: &Transaction<'_>, run: i64, rows: u32) -> rusqlite::Result<()> {
    add(transaction, run, rows)?;
    let mut listing = Listing::new(run, usize::try_from(rows).unwrap_or(0));
    let mut read =
        transaction.prepare_cached("SELECT identity, id, expires_at FROM taken_event_ids WHERE id >= ?1")?;
    let mut ids = read.query([first_of(run)])?;
    while let Some(row) = ids.next()? {
        listing.add(row.get(0)?, row.get(1)?, row.get(2)?);
    }
    listing.write(transaction)?;
    Ok(())
}

/// Moves the first `rows` rows to the places of a run.
fn add(transaction: &Transaction<'_>, run: i64, rows: u32) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            r"
            INSERT INTO taken_event_ids (
                id, identity, source, key,
                body_digest, delivery_id, first_received_at, expires_at
            )
            SELECT ?1 + row_number() OVER (ORDER BY source, key) - 1, event_identity(source, key), source, key,
                body_digest, delivery_id, first_received_at,
                expires_at - (SELECT value FROM facts WHERE name = 'event_ids_shift')
            FROM (SELECT * FROM event_ids ORDER BY source, key LIMIT ?2)
            ",
        )?
        .execute(params![first_of(run), rows])?;
    transaction
        .prepare_cached(
            r"
            DELETE FROM event_ids
            WHERE (source, key) IN (SELECT source, key FROM event_ids ORDER BY source, key LIMIT ?1)
            ",
        )?
        .execute([rows])?;
    Ok(())
}

/// Adds the SQL function `event_identity(source, key)`.
fn add_identity(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("event_identity", 2, flags, |context| {
        let source = context.get_raw(0).as_str()?.to_owned();
        Ok(Identity::of(&source, context.get_raw(1).as_blob()?))
    })
}
