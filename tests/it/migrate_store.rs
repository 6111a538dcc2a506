//! A store that moves to PostgreSQL and back: nothing is lost, nothing is changed, and a move that was killed continues.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Database, Reply, Server, Setup, Sink, TOKEN, hmac_hex, login, signed_request, until};

const CONFIG: &str = "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n\
                      [[source]]\nname = \"tagoio\"\nsignature = \"none\"\ncredentials = [{ bearer = \"file:tagoio-token\" }]\n\
                      [[source]]\nname = \"open\"\nsignature = \"none\"\nschema = \"off\"\n\
                      [[source]]\nname = \"slack\"\nhandshake = \"slack\"\nsignature = \"none\"\nschema = \"off\"\n";

/// Members of answers that depend on the moment, or are positions.
const OF_THE_MOMENT: [&str; 4] = ["cursor", "next", "silent_for_s", "overdue_s"];

fn migrate(setup: &Setup, from: &str, to: &str, more: &[&str]) -> Output {
    let mut command = setup.command(&["migrate-store", "--from", from, "--to", to]);
    command.args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The command is refused with that exit code and one line, which has that part.
fn is_refused(out: &Output, code: i32, part: &str) {
    let said = text(&out.stderr);
    let is_progress = |line: &&str| line.starts_with("copying") || line.starts_with("verifying");
    let lines: Vec<&str> =
        said.lines().filter(|line| !is_progress(line) && !line.contains(" WARN ")).collect();
    assert_eq!((out.status.code(), lines.len()), (Some(code), 1), "{said}");
    assert!(lines[0].contains(part), "{part}: {said}");
    assert!(!said.contains("sesame"), "{said}");
}

fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

/// Rows of every kind, made as they are made in practice.
fn fill(server: &Server, sink: &Sink) {
    let subscription = |name: &str, more: Value| {
        let mut made = json!({
            "name": name, "url": sink.url(&format!("/{name}")), "events": ["user.login"],
            "retry_policy": {"max_attempts": 2, "backoff": "fixed", "base": "50ms", "jitter": false},
        });
        made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.subscribe(&made)
    };
    subscription(
        "well",
        json!({"signature": {"scheme": "tagorun", "secrets": ["a-secret-that-is-sealed-0123456789"]}}),
    );
    subscription("dead", json!({}));
    subscription("later", json!({"ordered": true, "retry_policy": {"max_attempts": 9, "base": "1h"}}));
    for number in 0..7 {
        server.post_signed(login(&format!("evt_{number}")).as_bytes());
    }
    server.post_signed(login("evt_1").as_bytes());
    server.post_signed(login("evt_1").replace("u1", "u2").as_bytes());
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &"ab".repeat(32))], login("evt_9").as_bytes());
    let alert = r#"{"id":"evt_8","event":"device_alert","device":{"id":"64c2f1a9b7e3d80009a1c0de","name":"Roof"},
        "timestamp":"2026-03-09T07:14:58.402Z","data":{"threshold":30,"value":31.5}}"#;
    server.post_signed(alert.as_bytes());
    server.post(
        "/webhook/tagoio",
        &[("Authorization", &format!("Bearer {TOKEN}"))],
        br#"[{"variable":"t","value":1.5}]"#,
    );
    server.post(
        "/webhook/open",
        &[],
        br#"{"event":"nul\u0000here","id":"a\u0000b","device":{"id":"d\u0000"},"v":1}"#,
    );
    server.post("/webhook/slack", &[], br#"{"type":"url_verification","challenge":"c","token":"t"}"#);
    server.post("/webhook-test/x?a=1", &[("X-Odd", "\u{fc}")], b"\x00\xff captured");
    until("the messages", || {
        let count = |status: &str| server.messages(&format!("status={status}")).len();
        let counts = (count("delivered"), server.dead_letters("").len(), count("pending"));
        counts == (7, 7, 7)
    });
    server.publish(&json!({"event": "user.login", "id": "published-1"}));
    until("the published event", || server.dead_letters("").len() == 8);
    let rows = server.deliveries("");
    let marks = json!({"pinned": true, "note": "ask Ana", "tags": ["a", "b"]});
    assert_eq!(server.tell("PATCH", &format!("deliveries/{}", id(&rows[3])), &marks).status, 200);
    assert_eq!(
        server.tell("PATCH", &format!("deliveries/{}", id(&rows[5])), &json!({"tags": ["x"]})).status,
        200
    );
    assert_eq!(server.tell("PUT", "searches/refused", &json!({"query": "verdict=rejected"})).status, 200);
    let again = json!({"to": "receiver"});
    assert_eq!(server.tell("POST", &format!("deliveries/{}/replay", id(&rows[0])), &again).status, 202);
    let run =
        server.tell("POST", "deliveries/replay", &json!({"filter": "verdict:accepted", "to": "receiver"}));
    assert_eq!(run.status, 202, "{}", text(&run.body));
    until("the run", || server.api("replay-runs")["runs"][0]["state"] == "done");
    until("the learner", || {
        let told = server.api("drift");
        let types = told["drift"].as_array().unwrap().iter();
        let learnt: u64 = types.map(|one| one["deliveries"].as_u64().unwrap()).sum();
        learnt == server.deliveries("verdict=accepted").len() as u64
    });
    until("the causes", || {
        server.deliveries("verdict=rejected").iter().all(|row| row["headline"].is_string())
    });
}

