//! A database that is slow, full, read-only, stands still, or waits for its standby: 503, nothing acknowledged that is not
//! there, and back by itself.

use std::collections::HashSet;
use std::io::Write as _;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::harness::{
    Answer, Answers, Connection, Database, Nodes, Server, exchange, login, signed_request, until,
};

/// How soon a node is back once its database is.
const SOON: Duration = Duration::from_secs(5);
/// The COMMIT of a batch that waits for the standby.
const WAITS: &str = "FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE wait_event = 'SyncRep'
                         AND relation = 'deliveries'::regclass AND mode = 'RowExclusiveLock'";

/// Sends an id in the background.
fn send(node: &Server, id: &str) -> JoinHandle<Answer> {
    let (receiver, id) = (node.receiver, id.to_owned());
    std::thread::spawn(move || {
        let mut connection = Connection::open(receiver);
        assert!(connection.write(signed_request(&id).as_bytes()));
        connection.answer().unwrap()
    })
}

fn refused(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
    assert!(answer.header("retry-after").is_some());
}

fn is_taken(node: &Server, id: &str) -> bool {
    node.post_signed(login(id).as_bytes()).status == 200
}

/// Waits until an id is acknowledged and the node says that it is ready; how long it took.
fn back(node: &Server, id: &str) -> Duration {
    let began = Instant::now();
    until("it is acknowledged", || is_taken(node, id));
    until("it is ready", || is_ready(node));
    let took = began.elapsed();
    println!("back after {:.1} s", took.as_secs_f64());
    assert!(took < SOON, "back after {took:?}");
    took
}

fn is_ready(node: &Server) -> bool {
    node.ask("GET", "/readyz", &[]).status == 200
}

fn is_not_ready(node: &Server) {
    until("it says that it is not ready", || !is_ready(node));
    assert_eq!(node.ask("GET", "/healthz", &[]).status, 200);
}

