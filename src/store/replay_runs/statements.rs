//! Statements that are the same in both engines.
//!
//! Their values are `$1`, `$2` and so on, in the order in which they appear: SQLite numbers such names as it reads them.

use crate::domain::ReplayId;

/// The columns of a run.
pub const COLUMNS: &str = r"
    id, filter, target, signature, is_newest_first, per_second, concurrency, stops_on_error,
    state, why, total, done, failed, gone";

/// Removes the oldest runs that are not in a state: the state, how many stay.
pub const FORGET_RUNS: &str = r"
    DELETE FROM replay_runs
    WHERE state <> $1
      AND id < (SELECT id FROM replay_runs ORDER BY id DESC LIMIT 1 OFFSET $2)
";

/// Reads a plan: the run, the first place, how many.
pub const NEXT: &str = r"
    SELECT place, delivery
    FROM replay_plan
    WHERE run = $1 AND place >= $2
    ORDER BY place
    LIMIT $3
";

/// Removes a place from its plan: the run, the place.
pub const TAKE: &str = "DELETE FROM replay_plan WHERE run = $1 AND place = $2";

/// Adds a result to a run: done, failed, gone, the run.
pub const COUNT: &str = r"
    UPDATE replay_runs
    SET done = done + $1,
        failed = failed + $2,
        gone = gone + $3
    WHERE id = $4
";

/// Moves a run to another state: the state, why, the run, the state before.
pub const TURN: &str = "UPDATE replay_runs SET state = $1, why = $2 WHERE id = $3 AND state = $4";

/// Reads the newest runs before an id: the id, how many.
pub fn newest_before() -> String {
    format!("SELECT {COLUMNS} FROM replay_runs WHERE id < $1 ORDER BY id DESC LIMIT $2")
}

/// Reads a run: the id.
pub fn one() -> String {
    format!("SELECT {COLUMNS} FROM replay_runs WHERE id = $1")
}

/// Reads the runs in a state: the state.
pub fn in_state() -> String {
    format!("SELECT {COLUMNS} FROM replay_runs WHERE state = $1 ORDER BY id")
}

/// The id before which a list begins.
pub fn bound(before: Option<ReplayId>) -> [u8; 16] {
    before.map_or([0xff; 16], |id| *id.as_bytes())
}
