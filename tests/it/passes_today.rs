//! A delivery that was rejected by rules that have changed since: its page says that it would pass, and replays it.

use serde_json::Value;

use crate::harness::{Answer, Server, Setup, exchange, hmac_hex, login, standard_webhooks, until};

const SECRET_OF_SENDER: &str = "what-the-sender-signs-with-0123456789";
const TOKEN_OF_SENDER: &str = "the-token-that-the-sender-has-0123456789";
const KEY: &str = "whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXkh";

fn setup(config: &str) -> Setup {
    let setup = Setup::new(config);
    setup.file("of-sender", SECRET_OF_SENDER);
    setup.file("token-of-sender", TOKEN_OF_SENDER);
    setup.file("key", KEY);
    setup
}

fn sources(rules: &[(&str, &str)]) -> String {
    rules.iter().map(|(name, rule)| format!("[[source]]\nname = \"{name}\"\n{rule}\n")).collect()
}

const BEFORE: [(&str, &str); 7] = [
    ("tagorun", "secrets = [\"file:signing-secret\"]"),
    ("signed", "secrets = [\"file:signing-secret\"]"),
    ("token", "signature = \"none\"\ncredentials = [{ bearer = \"file:tagoio-token\" }]"),
    ("late", "signature = \"standard-webhooks\"\nsecrets = [\"file:key\"]\ntolerance = \"1m\""),
    (
        "shape",
        "signature = \"none\"\ncredentials = [{ bearer = \"file:tagoio-token\" }]\nschema = \"enforce\"",
    ),
    ("behind", "signature = \"none\"\nallow = [\"203.0.113.0/24\"]"),
    ("direct", "signature = \"none\"\nallow = [\"198.51.100.0/24\"]"),
];
const AFTER: [(&str, &str); 8] = [
    ("tagorun", "secrets = [\"file:signing-secret\"]"),
    ("signed", "secrets = [\"file:signing-secret\", \"file:of-sender\"]"),
    ("token", "signature = \"none\"\ncredentials = [{ bearer = \"file:token-of-sender\" }]"),
    ("late", "signature = \"standard-webhooks\"\nsecrets = [\"file:key\"]\ntolerance = \"1h\""),
    ("shape", "signature = \"none\"\ncredentials = [{ bearer = \"file:tagoio-token\" }]\nschema = \"warn\""),
    ("behind", "signature = \"none\"\nallow = [\"203.0.113.0/24\"]"),
    ("direct", "signature = \"none\"\nallow = [\"198.51.100.0/24\", \"127.0.0.9\"]"),
    ("later", "signature = \"none\"\nallow = [\"127.0.0.0/8\"]"),
];

fn newest(server: &Server) -> String {
    server.newest()["id"].as_str().unwrap().to_owned()
}

fn page(server: &Server, id: &str) -> String {
    String::from_utf8(exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"").body).unwrap()
}

/// Sends the form of the first step.
fn replay(server: &Server, id: &str) -> Answer {
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    let target = format!("/deliveries/{id}/replay");
    exchange(server.inspector, "POST", &target, &headers, b"to=receiver&signature=fresh")
}

fn passes(server: &Server, id: &str) -> bool {
    server.delivery(id)["cause"]["passes_today"] == true
}

/// One rejected delivery for each check, with the reason of its rejection.
fn rejected(server: &Server) -> Vec<(String, &'static str)> {
    let mut rejected = Vec::new();
    let mut refuse = |target: &str, headers: &[(&str, &str)], body: &str, reason: &'static str| {
        assert!(server.post(target, headers, body.as_bytes()).status >= 400, "{target}");
        let delivery = server.newest();
        assert_eq!(delivery["reason"], reason, "{target}");
        rejected.push((delivery["id"].as_str().unwrap().to_owned(), reason));
    };
    let body = login("evt_signed");
    let signature = hmac_hex(SECRET_OF_SENDER.as_bytes(), body.as_bytes());
    refuse("/webhook/signed", &[("X-TagoRUN-Signature", &signature)], &body, "signature_mismatch");
    let token = format!("Bearer {TOKEN_OF_SENDER}");
    refuse("/webhook/token", &[("Authorization", &token)], &login("evt_token"), "credentials_wrong");
    let body = login("evt_late");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let old = i64::try_from(now).unwrap() - 600;
    let signature = standard_webhooks(b"standard-webhooks-test-key!", "msg_1", old, body.as_bytes());
    let old = old.to_string();
    let headers =
        [("webhook-id", "msg_1"), ("webhook-timestamp", old.as_str()), ("webhook-signature", &signature)];
    refuse("/webhook/late", &headers, &body, "stale");
    let token = format!("Bearer {}", crate::harness::TOKEN);
    let bare = r#"{"id":"evt_bare","event":"user.login","user":{"id":"u1"}}"#;
    refuse("/webhook/shape", &[("Authorization", &token)], bare, "invalid_payload");
    refuse("/webhook/behind", &[("X-Forwarded-For", "203.0.113.9")], &login("evt_proxy"), "ip_not_allowed");
    refuse("/webhook/later", &[], &login("evt_later"), "unknown_source");
    let body = login("evt_direct");
    let mut connection = crate::harness::Connection::open_from("127.0.0.9", server.receiver);
    let host = server.receiver.to_string();
    connection.write(&crate::harness::request_bytes(&host, "POST", "/webhook/direct", &[], body.as_bytes()));
    assert_eq!(connection.answer().unwrap().status, 403);
    rejected.push((newest(server), "ip_not_allowed"));
    rejected
}

