//! A query has the same answer on both engines. Runs only where there is a PostgreSQL.

use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;

use super::search::{combined, found_in_steps, is, varied};
use super::*;
use crate::domain::{Cause, MarksChange, Moment, Pattern, Unverified};
use crate::store::log::postgres::days;

/// More than three slices.
const ROWS: usize = 2_000;
/// The days on which they were received, in turns, so that no order of days is that of positions.
const DAYS: usize = 5;
/// Queries made at random.
const QUERIES: usize = 300;
/// The columns of a delivery that a test copies as they are.
const COLUMNS: &str = "d.seq, d.id, d.source, d.received_at, d.method, d.path, d.client_ip, d.event_type, d.event_name, \
     d.event_id, d.entity, d.verdict, d.reason, d.status, d.size_bytes, d.duration_us, d.row_bytes, d.unverified, b.headers, b.body";

/// The same log in both.
struct Both {
    sqlite: Case,
    postgres: Store,
    _folder: tempfile::TempDir,
}

async fn both() -> Option<Both> {
    crate::config::server_of_tests()?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.db");
    let sqlite = open_with(|options| {
        options.place = Place::Sqlite(file.clone());
        options.queue = 20_000;
        options.retention.keep_captured = 20_000;
    })
    .await;
    let written = (0..ROWS).map(|at| sqlite.store.append(unusual(varied(&sqlite, at), at)));
    assert!(futures_util::future::join_all(written).await.into_iter().all(|written| written.is_ok()));
    let rows = sqlite.store.list(&DeliveryFilter::default(), None, ROWS).await.unwrap();
    for (at, row) in rows.iter().enumerate().step_by(3) {
        let change = MarksChange {
            is_pinned: Some(at % 2 == 0),
            note: at.is_multiple_of(4).then(|| Some(format!("Notiz Ä{at}"))),
            tags: at.is_multiple_of(5).then(|| vec!["a\"b_c".to_owned(), format!("t{}", at % 7)]),
        };
        sqlite.store.mark(row.id, change, 1 << 30).await.unwrap();
    }
    let causes = rows.iter().step_by(11).map(|row| {
        let code = format!("code_{}", row.seq % 4);
        (row.seq, Cause { code, headline: "why".to_owned() })
    });
    sqlite.store.name_causes(causes.collect()).await.unwrap();

    let postgres = place_in(folder.path()).await;
    let Place::Postgres(place) = &postgres else { panic!("the variable is set") };
    let config = place.config.clone();
    let options = StoreOptions { place: postgres.clone(), ..sqlite.options.clone() };
    let postgres = Store::open(options).await.unwrap();
    copy(&file, &config).await;
    Some(Both { sqlite, postgres, _folder: folder })
}

/// Ids as they may be in a payload.
const IDS: [&str; 12] = [
    "plain",
    "a\0b",
    "\0",
    "nul\0*x",
    "[x]?",
    "uÜ%_\\",
    "",
    "4.50",
    "\u{10ffff}0",
    "a\0",
    "\"q\"",
    "\u{feff}b",
];
/// Bodies that say nothing about a user, or do so in an unusual way.
const BODIES: [&str; 14] = [
    r#"{"user":{"id":42}}"#,
    r#"{"user":{"id":1e2}}"#,
    r#"{"user":{"id":1.50}}"#,
    r#"{"user":{"id":-0}}"#,
    r#"{"user":{"id":123456789012345678901234567890}}"#,
    r#"{"user":{"id":"x"},"user":{"id":"y"}}"#,
    r#"{"user":{"id":"\u0061\u0000\ud83d\ude00"}}"#,
    r#"{"user":{"id":"\ud800"}}"#,
    r#"{"us\u0065r":{"id":"hidden"}}"#,
    r#"{"user":{"id":null}}"#,
    r#"{"user":{"id":["plain"]}}"#,
    r#"{"user":{"id":"plain"}"#,
    r#"[{"user":{"id":"plain"}}]"#,
    r#"{"user":["plain"]}"#,
];

/// Gives `entry` an unusual body, a day, and what an unread body says.
fn unusual(mut entry: Entry, at: usize) -> Entry {
    let id = IDS[at / 3 % IDS.len()];
    let body = serde_json::json!({ "user": { "id": id } }).to_string();
    let body = match at % 8 {
        0 => body.into_bytes(),
        1 => packed(body.as_bytes()),
        2 => format!("\u{feff}{body}").into_bytes(),
        3 => BODIES[at / 8 % BODIES.len()].into(),
        4 => packed(BODIES[at / 8 % BODIES.len()].as_bytes()),
        5 => {
            let mut cut = packed(body.repeat(at % 40).as_bytes());
            cut.truncate(cut.len() - 9);
            cut
        }
        _ => entry.delivery.body.to_vec(),
    };
    entry.delivery.body = Bytes::from(body);
    let seconds = i64::try_from(at % DAYS * 86_400).unwrap();
    entry.delivery.received_at = entry.delivery.received_at.plus(Duration::from_secs(seconds.unsigned_abs()));
    if at % 10 < 8 {
        let said = |place: usize| (!place.is_multiple_of(5)).then(|| IDS[place % IDS.len()].to_owned());
        entry.unverified =
            Unverified { event: said(at), id: said(at / 2), device: said(at / 3), device_name: said(at / 5) };
    }
    if at.is_multiple_of(6) {
        entry.facts.entity = Some(IDS[at / 6 % IDS.len()].to_owned());
    }
    entry
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, bytes).unwrap();
    packed.finish().unwrap()
}

