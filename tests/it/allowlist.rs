//! Addresses: who may send, and who is it behind a proxy.

use crate::harness::{SECRET, Server, Setup, exchange, hmac_hex, login};

fn source(allow: &str, receiver: &str) -> Server {
    let config = format!(
        "[receiver]\n{receiver}\n[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nallow = {allow}\n"
    );
    Setup::new(&config).start()
}

fn post(server: &Server, headers: &[(&str, &str)]) -> u16 {
    let body = login("evt_1");
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let headers: Vec<_> = headers.iter().copied().chain([("X-TagoRUN-Signature", hex.as_str())]).collect();
    server.post("/webhook/tagorun", &headers, body.as_bytes()).status
}

#[test]
fn net_01_a_client_cannot_name_an_allowed_address() {
    let server = source("[\"203.0.113.0/24\"]", "");
    let answer = post(&server, &[("X-Forwarded-For", "203.0.113.1"), ("Forwarded", "for=203.0.113.1")]);
    assert_eq!(answer, 403);
    let delivery = server.newest();
    assert_eq!(
        (delivery["reason"].as_str(), delivery["client_ip"].as_str()),
        (Some("ip_not_allowed"), Some("127.0.0.1"))
    );
    let outcomes: Vec<_> = delivery["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["fail", "skipped", "skipped", "skipped", "skipped", "skipped", "skipped"]);
}

#[test]
fn net_03_an_ipv4_client_of_an_ipv6_listener_meets_ipv4_rules() {
    let config = "[receiver]\nlisten = \"[::]:0\" #receiver-listen\n[[source]]\nname = \"tagorun\"\n\
                  secrets = [\"file:signing-secret\"]\nallow = [\"127.0.0.0/8\"]\n";
    let server = Setup::new(config).start();
    let body = login("evt_1");
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], server.receiver.port()));
    let answer =
        exchange(address, "POST", "/webhook/tagorun", &[("X-TagoRUN-Signature", &hex)], body.as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(server.newest()["client_ip"], "127.0.0.1");
}

#[test]
fn net_05_a_bad_entry_stops_the_start_by_name() {
    let setup = Setup::new(
        "[[source]]\nname = \"s\"\nsignature = \"none\"\nallow = [\"127.0.0.1, ::1/128,\", \"10.0.0.0/33\"]\n",
    );
    let out = setup.command(&["serve"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let text = String::from_utf8(out.stderr).unwrap();
    assert!(text.contains("10.0.0.0/33") && text.lines().count() == 1, "{text}");
}

#[test]
fn net_10_behind_a_trusted_proxy_the_client_is_who_the_proxy_saw() {
    let server = source("[\"203.0.113.0/24\"]", "trusted_proxies = [\"127.0.0.1\"]");
    assert_eq!(post(&server, &[("X-Forwarded-For", "6.6.6.6, 203.0.113.9")]), 200);
    assert_eq!(server.newest()["client_ip"], "203.0.113.9");
    assert_eq!(post(&server, &[("X-Forwarded-For", "203.0.113.9, 6.6.6.6")]), 403);
    assert_eq!(post(&server, &[]), 403);
    let quoted = "for=6.6.6.7;host=\"a, for=203.0.113.9\"";
    assert_eq!(post(&server, &[("Forwarded", quoted)]), 403, "a quoted comma separates no hops");
    assert_eq!(server.newest()["client_ip"], "6.6.6.7");
    assert_eq!(server.deliveries("client_ip=6.6.6.6").len(), 1);
    assert_eq!(server.deliveries("client_ip=203.0.113.0/24").len(), 1);
}

#[test]
fn net_10_a_client_that_a_proxy_does_not_name_is_not_taken_for_the_proxy() {
    let server = source("[\"127.0.0.1\"]", "trusted_proxies = [\"127.0.0.1\"]");
    assert_eq!(post(&server, &[]), 200, "the proxy itself is allowed");
    for (name, hop) in [
        ("X-Forwarded-For", "unknown"),
        ("X-Forwarded-For", "203.0.113.9, _hidden"),
        ("Forwarded", "for=unknown"),
        ("Forwarded", "for=\"127.0.0.1"),
    ] {
        assert_eq!(post(&server, &[(name, hop)]), 403, "{name}: {hop}");
        assert_eq!(server.newest()["client_ip"], "0.0.0.0", "{name}: {hop}");
    }
}
