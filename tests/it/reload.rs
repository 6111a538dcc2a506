//! `POST /api/v1/reload` and `tagohook reload`: what changes, what does not, and secrets that are replaced under traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, SECRET, Server, Setup, TOKEN, exchange, hmac_hex, login, until};

fn configure(server: &Server, config: &str) {
    std::fs::write(server.data_dir().parent().unwrap().join("test.toml"), config).unwrap();
}

fn reload(server: &Server) -> Answer {
    server.tell("POST", "reload", &json!({}))
}

/// Exit code and all output of `tagohook reload`, whose configuration file is that of the server.
fn command(server: &Server) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tagohook"));
    let done = command.arg("reload").arg("--data-dir").arg(server.data_dir()).output().unwrap();
    let words = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.code(), words)
}

#[test]
fn a_reload_says_what_changed_and_what_needs_a_restart_and_shows_no_secret() {
    let server = Server::start();
    assert_eq!(reload(&server).json(), json!({"changes": []}));
    configure(&server, "[receiver]\nmax_body = \"100 B\"\nhead_timeout = \"3s\"\n");
    let answer = reload(&server);
    assert_eq!(answer.status, 200);
    let change = |path: &str, from: &str, to: &str, applied: bool| json!({"path": path, "from": from, "to": to, "hidden": false, "applied": applied});
    assert_eq!(
        answer.json()["changes"],
        json!([
            change("receiver.head_timeout", "\"10s\"", "\"3s\"", false),
            change("receiver.max_body", "\"4 MiB\"", "\"100 B\"", true),
        ])
    );
    assert_eq!(server.post_signed(login("large").as_bytes()).status, 413, "it is in force");
    let line = "changed: receiver.max_body: \"4 MiB\" -> \"100 B\"";
    until("the line of the log", || server.log().contains(line));

    // The content of a secret's file, and the same by the command.
    std::fs::write(server.data_dir().join("tagoio-token"), "another-token-of-the-tests-012345").unwrap();
    configure(&server, "");
    let (code, words) = command(&server);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(
        words,
        "receiver.head_timeout: \"3s\" -> \"10s\" (at the next restart)\nreceiver.max_body: \"100 B\" -> \"4 MiB\"\n\
         source.tagoio file:tagoio-token: changed (value not shown)\n"
    );
    assert_eq!(command(&server), (Some(0), "Nothing has changed.\n".to_owned()));
    let bearer = |token: &str| {
        let header = format!("Bearer {token}");
        server.post("/webhook/tagoio", &[("Authorization", &header)], b"{\"event\":\"a\"}").status
    };
    assert_eq!((bearer(TOKEN), bearer("another-token-of-the-tests-012345")), (401, 200));
    for secret in [SECRET, TOKEN, "another-token"] {
        assert!(!server.log().contains(secret), "{}", server.log());
    }
}

