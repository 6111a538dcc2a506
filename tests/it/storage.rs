//! The store under other processes, long readers, and time zones.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Server, Setup, exchange, login, until};

#[test]
fn st_01_no_lock_of_another_process_reaches_a_client() {
    let server = Arc::new(Server::start());
    let is_over = Arc::new(AtomicBool::new(false));
    let other = {
        let (server, is_over) = (Arc::clone(&server), Arc::clone(&is_over));
        std::thread::spawn(move || {
            let mut runs = 0;
            while !is_over.load(Ordering::Relaxed) {
                let pruned = server.command(&["prune"]).output().unwrap();
                assert!(pruned.status.success(), "{}", String::from_utf8_lossy(&pruned.stderr));
                runs += 1;
            }
            runs
        })
    };
    let until = Instant::now() + Duration::from_secs(2);
    let mut sent = 0;
    while Instant::now() < until {
        let answer = server.post_signed(login(&format!("lock{sent}")).as_bytes());
        assert_eq!(answer.status, 200);
        sent += 1;
        assert_eq!(server.api_raw("deliveries?limit=1").status, 200);
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(other.join().unwrap() > 3 && sent > 50);
    assert_eq!(server.all_deliveries("").len(), sent);
    assert!(!server.log().contains("locked"));
}

/// Without it, `prune` would remove by the defaults what the configuration keeps.
#[test]
fn prune_without_a_configuration_has_the_rules_of_the_last_instance() {
    let mut server = Setup::new("[store]\nkeep_deliveries = \"400d\"").start();
    assert_eq!(server.post_signed(login("kept").as_bytes()).status, 200);
    server.stop();
    let prune = || {
        let data_dir = server.data_dir();
        let done = Command::new(env!("CARGO_BIN_EXE_tagohook"))
            .arg("prune")
            .arg("--data-dir")
            .arg(data_dir)
            .output();
        String::from_utf8(done.unwrap().stdout).unwrap()
    };
    let file = server.data_dir().join("retention.json");
    let rules = std::fs::read_to_string(&file).unwrap();
    let days = 400 * 24 * 60 * 60;
    let kept = format!("\"keep_deliveries\":{{\"secs\":{days},");
    assert!(rules.contains(&kept), "{rules}");
    assert!(prune().starts_with("removed 0 deliveries"));
    std::fs::write(&file, rules.replace(&kept, "\"keep_deliveries\":{\"secs\":0,")).unwrap();
    let pruned = prune();
    assert!(pruned.starts_with("removed 1 delivery,"), "{pruned}");
    std::fs::write(&file, "{").unwrap();
    assert_eq!(prune(), "", "it does not guess");
}

#[test]
fn st_04_after_a_long_reader_the_write_ahead_log_is_short_again() {
    const LIMIT: u64 = 80 << 20;
    let server = Server::start();
    let wal = || std::fs::metadata(server.data_dir().join("tagohook.db-wal")).map_or(0, |file| file.len());
    let post = |at: usize, size: usize| {
        let body = format!(r#"{{"id":"w{at}","event":"made.up","v":"{}"}}"#, "x".repeat(size));
        assert_eq!(server.post_signed(body.as_bytes()).status, 200);
    };
    post(0, 10);
    let reader = rusqlite::Connection::open(server.data_dir().join("tagohook.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM deliveries;").unwrap();
    for at in 1..60 {
        post(at, 2_000_000);
    }
    assert!(wal() > LIMIT, "the reader holds the log: {}", wal());
    let metrics = exchange(server.inspector, "GET", "/metrics", &[], b"");
    assert!(String::from_utf8(metrics.body).unwrap().contains("tagohook_store_wal_bytes"));
    reader.execute_batch("COMMIT").unwrap();
    // It is moved beside the writer, and starts anew with a delivery after that.
    let mut next = 60..;
    until("a log that is cut", || {
        post(next.next().unwrap(), 100_000);
        wal() < LIMIT
    });
}

/// SQLite's locks are those of fcntl(2): a process loses all it has on a file when it closes the file once.
#[test]
fn the_file_stays_locked_while_its_log_is_moved() {
    use std::os::unix::fs::MetadataExt as _;
    let server = Server::start();
    let inode = std::fs::metadata(server.data_dir().join("tagohook.db")).unwrap().ino();
    let is_locked = || {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        let mut words = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        words.any(|words| {
            words.contains(&server.pid().to_string().as_str())
                && words.iter().any(|word| word.ends_with(&format!(":{inode}")))
        })
    };
    assert!(is_locked());
    let size = || std::fs::metadata(server.data_dir().join("tagohook.db")).unwrap().len();
    let before = size();
    let mut next = 0..;
    until("a log that was moved into the file", || {
        let body = format!(
            r#"{{"id":"w{}","event":"made.up","v":"{}"}}"#,
            next.next().unwrap(),
            "x".repeat(2_000_000)
        );
        assert_eq!(server.post_signed(body.as_bytes()).status, 200);
        size() > before + (32 << 20)
    });
    assert!(is_locked());
}

#[test]
fn st_06_the_zone_of_every_time_is_shown() {
    let server = Setup::new("").env("TZ", "Asia/Tokyo").start();
    server.post_signed(login("e").as_bytes());
    let row = server.deliveries("")[0].clone();
    let time = row["received_at"].as_str().unwrap().to_owned();
    assert!(time.ends_with('Z'));
    let exact =
        [time.replace('T', " "), format!("title=\"{} UTC\"", time.replace('T', " ").trim_end_matches('Z'))];
    for path in ["/".to_owned(), format!("/deliveries/{}", row["id"].as_str().unwrap())] {
        let page = String::from_utf8(exchange(server.inspector, "GET", &path, &[], b"").body).unwrap();
        assert!(exact.iter().any(|shown| page.contains(shown)), "{path} does not show {exact:?}");
    }
}