/// Patterns for `IDS`: each alone, and with stars.
fn patterns() -> Vec<Pattern> {
    let mut patterns: Vec<Pattern> = IDS.map(Pattern::exactly).to_vec();
    let stars =
        ["*", "**", "a*", "*b", "a*b", "*\0*", "\0*", "*\0", "nul*x", "*[x]*", "[*]?", "*?", "u*%_*", "4.*"];
    patterns.extend(stars.map(Pattern::parse));
    patterns
}

/// The users that `BODIES` may name.
const USERS: [&str; 13] = [
    "42",
    "100",
    "100.0",
    "1e2",
    "1.5",
    "1.50",
    "-0",
    "1234567890123456789012345*",
    "x",
    "y",
    "a\0😀",
    "*😀",
    "hidden",
];

/// Conditions on what payloads say.
fn said() -> Vec<Query> {
    let mut queries = Vec::new();
    for pattern in patterns() {
        queries.extend([
            is(Condition::UnverifiedId(pattern.clone())),
            is(Condition::UnverifiedDevice(pattern.clone())),
            is(Condition::User(pattern.clone())),
            is(Condition::Entity(pattern)),
        ]);
    }
    queries.extend(USERS.map(|user| is(Condition::User(Pattern::parse(user)))));
    queries
}

/// Conditions on time, within a day and over several.
fn timed() -> Vec<Query> {
    let at = |seconds: i64| Moment::At(Timestamp::from_secs(1_800_000_000 + seconds));
    let mut queries = Vec::new();
    for seconds in [-86_400, 0, 700, 57_600, 86_400, 2 * 86_400 + 900, 4 * 86_400 + 1_999, 5 * 86_400] {
        queries.extend([is(Condition::From(at(seconds))), is(Condition::To(at(seconds)))]);
    }
    queries
}

/// Makes the partitions of the days.
async fn make_days(client: &tokio_postgres::Client) {
    // The first day, at midnight.
    let first = 1_800_000_000_i64.div_euclid(86_400);
    for day in first..=first + i64::try_from(DAYS).unwrap() {
        let name = days::partition(day).unwrap();
        let (from, to) = (days::first_instant(day), days::first_instant(day + 1));
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {name} PARTITION OF deliveries FOR VALUES FROM ({from}) TO ({to})"
        );
        client.batch_execute(&sql).await.unwrap();
    }
}

/// Copies the rows of the SQLite file `from`.
async fn copy(from: &std::path::Path, to: &tokio_postgres::Config) {
    let (client, connection) = to.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let columns = COLUMNS.replace("b.headers", "plain_bytes(b.headers, b.packed)");
    let names = COLUMNS.replace("d.", "").replace("b.", "");
    let places = (1..=20).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
    let insert = format!(
        "INSERT INTO deliveries ({names}, node, http_version, peer_ip, explanation, body_end, checks)
         VALUES ({places}, '', '', '\\x00000000000000000000000000000000', '', 'complete', '[]')"
    );
    make_days(&client).await;
    client.batch_execute("BEGIN").await.unwrap();
    for (sql, insert) in [
        (format!("SELECT {columns} FROM deliveries d JOIN delivery_bytes b USING (seq)"), insert),
        (
            "SELECT seq, is_pinned, note, tags FROM delivery_marks".to_owned(),
            "INSERT INTO delivery_marks VALUES ($1, $2::bigint <> 0, $3, $4)".to_owned(),
        ),
        (
            "SELECT seq, source, code, headline FROM delivery_causes".to_owned(),
            "INSERT INTO delivery_causes VALUES ($1, $2, $3, $4)".to_owned(),
        ),
    ] {
        let statement = client.prepare(&insert).await.unwrap();
        for row in rows(from, &sql) {
            let values: Vec<&(dyn ToSql + Sync)> =
                row.iter().map(|value| -> &(dyn ToSql + Sync) { &**value }).collect();
            client.execute(&statement, &values).await.unwrap();
        }
    }
    let total = "INSERT INTO delivery_totals (day, verdict, node, writer, rows, bytes)
         SELECT received_at / 86400000000, verdict, 'node', 0, count(*), sum(row_bytes)
         FROM deliveries GROUP BY 1, 2";
    client.batch_execute(total).await.unwrap();
    client.batch_execute("COMMIT; ANALYZE").await.unwrap();
}

