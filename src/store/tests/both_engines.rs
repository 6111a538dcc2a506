//! A query has the same answer on both engines. Runs only where there is a PostgreSQL.

use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;

use super::search::{combined, is, varied};
use super::*;
use crate::domain::{Cause, MarksChange, Pattern};

/// More than three slices.
const ROWS: usize = 2_000;
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
    std::env::var("TAGOHOOK_TEST_POSTGRES").ok()?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.db");
    let sqlite = open_with(|options| {
        options.place = Place::Sqlite(file.clone());
        options.queue = 20_000;
        options.retention.keep_captured = 20_000;
    })
    .await;
    let written = (0..ROWS).map(|at| sqlite.store.append(varied(&sqlite, at)));
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

/// Copies the rows of the SQLite file `from`.
async fn copy(from: &std::path::Path, to: &tokio_postgres::Config) {
    let (client, connection) = to.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let names = COLUMNS.replace("d.", "").replace("b.", "");
    let places = (1..=20).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
    let insert = format!(
        "INSERT INTO deliveries ({names}, node, http_version, peer_ip, explanation, body_end, checks)
         VALUES ({places}, '', '', '\\x00000000000000000000000000000000', '', 'complete', '[]')"
    );
    client.batch_execute("BEGIN").await.unwrap();
    for (sql, insert) in [
        (format!("SELECT {COLUMNS} FROM deliveries d JOIN delivery_bytes b USING (seq)"), insert),
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
            let values: Vec<&(dyn ToSql + Sync)> = row.iter().map(|value| &**value as _).collect();
            client.execute(&statement, &values).await.unwrap();
        }
    }
    client.batch_execute("COMMIT; ANALYZE").await.unwrap();
}

fn rows(from: &std::path::Path, sql: &str) -> Vec<Vec<Box<dyn ToSql + Sync + Send>>> {
    use rusqlite::types::Value;
    let file = rusqlite::Connection::open(from).unwrap();
    let mut read = file.prepare(sql).unwrap();
    let columns = read.column_count();
    let values = read.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
    let of = |value| -> Box<dyn ToSql + Sync + Send> {
        match value {
            Value::Null => Box::new(None::<String>),
            Value::Integer(number) => Box::new(number),
            Value::Real(number) => Box::new(number),
            Value::Text(text) => Box::new(text),
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
    let leaves: Vec<Query> = queries.iter().cloned().chain(marked()).collect();
    queries.extend(marked());
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
