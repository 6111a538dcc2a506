//! Who is the client: what proxies say in headers, in the PROXY protocol and over a UNIX socket, and what is said where
//! they say nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Answer, Connection, SECRET, Server, Setup, hmac_hex, login, signed_request, until};

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.1\"]";

/// A server that takes events from 203.0.113.0/24 only.
fn server(receiver: &str) -> Server {
    let config = format!(
        "[receiver]\n{receiver}\n[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n\
         allow = [\"203.0.113.0/24\"]\n"
    );
    Setup::new(&config).start()
}

fn post(server: &Server, id: &str, headers: &[(&str, &str)]) -> u16 {
    let body = login(id);
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let headers: Vec<_> = headers.iter().copied().chain([("X-TagoRUN-Signature", hex.as_str())]).collect();
    server.post("/webhook/tagorun", &headers, body.as_bytes()).status
}

/// A request that is written as it stands after `first`, which may be cut into pieces.
fn send(server: &Server, first: &[&[u8]], request: &str) -> Option<Answer> {
    let mut connection = Connection::open(server.receiver);
    for piece in first {
        connection.write(piece);
        std::thread::yield_now();
    }
    connection.write(request.as_bytes());
    connection.answer()
}

fn diagnosis(delivery: &Value) -> &str {
    delivery["diagnosis"].as_str().unwrap()
}

