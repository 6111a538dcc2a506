//! Keeps due times correct across restarts, even if the wall clock was set.
//!
//! All due times use a clock that never jumps. At each start, this clock starts with the wall-clock time. If the wall
//! clock was set since, stored due times move by the same amount.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::{Now, Timestamp};
use crate::store::numbers::{PENDING, SENDING};
use crate::store::outbox::limits::NO_STEP_US;

/// The name of the number that stores how far the wall clock was ahead, in microseconds.
const AHEAD: &str = "wall_ahead_us";

/// Stores how far the wall clock is ahead.
pub fn keep_wall_ahead(connection: &Connection, micros: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            r"
            INSERT INTO facts (name, value)
            VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET value = ?2
            ",
        )?
        .execute(params![AHEAD, micros])?;
    Ok(())
}

/// Adjusts the schedule when the sender starts. At a program start both clocks show the same time, and the stored
/// difference is that of the last run. If only the sender restarts, the clocks and their difference have not changed.
pub fn take_up(connection: &Connection, now: Now) -> rusqlite::Result<()> {
    let kept: Option<i64> = connection
        .query_row("SELECT value FROM facts WHERE name = ?1", [AHEAD], |row| row.get(0))
        .optional()?;
    let (kept, ahead) = (kept.unwrap_or(0), now.wall_ahead_us());
    if kept.abs_diff(ahead) > NO_STEP_US {
        follow(connection, kept.saturating_sub(ahead))?;
        keep_wall_ahead(connection, ahead)?;
    }
    pull_in(connection, now.due)
}

/// The wall clock was set while the program ran.
fn follow(connection: &Connection, micros: i64) -> rusqlite::Result<()> {
    connection.execute(
        &format!(
            r"
            UPDATE messages
            SET next_attempt_at = next_attempt_at + ?1,
                claimed_at = claimed_at + ?1
            WHERE status IN ({PENDING}, {SENDING})
            "
        ),
        [micros],
    )?;
    connection.execute("UPDATE facts SET value = value + ?1 WHERE name = 'event_ids_shift'", [micros])?;
    // All at once: a mark may move to the place of another one.
    let marks = connection
        .prepare("SELECT target_id, at, requests FROM rate_marks")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<Vec<(String, i64, i64)>>>()?;
    connection.execute("DELETE FROM rate_marks", [])?;
    for (target, at, requests) in marks {
        connection
            .prepare_cached("INSERT INTO rate_marks (target_id, at, requests) VALUES (?1, ?2, ?3)")?
            .execute(params![target, at.saturating_add(micros), requests])?;
    }
    Ok(())
}

/// The wall clock was set back while the program did not run, by an unknown amount. Existing claims and messages wait
/// no longer than their original delay, and earlier requests count from now.
fn pull_in(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        &format!(
            r"
            UPDATE messages
            SET next_attempt_at = ?1 + max(0, next_attempt_at - coalesce(claimed_at, next_attempt_at)),
                claimed_at = min(claimed_at, ?1)
            WHERE status = {PENDING}
              AND next_attempt_at > ?1
              AND coalesce(claimed_at, created_at) > ?1
            "
        ),
        [now.as_micros()],
    )?;
    connection.execute(
        r"
        INSERT INTO rate_marks (target_id, at, requests)
        SELECT target_id, ?1, sum(requests)
        FROM rate_marks
        WHERE at > ?1
        GROUP BY target_id
        ON CONFLICT (target_id, at) DO UPDATE SET requests = requests + excluded.requests
        ",
        [now.as_micros()],
    )?;
    connection.execute("DELETE FROM rate_marks WHERE at > ?1", [now.as_micros()])?;
    Ok(())
}
