//! The API's own description: it is what is served, what is answered, and what is in `docs/`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, exchange, until};

/// Methods that a path item may have.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document(server: &Server) -> Value {
    let document = server.api("openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    document
}

#[test]
fn the_document_is_the_one_in_docs() {
    let served = Server::start().api_raw("openapi.json");
    assert_eq!(served.header("content-type"), Some("application/json"));
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&place, &served.body).unwrap();
    }
    let kept = fs::read(&place).unwrap_or_default();
    let is_same = kept == served.body;
    assert!(
        is_same,
        "docs/openapi.json is old: run this test with UPDATE_SNAPSHOTS=1, and look at what changed"
    );
}

#[test]
fn no_schema_contradicts_itself_and_tuples_have_a_length() {
    let document = document(&Server::start());
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        let parts = value.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let types: BTreeSet<String> =
            parts.filter_map(|part| part.get("type")).map(Value::to_string).collect();
        assert!(types.len() <= 1, "nothing is {types:?} at once: {value}");
        if let Some(items) = value.get("prefixItems").and_then(Value::as_array) {
            assert_eq!((&value["minItems"], &value["maxItems"]), (&json!(items.len()), &json!(items.len())));
        }
        match value {
            Value::Object(members) => left.extend(members.values()),
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
}

#[test]
fn every_operation_is_a_route_and_every_method_of_a_route_is_described() {
    let server = Server::start();
    let document = document(&server);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 45, "{}", paths.len());
    for (path, item) in paths {
        let described: BTreeSet<String> = METHODS
            .iter()
            .filter(|method| item.get(**method).is_some())
            .map(|method| method.to_uppercase())
            .collect();
        let parts = path.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part });
        let target = parts.collect::<Vec<_>>().join("/");
        let refused = exchange(server.inspector, "TRACE", &target, &[], b"");
        assert_eq!(refused.status, 405, "{path}");
        let allowed = refused.header("allow").unwrap().split(", ").filter(|method| *method != "HEAD");
        assert_eq!(allowed.map(str::to_owned).collect::<BTreeSet<_>>(), described, "{path}");
    }
    // Nothing else registers routes of the API.
    let sources = crate::architecture::sources();
    let own = sources.iter().filter(|source| source.path.starts_with("http/inspector"));
    let words = ["resource(\"/api/", "read_only(\"/api/", "post_only(\"/api/"];
    let is_route = |code: &str| words.iter().any(|word| code.contains(word));
    let registers = own.filter(|source| is_route(&source.code)).map(|source| &source.path);
    assert_eq!(registers.collect::<Vec<_>>(), Vec::<&std::path::PathBuf>::new());
}

#[test]
fn every_operation_says_what_it_is_asked_and_what_it_answers() {
    let document = document(&Server::start());
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            let operation = &item[*method];
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{path}");
            assert!(operation["summary"].as_str().unwrap().len() > 5, "{method} {path}");
            let named: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
            for parameter in &named {
                let is_told = parameter["in"] == "path" || parameter["description"].is_string();
                assert!(is_told, "{method} {path}: {parameter}");
            }
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                assert!(named.iter().any(|one| one["name"] == part && one["in"] == "path"), "{path}");
            }
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
            let problem = json!({"$ref": "#/components/responses/Problem"});
            for status in ["401", "403", "503", "default"] {
                assert_eq!(answers[status], problem, "{method} {path} {status}");
            }
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// Whether an answer is as the document says; a fault says what is wrong.
fn judged(document: &Value, method: &str, path: &str, status: u16, answer: &Value) -> Result<(), String> {
    let operation = &document["paths"][format!("/api/v1{path}")][method];
    let answers = &operation["responses"];
    let response = answers.get(status.to_string()).or(answers.get("default"));
    let mut response = response.ok_or_else(|| format!("{method} {path} is not described"))?;
    if let Some(reference) = response["$ref"].as_str() {
        response = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    let mut schema = response["content"][kind]["schema"].clone();
    if schema.is_null() {
        return Err(format!("{method} {path} {status} has no {kind}"));
    }
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(answer).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("{method} {path} {status}: {faults:#?}\n{answer:#}")) }
}

