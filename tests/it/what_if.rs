//! What if a source were configured otherwise? Runs over deliveries that came in for real.

use serde_json::{Map, Value, json};

use crate::harness::{SECRET, Server, Setup, TOKEN, exchange, hmac_hex, login, standard_webhooks, until};

const WRONG: &str = "another-secret-that-nobody-configured-77";

/// Runs a draft to its end.
fn run(server: &Server, asked: &Value) -> Value {
    let started = server.tell("POST", "what-if", asked);
    assert_eq!(started.status, 202, "{}", String::from_utf8_lossy(&started.body));
    let path = format!("what-if/{}", started.json()["id"].as_str().unwrap());
    until("the run is over", || server.api(&path)["state"] != "running");
    let found = server.api(&path);
    assert_eq!(found["state"], "done");
    found
}

fn draft(server: &Server, source: &str, draft: Value) -> Value {
    run(server, &json!({"source": source, "draft": draft}))
}

fn sums(found: &Value) -> [u64; 4] {
    ["would_pass", "would_be_refused", "other_reason", "cannot_tell"]
        .map(|name| found["summary"][name].as_u64().unwrap())
}

fn signed(server: &Server, secret: &str, body: &str) -> u16 {
    let hex = hmac_hex(secret.as_bytes(), body.as_bytes());
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &hex)], body.as_bytes()).status
}

#[test]
fn every_kind_of_draft_flips_what_it_should_and_nothing_else() {
    let server = Server::start();
    assert_eq!(signed(&server, SECRET, &login("evt_good")), 200);
    assert_eq!(signed(&server, WRONG, &login("evt_wrong")), 401);
    let no_email =
        r#"{"id":"evt_bare","event":"user.login","timestamp":"2026-03-09T07:14:58Z","user":{"id":"u1"}}"#;
    assert_eq!(signed(&server, SECRET, no_email), 400);
    let wrong = server.deliveries("reason=signature_mismatch")[0]["id"].clone();
    let bare = server.deliveries("reason=invalid_payload")[0]["id"].clone();

    let nothing = draft(&server, "tagorun", json!({}));
    assert_eq!((sums(&nothing), nothing["done"].as_u64()), ([0, 0, 0, 0], Some(3)));

    let secret = draft(&server, "tagorun", json!({"secrets": [WRONG]}));
    assert_eq!(sums(&secret), [1, 1, 1, 0], "{secret}");
    let flips: Map<String, Value> = secret["flips"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flip| {
            (
                flip["delivery_id"].as_str().unwrap().to_owned(),
                json!([flip["before"], flip["after"], flip["check"]]),
            )
        })
        .collect();
    assert_eq!(flips[wrong.as_str().unwrap()], json!(["signature_mismatch", "passes", null]));
    assert_eq!(flips[bare.as_str().unwrap()], json!(["invalid_payload", "signature_mismatch", "signature"]));
    assert!(!secret.to_string().contains(WRONG), "a typed secret is never answered");
    assert!(secret["configuration"].as_str().unwrap().contains("file:NEW-SECRET"), "{secret}");
    assert_eq!(sums(&draft(&server, "tagorun", json!({"secrets": [SECRET, WRONG]}))), [1, 0, 0, 0]);

    assert_eq!(sums(&draft(&server, "tagorun", json!({"allow": ["203.0.113.0/24"]}))), [0, 1, 2, 0]);
    assert_eq!(sums(&draft(&server, "tagorun", json!({"allow": ["127.0.0.0/8"]}))), [0, 0, 0, 0]);
    assert_eq!(sums(&draft(&server, "tagorun", json!({"schema": "warn"}))), [1, 0, 0, 0]);
    assert_eq!(sums(&draft(&server, "tagorun", json!({"signature": "github"}))), [0, 1, 2, 0]);
    assert_eq!(sums(&draft(&server, "tagorun", json!({"signature": "none", "secrets": []}))), [1, 0, 0, 0]);
    let credentials = json!({"credentials": [{"bearer": "a-token-that-nobody-sends-000000"}]});
    assert_eq!(sums(&draft(&server, "tagorun", credentials)), [0, 1, 2, 0]);

    let schema = |required: &str| json!({"user.login": {"type": "object", "required": [required]}});
    let loose = run(&server, &json!({"source": "tagorun", "schemas": schema("user")}));
    assert_eq!(sums(&loose), [1, 0, 0, 0]);
    let tight = run(&server, &json!({"source": "tagorun", "schemas": schema("badge")}));
    assert_eq!((sums(&tight), tight["flips"][0]["after"].clone()), ([0, 1, 0, 0], json!("invalid_payload")));
    let only = run(
        &server,
        &json!({"source": "tagorun", "draft": {"secrets": [WRONG]}, "q": "reason:signature_mismatch"}),
    );
    assert_eq!((sums(&only), only["done"].as_u64()), ([1, 0, 0, 0], Some(1)));
    let last = run(&server, &json!({"source": "tagorun", "draft": {"secrets": [WRONG]}, "last": 1}));
    assert_eq!((sums(&last), last["done"].as_u64()), ([0, 0, 1, 0], Some(1)));
}

