//! Credentials: compared exactly, kept never in clear.

use base64::Engine as _;

use crate::harness::{Server, Setup, TOKEN, login};

fn source(credentials: &str) -> Server {
    let config = format!("[[source]]\nname = \"s\"\nsignature = \"none\"\ncredentials = {credentials}\n");
    Setup::new(&config).env("PASSWORD", "a:b:pässwörd").env("KEY", "the-api-key-of-the-tests").start()
}

fn post(server: &Server, headers: &[(&str, &str)]) -> u16 {
    server.post("/webhook/s", headers, login("evt_1").as_bytes()).status
}

#[test]
fn net_07_basic_passwords_hold_colons_and_utf_8() {
    let server = source("[{ basic = { username = \"u\", password = \"env:PASSWORD\" } }]");
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    assert_eq!(post(&server, &[("Authorization", &format!("basic {}", encode("u:a:b:pässwörd")))]), 200);
    assert_eq!(post(&server, &[("Authorization", &format!("Basic {}", encode("u:a")))]), 401);
    assert_eq!(server.newest()["reason"], "credentials_wrong");
    assert_eq!(post(&server, &[]), 401);
    assert_eq!(server.newest()["reason"], "credentials_missing");
}

#[test]
fn net_08_the_scheme_of_a_bearer_token_is_case_free_and_the_token_exact() {
    let server = source("[{ bearer = \"file:tagoio-token\" }]");
    assert_eq!(post(&server, &[("authorization", &format!("bEaReR {TOKEN}"))]), 200);
    assert_eq!(post(&server, &[("authorization", &format!("Bearer  {TOKEN}"))]), 200);
    assert_eq!(post(&server, &[("authorization", &format!("Bearer {TOKEN}x"))]), 401);
    assert_eq!(post(&server, &[("authorization", &format!("Bearer {}", TOKEN.to_uppercase()))]), 401);
}

#[test]
fn ui_17_a_credential_is_nowhere_in_clear_but_can_be_recognised() {
    let server = source(
        "[{ bearer = \"file:tagoio-token\" }, { api_key = { key = \"env:KEY\", header = \"X-Mine\" } }]",
    );
    let key = "the-api-key-of-the-tests";
    let headers = [
        ("Authorization", format!("Bearer {TOKEN}")),
        ("X-Mine", key.to_owned()),
        ("Cookie", "sid=cookie-value-1234".to_owned()),
    ];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let target = "/webhook/s/path?token=query-token-1234&plain=1&api_key=query-key-5678";
    assert_eq!(server.post(target, &headers, login("evt_1").as_bytes()).status, 200);
    assert_eq!(server.post("/webhook-test?secret=query-secret-9", &headers, b"x").status, 200);
    let deliveries = server.deliveries("");
    let mut seen = server.log();
    for row in &deliveries {
        seen.push_str(&server.delivery(row["id"].as_str().unwrap()).to_string());
    }
    assert!(seen.contains("plain=1") && seen.contains("Bearer masked-"));
    let mut files = Vec::new();
    for name in ["tagohook.db", "tagohook.db-wal"] {
        files.extend(std::fs::read(server.data_dir().join(name)).unwrap_or_default());
    }
    for secret in [TOKEN, key, "cookie-value-1234", "query-token-1234", "query-key-5678", "query-secret-9"] {
        assert!(!seen.contains(secret), "{secret} is shown");
        assert!(memchr::memmem::find(&files, secret.as_bytes()).is_none(), "{secret} is in the store");
    }
}
