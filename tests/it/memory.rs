//! What a load took goes back to the system.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{SECRET, Setup, hmac_hex, until};

/// The most that large bodies may leave behind, in KiB.
const LEFT: u64 = 60 * 1024;

/// An event of almost 16 MiB, packed to a few KiB.
fn packed(number: usize) -> Vec<u8> {
    let large = "a".repeat(16 * 1024 * 1024 - 1024);
    let event =
        serde_json::json!({"id": format!("large-{number}"), "event": "of.mine", "data": {"large": large}});
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(event.to_string().as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn what_large_bodies_took_goes_back_to_the_system() {
    let server = Setup::new("[receiver]\nmax_body = \"16 MiB\"\n").start();
    let status = format!("/proc/{}/status", server.pid());
    let memory = || {
        let status = fs::read_to_string(&status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let before = memory();
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for number in 0..2 {
                    let body = packed(sender * 2 + number);
                    let signature = hmac_hex(SECRET.as_bytes(), &body);
                    let headers = [("X-TagoRUN-Signature", signature.as_str()), ("Content-Encoding", "gzip")];
                    assert_eq!(server.post("/webhook/tagorun", &headers, &body).status, 200);
                }
            });
        }
    });
    until("memory to go back", || memory() < before + LEFT);
}
