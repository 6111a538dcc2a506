//! Event ids whatever happens to the processes that take them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::FromSql as _;

use super::identity::Identity;
use super::listing::Listing;
use super::places::first_of;
use super::*;
use crate::domain::{DeliveryId, Timestamp};
use crate::store::sqlite::{migrate, shared};

const RUN: u32 = 16;
const SOURCES: [&str; 3] = ["tagorun", "b\0", "ä"];

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A process that takes event ids.
struct Taker {
    connection: Connection,
    ids: EventIds,
}

impl Taker {
    fn open(path: &Path) -> Self {
        let mut connection = shared::open_writer(path).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        migrate(&mut connection, "t.db").unwrap();
        to_runs(&mut connection, RUN).unwrap();
        Self { connection, ids: EventIds::new(RUN) }
    }

    fn begin(&mut self) {
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        self.ids.follow(&self.connection).unwrap();
    }

    fn end(&mut self, is_kept: bool) {
        self.connection.execute_batch(if is_kept { "COMMIT" } else { "ROLLBACK" }).unwrap();
        if !is_kept {
            self.ids.forget();
        }
    }

    fn take(&mut self, new: &New<'_>, now: i64) -> Option<First> {
        let mut statements = Statements::prepare(&self.connection).unwrap();
        self.ids.take(&mut statements, new, at(now)).unwrap()
    }