/// Something of everything: deliveries of each verdict, a device, messages that arrive and that die, replays.
fn filled() -> (Server, Sink, Sink) {
    let (sink, dead) = (Sink::start(), Sink::scripted(|_, _| Reply::Status(403)));
    let server = Server::start();
    let of = |name: &str, sink: &Sink| json!({"name": name, "url": sink.url("/hook"), "events": ["*"]});
    server.subscribe(&of("well", &sink));
    let retry = json!({"max_attempts": 1});
    let mut ill = of("ill", &dead);
    ill["retry_policy"] = retry;
    server.subscribe(&ill);
    let body = json!({"id": "evt-1", "event": "data.received", "timestamp": "2026-11-29T08:00:00Z",
        "device": {"id": "dev-1", "name": "Tank"}, "data": {"variables": [{"variable": "level", "value": 7}]}});
    let text = body.to_string();
    server.post_signed(text.as_bytes());
    server.post_signed(text.as_bytes());
    server.post("/webhook/tagorun", &[], b"{\"event\":\"user.login\"}");
    server.post("/webhook-test", &[], &[0xff, 0x00, 0x80]);
    until("a message dies", || !server.dead_letters("").is_empty());
    until("a message arrives", || !server.messages("status=delivered").is_empty());
    until("a device is known", || server.api("entities")["entities"][0].is_object());
    (server, sink, dead)
}