#[test]
fn a_clock_tolerance_is_judged_by_the_time_it_came() {
    let config = r#"[[source]]
name = "sw"
signature = "standard-webhooks"
secrets = ["file:sw-secret"]"#;
    let setup = Setup::new(config);
    setup.file("sw-secret", "whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXkh");
    let server = setup.start();
    let key = b"standard-webhooks-test-key!";
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let old = i64::try_from(now).unwrap() - 1_000;
    let body = login("evt_old");
    let signature = standard_webhooks(key, "msg_1", old, body.as_bytes());
    let headers =
        [("webhook-id", "msg_1"), ("webhook-timestamp", &old.to_string()), ("webhook-signature", &signature)];
    let answer = server.post("/webhook/sw", &headers, body.as_bytes());
    assert_eq!(answer.status, 401);
    assert_eq!(server.newest()["reason"], "stale");
    let wide = draft(&server, "sw", json!({"tolerance": "20m"}));
    assert_eq!(sums(&wide), [1, 0, 0, 0], "{wide}");
    assert_eq!(sums(&draft(&server, "sw", json!({"tolerance": "10m"}))), [0, 0, 0, 0]);
}

#[test]
fn a_mixed_history_by_the_rules_as_they_are_flips_nothing() {
    let server = Server::start();
    for id in ["evt_1", "evt_2", "evt_2"] {
        signed(&server, SECRET, &login(id));
    }
    signed(&server, SECRET, &login("evt_2").replace("u1", "u2"));
    signed(&server, WRONG, &login("evt_3"));
    signed(&server, SECRET, "{");
    signed(&server, SECRET, r#"{"id":"evt_4"}"#);
    signed(&server, SECRET, "\u{feff}{}");
    server.post("/webhook/tagorun", &[], login("evt_5").as_bytes());
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", "xyz")], b"{}");
    server.post("/webhook/tagorun", &[("Content-Encoding", "gzip")], b"no gzip");
    server.ask("GET", "/webhook/tagorun", &[]);
    let token = format!("Bearer {TOKEN}");
    for credential in [token.as_str(), "Bearer wrong-token-00000000000000", "Basic eDp5", ""] {
        let headers = [("Authorization", credential), ("Content-Type", "application/json")];
        server.post("/webhook/tagoio", &headers, br#"[{"variable":"t","value":1.0,"id":"p1"}]"#);
    }
    for source in ["tagorun", "tagoio"] {
        let found = draft(&server, source, json!({}));
        assert_eq!(sums(&found), [0, 0, 0, 0], "{found}");
        assert!(found["done"].as_u64().unwrap() >= 4, "{found}");
    }
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_draft_that_cannot_be_is_refused_with_every_fault_and_no_secret() {
    let server = Server::start();
    for (asked, place) in [
        (json!({"source": "nobody"}), "/source"),
        (json!({"source": "tagorun", "draft": {"name": "x"}}), "/draft/name"),
        (json!({"source": "tagorun", "draft": {"alow": ["1.2.3.4"]}}), "/draft"),
        (json!({"source": "tagorun", "draft": {"allow": ["1.2.3"]}}), "/draft"),
        (json!({"source": "tagorun", "draft": {"tolerance": "soon"}}), "/draft"),
        (
            json!({"source": "tagorun", "draft": {"secrets": ["whsec_short-secret-typed"], "signature": "standard-webhooks"}}),
            "/draft",
        ),
        (json!({"source": "tagorun", "last": 0}), "/last"),
        (json!({"source": "tagorun", "q": "verdict:maybe"}), "/q"),
        (json!({"source": "tagorun", "schemas": {"x": {"type": 7}}}), "/schemas/x"),
        (json!({"source": "tagorun", "surprise": 1}), "surprise"),
    ] {
        let answer = server.tell("POST", "what-if", &asked);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 400, "{asked}: {text}");
        assert!(text.contains(place), "{asked}: {text}");
        assert!(!text.contains("short-secret-typed"), "{text}");
    }
    assert_eq!(
        server.tell("DELETE", "what-if/0190a5b2-0000-7000-8000-000000000000", &Value::Null).status,
        404
    );
}

#[test]
fn a_typed_secret_is_nowhere_and_a_run_can_be_ended() {
    let server = Server::start();
    for n in 0..60 {
        signed(&server, WRONG, &login(&format!("evt_{n}")));
    }
    let started =
        server.tell("POST", "what-if", &json!({"source": "tagorun", "draft": {"secrets": [WRONG]}}));
    let path = format!("what-if/{}", started.json()["id"].as_str().unwrap());
    assert_eq!(server.tell("DELETE", &path, &Value::Null).status, 204);
    until("it is over", || server.api(&path)["state"] != "running");
    let found = draft(&server, "tagorun", json!({"secrets": [WRONG]}));
    assert_eq!(sums(&found), [60, 0, 0, 0]);
    let page =
        exchange(server.inspector, "GET", &format!("/what-if/{}", found["id"].as_str().unwrap()), &[], b"");
    assert_eq!(page.status, 200);
    assert!(!String::from_utf8_lossy(&page.body).contains(WRONG));
    assert!(!server.log().contains(WRONG));
    for file in std::fs::read_dir(server.data_dir()).unwrap().map(|file| file.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(WRONG.len()).any(|part| part == WRONG.as_bytes()), "{}", file.display());
    }
}

/// What is offered for copying is a configuration: the program takes it.
#[test]
fn the_configuration_that_is_offered_is_one() {
    let server = Server::start();
    let credentials = json!([
        {"bearer": "file:tagoio-token"},
        {"basic": {"username": "u", "password": "file:signing-secret"}},
        {"api_key": {"key": "file:tagoio-token", "secret": "file:signing-secret"}},
    ]);
    for (source, changes) in [
        ("tagorun", json!({})),
        ("tagoio", json!({})),
        ("tagoio", json!({"credentials": credentials})),
        ("tagorun", json!({"credentials": credentials, "tolerance": "1m"})),
    ] {
        let found = draft(&server, source, changes);
        let folder = tempfile::tempdir().unwrap();
        for name in ["signing-secret", "tagoio-token"] {
            std::fs::write(folder.path().join(name), "0123456789abcdef0123456789abcdef").unwrap();
        }
        let file = folder.path().join("copied.toml");
        let text = found["configuration"].as_str().unwrap();
        std::fs::write(&file, text).unwrap();
        let checked = std::process::Command::new(env!("CARGO_BIN_EXE_tagohook"))
            .args(["check-config", "--config"])
            .arg(&file)
            .arg("--data-dir")
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(checked.status.success(), "{text}\n{}", String::from_utf8_lossy(&checked.stderr));
        let count = text.matches("[[source.credentials]]").count();
        assert_eq!(
            count,
            if text.contains("api_key") { 3 } else { usize::from(source == "tagoio") },
            "{text}"
        );
    }
    for wrong in [json!({"source": "tagorun", "q": 5}), json!({"source": "tagorun", "q": ["a"]})] {
        assert_eq!(server.tell("POST", "what-if", &wrong).status, 400, "{wrong}");
    }
}

fn page(server: &Server, path: &str) -> String {
    String::from_utf8(exchange(server.inspector, "GET", path, &[], b"").body).unwrap()
}

/// Sends the form, and returns the page of the finished run.
fn submit(server: &Server, fields: &[(&str, &str)]) -> String {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    let answer = exchange(server.inspector, "POST", "/what-if", &headers, form.as_bytes());
    assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.body));
    let path = answer.header("location").unwrap().to_owned();
    until("the run is over", || !page(server, &path).contains("data-running"));
    page(server, &path)
}