/// Every answer of the API that a person could compare, without positions and ages.
fn answers(server: &Server) -> BTreeMap<String, Value> {
    let mut paths: Vec<String> = [
        "deliveries?limit=500",
        "deliveries?limit=500&q=captured",
        "deliveries?limit=500&q=tag%3Aa",
        "messages?limit=500",
        "dead-letters?limit=500",
        "dead-letters/groups",
        "subscriptions",
        "searches",
        "replays",
        "replay-runs",
        "entities",
        "drift",
        "drift?event_type=user.login",
        "stats",
        "events/published-1",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend(server.deliveries("").iter().flat_map(|row| {
        [format!("deliveries/{}", id(row)), format!("deliveries/{}/subscriptions", id(row))]
    }));
    paths.extend(server.messages("").iter().map(|row| format!("messages/{}", id(row))));
    paths.extend(server.dead_letters("").iter().map(|row| format!("dead-letters/{}", id(row))));
    paths
        .into_iter()
        .map(|path| {
            let mut answer = server.api_raw(&path).json();
            redact(&mut answer);
            (path, answer)
        })
        .collect()
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !OF_THE_MOMENT.contains(&name.as_str()));
            members.values_mut().for_each(redact);
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn start(more: &str) -> Server {
    Setup::new(&format!("{CONFIG}{more}")).start()
}

/// What a table of a file contains, as text.
fn rows(file: &Path, query: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut read = connection.prepare(query).unwrap();
    let rows = read.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_store_goes_to_postgresql_and_back_and_every_answer_is_the_same() {
    let sink = Sink::scripted(|request, _| match request.path.as_str() {
        "/well" => Reply::Status(200),
        "/dead" => Reply::Status(403),
        _ => Reply::With(503, vec![("Retry-After", "3600".into())], String::new()),
    });
    let mut server = start("");
    fill(&server, &sink);
    let before = answers(&server);
    assert_eq!(server.stop(), Some(0));
    let database = Database::start();
    let url = Database::url(&[&database]);
    let move_it = |from: &str, to: &str| {
        let out = server.command(&["migrate-store", "--from", from, "--to", to]).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{}{}", text(&out.stdout), text(&out.stderr));
        text(&out.stdout)
    };
    let said = move_it("sqlite:", &url);
    assert!(said.contains("verified: both stores have the same rows in 23 tables"), "{said}");
    assert!(said.contains("store-key to the data directory of each node"), "{said}");

    let file = server.data_dir().join("tagohook.db");
    let deliveries =
        "SELECT group_concat(seq || ' ' || hex(id), ',') FROM (SELECT * FROM deliveries ORDER BY seq)";
    let in_postgres = database
        .sql("SELECT string_agg(seq || ' ' || upper(encode(id, 'hex')), ',' ORDER BY seq) FROM deliveries");
    assert_eq!(rows(&file, deliveries), [in_postgres.as_str()], "positions stay");
    assert_eq!(database.sql("SELECT to_regclass('moving')"), "", "the mark is removed");
    let totals = database.sql("SELECT sum(rows), sum(bytes) FROM delivery_totals").replace('|', " ");
    assert_eq!(rows(&file, "SELECT sum(rows) || ' ' || sum(bytes) FROM totals"), [totals]);
    assert_eq!(database.sql("SELECT count(*) FROM subscriptions WHERE is_ordered"), "1");
    // A new row gets a number that no row had before.
    for table in ["events", "messages", "health_checks"] {
        let (next, highest) = (
            format!("SELECT nextval(pg_get_serial_sequence('{table}', 'seq'))"),
            format!("SELECT coalesce(max(seq), 0) FROM {table}"),
        );
        assert!(database.sql(&next).parse::<i64>().unwrap() > database.sql(&highest).parse::<i64>().unwrap());
    }
    // Positions as PostgreSQL makes them: far apart, in the same order.
    let about = ["deliveries", "delivery_marks", "delivery_causes"]
        .map(|table| format!("UPDATE {table} SET seq = seq * 10240 + 70000;"));
    let through = "UPDATE subscriptions SET since_seq = since_seq * 10240 + 70005;
        UPDATE drift_types SET through = through * 10240 + 70000;
        UPDATE entities SET through = through * 10240 + 70000;
        UPDATE facts SET value = value * 10240 + 70005 WHERE name IN ('pruned_through', 'fanout_cursor', 'lens_cursor', 'lens_since')";
    database.sql(&format!("{}{through}", about.concat()));

    move_it(&url, "sqlite:back.db");
    let back = server.data_dir().join("back.db");
    for query in [
        "SELECT hex(id) FROM deliveries ORDER BY seq",
        "SELECT rows || ' ' || bytes FROM totals ORDER BY verdict",
        "SELECT name || ' ' || value FROM facts WHERE name NOT IN ('probe', 'pruned_through') ORDER BY name",
        "SELECT id || ' ' || since_seq FROM subscriptions ORDER BY id",
        // Looking at the next number of a counter has taken it.
        "SELECT name FROM sqlite_sequence WHERE name <> 'deliveries' ORDER BY name",
        "SELECT key || ' ' || started_at FROM attempts ORDER BY key",
        "SELECT hex(id) || code FROM delivery_causes JOIN deliveries USING (seq) ORDER BY seq",
    ] {
        assert_eq!(rows(&back, query), rows(&file, query), "{query}");
    }
    assert_eq!(rows(&back, "SELECT min(seq) || ' ' || (max(seq) = count(*)) FROM deliveries"), ["1 1"]);

    std::fs::rename(&back, &file).unwrap();
    for ending in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(file.with_extension(ending));
    }
    let _ = std::fs::remove_dir_all(file.with_extension("db-search"));
    let server = server.start_again();
    let (search, found) =
        ("deliveries?limit=500&q=captured", |answer: &Value| answer["deliveries"].as_array().map(Vec::len));
    until("the index", || found(&server.api(search)) == found(&before[search]));
    let after = answers(&server);
    for (path, answer) in &before {
        assert_eq!(after.get(path), Some(answer), "{path}");
    }
    continues(&server, &sink);

    // A node on the database, with the key of the file.
    let setup = Setup::new(&format!("{CONFIG}[store]\nurl = \"{url}\"\n"));
    setup.file("store-key", &"ab".repeat(32));
    let out = setup
        .command(&["serve", "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    is_refused(&out, 2, "another store-key");
    std::fs::copy(server.data_dir().join("store-key"), setup.data_dir().join("store-key")).unwrap();
    let node = setup.start();
    let after = answers(&node);
    for (path, answer) in &before {
        assert_eq!(after.get(path), Some(answer), "{path}");
    }
    let out = server.command(&["migrate-store", "--from", &url, "--to", "sqlite:other.db"]).output().unwrap();
    is_refused(&out, 2, "is in use by another tagohook");
    continues(&node, &sink);
}

/// It knows the event ids of before, and opens the secrets.
fn continues(server: &Server, sink: &Sink) {
    let known = server.deliveries("").len();
    server.post_signed(login("evt_1").as_bytes());
    assert_eq!(server.newest()["verdict"], "duplicate");
    let before = sink.count();
    server.post_signed(login("evt_new").as_bytes());
    let newest = server.newest();
    assert_eq!((&newest["verdict"], server.deliveries("").len()), (&json!("accepted"), known + 2));
    until("a message to the subscription with a sealed secret", || {
        let seen = sink.seen();
        let mut seen = seen.iter().skip(before);
        let signature = hmac_hex(b"a-secret-that-is-sealed-0123456789", login("evt_new").as_bytes());
        seen.any(|request| request.path == "/well" && request.header("x-tagorun-signature") == signature)
    });
}

/// A stopped store with this many deliveries.
fn many(count: usize) -> (Server, Database, String) {
    let mut server = start("");
    let mut connection = crate::harness::Connection::open(server.receiver);
    for number in 0..count {
        connection.write(signed_request(&format!("evt-{number}")).as_bytes());
        assert_eq!(connection.answer().unwrap().status, 200);
    }
    assert_eq!(server.stop(), Some(0));
    let database = Database::start();
    let url = Database::url(&[&database]);
    (server, database, url)
}

/// Rows are copied, and the process is killed in the middle of it.
fn kill_in_the_middle(server: &Server, from: &str, to: &str, is_halfway: impl Fn() -> bool) {
    let mut command = server.command(&["migrate-store", "--from", from, "--to", to]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_halfway() {
        assert!(
            Instant::now() < deadline && child.try_wait().unwrap().is_none(),
            "it was not stopped in the middle"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The deliveries of a file, one after the other many times, so that a move takes a while.
fn multiply(file: &Path, by: i64) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let columns = |table: &str| {
        let names: Vec<String> = connection
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .filter(|name: &String| !["seq", "id"].contains(&name.as_str()))
            .collect();
        names.join(", ")
    };
    let (narrow, wide) = (columns("deliveries"), columns("delivery_bytes"));
    let count: i64 = connection.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {by}) SELECT n FROM n;
             INSERT INTO deliveries (seq, id, {narrow}) SELECT seq + n * {count}, randomblob(16), {narrow} FROM deliveries, n;
             INSERT INTO delivery_bytes (seq, {wide}) SELECT seq + n * {count}, {wide} FROM delivery_bytes, n;
             UPDATE totals SET rows = rows * ({by} + 1), bytes = bytes * ({by} + 1)"
        ))
        .unwrap();
}

#[test]
fn a_move_that_is_killed_is_refused_by_serve_and_continues_where_it_was() {
    let (server, database, url) = many(40);
    let file = server.data_dir().join("tagohook.db");
    multiply(&file, 199);
    let moved = |place: &str| place.parse::<i64>().unwrap_or(0);
    let count = || moved(&database.sql("SELECT count(*) FROM deliveries"));
    // The tables are made first, so that writing to them can be slow.
    let setup = Setup::new(&format!("[store]\nurl = \"{url}\"\n"));
    assert_eq!(setup.command(&["prepare-store"]).output().unwrap().status.code(), Some(0));
    database.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$");
    database.sql("CREATE TRIGGER slow AFTER INSERT ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION slow()");
    kill_in_the_middle(&server, "sqlite:", &url, || count() > 1_000);
    let there = count();
    assert!(there > 0 && there < 8_000, "{there}");
    // Something else cannot be moved there, nor can this be moved on.
    let out = server.command(&["migrate-store", "--from", &url, "--to", "sqlite:back.db"]).output().unwrap();
    is_refused(&out, 2, "is the destination of an unfinished move");
    let out = server.command(&["migrate-store", "--from", "sqlite:", "--to", &url]).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert_eq!(count(), 8_000);

    let back = server.data_dir().join("back.db");
    let is_halfway = || {
        // The file is locked: its size tells.
        let size = |ending: &str| std::fs::metadata(back.with_extension(ending)).map_or(0, |file| file.len());
        size("db") + size("db-wal") > 3_000_000
    };
    kill_in_the_middle(&server, &url, "sqlite:back.db", is_halfway);
    let half = rows(&back, "SELECT CAST(count(*) AS TEXT) FROM deliveries")[0].parse::<i64>().unwrap();
    assert!(half > 0 && half < 8_000, "{half}");
    let config = "[store]\nurl = \"sqlite:back.db\"\n";
    let setup = Setup::new(config);
    setup.file("store-key", &"ab".repeat(32));
    std::fs::copy(&back, setup.data_dir().join("back.db")).unwrap();
    let out = setup
        .command(&["serve", "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    is_refused(&out, 2, "repeat that command to finish it");
    let out = server.command(&["migrate-store", "--from", &url, "--to", "sqlite:back.db"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let all = "SELECT hex(id) FROM deliveries ORDER BY seq";
    assert_eq!(rows(&back, all), rows(&file, all));
}

#[test]
fn a_changed_row_at_the_destination_is_found_and_the_move_can_start_over() {
    let (server, database, url) = many(5);
    let run = |more: &[&str]| {
        let arguments = [&["migrate-store", "--from", "sqlite:", "--to", &url], more].concat();
        server.command(&arguments).output().unwrap()
    };
    assert_eq!(run(&[]).status.code(), Some(0));
    is_refused(&run(&[]), 2, "is not empty: it has rows in deliveries");
    is_refused(&run(&["--start-over"]), 2, "has no unfinished move");
    // As if the move had been killed before its end, and somebody had changed something.
    let out = server.command(&["migrate-store", "--from", "sqlite:", "--to", &url]).output().unwrap();
    is_refused(&out, 2, "is not empty");
    let state = "CREATE TABLE moving (name TEXT PRIMARY KEY, value TEXT NOT NULL); INSERT INTO moving VALUES ('source', 'x')";
    database.sql(state);
    is_refused(&run(&[]), 2, "from another store, or tagohook has run on --from since");
    assert_eq!(run(&["--start-over"]).status.code(), Some(0));
    assert_eq!(database.sql("SELECT count(*) FROM deliveries"), "5");

    database.sql("CREATE FUNCTION worse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.path = 'x'; RETURN NEW; END $$");
    database.sql("CREATE TRIGGER worse BEFORE INSERT ON event_ids FOR EACH ROW EXECUTE FUNCTION worse()");
    database.sql("CREATE OR REPLACE FUNCTION worse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.expires_at = 1; RETURN NEW; END $$");
    database.sql(state);
    is_refused(
        &run(&["--start-over"]),
        1,
        "the two stores differ in event_ids (the same number of rows, other content)",
    );
    assert_eq!(database.sql("SELECT to_regclass('moving')"), "moving", "it stays marked");
    database.sql("DROP TRIGGER worse ON event_ids");
    is_refused(&run(&[]), 1, "the two stores differ in event_ids");
    assert_eq!(run(&["--start-over"]).status.code(), Some(0));
}

#[test]
fn each_wrong_argument_gets_one_line_and_exit_2() {
    let server = start("");
    let setup = Setup::new("");
    setup.file("x", "");
    let url = "postgres://postgres:sesame@127.0.0.1:1/none";
    let file = format!("sqlite:{}", server.data_dir().join("tagohook.db").display());
    for (from, to, part) in [
        ("sqlite:", "sqlite:other", "the same engine"),
        (url, url, "the same engine"),
        ("sqlite:", url, "tagohook.db does not exist"),
        (file.as_str(), url, "is in use by another tagohook"),
        ("mysql:", url, "--from: \"mysql\" is not a store"),
        ("sqlite:", "tagohook.db", "--to: \"tagohook.db\" is not a store"),
        (url, "sqlite:x.db", "postgres://postgres@127.0.0.1:1/none: "),
        ("sqlite:x", url, "postgres://postgres@127.0.0.1:1/none: "),
    ] {
        is_refused(&migrate(&setup, from, to, &[]), 2, part);
    }
    assert!(!setup.data_dir().join("x.db").exists(), "nothing is made");
    let out = server.command(&["migrate-store", "--from", "sqlite:", "--to", url]).output().unwrap();
    is_refused(&out, 2, "is in use by another tagohook");
}
