//! Nothing that was answered with 200 is lost, and nothing is done half.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::{Connection, Server, Setup, login, signed_request, until};

/// What a start on the data directory of `server` says when it refuses.
fn refused_start(server: &Server) -> String {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"];
    let out = server.command(&arguments).output().unwrap();
    assert!(!out.status.success());
    String::from_utf8(out.stderr).unwrap()
}

#[test]
fn st_08_id_11_after_a_kill_under_load_every_acknowledged_event_is_there_once() {
    let mut server = Server::start();
    let mut acknowledged: HashSet<String> = HashSet::new();
    for round in 0..3 {
        let stop = Arc::new(AtomicBool::new(false));
        let taken = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..16)
            .map(|thread| {
                let (stop, taken, address) = (Arc::clone(&stop), Arc::clone(&taken), server.receiver);
                std::thread::spawn(move || {
                    let mut connection = Connection::open(address);
                    for at in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let id = format!("k{round}-{thread}-{at}");
                        if !connection.write(signed_request(&id).as_bytes()) {
                            break;
                        }
                        match connection.answer() {
                            Some(answer) if answer.status == 200 => taken.lock().unwrap().push(id),
                            Some(answer) => panic!("{}", answer.status),
                            None => break,
                        }
                    }
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(700));
        server = server.kill_and_restart();
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        acknowledged.extend(taken.lock().unwrap().drain(..));
    }
    assert!(acknowledged.len() > 100, "{} is no load", acknowledged.len());
    let rows = server.all_deliveries("");
    let stored: Vec<&str> = rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
    let unique: HashSet<&str> = stored.iter().copied().collect();
    assert_eq!(stored.len(), unique.len(), "an event is there twice");
    for id in &acknowledged {
        assert!(unique.contains(id.as_str()), "{id} was acknowledged and is lost");
    }
    let some = acknowledged.iter().next().unwrap();
    assert_eq!(server.post_signed(login(some).as_bytes()).word(), "already_processed");
}

/// Retention commits without waiting for the disk. A delivery after it waits all the same.
#[test]
fn no_delivery_is_acknowledged_before_the_disk_has_it_not_even_beside_retention() {
    let config = "[receiver]\ncapture_rate = \"100000/s\"\n[store]\nkeep_captured = 2\n";
    let (setup, hang) = Setup::new(config).on_a_hanging_disk();
    let server = setup.start();
    for round in 0..3 {
        for _ in 0..20 {
            assert_eq!(server.post("/webhook-test", &[], b"x").status, 200);
        }
        until("retention", || server.deliveries("verdict=captured").len() == 2);
        fs::write(&hang, "").unwrap();
        let mut connection = Connection::open(server.receiver);
        assert!(connection.write(signed_request(&format!("durable-{round}")).as_bytes()));
        assert!(!connection.is_answered_within(Duration::from_millis(500)), "before the disk had it");
        fs::remove_file(&hang).unwrap();
        assert_eq!(connection.answer().unwrap().status, 200);
    }
}

#[test]
fn a_clean_stop_answers_what_is_under_way_and_takes_back_the_addresses() {
    let mut server = Server::start();
    let mut connection = Connection::open(server.receiver);
    connection.write(signed_request("before").as_bytes());
    assert_eq!(connection.answer().unwrap().status, 200);
    // The connection is kept alive and must not hold up the stop.
    let started = std::time::Instant::now();
    assert_eq!(server.stop(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "an idle connection holds up the stop");
    assert!(!server.data_dir().join("addresses.json").exists());
}

#[test]
fn a_second_process_on_the_same_data_directory_refuses_by_name() {
    let server = Server::start();
    let text = refused_start(&server);
    assert!(text.contains(&server.data_dir().display().to_string()) && text.contains("in use"), "{text}");
    assert_eq!(server.post_signed(login("still").as_bytes()).status, 200);
}

#[test]
fn st_07_when_nothing_can_be_removed_deliveries_are_503_and_the_inspector_still_opens() {
    // An empty file is larger than that.
    let server = Setup::new("[store]\nmax_size = \"16 KiB\"\n").start();
    let until = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let answer = server.post_signed(login(&format!("{:?}", std::time::Instant::now())).as_bytes());
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some());
            break;
        }
        assert!(std::time::Instant::now() < until, "max_size is not kept");
    }
    assert_eq!(crate::harness::exchange(server.inspector, "GET", "/", &[], b"").status, 200);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(server.ask("GET", "/readyz", &[]).status, 503);
    assert_eq!(server.ask("GET", "/healthz", &[]).status, 200);
    assert!(server.log().contains("max_size is reached"));
}

#[test]
fn st_07_at_the_ceiling_the_oldest_go_and_ids_outlive_them() {
    let server = Setup::new("[store]\nmax_size = \"1 MiB\"\n[receiver]\nmax_body = \"1 MiB\"\n").start();
    let filler = "x".repeat(60_000);
    let mut statuses = HashSet::new();
    for at in 0..60 {
        let body = format!(r#"{{"id":"big{at}","event":"made.up","v":"{filler}"}}"#);
        statuses.insert(server.post_signed(body.as_bytes()).status);
    }
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    let rows = server.deliveries("");
    assert!(!rows.is_empty() && rows.len() < 60, "the oldest were removed: {}", rows.len());
    assert_eq!(
        server.post_signed(br#"{"id":"big0","event":"made.up","v":1}"#).status,
        409,
        "ids outlive their deliveries"
    );
}

#[test]
fn captures_are_kept_by_number_and_refused_ones_within_their_budget() {
    let config = "[receiver]\ncapture_rate = \"100000/s\"\nrefused_rate = \"100000/s\"\n\
                  [store]\nkeep_captured = 10\nmax_refused = \"200 KiB\"\n";
    let server = Setup::new(config).start();
    assert_eq!(server.post_signed(login("precious").as_bytes()).status, 200);
    for _ in 0..40 {
        server.post("/webhook-test", &[], b"x");
        server.post("/webhook/tagorun", &[], &[b'x'; 20_000]);
    }
    let out = server.command(&["prune"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(server.deliveries("verdict=captured").len(), 10);
    let refused = server.deliveries("verdict=rejected").len();
    assert!((5..=10).contains(&refused), "{refused}");
    assert_eq!(server.deliveries("verdict=accepted").len(), 1);
}

#[test]
fn an_older_program_refuses_a_newer_file_by_name() {
    let mut server = Server::start();
    server.post_signed(login("e").as_bytes());
    server.stop();
    let file = server.data_dir().join("tagohook.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection
        .execute("INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (999, 'later', '2026-01-01T00:00:00Z', '1')", [])
        .unwrap();
    drop(connection);
    let text = refused_start(&server);
    assert!(text.contains("newer tagohook") && text.contains("999"), "{text}");
}

#[test]
fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start();
    server.post_signed(login("e").as_bytes());
    for name in ["tagohook.db", "tagohook.db-wal", "tagohook.db-shm", "store-key", "addresses.json"] {
        let mode = fs::metadata(server.data_dir().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} {mode:o}");
    }
}