#[test]
fn what_todays_configuration_lets_pass_says_so_first_and_its_replay_is_accepted() {
    let mut server = setup(&sources(&BEFORE)).start();
    let rejected = rejected(&server);
    let headlines: Vec<Value> = rejected
        .iter()
        .map(|(id, _)| {
            let delivery = server.delivery(id);
            assert_eq!(delivery["cause"]["passes_today"], false, "{delivery}");
            assert!(!page(&server, id).contains("Would pass"), "{delivery}");
            delivery["headline"].clone()
        })
        .collect();
    server.reconfigure(&format!("[receiver]\ntrusted_proxies = [\"127.0.0.1\"]\n{}", sources(&AFTER)));
    until("the configuration is in force", || passes(&server, &rejected[0].0));
    for ((id, reason), headline) in rejected.iter().zip(headlines) {
        let delivery = server.delivery(id);
        assert_eq!(delivery["headline"], headline, "the list has the same words: {delivery}");
        assert_eq!(delivery["cause"]["passes_today"], true, "{reason}: {delivery}");
        let steps = delivery["cause"]["fixes"].as_array().unwrap();
        assert_eq!((steps.len(), steps[0]["step"].as_str()), (1, Some("Replay it.")), "{delivery}");
        let shown = page(&server, id);
        let cause = shown.find("<p class=\"cause\">Would pass with today&#39;s configuration. ").unwrap();
        let form = shown
            .find(&format!("<form class=\"fix-form\" method=\"post\" action=\"/deliveries/{id}/replay\">"));
        assert!(form.is_some_and(|form| form > cause), "{shown}");
        assert_eq!(shown.matches("class=\"primary\"").count(), 1, "one first thing to do");
        let answer = replay(&server, id);
        assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.body));
        let again = server.newest();
        assert_eq!(again["verdict"], "accepted", "{reason}: {again}");
        assert!(answer.header("location").unwrap().ends_with(again["id"].as_str().unwrap()));
        let shown = page(&server, id);
        assert!(shown.contains("its event was accepted in another delivery"), "{shown}");
        assert!(
            shown.contains(&format!("href=\"/deliveries/{}\"", again["id"].as_str().unwrap())),
            "{shown}"
        );
    }
}

#[test]
fn what_is_still_refused_keeps_its_fix() {
    let mut server = setup(&sources(&BEFORE)).start();
    let signature = hmac_hex(b"a secret that nobody has configured", b"{}");
    server.post("/webhook/signed", &[("X-TagoRUN-Signature", &signature)], b"{}");
    let wrong = newest(&server);
    let signature = hmac_hex(SECRET_OF_SENDER.as_bytes(), b"{");
    server.post("/webhook/signed", &[("X-TagoRUN-Signature", &signature)], b"{");
    let broken = newest(&server);
    let right = login("evt_right");
    let signature = hmac_hex(SECRET_OF_SENDER.as_bytes(), right.as_bytes());
    server.post("/webhook/signed", &[("X-TagoRUN-Signature", &signature)], right.as_bytes());
    let right = newest(&server);
    server.reconfigure(&sources(&AFTER));
    until("the configuration is in force", || passes(&server, &right));
    for id in [wrong, broken] {
        let delivery = server.delivery(&id);
        assert_eq!(delivery["cause"]["passes_today"], false, "{delivery}");
        assert!(!page(&server, &id).contains("Would pass"));
    }
}

/// A replay comes from this machine, but is judged as its original: the address of its sender decides.
#[test]
fn a_replay_is_judged_by_the_address_of_its_original_and_nobody_else_can_claim_one() {
    let server = setup(&sources(&[("near", "signature = \"none\"\nallow = [\"127.0.0.1\"]")])).start();
    let send = |from: &str, headers: &[(&str, &str)], id: &str| {
        let mut connection = crate::harness::Connection::open_from(from, server.receiver);
        let host = server.receiver.to_string();
        let body = login(id);
        let request = crate::harness::request_bytes(&host, "POST", "/webhook/near", headers, body.as_bytes());
        connection.write(&request);
        let status = connection.answer().unwrap().status;
        (status, newest(&server))
    };
    let (status, far) = send("127.0.0.9", &[], "evt_far");
    assert_eq!(status, 403);
    assert_eq!(replay(&server, &far).status, 303);
    let again = server.newest();
    assert_eq!(
        (&again["verdict"], &again["client_ip"]),
        (&"rejected".into(), &"127.0.0.9".into()),
        "{again}"
    );
    let shown = page(&server, again["id"].as_str().unwrap());
    assert!(
        shown.contains(&format!("<a class=\"tag\" href=\"/deliveries/{far}\"")),
        "it leads to its original: {shown}"
    );
    let explained = server.delivery(again["id"].as_str().unwrap());
    assert!(explained["client_explanation"].as_str().unwrap().ends_with("replayed from the inspector"));
    let (status, near) = send("127.0.0.1", &[], "evt_near");
    assert_eq!(status, 200);
    replay(&server, &near);
    assert_eq!(server.newest()["verdict"], "duplicate");
    let mark = server.delivery(server.newest()["id"].as_str().unwrap())["headers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line[0].as_str().unwrap().eq_ignore_ascii_case("x-tagohook-replay"))
        .map(|line| line[1].as_str().unwrap().to_owned())
        .unwrap();
    let (status, _) = send("127.0.0.9", &[("X-Tagohook-Replay", &mark)], "evt_claimed");
    assert_eq!(status, 403, "a mark counts once");
}
