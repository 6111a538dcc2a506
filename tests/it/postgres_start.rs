//! Starting on PostgreSQL: what is wrong is one line and exit 2, and what is right starts.

use std::io::Write as _;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::harness::{Database, Server, Setup, exchange, login, until};

const KEY: &str = "6f1d2c3b4a59687786950a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f5";
const OTHER_KEY: &str = "ff1d2c3b4a59687786950a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f5";

fn setup(url: &str, more: &str) -> Setup {
    let setup = Setup::new(&format!("[store]\nurl = \"{url}\"\n{more}\n"));
    setup.file("store-key", KEY);
    setup
}

/// A database of the server, for the role `user`.
fn url(database: &Database, user: &str, name: &str) -> String {
    format!("postgres://{user}@127.0.0.1:{}/{name}", database.port())
}

fn serve(setup: &Setup) -> Output {
    setup.command(&["serve", "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"]).output().unwrap()
}

/// What a start says that fails: one line besides warnings, without a password.
fn refusal(setup: &Setup) -> String {
    let output = serve(setup);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!said.contains("sesame"), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains(" WARN ")).collect();
    let [line] = *lines else { panic!("not one line: {said}") };
    assert!(!line.contains("os error") && !line.contains("db error"), "{line}");
    line.to_owned()
}

fn refused(url: &str, part: &str) {
    let line = refusal(&setup(url, ""));
    assert!(line.contains(part), "{line}");
}

/// Passwords are asked for from these roles, the rest is trusted.
fn ask_for_passwords(database: &Database, lines: &[&str]) {
    let lines: Vec<String> = lines.iter().map(|line| format!("''{line}''")).collect();
    database.sql(&format!(
        "DO $x$ BEGIN EXECUTE format('COPY (SELECT unnest(ARRAY[{}, ''host all,replication postgres all trust'', \
         ''host all all all trust''])) TO %L', current_setting('hba_file')); END $x$",
        lines.join(", ")
    ));
    database.sql("SELECT pg_reload_conf()");
}

#[test]
fn a_server_that_cannot_be_reached_is_one_line() {
    refused("postgres://joe@127.0.0.1:1/hooks", "postgres://joe@127.0.0.1:1/hooks: no server listens there");
    refused("postgres://joe@no-such-host.invalid/hooks", "the name of the host cannot be resolved");
    refused("postgres://joe@%2Fno%2Fsuch%2Ffolder/hooks", "the socket does not exist");
    for says in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH\r\n"] {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = other.accept() {
                let _ = stream.write_all(says.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Write);
                // To its end: a connection that is closed before it is read is reset.
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
        });
        let url = format!("postgres://joe@127.0.0.1:{port}/hooks");
        refused(&url, "what answers there is not a PostgreSQL server; check host and port");
    }
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        while let Ok((stream, _)) = silent.accept() {
            drop(stream)
        }
    });
    refused(&format!("postgres://joe@127.0.0.1:{port}/hooks"), "the server closed the connection");
    drop(answering);
}

#[test]
fn a_wrong_role_password_or_database_is_one_line() {
    let database = Database::start();
    refused(&url(&database, "postgres", "hooks"), "the database \"hooks\" does not exist");
    refused(&url(&database, "joe", "postgres"), "does not admit user \"joe\"");
    database.sql("CREATE ROLE joe LOGIN PASSWORD 'open sesame'; GRANT CREATE ON SCHEMA public TO joe");
    ask_for_passwords(&database, &["host all joe all scram-sha-256"]);
    let joe = url(&database, "joe", "postgres");
    refused(&joe, "the server asks for a password; write store.password");
    let with_password = |password: &str| {
        let setup = setup(&joe, "password = \"file:pw\"");
        setup.file("pw", password);
        setup
    };
    assert!(refusal(&with_password("sesame, open")).contains("refuses the password of user \"joe\""));
    let clear = refusal(&setup(&joe.replace("joe@", "joe:sesame@"), ""));
    assert!(
        clear.contains("store.url: contains a password; write store.password = \"file:NAME\""),
        "{clear}"
    );

    let node = with_password("open sesame").start();
    assert_eq!(node.post_signed(login("a").as_bytes()).status, 200);
    for path in ["/", "/overview", "/api/v1/stats", "/metrics"] {
        let page = exchange(node.inspector, "GET", path, &[], b"");
        assert!(!String::from_utf8_lossy(&page.body).contains("sesame"), "{path}");
    }
    assert!(!node.log().contains("sesame"));
}

