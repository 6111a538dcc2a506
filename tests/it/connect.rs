//! "Connect a sender": the steps to a first delivery, the secret that is shown on request, and the check of a public address.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use crate::harness::{Answer, SECRET, Server, Setup, TOKEN, exchange};

/// A form that a page of ours sends.
const FORM: [(&str, &str); 2] =
    [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn page(server: &Server, path: &str) -> String {
    let answer = exchange(server.inspector, "GET", path, &[], b"");
    assert_eq!(answer.status, 200, "{path}");
    text(&answer)
}

fn form(server: &Server, path: &str, more: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers: Vec<(&str, &str)> = FORM.iter().chain(more).copied().collect();
    exchange(server.inspector, "POST", path, &headers, body.as_bytes())
}

#[test]
fn the_first_page_has_the_steps_of_each_sender_and_no_secret() {
    let server = Server::start();
    let tunnel = format!("cloudflared tunnel --url http://{}", server.receiver);
    for (path, parts) in [
        ("/", ["Connect your first sender", "https://YOUR-ADDRESS/webhook/tagorun", "Show the secret"]),
        ("/connect", ["Connect a sender", "https://YOUR-ADDRESS/webhook/tagorun", "X-TagoRUN-Signature"]),
        (
            "/connect?for=tagoio&at=hooks.example.com",
            ["https://hooks.example.com/webhook/tagoio", "Authorization: Bearer •", "Show the token"],
        ),
        (
            "/connect?for=anything",
            ["https://YOUR-ADDRESS/webhook-test/anything", "without a check", "webhook-test/anything&#39;"],
        ),
    ] {
        let page = page(&server, path);
        for part in parts.iter().chain([&tunnel.as_str(), &"Waiting for the first delivery"]) {
            assert!(page.contains(part), "{path} lacks {part}: {page}");
        }
        assert!(!page.contains(SECRET) && !page.contains(TOKEN), "{path}");
    }
}

#[test]
fn a_secret_is_shown_on_request_to_this_machine_only() {
    let server = Server::start();
    let ask =
        |sender: &str, more: &[(&str, &str)]| form(&server, "/connect/secret", more, &[("for", sender)]);
    let shown = ask("tagorun", &[]);
    assert_eq!((shown.status, shown.header("cache-control")), (200, Some("no-store")));
    assert!(text(&shown).contains(SECRET) && !text(&shown).contains(TOKEN));
    assert!(text(&ask("tagoio", &[])).contains(&format!("Authorization: Bearer {TOKEN}")));
    assert!(!text(&ask("anything", &[])).contains(SECRET));
    for (name, value) in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
        ("Via", "1.1 proxy"),
    ] {
        let refused = text(&ask("tagorun", &[(name, value)]));
        assert!(!refused.contains(SECRET) && refused.contains("It is not shown here"), "{name}");
    }
    // Another site, and a link.
    let foreign = exchange(
        server.inspector,
        "POST",
        "/connect/secret",
        &[("Sec-Fetch-Site", "cross-site")],
        b"for=tagorun",
    );
    assert_eq!(foreign.status, 403);
    assert_eq!(exchange(server.inspector, "GET", "/connect/secret?for=tagorun", &[], b"").status, 405);
    assert!(!server.log().contains(SECRET) && server.log().contains("a secret was shown"));
}

#[test]
fn a_password_lets_see_a_secret_from_elsewhere_and_a_public_address_without_one_does_not() {
    let public = Setup::new("[inspector]\npublic_url = \"http://inspect.example.com/\"\n").start();
    let refused = text(&form(&public, "/connect/secret", &[], &[("for", "tagorun")]));
    assert!(!refused.contains(SECRET) && refused.contains("Set inspector.password_file"), "{refused}");
    let setup = Setup::new("[inspector]\npassword_file = \"password\"\n");
    let hash = setup.command(&["hash-password"]).stdin(pipe("correct horse battery")).output().unwrap();
    setup.file("password", &String::from_utf8(hash.stdout).unwrap());
    let server = setup.start();
    let from_outside = ("X-Forwarded-For", "203.0.113.7");
    assert_ne!(form(&server, "/connect/secret", &[from_outside], &[("for", "tagorun")]).status, 200);
    let bearer = ("Authorization", "Bearer correct horse battery");
    let shown = form(&server, "/connect/secret", &[from_outside, bearer], &[("for", "tagorun")]);
    assert!(text(&shown).contains(SECRET));
}

/// A pipe that says one line.
fn pipe(line: &str) -> std::process::Stdio {
    let (read, mut write) = std::io::pipe().unwrap();
    writeln!(write, "{line}").unwrap();
    read.into()
}

/// A server that gives every connection the same answer.
fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn a_check_says_whether_an_address_leads_here_and_what_answers_instead() {
    let server = Server::start();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let moved =
        answering("HTTP/1.1 301 Moved\r\nLocation: https://hooks.example.com/\r\nContent-Length: 0\r\n\r\n");
    let login = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let gateway = answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    for (at, part) in [
        (format!("http://{}", server.receiver), "leads to this program"),
        (format!("http://{}/webhook/tagorun", server.receiver), "trusted_proxies = [&#34;127.0.0.1&#34;]"),
        (format!("http://{}/elsewhere", server.receiver), "answered 404"),
        (format!("http://{closed}"), "cannot be reached"),
        (format!("http://{moved}"), "redirects to https://hooks.example.com/"),
        (format!("http://{login}"), "answered 200, but not from this program"),
        (format!("http://{gateway}"), "does not reach this program"),
        (format!("https://{}", server.receiver), "does not speak HTTPS on that port"),
        ("http://169.254.169.254".to_owned(), "never reached"),
        ("ftp://hooks.example.com".to_owned(), "That is not a web address."),
        (String::new(), "That is not a web address."),
    ] {
        let answer = form(&server, "/connect/check", &[], &[("for", "tagorun"), ("at", &at)]);
        let page = text(&answer).replace("&quot;", "&#34;");
        assert_eq!(answer.status, 200);
        assert!(page.contains(part), "{at}: {page}");
    }
    assert_eq!(server.deliveries("").len(), 0, "a check is no delivery");
    // The URL that worked is the one to enter.
    let at = format!("http://{}", server.receiver);
    let page = text(&form(&server, "/connect/check", &[], &[("for", "tagoio"), ("at", &at)]));
    assert!(page.contains(&format!("<code id=\"receiver-url\">{at}/webhook/tagoio</code>")), "{page}");
}

#[test]
fn the_light_is_green_with_the_first_delivery_of_a_sender_and_not_with_our_own_test() {
    let server = Server::start();
    let test = [("Accept", "application/json"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(exchange(server.inspector, "POST", "/send-test", &test, b"").status, 200);
    assert!(page(&server, "/connect").contains("data-state=\"waiting\""));
    assert_eq!(server.post("/webhook/tagorun", &[], b"{\"event\":\"user.login\"}").status, 401);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let page = page(&server, "/connect");
    assert!(page.contains("data-state=\"arrived\"") && page.contains(&format!("/deliveries/{id}")), "{page}");
}

#[test]
fn a_sender_without_a_source_is_told_so() {
    let server = Setup::new("[[source]]\nname = \"open\"\nsignature = \"none\"\n").start();
    let page = page(&server, "/connect?for=tagorun");
    assert!(page.contains("No source for this sender is configured."), "{page}");
    assert!(self::page(&server, "/").contains("webhook-test/anything"), "the first page shows what works");
}