#[test]
fn proxies_p1_a_trusted_proxy_that_names_no_client_is_told_to_add_the_header() {
    let server = server(TRUSTED);
    for (at, (headers, told, hint)) in [
        (vec![], "neither X-Forwarded-For nor Forwarded", ""),
        (vec![("X-Real-IP", "203.0.113.9")], "neither X-Forwarded-For", "client_ip_header = \"x-real-ip\""),
        (
            vec![("CF-Connecting-IP", "203.0.113.9")],
            "neither X-Forw",
            "client_ip_header = \"cf-connecting-ip\"",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(post(&server, &format!("e{at}"), &headers), 403);
        let delivery = server.newest();
        let said = diagnosis(&delivery);
        assert!(said.contains("127.0.0.1 is a trusted proxy, but it did not name its client"), "{said}");
        assert!(said.contains(told) && said.contains("Let the proxy add X-Forwarded-For"), "{said}");
        assert!(said.contains(hint), "{said}");
        for wrong in ["nearest", "put the proxy into", "direct connection", "allow it: set this"] {
            assert!(!said.contains(wrong), "{wrong}: {said}");
        }
    }
}

#[test]
fn proxies_p1_headers_that_hide_the_client_or_disagree_are_what_the_advice_is_about() {
    let server = server(TRUSTED);
    for (at, (headers, told, cure)) in [
        (vec![("Forwarded", "for=_kX9f")], "Forwarded “_kX9f”", "nghttpx: --forwarded-for=ip"),
        (vec![("X-Forwarded-For", "unknown")], "X-Forwarded-For “unknown”", "into X-Forwarded-For"),
        (
            vec![("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.8")],
            "disagree: X-Forwarded-For “203.0.113.9”, Forwarded “203.0.113.8”",
            "Set receiver.client_ip_header",
        ),
        (
            vec![("X-Real-IP", "203.0.113.9"), ("X-Forwarded-For", "unknown")],
            "X-Forwarded-For “unknown”",
            "client_ip_header = \"x-real-ip\"",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(post(&server, &format!("e{at}"), &headers), 403);
        let delivery = server.newest();
        assert_eq!(delivery["client_ip"], "0.0.0.0");
        let said = diagnosis(&delivery);
        assert!(said.starts_with("The client's address is unknown"), "{said}");
        assert!(said.contains(told) && said.contains(cure), "{said}");
        assert!(!said.contains("nearest") && !said.contains("allow it: set this"), "{said}");
    }
}

#[test]
fn a_client_that_is_known_is_told_whose_header_was_ignored_and_a_range_that_is_near() {
    let untrusted = server("");
    assert_eq!(post(&untrusted, "a", &[("X-Forwarded-For", "203.0.113.9")]), 403);
    let delivery = untrusted.newest();
    let said = diagnosis(&delivery);
    assert!(said.contains("X-Forwarded-For, which was ignored") && !said.contains("nearest"), "{said}");
    assert!(
        said.starts_with("This proxy is not trusted.") && said.contains("That address would be allowed."),
        "{said}"
    );
    assert!(said.contains("trusted_proxies = [\"127.0.0.1\"]"), "{said}");
    let trusted = server(TRUSTED);
    assert_eq!(post(&trusted, "a", &[("X-Forwarded-For", "203.0.112.9")]), 403);
    let delivery = trusted.newest();
    let said = diagnosis(&delivery);
    assert!(said.contains("The nearest range is 203.0.113.0/24"), "{said}");
    assert!(said.contains("allow = [") && !said.contains("put the proxy into"), "{said}");
    assert!(said.contains("\"203.0.112.9\"]"), "the line to copy has the address: {said}");
}

#[test]
fn proxies_p8_with_a_named_header_a_senders_own_forwarded_costs_it_nothing() {
    let server = server(&format!("{TRUSTED}\nclient_ip_header = \"x-forwarded-for\""));
    let own = ("Forwarded", "for=192.168.1.9");
    assert_eq!(post(&server, "a", &[("X-Forwarded-For", "203.0.113.9"), own]), 200);
    assert_eq!(server.newest()["client_ip"], "203.0.113.9");
    assert_eq!(
        post(&server, "b", &[("X-Forwarded-For", "198.51.100.1"), ("Forwarded", "for=203.0.113.9")]),
        403
    );
    assert_eq!(server.newest()["client_ip"], "198.51.100.1");
    assert_eq!(post(&server, "c", &[own]), 403, "the header that counts is missing");
    let delivery = server.newest();
    let said = diagnosis(&delivery);
    for part in
        ["no x-forwarded-for", "Let the proxy add x-forwarded-for", "client_ip_header = \"forwarded\""]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn proxies_p8_any_header_with_one_address_can_be_named() {
    let server = server(&format!("{TRUSTED}\nclient_ip_header = \"X-Real-IP\""));
    assert_eq!(post(&server, "a", &[("x-real-ip", "203.0.113.9"), ("X-Forwarded-For", "6.6.6.6")]), 200);
    assert_eq!(post(&server, "b", &[("x-real-ip", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")]), 403);
    assert_eq!(server.newest()["client_ip"], "6.6.6.6");
    assert_eq!(post(&server, "c", &[("x-real-ip", "203.0.113.9"), ("X-Real-IP", "6.6.6.6")]), 403);
    assert_eq!(server.newest()["client_ip"], "0.0.0.0", "which line the proxy wrote cannot be told");
}

#[test]
fn options_that_cannot_be_meant_are_refused_at_the_start() {
    for (receiver, told) in [
        ("client_ip_header = \"x real ip\"", "is not a header name"),
        ("proxy_protocol = true", "needs trusted_proxies"),
        ("trusted_proxies = [\"unix\"]", "or \"unix:\""),
        ("listen = \"unix:\"", "needs a path"),
    ] {
        let setup = Setup::new(&format!("[receiver]\n{receiver}\n"));
        let out = setup.command(&["check-config"]).output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{receiver}: {said}");
    }
}

/// A version 2 header for a client of these four bytes.
fn version_2(command: u8, family: u8, client: [u8; 4]) -> Vec<u8> {
    let start = [b"\r\n\r\n\0\r\nQUIT\n", &[command, family, 0, 12][..]].concat();
    [start, client.to_vec(), vec![127, 0, 0, 1, 0x9c, 0x40, 0x1f, 0x90]].concat()
}

#[test]
fn proxies_p6_the_proxy_protocol_names_the_client_of_every_request_of_its_connection() {
    let server = server(&format!("{TRUSTED}\nproxy_protocol = true"));
    let (v1, v2) =
        (&b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 8080\r\n"[..], version_2(0x21, 0x11, [203, 0, 113, 8]));
    for (at, (header, client)) in [(v1, "203.0.113.7"), (&v2[..], "203.0.113.8")].into_iter().enumerate() {
        let pieces: Vec<&[u8]> = header.chunks(1).collect();
        for (nth, first) in [vec![header], pieces].into_iter().enumerate() {
            let request = signed_request(&format!("e{at}{nth}"));
            assert_eq!(send(&server, &first, &request).unwrap().status, 200);
            let delivery = server.newest();
            assert_eq!(delivery["client_ip"], client);
            let explanation = delivery["client_explanation"].as_str().unwrap();
            assert_eq!(explanation, "PROXY protocol of trusted proxy 127.0.0.1");
        }
        let mut connection = Connection::open(server.receiver);
        connection.write(&[header, signed_request(&format!("f{at}")).as_bytes()].concat());
        assert_eq!(connection.answer().unwrap().status, 200);
        connection.write(signed_request(&format!("g{at}")).as_bytes());
        assert_eq!(connection.answer().unwrap().status, 200);
        assert_eq!(server.newest()["client_ip"], client, "the second request of a connection");
    }
    let forged = signed_request("h").replacen("\r\n", "\r\nX-Forwarded-For: 203.0.113.9\r\n", 1);
    let stranger = &b"PROXY TCP4 198.51.100.7 127.0.0.1 40000 8080\r\n"[..];
    assert_eq!(send(&server, &[stranger], &forged).unwrap().status, 403, "its client cannot name another");
    assert_eq!(server.newest()["client_ip"], "198.51.100.7");
    let next = &b"PROXY TCP4 127.0.0.1 127.0.0.1 40000 8080\r\n"[..];
    assert_eq!(
        send(&server, &[next], &forged).unwrap().status,
        200,
        "a trusted proxy behind the balancer can"
    );
}

#[test]
fn proxies_p6_without_an_address_the_client_is_the_proxy_itself_or_unknown() {
    let server = server(&format!("{TRUSTED}\nproxy_protocol = true"));
    let (own, unix) = (version_2(0x20, 0, [0; 4]), version_2(0x21, 0, [0; 4]));
    for (at, (header, client)) in
        [(&own[..], "127.0.0.1"), (&unix, "0.0.0.0"), (b"PROXY UNKNOWN\r\n", "0.0.0.0")]
            .into_iter()
            .enumerate()
    {
        let request = signed_request(&format!("e{at}"));
        let request = request.replacen("\r\n", "\r\nX-Forwarded-For: 203.0.113.9\r\n", 1);
        assert_eq!(send(&server, &[header], &request).unwrap().status, 403);
        assert_eq!(server.newest()["client_ip"], client, "{header:?}");
        let health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_eq!(send(&server, &[header], health).unwrap().status, 200);
    }
    assert_eq!(post(&server, "own", &[("X-Forwarded-For", "203.0.113.9")]), 200, "a proxy may leave it out");
}

#[test]
fn proxies_p6_a_header_that_is_not_spoken_or_cannot_be_read_is_listed_with_its_cure() {
    let v1 = "PROXY TCP4 203.0.113.7 127.0.0.1 40000 8080\r\n";
    let broken = "PROXY TCP4 203.0.113 127.0.0.1 40000 8080\r\n";
    for (receiver, first, told) in [
        ("", v1, "receiver.proxy_protocol = true"),
        (TRUSTED, v1, "receiver.proxy_protocol = true"),
        (
            "trusted_proxies = [\"192.0.2.1\"]\nproxy_protocol = true",
            v1,
            "put the proxy into trusted_proxies",
        ),
        (&format!("{TRUSTED}\nproxy_protocol = true"), broken, "PROXY protocol"),
    ] {
        let server = server(receiver);
        let answer = send(&server, &[first.as_bytes()], &signed_request("e")).unwrap();
        assert_eq!(answer.status, 400, "{receiver}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.json()["details"][0]["message"].as_str().unwrap().contains(told), "{receiver}");
        let refusals = server.api("refusals").to_string();
        assert!(refusals.contains("not_http") && refusals.contains("PROXY protocol"), "{refusals}");
        assert_eq!(server.deliveries("").len(), 0);
        until("the line in the log", || server.log().contains("PROXY protocol"));
    }
}

/// What curl says over the socket: the status, and the answer.
fn curl(socket: &Path, id: &str, headers: &[&str]) -> (String, String) {
    let body = login(id);
    let signature = format!("X-TagoRUN-Signature: {}", hmac_hex(SECRET.as_bytes(), body.as_bytes()));
    let mut command = Command::new("curl");
    command.args(["-sS", "-w", "\n%{http_code}", "--unix-socket"]).arg(socket);
    command.args(["http://localhost/webhook/tagorun", "-H", &signature, "-d", &body]);
    for header in headers {
        command.args(["-H", header]);
    }
    let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let (answer, status) = out.rsplit_once('\n').unwrap();
    (status.to_owned(), answer.to_owned())
}

#[test]
fn a_unix_socket_is_listened_on_and_its_proxy_is_believed_only_where_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tagohook.sock");
    let listen = format!("listen = \"unix:{}\" #receiver-listen", socket.display());
    let mut untrusted = server(&listen);
    assert_eq!(curl(&socket, "a", &["X-Forwarded-For: 203.0.113.9"]).0, "403");
    let delivery = untrusted.newest();
    assert_eq!(delivery["client_ip"], "0.0.0.0");
    let said = diagnosis(&delivery);
    assert!(
        said.contains("lacks \"unix:\"") && said.contains("put \"unix:\" into trusted_proxies"),
        "{said}"
    );
    assert!(!said.contains("which is not read"), "{said}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&socket).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o660);
    assert_eq!(untrusted.stop(), Some(0));
    assert!(!socket.exists(), "a stop removes it");

    let trusted = format!("{listen}\ntrusted_proxies = [\"unix:\"]\nproxy_protocol = true");
    let trusted = server(&trusted);
    assert_eq!(curl(&socket, "b", &["X-Forwarded-For: 203.0.113.9"]).0, "200");
    assert_eq!(trusted.newest()["client_ip"], "203.0.113.9");
    assert_eq!(curl(&socket, "c", &["X-Forwarded-For: 198.51.100.1"]).0, "403");
    assert_eq!(curl(&socket, "d", &[]).0, "403");
    assert!(trusted.newest()["client_explanation"].as_str().unwrap().contains("names no client"));
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    let request = signed_request("e");
    let first = "PROXY TCP6 2001:db8::7 ::1 40000 8080\r\n";
    std::io::Write::write_all(&mut stream, format!("{first}{request}").as_bytes()).unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(&stream), &mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 403"), "{line}");
    assert_eq!(trusted.newest()["client_ip"], "2001:db8::7");
}

#[test]
fn a_socket_that_is_left_is_replaced_and_one_in_use_or_another_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tagohook.sock");
    let config = format!("[receiver]\nlisten = \"unix:{}\" #receiver-listen\n", socket.display());
    let first = Setup::new(&config).start();
    let second = Setup::new(&config);
    let out = second.command(&["serve", "--inspect-listen", "127.0.0.1:0"]).output().unwrap();
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && told.contains("is already in use"), "{told}");
    first.signal("KILL");
    drop(first);
    assert!(socket.exists(), "killed, it leaves its socket");
    let mut again = Setup::new(&config).start();
    assert_eq!(curl(&socket, "a", &[]).0, "200");
    assert_eq!(again.stop(), Some(0));
    std::fs::write(&socket, "a file of somebody").unwrap();
    let out = second.command(&["serve", "--inspect-listen", "127.0.0.1:0"]).output().unwrap();
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && told.contains("not a socket"), "{told}");
    assert_eq!(std::fs::read(&socket).unwrap(), b"a file of somebody");
}

#[test]
fn over_a_socket_our_own_commands_pages_and_replays_reach_the_receiver() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tagohook.sock");
    let mut config = String::new();
    writeln!(config, "[receiver]\nlisten = \"unix:{}\" #receiver-listen", socket.display()).unwrap();
    let server = Setup::new(&config).start();
    let list = crate::harness::exchange(server.inspector, "GET", "/", &[], b"");
    let shown = format!("<code>unix:{}</code>", socket.display());
    assert!(String::from_utf8_lossy(&list.body).contains(&shown), "{shown}");
    let sent = server.command(&["send", "user.login"]).output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let page = [("Accept", "application/json"), ("Sec-Fetch-Site", "same-origin")];
    let test = crate::harness::exchange(server.inspector, "POST", "/send-test", &page, b"");
    assert_eq!(test.json()["status"], 200, "{}", String::from_utf8_lossy(&test.body));
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let replay = server.tell("POST", &format!("deliveries/{id}/replay"), &serde_json::json!({}));
    assert_eq!(replay.json()["status"], 200, "{}", replay.json());
    assert_eq!(server.deliveries("verdict=duplicate").len() + server.deliveries("verdict=accepted").len(), 3);
    let round = server.command(&["loop"]).output().unwrap();
    let told = String::from_utf8_lossy(&round.stderr).into_owned();
    assert!(!round.status.success() && told.contains("which a subscription cannot reach"), "{told}");
}