#[test]
fn a_server_that_may_lose_deliveries_or_takes_none_is_one_line() {
    let database = Database::start();
    for (role, setting) in [
        ("lax", "synchronous_commit = off"),
        ("local", "synchronous_commit = local"),
        ("reader", "default_transaction_read_only = on"),
    ] {
        database.sql(&format!("CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET {setting}"));
    }
    refused(&url(&database, "lax", "postgres"), "synchronous_commit is off for this user");
    refused(&url(&database, "reader", "postgres"), "the server accepts no writes");
    database.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    refused(&url(&database, "postgres", "latin"), "the encoding of the database is LATIN1; it must be UTF8");
    drop(setup(&url(&database, "local", "postgres"), "").start());
    database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    database.sql("SELECT pg_reload_conf()");
    std::thread::sleep(Duration::from_millis(300));
    refused(&url(&database, "local", "postgres"), "synchronous_commit is local for this user, although");
}

#[test]
fn a_server_that_is_too_old_is_one_line() {
    let database = Database::start();
    // Only new servers can be had: this one says that it is an old one.
    database.sql(
        "CREATE SCHEMA old;
         CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql AS $x$
             SELECT CASE name WHEN 'server_version_num' THEN '130022' WHEN 'server_version' THEN '13.22'
                              ELSE pg_catalog.current_setting(name) END $x$;
         ALTER ROLE postgres SET search_path = old, pg_catalog, public",
    );
    refused(
        &url(&database, "postgres", "postgres"),
        "PostgreSQL 13.22 is too old; version 14 or later is required",
    );
}

#[test]
fn missing_rights_and_a_newer_schema_are_one_line() {
    let database = Database::start();
    database.sql("CREATE ROLE joe LOGIN");
    let joe = url(&database, "joe", "postgres");
    refused(&joe, "user \"joe\" may not create tables in schema \"public\"; run `tagohook prepare-store`");
    let owner = setup(&url(&database, "postgres", "postgres"), "");
    let prepared = owner.command(&["prepare-store"]).output().unwrap();
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    assert!(String::from_utf8_lossy(&prepared.stdout).contains("/postgres is ready"));
    refused(&joe, "user \"joe\" may not read the table schema_versions");
    database.sql("GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO joe");
    refused(&joe, "user \"joe\" lacks rights: EXECUTE on add_day, EXECUTE on drop_day, INSERT on");
    database.sql("INSERT INTO schema_versions VALUES (999, now())");
    refused(&url(&database, "postgres", "postgres"), "the schema is version 999, of a newer tagohook");
}

#[test]
fn the_roles_of_roles_sql_are_enough() {
    let database = Database::start();
    database.sql("CREATE DATABASE hooks ENCODING 'UTF8' TEMPLATE template0");
    let roles = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/postgres/roles.sql");
    for _ in 0..2 {
        let ran = Command::new("psql")
            .args(["-XqtA", "-v", "ON_ERROR_STOP=1", "-f", roles, &url(&database, "postgres", "hooks")])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    refused(
        &url(&database, "tagohook", "hooks"),
        "user \"tagohook\" may not create tables in schema \"tagohook\"",
    );
    let owner = setup(&url(&database, "tagohook_owner", "hooks"), "");
    let prepared = owner.command(&["prepare-store"]).output().unwrap();
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));

    let node = setup(&url(&database, "tagohook", "hooks"), "").start();
    assert_eq!(node.post_signed(login("a").as_bytes()).word(), "processed");
    assert_eq!(node.post_signed(login("a").as_bytes()).word(), "already_processed");
    assert_eq!(node.all_deliveries("").len(), 2);
    until("it is ready", || node.ask("GET", "/readyz", &[]).status == 200);
    let pruned = node.command(&["prune"]).output().unwrap();
    assert!(pruned.status.success(), "{}", String::from_utf8_lossy(&pruned.stderr));
    let psql = |statement: &str| {
        let url = url(&database, "tagohook", "hooks");
        Command::new("psql").args(["-XqtA", "-c", statement, &url]).output().unwrap()
    };
    for forbidden in ["CREATE TABLE t (n INT)", "DROP TABLE deliveries", "SELECT add_day('facts', 0, 1)"] {
        assert!(!psql(forbidden).status.success(), "{forbidden}");
    }
    assert!(
        psql("SELECT add_day('deliveries_20200101', 1577836800000000, 1577923200000000)").status.success()
    );
    assert!(psql("SELECT drop_day('deliveries_20200101')").status.success());
}