#[test]
fn what_is_offered_to_be_applied_was_checked_on_every_delivery_and_replaces_no_secret() {
    let server = Server::start();
    assert_eq!(signed(&server, SECRET, &login("evt_good")), 200);
    assert_eq!(signed(&server, WRONG, &login("evt_wrong")), 401);
    let wrong = server.deliveries("reason=signature_mismatch")[0]["id"].as_str().unwrap().to_owned();
    let delivery = page(&server, &format!("/deliveries/{wrong}"));
    assert!(
        delivery.contains("href=\"/what-if?source=tagorun&#38;only=secret\""),
        "no hidden search: {delivery}"
    );
    let form = page(&server, "/what-if?source=tagorun&only=secret");
    assert!(form.contains("<input name=\"q\" type=\"search\" value=\"\""), "{form}");
    let found = submit(&server, &[("source", "tagorun"), ("only", "secret"), ("secret", WRONG)]);
    assert!(found.contains("Of 2 deliveries, 1 that was rejected would pass, and 0 that passed"), "{found}");
    assert!(
        found.contains("secrets = [&#34;file:signing-secret&#34;, &#34;file:NEW-SECRET&#34;]"),
        "{found}"
    );
    for part in ["keep the others", "kill -HUP", "data-copy=\"draft-toml\""] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert!(!found.contains("id=\"warning\""), "{found}");
    // A search leaves deliveries out, and the page says so.
    let some = [("source", "tagorun"), ("secret", WRONG), ("q", "reason:signature_mismatch")];
    let found = submit(&server, &some);
    assert!(
        found.contains("Only deliveries that match “reason:signature_mismatch” were checked."),
        "{found}"
    );
    assert!(found.contains("id=\"warning\">This says nothing about the other deliveries"), "{found}");
    let found = submit(&server, &[("source", "tagorun"), ("secret", WRONG), ("last", "1")]);
    assert!(found.contains("Older deliveries were not checked."), "{found}");
    // A secret that lets nothing pass is not offered.
    let found = submit(&server, &[("source", "tagorun"), ("secret", "nobody-signs-with-this-one-00")]);
    assert!(!found.contains("draft-toml") && found.contains("nothing to apply"), "{found}");
    // Rules that would reject what passed are offered with a warning.
    let found = submit(&server, &[("source", "tagorun"), ("allow", "203.0.113.0/24")]);
    assert!(
        found.contains("draft-toml") && found.contains("1 delivery that passed would be rejected"),
        "{found}"
    );
}

#[test]
fn a_change_that_is_known_is_tried_at_once() {
    let server =
        Setup::new("[[source]]\nname = \"near\"\nsignature = \"none\"\nallow = [\"203.0.113.0/24\"]").start();
    assert_eq!(server.post("/webhook/near", &[], login("evt_1").as_bytes()).status, 403);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let delivery = page(&server, &format!("/deliveries/{id}"));
    let line = "allow = [\"203.0.113.0/24\", \"127.0.0.1\"]";
    let form = format!(
        "<form class=\"fix-form\" method=\"post\" action=\"/what-if\"><input type=\"hidden\" name=\"source\" value=\"near\">\
         <input type=\"hidden\" name=\"toml\" value=\"{}\">",
        line.replace('"', "&#34;")
    );
    assert!(delivery.contains(&form), "{form} in {delivery}");
    let found = submit(&server, &[("source", "near"), ("toml", line)]);
    assert!(found.contains("Of 1 delivery, 1 that was rejected would pass"), "{found}");
    assert!(found.contains(&format!("href=\"/deliveries/{id}\"")), "{found}");
}
