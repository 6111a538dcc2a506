//! Slack, Shopify, Twilio, Zendesk and HubSpot, each a source of one preset; and a source of any HMAC form.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha512;

use crate::harness::{Answer, Connection, Server, Setup, exchange, request_bytes};

const SECRET: &str = "a-secret-of-the-tests-0123456789";
const HOST: &str = "hooks.example.com";
const SENDERS: [&str; 5] = ["slack", "shopify", "twilio", "zendesk", "hubspot"];

/// A source for each sender: its name, the secret, the preset.
fn server() -> Server {
    let source = |name: &&str| {
        format!("[[source]]\nname = \"{name}\"\nsecrets = [\"file:its-secret\"]\npreset = \"{name}\"\n")
    };
    let setup = Setup::new(&SENDERS.iter().map(source).collect::<String>());
    setup.file("its-secret", SECRET);
    setup.start()
}

/// The requests of a script in `tests/data`.
fn requests(program: &str, script: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut command = Command::new(program);
    command.arg(script).current_dir(folder).env("PYTHONPATH", format!("{folder}/python:{folder}/signatures"));
    let made = command.output().unwrap();
    assert!(made.status.success(), "./test installs its packages: {}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).unwrap()
}

fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut connection = Connection::open(server.receiver);
    connection.write(&request_bytes(HOST, "POST", path, headers, body));
    connection.answer().unwrap()
}

#[test]
fn what_their_own_libraries_sign_is_accepted_and_its_reserialised_twin_is_refused_with_the_cause() {
    let server = server();
    let mut seen = Vec::new();
    for (program, script) in [("python3", "senders.py"), ("node", "senders.mjs")] {
        for request in requests(program, script) {
            let text = |name: &str| request[name].as_str().unwrap().to_owned();
            let decoded = |name: &str| STANDARD.decode(text(name)).unwrap();
            let (sender, path, body) = (text("sender"), text("path"), decoded("body"));
            let lines = request["headers"].as_object().unwrap().iter();
            let headers: Vec<(&str, &str)> =
                lines.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();

            let twin = decoded("twin");
            let answer = post(&server, &path, &headers, &twin);
            let refused = server.newest();
            let what = format!("{sender}: {}", String::from_utf8_lossy(&body));
            assert_eq!((answer.status, &refused["reason"]), (401, &json!("signature_mismatch")), "{what}");
            let is_json = headers.contains(&("Content-Type", "application/json"));
            let variant = refused["autopsy"]["variant"].as_str().unwrap_or_default().to_owned();
            if is_json {
                let named = variant.starts_with("json-") || variant == "body-digest";
                assert!(named, "{what}: {}", refused["autopsy"]);
                assert!(!refused["headline"].as_str().unwrap().is_empty());
            }

            let answer = post(&server, &path, &headers, &body);
            let row = server.newest();
            assert_eq!(answer.status, 200, "{what}: {row}");
            assert_eq!(server.raw(row["id"].as_str().unwrap()), body, "{what}");
            if sender == "slack-handshake" {
                assert_eq!(row["verdict"], "handshake");
                assert!(String::from_utf8_lossy(&answer.body).contains("3eZbrw1aBm2rZg"));
            } else {
                assert_eq!(row["verdict"], "accepted", "{what}");
                assert_eq!(
                    (&row["event_type"], &row["event_id"]),
                    (&request["event"], &request["event_id"]),
                    "{what}"
                );
            }
            seen.push(sender);
        }
    }
    for sender in SENDERS {
        assert!(seen.iter().any(|one| one == sender), "{sender} sent nothing");
    }
}

#[test]
fn a_signature_of_twilio_or_hubspot_is_worth_nothing_at_another_url() {
    let server = server();
    for request in requests("python3", "senders.py") {
        let sender = request["sender"].as_str().unwrap();
        if !["twilio", "hubspot"].contains(&sender) {
            continue;
        }
        let lines = request["headers"].as_object().unwrap().iter();
        let headers: Vec<(&str, &str)> =
            lines.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let body = STANDARD.decode(request["body"].as_str().unwrap()).unwrap();
        let path = request["path"].as_str().unwrap();
        let at = |host: &str, path: &str| {
            let mut connection = Connection::open(server.receiver);
            connection.write(&request_bytes(host, "POST", path, &headers, &body));
            connection.answer().unwrap().status
        };
        assert_eq!(at("other.example.com", path), 401);
        assert_eq!(at(HOST, &format!("{path}&more=1")), 401);
        assert_eq!(at(&format!("{HOST}:443"), path), 200, "the port of https may be written");
    }
    // Neither a form nor a body that the URL names: the signature of the URL alone says nothing about it.
    let url = format!("https://{HOST}/webhook/twilio");
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let headers = [("Content-Type", "application/json"), ("X-Twilio-Signature", signature.as_str())];
    assert_eq!(post(&server, "/webhook/twilio", &headers, b"{\"event\":\"forged\"}").status, 401);
    assert!(server.newest()["autopsy"]["sentence"].as_str().unwrap().contains("does not cover this body"));
}