#[test]
fn what_is_answered_is_what_is_described() {
    let (server, sink, _dead) = filled();
    let document = document(&server);
    let first = |list: &str, key: &str| server.api(list)[key][0]["id"].as_str().unwrap().to_owned();
    let accepted = first("deliveries?verdict=accepted", "deliveries");
    let rejected = first("deliveries?verdict=rejected", "deliveries");
    let captured = first("deliveries?verdict=captured", "deliveries");
    let subscription = first("subscriptions", "subscriptions");
    let (message, letter) = (first("messages", "messages"), first("dead-letters", "dead_letters"));
    let mut wrong = Vec::new();
    let mut tell = |method: &str, path: &str, target: &str, body: &Value| -> Value {
        let told = match method {
            "get" => server.api_raw(target.trim_start_matches('/')),
            method => server.tell(&method.to_uppercase(), target.trim_start_matches('/'), body),
        };
        let answer = if told.body.is_empty() { Value::Null } else { told.json() };
        if told.status != 204 {
            wrong.extend(judged(&document, method, path, told.status, &answer).err());
        }
        answer
    };
    let nothing = json!({});
    let url = sink.url("/other");
    let replayed =
        tell("post", "/deliveries/{id}/replay", &format!("/deliveries/{accepted}/replay"), &nothing);
    tell("post", "/deliveries/{id}/replay", &format!("/deliveries/{captured}/replay"), &json!({"to": url}));
    tell("post", "/deliveries/replay", "/deliveries/replay", &json!({"dry_run": true}));
    let run = tell("post", "/deliveries/replay", "/deliveries/replay", &json!({"to": url, "limit": 1}));
    let asked = json!({"source": "tagorun", "draft": {"signature": "none"}});
    let what_if = tell("post", "/what-if", "/what-if", &asked);
    tell("put", "/searches/{name}", "/searches/ours", &json!({"query": "verdict=rejected"}));
    tell(
        "patch",
        "/deliveries/{id}",
        &format!("/deliveries/{rejected}"),
        &json!({"pinned": true, "tags": ["a"]}),
    );
    tell("patch", "/entities/{source}/{entity}", "/entities/tagorun/dev-1", &json!({"name": "Our tank"}));
    tell("post", "/deliveries/{id}/schema", &format!("/deliveries/{accepted}/schema"), &nothing);
    tell("post", "/deliveries/{id}/confirm", &format!("/deliveries/{accepted}/confirm"), &nothing);
    let published = tell("post", "/events", "/events", &json!({"event": "user.login"}));
    let preview = json!({"subscription": subscription, "event_type": "user.login"});
    tell("post", "/subscriptions/preview", "/subscriptions/preview", &preview);
    for act in ["test", "check"] {
        let path = format!("/subscriptions/{{id}}/{act}");
        tell("post", &path, &format!("/subscriptions/{subscription}/{act}"), &nothing);
    }
    tell(
        "patch",
        "/subscriptions/{id}",
        &format!("/subscriptions/{subscription}"),
        &json!({"enabled": false}),
    );
    for act in ["send-now", "cancel"] {
        let path = format!("/messages/{act}");
        tell("post", &path, &path, &json!({"all": true, "dry_run": true}));
        tell("post", &path, &path, &json!({"subscription_id": "nobody"}));
        tell("post", &format!("/messages/{{id}}/{act}"), &format!("/messages/{message}/{act}"), &nothing);
    }
    tell("post", "/messages/move", "/messages/move", &json!({"to": "nobody", "all": true}));
    tell("post", "/dead-letters/replay", "/dead-letters/replay", &json!({"dry_run": true}));
    tell("post", "/dead-letters/discard", "/dead-letters/discard", &json!({"dry_run": true, "error": "x"}));
    tell("post", "/dead-letters/discard", "/dead-letters/discard", &json!({"error": "x"}));
    let reported =
        json!({"to": "http://localhost:3000/", "attempts": [{"delivery_id": accepted, "status": 200}]});
    tell("post", "/deliveries/attempts", "/deliveries/attempts", &reported);
    tell("post", "/tokens", "/tokens", &json!({"name": "ci", "scope": "read"}));
    tell("post", "/tokens", "/tokens", &json!({"scope": "everything"}));
    let id = |answer: &Value| answer["id"].as_str().unwrap().to_owned();
    let gets = [
        ("/deliveries", "/deliveries".to_owned()),
        ("/deliveries/{id}", format!("/deliveries/{accepted}")),
        ("/deliveries/{id}", format!("/deliveries/{rejected}")),
        ("/deliveries/{id}", format!("/deliveries/{captured}")),
        ("/deliveries/{id}", "/deliveries/nothing".to_owned()),
        ("/deliveries/{id}/diff/{other}", format!("/deliveries/{accepted}/diff/{rejected}")),
        ("/deliveries/{id}/diff/{other}", format!("/deliveries/{captured}/diff/{rejected}")),
        ("/deliveries/{id}/subscriptions", format!("/deliveries/{accepted}/subscriptions")),
        ("/events/{event_id}/timeline", "/events/evt-1/timeline".to_owned()),
        ("/events/{id}", format!("/events/{}", published["event_id"].as_str().unwrap())),
        ("/wait", "/wait?verdict=accepted&from=2020-01-01T00:00:00Z".to_owned()),
        ("/replays", "/replays".to_owned()),
        ("/replays/{id}", format!("/replays/{}", id(&replayed))),
        ("/replay-runs", "/replay-runs".to_owned()),
        ("/replay-runs/{id}", format!("/replay-runs/{}", id(&run))),
        ("/what-if/{id}", format!("/what-if/{}", id(&what_if))),
        ("/searches", "/searches".to_owned()),
        ("/suggestions", "/suggestions?q=ver&at=3".to_owned()),
        ("/overview", "/overview?range=1h".to_owned()),
        ("/sources", "/sources".to_owned()),
        ("/sources/{name}", "/sources/tagorun".to_owned()),
        ("/nodes", "/nodes".to_owned()),
        ("/refusals", "/refusals".to_owned()),
        ("/event-types", "/event-types".to_owned()),
        ("/event-types/{name}", "/event-types/user.login".to_owned()),
        ("/drift", "/drift?event_type=data.received".to_owned()),
        ("/entities", "/entities".to_owned()),
        ("/entities/{source}/{entity}", "/entities/tagorun/dev-1".to_owned()),
        ("/subscriptions", "/subscriptions".to_owned()),
        ("/subscriptions/{id}", format!("/subscriptions/{subscription}")),
        ("/presets", "/presets".to_owned()),
        ("/messages", "/messages".to_owned()),
        ("/messages/{id}", format!("/messages/{message}")),
        ("/dead-letters", "/dead-letters".to_owned()),
        ("/dead-letters/{id}", format!("/dead-letters/{letter}")),
        ("/dead-letters/groups", "/dead-letters/groups".to_owned()),
        ("/tokens", "/tokens".to_owned()),
        ("/stats", "/stats".to_owned()),
        ("/health", "/health".to_owned()),
        ("/messages", "/messages?status=bad&colour=red".to_owned()),
    ];
    for (path, target) in gets {
        tell("get", path, &target, &nothing);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_document_asks_for_the_password_where_the_api_does() {
    let setup = Setup::new("[inspector]\npassword_file = \"hash\"\n");
    let (read, mut write) = std::io::pipe().unwrap();
    writeln!(write, "correct horse battery").unwrap();
    drop(write);
    let hash = setup.command(&["hash-password"]).stdin(read).output().unwrap();
    setup.file("hash", &String::from_utf8(hash.stdout).unwrap());
    let server = setup.start();
    assert_eq!(server.api_raw("openapi.json").status, 401);
    let headers = [("Authorization", "Bearer correct horse battery")];
    let answer = exchange(server.inspector, "GET", "/api/v1/openapi.json", &headers, b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["components"]["securitySchemes"]["password"]["scheme"], "bearer");
    assert_eq!(exchange(server.inspector, "GET", "/api", &[], b"").status, 303);
}