#[test]
fn a_bad_configuration_leaves_the_old_one_in_force_and_says_what_is_wrong_with_it() {
    let server = Setup::new("[receiver]\nmax_body = \"2 MiB\"\n").start();
    configure(&server, "[receiver]\nmax_bdy = 1\nbody_timeout = \"never\"\n");
    let answer = reload(&server);
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/problem+json")));
    let told = answer.json();
    assert!(told["detail"].as_str().unwrap().contains("the old one is in force"), "{told}");
    let errors: Vec<&str> =
        told["errors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap()).collect();
    assert_eq!(errors.len(), 2, "{told}");
    assert!(
        errors.iter().any(|line| line.contains("test.toml:2") && line.contains("did you mean max_body?")),
        "{told}"
    );
    let (code, words) = command(&server);
    assert_eq!((code, words.lines().count()), (Some(1), 3), "{words}");
    assert!(words.contains("did you mean max_body?") && words.contains("body_timeout"), "{words}");
    let page = exchange(server.inspector, "GET", "/overview", &[], b"");
    assert!(String::from_utf8_lossy(&page.body).contains("not reloaded"));
    assert_eq!(server.post_signed(login("still").as_bytes()).status, 200);
    // What was in force before is what the next one is compared with.
    configure(&server, "[receiver]\nmax_body = \"3 MiB\"\n");
    assert_eq!(reload(&server).json()["changes"][0]["from"], "\"2 MiB\"");
    let page = exchange(server.inspector, "GET", "/overview", &[], b"");
    assert!(!String::from_utf8_lossy(&page.body).contains("not reloaded"));
}

#[test]
fn a_reload_is_no_business_of_strangers() {
    let mut server = Server::start();
    let ask =
        |headers: &[(&str, &str)]| exchange(server.inspector, "POST", "/api/v1/reload", headers, b"").status;
    assert_eq!(ask(&[("Origin", "https://evil.example")]), 403);
    assert_eq!(exchange(server.inspector, "GET", "/api/v1/reload", &[], b"").status, 405);
    assert_eq!(ask(&[]), 200);
    let gone = exchange(server.receiver, "POST", "/api/v1/reload", &[], b"").status;
    assert_eq!(gone, 404, "not on the receiver");
    assert_eq!(server.stop(), Some(0));
    let (code, words) = command(&server);
    assert_eq!((code, words.lines().count()), (Some(3), 1), "{words}");
}

const OLD: &str = "an-old-secret-of-the-tests-0123456789";
const NEW: &str = "a-new-secret-of-the-tests-01234567890";

fn sources(secrets: &str, tokens: &str) -> String {
    format!(
        "[[source]]\nname = \"tagorun\"\nsecrets = [{secrets}]\n[[source]]\nname = \"tagoio\"\nsignature = \"none\"\n\
         credentials = [{tokens}]\n"
    )
}

#[test]
fn a_secret_and_a_token_are_replaced_in_two_steps_under_traffic_without_a_refusal() {
    let before = sources("\"file:old\"", "{ bearer = \"file:old\" }");
    let both = sources("\"file:new\", \"file:old\"", "{ bearer = \"file:new\" }, { bearer = \"file:old\" }");
    let after = sources("\"file:new\"", "{ bearer = \"file:new\" }");
    let setup = Setup::new(&before);
    setup.file("old", OLD);
    setup.file("new", NEW);
    let server = setup.start();
    let send = |receiver, secret: &str, at: usize| {
        let body = login(&format!("event-{at}"));
        let signature = hmac_hex(secret.as_bytes(), body.as_bytes());
        let bearer = format!("Bearer {secret}");
        let signed = exchange(
            receiver,
            "POST",
            "/webhook/tagorun",
            &[("X-TagoRUN-Signature", &signature)],
            body.as_bytes(),
        );
        let shown =
            exchange(receiver, "POST", "/webhook/tagoio", &[("Authorization", &bearer)], body.as_bytes());
        [signed.status, shown.status]
    };
    // A sender that posts all the time; its secret is changed where the sender is.
    let (is_new, is_over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (sent, sent_new) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let traffic = {
        let (is_new, is_over, sent, sent_new) =
            (is_new.clone(), is_over.clone(), sent.clone(), sent_new.clone());
        let receiver = server.receiver;
        std::thread::spawn(move || {
            let mut refused = Vec::new();
            while !is_over.load(Ordering::SeqCst) {
                let at = sent.fetch_add(1, Ordering::SeqCst);
                let uses_new = is_new.load(Ordering::SeqCst);
                let statuses = send(receiver, if uses_new { NEW } else { OLD }, at);
                if statuses != [200, 200] {
                    refused.push((at, uses_new, statuses));
                }
                sent_new.fetch_add(usize::from(uses_new), Ordering::SeqCst);
            }
            refused
        })
    };
    let more = |count: usize| {
        let from = sent.load(Ordering::SeqCst);
        until("more traffic", || sent.load(Ordering::SeqCst) > from + count);
    };
    more(20);
    configure(&server, &both);
    let changed = reload(&server).json();
    let paths: Vec<&Value> =
        changed["changes"].as_array().unwrap().iter().map(|change| &change["path"]).collect();
    assert_eq!(paths, ["source.tagoio.credentials", "source.tagorun.secrets"]);
    more(20);
    is_new.store(true, Ordering::SeqCst);
    until("the sender has the new secret", || sent_new.load(Ordering::SeqCst) > 20);
    let seen = server.delivery(server.deliveries("source=tagorun")[0]["id"].as_str().unwrap());
    assert!(seen["checks"].to_string().contains("signed with file:new"), "{}", seen["checks"]);
    configure(&server, &after);
    assert_eq!(reload(&server).status, 200);
    more(20);
    is_over.store(true, Ordering::SeqCst);
    assert_eq!(traffic.join().unwrap(), [], "no delivery was refused on the way");
    std::thread::sleep(Duration::from_millis(10));
    assert_eq!(send(server.receiver, OLD, 900_001), [401, 401], "the old ones are worth nothing now");
    assert!(server.deliveries("verdict=rejected").len() == 2);
}