const HMAC: &str = r#"
[[source]]
name = "crm"
secrets = ["file:old-secret", "file:its-secret"]
hmac = { header = "X-Crm-Digest", prefix = "v1=", algorithm = "sha512", encoding = "base64url", signed = "{id}|{timestamp}|{body}", timestamp = "t=", id = "X-Crm-Id" }
"#;

fn signed(id: &str, time: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{id}|{time}|{body}").as_bytes());
    let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("t={time},v0=old,v1={digest}")
}

#[test]
fn a_form_of_ones_own_is_checked_signed_and_explained() {
    let setup = Setup::new(HMAC);
    setup.file("its-secret", SECRET);
    setup.file("old-secret", "another-secret-of-the-tests-0123");
    let server = setup.start();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let body = r#"{"event": "lead.created", "id": "l1"}"#;
    let send = |id: &str, signature: &str, body: &str| {
        let headers = [("X-Crm-Id", id), ("X-Crm-Digest", signature)];
        server.post("/webhook/crm", &headers, body.as_bytes()).status
    };
    assert_eq!(send("m1", &signed("m1", now, body), body), 200);
    let row = server.newest();
    assert_eq!((&row["event_type"], &row["event_id"]), (&json!("lead.created"), &json!("l1")));
    for (id, signature, sent, reason) in [
        ("m2", signed("m1", now, body), body, "signature_mismatch"),
        ("m1", signed("m1", now - 400, body), body, "stale"),
        ("m1", signed("m1", now, body).replace("t=", "x="), body, "signature_malformed"),
        ("m1", signed("m1", now, body).replace("v1=", "v2="), body, "signature_malformed"),
        ("m1", signed("m1", now, body), "{\"event\":\"lead.created\",\"id\":\"l1\"}", "signature_mismatch"),
        ("m1", String::new(), body, "signature_missing"),
    ] {
        assert_eq!(send(id, &signature, sent), 401, "{reason}");
        assert_eq!(server.newest()["reason"], reason, "{signature}");
    }
    let twin = server.deliveries("reason=signature_mismatch").remove(0);
    let autopsy = server.delivery(twin["id"].as_str().unwrap())["autopsy"].clone();
    assert!(autopsy["variant"].as_str().unwrap().starts_with("json-"), "{autopsy}");

    // What we sign ourselves passes: the command, and a replay.
    for arguments in
        [&["send", "user.login", "--source", "crm"][..], &["replay", "--limit", "1", "verdict:accepted"]]
    {
        let done = server.command(arguments).output().unwrap();
        let words =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {words}");
    }
    let page = exchange(server.inspector, "GET", "/sources/crm", &[], b"");
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("X-Crm-Digest: HMAC-SHA512 of {id}|{timestamp}|{body} in base64url"), "{page}");
    // The exported test of Node signs again.
    let id = row["id"].as_str().unwrap();
    let test = server.api_raw(&format!("deliveries/{id}/export?as=test")).body;
    let file = server.data_dir().join("delivery.test.mjs");
    std::fs::write(&file, test).unwrap();
    let mut node = Command::new("node");
    let ran = node.arg("--test").arg(&file).env("WEBHOOK_SECRET", SECRET).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

#[test]
fn an_impossible_form_stops_the_start_with_the_nearest_right_word() {
    for (line, said) in [
        ("signature = \"hmac\"", "needs the key hmac"),
        ("signature = \"github\"\nhmac = { header = \"X\" }", "is for signature = \"hmac\""),
        ("hmac = { header = \"X\", algorithm = \"sha265\" }", "did you mean sha256?"),
        ("hmac = { header = \"X\", signed = \"{timestmp}{body}\" }", "did you mean {timestamp}?"),
        ("preset = \"shopfy\"", "did you mean shopify?"),
        ("signature = \"hmca\"", "did you mean hmac?"),
        ("signature = \"hmac\"\nschema = \"enforced\"\nhmac = { header = \"X\" }", "did you mean enforce?"),
    ] {
        let setup =
            Setup::new(&format!("[[source]]\nname = \"a\"\nsecrets = [\"file:signing-secret\"]\n{line}\n"));
        let told = setup.command(&["check-config"]).output().unwrap();
        let words = String::from_utf8(told.stderr).unwrap();
        assert_eq!((told.status.code(), words.lines().count()), (Some(2), 1), "{line}: {words}");
        assert!(words.contains(said), "{line}: {words}");
    }
}
