//! Libraries of others sign to our sources, and verify what we sign.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Request, SECRET, Server, Setup, Sink};

/// How the packages of npm and of PyPI are run.
const SHELVES: [(&str, &str); 2] = [("node", "signers.mjs"), ("python3", "signers.py")];

/// What a script says of `input`.
fn run((program, script): (&str, &str), word: &str, input: &Value) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut command = Command::new(program);
    command.args([script, word]).current_dir(folder).env("PYTHONPATH", format!("{folder}/python"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{script} {word}: ./test installs its packages");
    serde_json::from_slice(&out.stdout).unwrap()
}

fn sources() -> Vec<Value> {
    serde_json::from_str(include_str!("../data/signers.json")).unwrap()
}

/// A server with the sources of the scripts.
fn server() -> Server {
    let mut config = String::new();
    for source in sources() {
        let (name, scheme) = (source["name"].as_str().unwrap(), source["signature"].as_str().unwrap());
        config.push_str(&format!("[[source]]\nname = \"{name}\"\nsignature = \"{scheme}\"\n"));
        if scheme != "none" {
            config.push_str(&format!("secrets = [\"file:secret-{name}\"]\n"));
        }
    }
    let setup = Setup::new(&config);
    for source in sources() {
        if let Some(secret) = source["secret"].as_str() {
            setup.file(&format!("secret-{}", source["name"].as_str().unwrap()), secret);
        }
    }
    setup.start()
}

#[test]
fn what_real_libraries_sign_is_accepted_and_refused_once_it_is_tampered_with() {
    let server = server();
    let mut accepted = Vec::new();
    for shelf in SHELVES {
        for request in run(shelf, "sign", &Value::Null).as_array().unwrap() {
            let text = |name: &str| request[name].as_str().unwrap().to_owned();
            let (library, source) = (text("library"), text("source"));
            let lines = request["headers"].as_object().unwrap().iter();
            let headers: Vec<(&str, &str)> =
                lines.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            let body = STANDARD.decode(text("body")).unwrap();
            let post = |body: &[u8]| server.post(&format!("/webhook/{source}"), &headers, body);
            let what = format!("{library} by {}", shelf.0);
            if source != "cloud" {
                assert_eq!(post(&[&body[..], b" "].concat()).status, 401, "{what}, tampered with");
            }
            let answer = post(&body);
            let row = server.newest();
            assert_eq!((answer.status, answer.word().as_str()), (200, "processed"), "{what}: {row}");
            assert_eq!(server.raw(row["id"].as_str().unwrap()), body, "{what}");
            assert_eq!(post(&body).word(), "already_processed", "{what}");
            let name = if source == "github" {
                "ping"
            } else if source == "cloud" {
                "reading.taken"
            } else {
                "invoice.paid"
            };
            assert_eq!(row["event_type"], name, "{what}");
            accepted.push(what);
        }
    }
    assert_eq!(accepted.len(), 11, "{accepted:?}");
}

/// A message for the scripts to verify.
fn message(scheme: &str, secret: &str, request: &Request) -> Value {
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
    json!({"scheme": scheme, "secret": secret, "headers": headers, "body": STANDARD.encode(&request.body)})
}

#[test]
fn real_libraries_verify_what_we_send() {
    let server = server();
    let sink = Sink::start();
    let subscribe = |name: &str, more: &Value| {
        let mut subscription = json!({"name": name, "url": sink.url(&format!("/{name}")), "events": ["*"]});
        subscription.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.subscribe(&subscription);
    };
    let secret = |name: &str| {
        let all = sources();
        all.iter().find(|source| source["name"] == name).unwrap()["secret"].as_str().unwrap().to_owned()
    };
    let standard = secret("standard");
    subscribe(
        "standard-webhooks",
        &json!({"signature": {"scheme": "standard-webhooks", "secrets": [standard]}}),
    );
    subscribe("tagorun", &json!({"signature": {"secrets": ["file:signing-secret"]}}));
    subscribe(
        "none",
        &json!({
            "signature": {"scheme": "none"},
            "headers": {"Content-Type": "application/cloudevents+json"},
            "payload_template": {"specversion": "1.0", "id": "{{event.id}}", "type": "{{event.type}}",
                "source": "/tests", "datacontenttype": "application/json", "data": "{{data}}"},
        }),
    );
    server.publish(&json!({"event": "made.up", "id": "e1", "data": {"at": "Zürich <a&b> €", "n": 1.0}}));
    let mut messages: Vec<Value> = Vec::new();
    let mut expected: Vec<(String, [&[&str]; 2])> = Vec::new();
    for request in sink.wait_for(3) {
        let scheme = request.path.trim_start_matches('/').to_owned();
        let (secret, names): (&str, [&[&str]; 2]) = match scheme.as_str() {
            "standard-webhooks" => (standard.as_str(), [&["svix", "standardwebhooks"]; 2]),
            "tagorun" => (SECRET, [&["@octokit/webhooks-methods"], &[]]),
            _ => ("", [&["cloudevents"]; 2]),
        };
        messages.push(message(&scheme, secret, &request));
        expected.push((scheme, names));
    }
    // Subscriptions do not sign as GitHub and Stripe do; replays to a URL do.
    let replayed: [(&str, [&[&str]; 2]); 2] =
        [("github", [&["@octokit/webhooks-methods"], &[]]), ("stripe", [&["stripe"]; 2])];
    for (source, names) in replayed {
        let body = r#"{"id":"evt_1","object":"event","type":"invoice.paid","data":{"at":"Zürich <a&b>"}}"#;
        server.post(&format!("/webhook/{source}"), &[("X-GitHub-Event", "ping")], body.as_bytes());
        let id = server.newest()["id"].as_str().unwrap().to_owned();
        let plan = json!({"to": sink.url(&format!("/{source}")), "signature": "fresh"});
        assert_eq!(server.tell("POST", &format!("deliveries/{id}/replay"), &plan).status, 202);
        let seen = sink.seen();
        let request = seen.iter().find(|request| request.path == format!("/{source}")).unwrap();
        messages.push(message(source, &secret(source), request));
        expected.push((source.to_owned(), names));
    }
    for (at, shelf) in SHELVES.into_iter().enumerate() {
        let verified = run(shelf, "verify", &json!(messages));
        for ((scheme, names), found) in expected.iter().zip(verified.as_array().unwrap()) {
            assert_eq!(found, &json!(names[at]), "{scheme} by {}", shelf.0);
        }
    }
}