    fn number(&self, sql: &str) -> u32 {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// An id of the first source.
fn new(key: &[u8], expires_at: i64) -> New<'_> {
    New {
        source: SOURCES[0],
        key,
        body_digest: &[7; 32],
        delivery: DeliveryId::from_bytes([7; 16]),
        received_at: at(5),
        expires_at: at(expires_at),
    }
}

/// Takes ids that expire at `expires_at`, `RUN` in each transaction.
fn fill(taker: &mut Taker, keys: std::ops::Range<u32>, expires_at: i64) {
    for key in keys {
        taker.begin();
        assert_eq!(taker.take(&new(&key.to_be_bytes(), expires_at), 0), None, "{key}");
        taker.ids.list_full(&taker.connection).unwrap();
        taker.end(true);
    }
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    (folder, path)
}

/// What should be taken: who has it, and until when.
type Model = HashMap<(usize, Vec<u8>), (First, i64)>;

/// One transaction of some ids, in the file and in the model.
fn transaction(taker: &mut Taker, model: &mut Model, dice: &mut Dice, now: i64) {
    let before = model.clone();
    taker.begin();
    for _ in 0..dice.below(12) {
        let source = usize::try_from(dice.below(3)).unwrap();
        let key = dice.below(400).to_be_bytes().to_vec();
        let first = First {
            body_digest: [u8::try_from(dice.below(9)).unwrap(); 32],
            delivery: DeliveryId::from_bytes([u8::try_from(dice.below(250)).unwrap(); 16]),
            received_at: at(now),
        };
        let expires_at = now + [20, 200, 3_000][usize::try_from(dice.below(3)).unwrap()];
        let new = New {
            source: SOURCES[source],
            key: &key,
            body_digest: &first.body_digest,
            delivery: first.delivery,
            received_at: first.received_at,
            expires_at: at(expires_at),
        };
        let kept = model.entry((source, key.clone())).or_insert((first, now));
        let expected = (kept.1 > now).then_some(kept.0);
        if expected.is_none() {
            *kept = (first, expires_at);
        }
        assert_eq!(taker.take(&new, now), expected);
    }
    taker.ids.list_full(&taker.connection).unwrap();
    if dice.below(4) == 0 {
        taker.ids.remove_expired(&taker.connection, at(now), 5).unwrap();
    }
    let is_kept = dice.below(8) != 0;
    taker.end(is_kept);
    if !is_kept {
        *model = before;
    }
}

#[test]
fn an_id_belongs_to_one_delivery_until_it_expires_whatever_happens() {
    let (mut dice, mut listed) = (Dice(31), 0);
    for round in 0..6 {
        let (_folder, path) = place();
        let mut takers = [Taker::open(&path), Taker::open(&path)];
        let (mut model, mut now) = (Model::new(), 1_000);
        for step in 0..400 {
            // Mostly one process; the other is `tagohook prune`, or a program with the same store.
            let who = usize::from(dice.below(20) == 0);
            transaction(&mut takers[who], &mut model, &mut dice, now);
            now += i64::try_from(dice.below(8)).unwrap();
            match dice.below(60) {
                0 => takers[who] = Taker::open(&path),
                1 => {
                    let micros = i64::try_from(dice.below(100)).unwrap() - 50;
                    let sql = "UPDATE facts SET value = value + ?1 WHERE name = 'event_ids_shift'";
                    takers[who].connection.execute(sql, [micros]).unwrap();
                    model.values_mut().for_each(|(_, expires_at)| *expires_at += micros);
                    now += micros;
                }
                2 => {
                    to_table(&mut takers[0].connection).unwrap();
                    let mut rows: Vec<(String, Vec<u8>, i64)> = takers[0]
                        .connection
                        .prepare("SELECT source, key, expires_at FROM event_ids")
                        .unwrap()
                        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                        .unwrap()
                        .map(Result::unwrap)
                        .filter(|(_, _, expires_at)| *expires_at > now)
                        .collect();
                    let mut expected: Vec<_> = model
                        .iter()
                        .filter(|(_, (_, expires_at))| *expires_at > now)
                        .map(|((source, key), (_, expires_at))| {
                            (SOURCES[*source].to_owned(), key.clone(), *expires_at)
                        })
                        .collect();
                    rows.sort_unstable();
                    expected.sort_unstable();
                    assert!(rows == expected, "round {round}, step {step}");
                    to_runs(&mut takers[0].connection, RUN).unwrap();
                    takers[0].ids.forget();
                }
                _ => {}
            }
            listed = listed.max(takers[0].number("SELECT count(*) FROM event_id_runs"));
        }
    }
    assert!(listed > 15, "{listed}");
}

#[test]
fn a_full_run_is_listed_and_its_ids_stay_where_they_are() {
    let (_folder, path) = place();
    let mut taker = Taker::open(&path);
    fill(&mut taker, 0..RUN * 3 + 1, 100);
    assert_eq!(taker.number("SELECT count(*) FROM event_id_runs"), 3);
    assert_eq!(taker.number("SELECT sum(length(places)) FROM event_id_places"), RUN * 3 * 6);
    assert_eq!(taker.number("SELECT count(*) FROM taken_event_ids"), RUN * 3 + 1);
    assert_eq!(taker.ids.fresh.len(), 1);
    let mut taker = Taker::open(&path);
    taker.begin();
    for key in 0..RUN * 3 + 1 {
        assert!(taker.take(&new(&key.to_be_bytes(), 100), 99).is_some(), "{key}");
    }
    assert_eq!(taker.take(&new(b"other", 100), 99), None);
}

#[test]
fn two_ids_that_look_alike_in_a_list_are_told_apart() {
    let identity = |last| {
        let mut bytes = [7; 16];
        bytes[15] = last;
        Identity::column_result((&bytes[..]).into()).unwrap()
    };
    let (_folder, path) = place();
    let mut taker = Taker::open(&path);
    taker.begin();
    let mut listing = Listing::new(1, 2);
    for (id, last) in [(first_of(1), 1), (first_of(1) + 1, 2)] {
        let mut statements = Statements::prepare(&taker.connection).unwrap();
        statements.add(id, identity(last), &new(&[last], 100), 100).unwrap();
        listing.add(identity(last), id, 100);
    }
    listing.write(&taker.connection).unwrap();
    let mut statements = Statements::prepare(&taker.connection).unwrap();
    assert!(statements.listed(1, identity(2)).unwrap().is_some());
    assert!(statements.listed(1, identity(3)).unwrap().is_none());
}

/// The version before copied the ids of a run to `sorted_event_ids`, and then removed them where they were.
#[test]
fn runs_of_the_version_before_are_looked_up_moved_and_removed() {
    let (_folder, path) = place();
    let mut taker = Taker::open(&path);
    fill(&mut taker, 0..RUN * 2, 100);
    // The second run is listed, but not all of its ids are removed yet.
    let sql = "
        INSERT INTO sorted_event_ids
        SELECT id >> 20, identity, source, key, body_digest, delivery_id, first_received_at, expires_at
        FROM taken_event_ids;
        DELETE FROM taken_event_ids WHERE id < (2 << 20) + 5;
        DELETE FROM event_id_places;
    ";
    taker.connection.execute_batch(sql).unwrap();
    let mut taker = Taker::open(&path);
    taker.begin();
    for key in 0..RUN * 2 {
        assert!(taker.take(&new(&key.to_be_bytes(), 100), 99).is_some(), "{key}");
    }
    taker.end(true);
    to_table(&mut taker.connection).unwrap();
    assert_eq!(taker.number("SELECT count(*) FROM event_ids"), RUN * 2);
    let mut taker = Taker::open(&path);
    fill(&mut taker, RUN * 2..RUN * 3, 100);
    taker.connection.execute_batch(sql).unwrap();
    let mut taker = Taker::open(&path);
    for _ in 0..RUN {
        taker.begin();
        taker.ids.remove_expired(&taker.connection, at(100), 10).unwrap();
        taker.end(true);
    }
    for table in ["event_id_runs", "sorted_event_ids", "taken_event_ids"] {
        assert_eq!(taker.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[test]
fn a_run_goes_when_its_last_id_has_expired() {
    let (_folder, path) = place();
    let mut taker = Taker::open(&path);
    fill(&mut taker, 0..RUN - 1, 100);
    fill(&mut taker, RUN - 1..RUN, 200);
    let mut remove = |now| {
        taker.begin();
        let removed = taker.ids.remove_expired(&taker.connection, at(now), 10).unwrap();
        taker.end(true);
        removed
    };
    assert_eq!(remove(199), 0);
    assert_eq!([remove(200), remove(200), remove(200)], [10, 6, 0]);
    for table in ["event_id_runs", "event_id_places", "taken_event_ids"] {
        assert_eq!(taker.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[test]
fn ids_of_an_older_version_become_runs_and_fresh_ids() {
    let (_folder, path) = place();
    let taker = Taker::open(&path);
    let insert = "INSERT INTO event_ids VALUES ('tagorun', ?1, ?2, ?3, 5, 100)";
    for key in 0..RUN * 2 + 3 {
        let values = rusqlite::params![key.to_be_bytes(), [7_u8; 32], [7_u8; 16]];
        taker.connection.execute(insert, values).unwrap();
    }
    let mut taker = Taker::open(&path);
    assert_eq!(taker.number("SELECT count(*) FROM event_ids"), 0);
    assert_eq!(taker.number("SELECT count(*) FROM event_id_runs"), 2);
    assert_eq!(taker.number("SELECT count(*) FROM taken_event_ids"), RUN * 2 + 3);
    taker.begin();
    let first = First { body_digest: [7; 32], delivery: DeliveryId::from_bytes([7; 16]), received_at: at(5) };
    for key in 0..RUN * 2 + 3 {
        assert_eq!(taker.take(&new(&key.to_be_bytes(), 100), 99), Some(first), "{key}");
    }
    assert_eq!(taker.take(&new(&0_u32.to_be_bytes(), 200), 100), None, "it has expired");
    assert_eq!(taker.take(&new(&0_u32.to_be_bytes(), 200), 150).map(|first| first.received_at), Some(at(5)));
}