fn rows(from: &std::path::Path, sql: &str) -> Vec<Vec<Box<dyn ToSql + Sync + Send>>> {
    use rusqlite::types::Value;
    let file = rusqlite::Connection::open(from).unwrap();
    crate::store::log::sqlite::add_functions(&file).unwrap();
    let mut read = file.prepare(sql).unwrap();
    let columns = read.column_count();
    let values = read.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
    let of = |value| -> Box<dyn ToSql + Sync + Send> {
        match value {
            Value::Null => Box::new(None::<String>),
            Value::Integer(number) => Box::new(number),
            Value::Real(number) => Box::new(number),
            // As the program writes it: PostgreSQL's text cannot contain NUL.
            Value::Text(text) => {
                Box::new(text.replace('\u{10ffff}', "\u{10ffff}1").replace('\0', "\u{10ffff}0"))
            }
            Value::Blob(bytes) => Box::new(bytes),
        }
    };
    values.map(|row: rusqlite::Result<Vec<Value>>| row.unwrap().into_iter().map(of).collect()).collect()
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn query(&mut self, leaves: &[Query], depth: usize) -> Query {
        match self.below(if depth == 0 { 1 } else { 4 }) {
            0 => leaves[self.below(leaves.len())].clone(),
            1 => Query::Not(Box::new(self.query(leaves, depth - 1))),
            2 => Query::All((0..self.below(4)).map(|_| self.query(leaves, depth - 1)).collect()),
            _ => Query::Any((0..self.below(4)).map(|_| self.query(leaves, depth - 1)).collect()),
        }
    }
}

fn marked() -> Vec<Query> {
    let mut queries = vec![
        is(Condition::Pinned(true)),
        is(Condition::Pinned(false)),
        is(Condition::Path(Pattern::parse("*tagorun%a=*"))),
        is(Condition::Path(Pattern::parse("*_*"))),
        is(Condition::Anywhere(String::new())),
    ];
    queries.extend(["notiz ä", "", "Ä1", "none"].map(|text| is(Condition::Note(text.into()))));
    queries.extend(
        ["a\"b_c", "t3", "t*", "*", "a\"b?c", "*\"*_c", "b_c"]
            .map(|text| is(Condition::Tag(Pattern::parse(text)))),
    );
    queries.extend(["code_1", "code*", "co%"].map(|text| is(Condition::Cause(Pattern::parse(text)))));
    queries
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_give_the_same_answers() {
    let Some(both) = both().await else { return };
    let newest = both.sqlite.store.list(&DeliveryFilter::default(), None, ROWS).await.unwrap();
    let some: Vec<DeliveryId> = newest.iter().step_by(150).map(|row| row.id).collect();
    let mut queries = combined(&some);
    queries.extend(marked().into_iter().chain(said()).chain(timed()));
    let leaves = queries.clone();
    let mut dice = Dice(15);
    queries.extend((0..QUERIES).map(|_| dice.query(&leaves, 3)));
    let mut hits = 0;
    for query in &queries {
        let filter = DeliveryFilter { q: Some(query.clone()), ..DeliveryFilter::default() };
        for (before, limit) in [(None, 30), (Some(1_000), 2_000)] {
            let expected = both.sqlite.store.list(&filter, before, limit).await.unwrap();
            let found = both.postgres.list(&filter, before, limit).await.unwrap();
            assert_eq!(found, expected, "{query:?}");
            hits += usize::from(!expected.is_empty());
        }
        let expected = both.sqlite.store.list(&filter, None, 30).await.unwrap();
        let expected: Vec<i64> = expected.iter().map(|row| row.seq).collect();
        let in_steps = found_in_steps(&both.postgres, std::slice::from_ref(query)).await;
        assert_eq!(in_steps, [expected], "{query:?}");
        let expected = both.sqlite.store.since(&filter, 100, 40).await.unwrap();
        let found = both.postgres.since(&filter, 100, 40).await.unwrap();
        assert_eq!(found.rows, expected.rows, "{query:?}");
        let minute = Duration::from_secs(60);
        let expected = both.sqlite.store.matches(&filter, 50, minute).await.unwrap();
        assert_eq!(both.postgres.matches(&filter, 50, minute).await.unwrap(), expected, "{query:?}");
    }
    assert!(hits > queries.len() / 2, "{hits} of {}", queries.len() * 2);
    for verdict in [None].into_iter().chain(Verdict::ALL.map(Some)) {
        let expected = both.sqlite.store.total(verdict).await.unwrap();
        assert_eq!(both.postgres.total(verdict).await.unwrap(), expected);
    }
}