#[test]
fn nodes_with_two_store_keys_do_not_share_a_database() {
    let database = Database::start();
    let url = url(&database, "postgres", "postgres");
    drop(setup(&url, "").start());
    let other = setup(&url, "");
    other.file("store-key", OTHER_KEY);
    assert!(refusal(&other).contains("the nodes of this database have another store-key; copy the file"));
    other.file("store-key", &KEY[..40]);
    assert!(refusal(&other).contains("store-key: 64 hex digits are expected"));
}

#[test]
fn a_name_belongs_to_one_node_and_is_free_again_at_once_where_it_was() {
    let database = Database::start();
    let url = url(&database, "postgres", "postgres");
    let mut first = setup(&url, "node = \"a\"").start();
    let second = refusal(&setup(&url, "node = \"a\""));
    assert!(
        second.contains("a node named \"a\" is running; give each node a store.node of its own"),
        "{second}"
    );

    let began = Instant::now();
    first = first.kill_and_restart();
    assert!(began.elapsed() < Duration::from_secs(4), "a killed node starts again at once");
    assert_eq!(first.stop(), Some(0));
    let began = Instant::now();
    let mut elsewhere = setup(&url, "node = \"a\"").start();
    assert!(began.elapsed() < Duration::from_secs(4), "a name that was left is free");
    elsewhere.signal("KILL");
    elsewhere.wait_for_end();
    drop(setup(&url, "node = \"a\"").start());

    // Without a name, each data directory has its own.
    let nodes = [setup(&url, "").start(), setup(&url, "").start()];
    let names = database.sql("SELECT count(DISTINCT name) FROM nodes WHERE NOT is_gone AND name <> 'a'");
    assert_eq!(names, "2");
    drop(nodes);
}

#[test]
fn a_database_that_is_still_starting_is_waited_for() {
    let mut database = Database::start();
    let setup = setup(&url(&database, "postgres", "postgres"), "");
    database.kill();
    let starting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1_500));
        database.start_again();
        database
    });
    let node = setup.start();
    let _database = starting.join().unwrap();
    assert_eq!(node.post_signed(login("a").as_bytes()).status, 200);
    assert!(node.log().contains("waiting for the database"), "{}", node.log());
}

#[test]
fn a_former_primary_that_comes_back_is_not_used() {
    let mut old = Database::start();
    let mut new = old.standby();
    let node = setup(&Database::url(&[&old, &new]), "").start();
    let is_taken = |node: &Server, id: &str| node.post_signed(login(id).as_bytes()).status == 200;
    assert!(is_taken(&node, "before"));
    old.kill();
    new.promote();
    new.sql("ALTER SYSTEM RESET synchronous_standby_names");
    new.sql("SELECT pg_reload_conf()");
    until("the promoted one is used", || is_taken(&node, "after"));
    old.start_again();
    // Nothing that is written there would wait for anybody.
    old.sql("ALTER SYSTEM RESET synchronous_standby_names");
    old.sql("SELECT pg_reload_conf()");
    new.kill();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(
        node.post_signed(login("after").as_bytes()).status,
        503,
        "a duplicate is not answered from the old table"
    );
    new.start_again();
    until("the promoted one is used again", || is_taken(&node, "last"));
    assert_eq!(old.sql("SELECT count(*) FROM deliveries WHERE event_id IN ('after', 'last')"), "0");
    drop(node);

    let node = setup(&Database::url(&[&old, &new]), "").start();
    assert!(is_taken(&node, "restarted"));
    assert_eq!(new.sql("SELECT count(*) FROM deliveries WHERE event_id = 'restarted'"), "1");
}
