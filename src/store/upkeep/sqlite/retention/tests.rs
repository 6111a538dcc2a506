//! Where a step ends.

use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::store::log::sqlite::event_ids::RUN_ROWS;
use crate::store::sqlite::{migrate, shared};

const NOW: i64 = 1_800_000_000;
const ACCEPTED: i64 = 0;
const REJECTED: i64 = 2;

/// A store with old deliveries, which all have to be removed.
struct Case {
    connection: Connection,
    folder: tempfile::TempDir,
}

impl Case {
    fn with(verdicts: &[i64]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = shared::open_writer(&folder.path().join("t.db")).unwrap();
        migrate(&mut connection, "t.db").unwrap();
        for (seq, verdict) in (1_i64..).zip(verdicts) {
            connection
                .execute(
                    "INSERT INTO deliveries (seq, id, source, received_at, method, path, client_ip, verdict, status,
                                             size_bytes, duration_us, row_bytes)
                     VALUES (?1, zeroblob(16 + ?1), 's', ?1, 'POST', '/', zeroblob(16), ?2, 200, 20000, 1, 100)",
                    [seq, *verdict],
                )
                .unwrap();
            connection
                .execute(
                    "INSERT INTO delivery_bytes (seq, http_version, peer_ip, explanation, headers, body, body_end, checks)
                     VALUES (?1, '1.1', zeroblob(16), '', '', zeroblob(20000), '', '[]')",
                    [seq],
                )
                .unwrap();
            connection
                .execute(
                    "UPDATE totals SET rows = rows + 1, bytes = bytes + 100 WHERE verdict = ?1",
                    [verdict],
                )
                .unwrap();
        }
        Self { connection, folder }
    }

    fn step(&mut self, read: impl Fn(Verdict) -> i64, is_over: impl Fn() -> bool) -> Step {
        let age = Duration::from_secs(1);
        let retention = Retention {
            keep_deliveries: age,
            keep_rejected: age,
            keep_captured: 1_000,
            keep_event_ids: age,
            keep_messages: age,
            keep_dead_letters: age,
            max_size: 1 << 30,
            max_refused: 1 << 30,
        };
        let now = Timestamp::from_secs(NOW);
        let mut event_ids = EventIds::new(RUN_ROWS);
        let limits = Limits { read: &read, is_over: &is_over };
        step(&mut self.connection, &mut event_ids, &retention, Now { due: now, wall: now }, &limits).unwrap()
    }

    /// The positions that are left, and whether the other tables and the totals agree.
    fn left(&self) -> Vec<i64> {
        let number = |sql| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let rows = number("SELECT count(*) FROM deliveries");
        assert_eq!(number("SELECT count(*) FROM delivery_bytes"), rows);
        assert_eq!(number("SELECT sum(rows) FROM totals"), rows);
        assert_eq!(number("SELECT sum(bytes) FROM totals"), rows * 100);
        let mut statement = self.connection.prepare("SELECT seq FROM deliveries ORDER BY seq").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

const fn removed(deliveries: u64) -> Step {
    Step::Removed { deliveries, event_ids: 0, messages: 0 }
}

#[test]
fn a_step_ends_when_its_time_is_over_with_the_rows_that_it_has_removed() {
    let mut case = Case::with(&[ACCEPTED; 6]);
    let asked = Cell::new(0);
    let is_over = || {
        asked.set(asked.get() + 1);
        asked.get() == 3
    };
    assert_eq!(case.step(|_| i64::MAX, is_over), removed(3));
    assert_eq!(case.left(), [4, 5, 6]);
    assert_eq!(case.step(|_| i64::MAX, || true), removed(1), "each step removes something");
    assert_eq!(case.step(|_| i64::MAX, || false), removed(2));
    assert_eq!(case.step(|_| i64::MAX, || false), Step::Nothing);
}

#[test]
fn a_step_removes_at_most_two_hundred_rows() {
    let mut case = Case::with(&[ACCEPTED; 250]);
    assert_eq!(case.step(|_| i64::MAX, || false), removed(200));
    assert_eq!(case.left().len(), 50);
}

#[test]
fn only_rows_that_were_read_are_removed_in_the_order_of_the_rules() {
    let mut case = Case::with(&[ACCEPTED, REJECTED, ACCEPTED, REJECTED, ACCEPTED]);
    let nothing = |_| i64::MIN;
    let Step::Unread(unread) = case.step(nothing, || false) else { panic!("nothing was read") };
    assert_eq!((unread.verdict, unread.first), (Verdict::Rejected, 2));
    assert_eq!(case.left().len(), 5);

    let reader = shared::open_reader(&case.folder.path().join("t.db")).unwrap();
    assert_eq!(read(&reader, unread).unwrap(), 4);
    let of = |wanted, through| move |verdict| if verdict == wanted { through } else { i64::MIN };
    assert_eq!(case.step(of(Verdict::Rejected, 2), || false), removed(1));
    assert_eq!(case.left(), [1, 3, 4, 5]);
    assert_eq!(case.step(of(Verdict::Rejected, 4), || false), removed(1));
    let Step::Unread(unread) = case.step(of(Verdict::Rejected, 4), || false) else {
        panic!("of another verdict")
    };
    assert_eq!((unread.verdict, unread.first), (Verdict::Accepted, 1));
    assert_eq!(read(&reader, unread).unwrap(), 5);
    assert_eq!(case.step(of(Verdict::Accepted, 5), || false), removed(3));
    assert_eq!(read(&reader, unread).unwrap(), 1, "nothing is left: the next step looks again");
}
