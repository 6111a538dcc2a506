//! Positions in the log.
//!
//! Several nodes write at once, and transactions do not commit in the order in which they began. A position is made of the
//! number of its transaction and a place in it, so that positions of one transaction follow each other, and every position
//! below the oldest running transaction is final. A reader that goes on from a cursor reads up to that horizon, and passes
//! nothing that may still appear.
//!
//! The numbers of transactions start again in another cluster, to which a dump is restored. `xid_offset` in the table
//! `facts` keeps positions ascending there: it is raised at the start if needed.

/// Positions of one transaction: the most rows of a batch.
pub const PLACES: i64 = 1_024;

/// SQL for the first position of the current transaction; add a place from 0 to `PLACES` - 1.
pub const NEXT_POSITION: &str = "((pg_current_xact_id()::text::bigint
    + (SELECT value FROM facts WHERE name = 'xid_offset')) * 1024)";

/// SQL for the horizon: positions below it are final.
pub const HORIZON: &str = "((pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    + (SELECT value FROM facts WHERE name = 'xid_offset')) * 1024)";