/// The connections whose COMMIT is not answered.
fn set_aside(node: &Server) -> usize {
    let page = exchange(node.inspector, "GET", "/metrics", &[], b"");
    let page = String::from_utf8(page.body).unwrap();
    let line = page.lines().find(|line| line.contains("store_connections{state=\"set_aside\"}")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Each of these was accepted once by the database.
fn stored_once(database: &Database, ids: &HashSet<String>) {
    let rows = database.sql("SELECT event_id FROM deliveries WHERE verdict = 0");
    let stored: Vec<&str> = rows.lines().collect();
    let unique: HashSet<&str> = stored.iter().copied().collect();
    assert_eq!(stored.len(), unique.len(), "an event is there twice");
    let lost: Vec<&String> = ids.iter().filter(|id| !unique.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

fn processed_once(answers: &Answers) {
    for (id, count) in &answers.processed {
        assert_eq!(*count, 1, "{id} was processed more than once");
    }
}

#[test]
fn without_the_standby_nothing_is_acknowledged_not_even_a_repeat() {
    let primary = Database::start();
    let mut standby = primary.standby();
    let nodes = Nodes::start(2, &Database::url(&[&primary, &standby]), "");
    let (first, second) = (&nodes.servers[0], &nodes.servers[1]);
    let load = nodes.load(8, "s");
    until("an acknowledged one", || is_taken(first, "before"));

    standby.kill();
    let (sent, repeated) = (send(first, "meanwhile"), send(second, "meanwhile"));
    refused(&sent.join().unwrap());
    refused(&repeated.join().unwrap());
    until("connections are set aside", || set_aside(first) > 0 && set_aside(second) > 0);
    is_not_ready(first);
    // Known long before, and committed on both.
    refused(&send(second, "before").join().unwrap());

    standby.start_again();
    back(first, "meanwhile");
    back(second, "meanwhile");
    until("no connection is set aside", || set_aside(first) + set_aside(second) == 0);
    let answers = load.end();
    assert!(answers.repeats > 0);
    processed_once(&answers);
    stored_once(&primary, &answers.acknowledged);
    stored_once(&standby, &answers.acknowledged);
    let accepted = "SELECT count(*) FROM deliveries WHERE event_id = 'meanwhile' AND verdict = 0";
    assert_eq!(standby.sql(accepted), "1");
}

#[test]
fn a_commit_whose_wait_an_administrator_ends_is_not_acknowledged_and_neither_is_its_repeat() {
    let mut primary = Database::start();
    let mut standby = primary.standby();
    let nodes = Nodes::start(1, &Database::url(&[&primary, &standby]), "");
    let node = &nodes.servers[0];
    assert!(is_taken(node, "before"));
    standby.kill();
    let mut ended_by = |id: &str, end: &dyn Fn(&mut Database)| {
        let sent = send(node, id);
        until("the COMMIT waits", || primary.sql(&format!("SELECT count(*) > 0 {WAITS}")) == "t");
        end(&mut primary);
        refused(&sent.join().unwrap());
        // Only this server has it.
        let seen = format!("SELECT count(*) > 0 FROM deliveries WHERE event_id = '{id}'");
        until("it is visible", || primary.sql(&seen) == "t");
    };
    let cancel =
        |database: &mut Database| drop(database.sql(&format!("SELECT pg_cancel_backend(pid) {WAITS}")));
    let end =
        |database: &mut Database| drop(database.sql(&format!("SELECT pg_terminate_backend(pid) {WAITS}")));
    // A repeat is a transaction of its own, whose wait is ended the same way.
    for id in ["cancelled", "cancelled", "ended", "cancelled"] {
        ended_by(id, if id == "ended" { &end } else { &cancel });
    }
    ended_by("restarted", &Database::restart);
    refused(&send(node, "restarted").join().unwrap());

    standby.start_again();
    back(node, "cancelled");
    for id in ["cancelled", "ended", "restarted"] {
        assert_eq!(node.post_signed(login(id).as_bytes()).word(), "already_processed");
    }
    let accepted = "SELECT count(*), count(DISTINCT event_id) FROM deliveries WHERE verdict = 0";
    assert_eq!(standby.sql(accepted), "4|4");
}

#[test]
fn statements_that_take_five_seconds_are_503_in_time_and_end_by_themselves() {
    let database = Database::start();
    let nodes = Nodes::start(1, &Database::url(&[&database]), "");
    let node = &nodes.servers[0];
    assert!(is_taken(node, "before"));
    database.sql(
        "CREATE TABLE slowness AS SELECT 5 AS seconds;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN
                 FOR tenth IN 1..50 LOOP
                     EXIT WHEN (SELECT seconds FROM slowness) = 0;
                     PERFORM pg_sleep(0.1);
                 END LOOP;
                 RETURN NULL;
             END $$;
         CREATE TRIGGER slow BEFORE INSERT ON event_ids FOR EACH STATEMENT EXECUTE FUNCTION slow();
         CREATE TRIGGER slow BEFORE INSERT ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION slow();
         CREATE TRIGGER slow BEFORE INSERT ON delivery_totals FOR EACH STATEMENT EXECUTE FUNCTION slow()",
    );
    let ids: Vec<String> = (0..6).map(|at| format!("slow-{at}")).collect();
    let began = Instant::now();
    let sent: Vec<_> = ids.iter().map(|id| send(node, id)).collect();
    is_not_ready(node);
    let answers: Vec<Answer> = sent.into_iter().map(|sent| sent.join().unwrap()).collect();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(12), "answered after {took:?}");
    answers.iter().filter(|answer| answer.status != 200).for_each(refused);
    assert!(answers.iter().any(|answer| answer.status == 503));
    assert!(!is_ready(node));

    database.sql("UPDATE slowness SET seconds = 0");
    back(node, "after");
    for id in &ids {
        assert!(is_taken(node, id));
    }
    stored_once(&database, &ids.into_iter().collect());
}

#[test]
fn a_lock_that_is_kept_is_503_and_the_end_of_it_is_noticed() {
    let database = Database::start();
    let nodes = Nodes::start(1, &Database::url(&[&database]), "");
    let node = &nodes.servers[0];
    assert!(is_taken(node, "before"));
    let mut keeper = database.tool("psql");
    keeper.args(["-h", "127.0.0.1", "-p", &database.port().to_string(), "-U", "postgres", "-Xq"]);
    let mut keeper = keeper.stdin(Stdio::piped()).spawn().unwrap();
    let lock = b"BEGIN; LOCK TABLE event_ids IN ACCESS EXCLUSIVE MODE;\n";
    keeper.stdin.as_mut().unwrap().write_all(lock).unwrap();
    let is_locked = "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
                         AND relation = 'event_ids'::regclass";
    until("the lock is kept", || database.sql(is_locked) == "t");
    let began = Instant::now();
    let sent = send(node, "meanwhile");
    is_not_ready(node);
    refused(&sent.join().unwrap());
    assert!(began.elapsed() < Duration::from_secs(7));
    drop(keeper.stdin.take());
    keeper.wait().unwrap();
    back(node, "meanwhile");
    stored_once(&database, &["before", "meanwhile"].map(str::to_owned).into());
}

#[test]
fn a_disk_without_room_is_503_and_room_is_noticed() {
    let database = Database::start_on_small_disk();
    let nodes = Nodes::start(2, &Database::url(&[&database]), "");
    let node = &nodes.servers[0];
    let large = |id: &str| {
        let pad: String = (0..2_000).map(|_| format!("{:016x}", rand::random::<u64>())).collect();
        let event = login(id).replacen('{', &format!("{{\"pad\":\"{pad}\","), 1);
        node.post_signed(event.as_bytes())
    };
    let mut acknowledged = HashSet::new();
    for at in 0..3 {
        assert_eq!(large(&format!("before-{at}")).status, 200);
        acknowledged.insert(format!("before-{at}"));
    }
    let load = nodes.load(4, "d");
    database.fill(true);
    for at in 0..10 {
        let id = format!("full-{at}");
        let answer = large(&id);
        if answer.status == 200 {
            acknowledged.insert(id);
        } else {
            refused(&answer);
        }
    }
    assert!(acknowledged.len() < 13);
    is_not_ready(node);
    until("it says why", || node.log().contains("the disk of the database is full"));
    database.fill(false);
    back(node, "after");
    back(&nodes.servers[1], "after");
    let answers = load.end();
    processed_once(&answers);
    acknowledged.extend(answers.acknowledged);
    stored_once(&database, &acknowledged);
    assert!(!database.log().contains("PANIC"));
}

#[test]
fn a_server_that_ends_because_its_log_has_no_room_is_503_and_may_come_back() {
    let mut database = Database::start_on_small_disk();
    let nodes = Nodes::start(1, &Database::url(&[&database]), "");
    let node = &nodes.servers[0];
    let load = nodes.load(4, "w");
    until("an acknowledged one", || is_taken(node, "before"));
    database.fill(true);
    until("the server ends", || {
        let mut psql = database.tool("psql");
        psql.args(["-h", "127.0.0.1", "-p", &database.port().to_string(), "-U", "postgres", "-Xq"]);
        let _ =
            psql.args(["-c", "SELECT pg_switch_wal()"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        database.log().contains("PANIC")
    });
    refused(&send(node, "meanwhile").join().unwrap());
    is_not_ready(node);
    database.fill(false);
    if !database.is_running() {
        database.start_again();
    }
    back(node, "meanwhile");
    let answers = load.end();
    processed_once(&answers);
    stored_once(&database, &answers.acknowledged);
}

#[test]
fn a_server_that_becomes_read_only_is_503_and_back_once_it_is_not() {
    let database = Database::start();
    let nodes = Nodes::start(2, &Database::url(&[&database]), "");
    let node = &nodes.servers[0];
    let load = nodes.load(4, "r");
    until("an acknowledged one", || is_taken(node, "before"));
    let configure = |what: &str| {
        database.sql(&format!("ALTER SYSTEM {what}"));
        database.sql("SELECT pg_reload_conf()");
    };
    configure("SET default_transaction_read_only = on");
    until("it is 503", || !is_taken(node, "meanwhile"));
    refused(&send(node, "meanwhile").join().unwrap());
    is_not_ready(node);
    configure("RESET default_transaction_read_only");
    back(node, "meanwhile");
    back(&nodes.servers[1], "meanwhile");
    let answers = load.end();
    processed_once(&answers);
    stored_once(&database, &answers.acknowledged);
}

#[test]
fn a_primary_that_stands_still_is_left_and_not_used_when_it_goes_on() {
    let mut old = Database::start();
    let new = old.standby();
    let nodes = Nodes::start(2, &Database::url(&[&old, &new]), "");
    let node = &nodes.servers[0];
    let load = nodes.load(12, "f");
    until("an acknowledged one", || is_taken(node, "before"));
    std::thread::sleep(Duration::from_secs(1));
    old.freeze();
    refused(&send(node, "meanwhile").join().unwrap());
    is_not_ready(node);
    assert_eq!(new.sql("SELECT pg_promote()"), "t");
    back(node, "meanwhile");
    back(&nodes.servers[1], "meanwhile");
    until("no connection is set aside", || nodes.servers.iter().all(|node| set_aside(node) == 0));

    old.thaw();
    std::thread::sleep(Duration::from_secs(1));
    let answers = load.end();
    processed_once(&answers);
    stored_once(&new, &answers.acknowledged);
    let used = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
                    AND pid <> pg_backend_pid() AND wait_event IS DISTINCT FROM 'SyncRep'";
    until("the old one is not used", || old.sql(used) == "0");
    let before = old.sql("SELECT count(*) FROM deliveries");
    for node in &nodes.servers {
        assert!(is_taken(node, "last"));
    }
    assert_eq!(old.sql("SELECT count(*) FROM deliveries"), before);
}
