//! The signature autopsy names what a sender does differently. The signatures are made by Node, not by us.

use std::process::Command;

use base64::Engine as _;
use serde_json::Value;

use crate::harness::{Server, Setup, exchange, hmac_hex};

fn cases() -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/autopsy.mjs");
    let made = Command::new("node").arg(script).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).unwrap()
}

fn server(sources: &[Value]) -> Server {
    let mut config = String::new();
    for source in sources {
        let (name, scheme) = (source["name"].as_str().unwrap(), source["signature"].as_str().unwrap());
        config.push_str(&format!(
            "[[source]]\nname = \"{name}\"\nsignature = \"{scheme}\"\nsecrets = [\"file:secret-{name}\"]\n\n"
        ));
    }
    let setup = Setup::new(&config);
    for source in sources {
        let name = source["name"].as_str().unwrap();
        setup.file(&format!("secret-{name}"), source["secret"].as_str().unwrap());
    }
    setup.start()
}

#[test]
fn every_variant_is_named_and_the_caller_learns_none() {
    let made = cases();
    let sources = made["sources"].as_array().unwrap();
    let server = server(sources);
    let mut wrong = Vec::new();
    for case in made["cases"].as_array().unwrap() {
        let body = base64::engine::general_purpose::STANDARD.decode(case["body"].as_str().unwrap()).unwrap();
        let lines = |(name, value): (&'_ String, &'_ Value)| -> Vec<(String, String)> {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            values.iter().map(|value| (name.clone(), value.as_str().unwrap().to_owned())).collect()
        };
        let headers: Vec<(String, String)> =
            case["headers"].as_object().unwrap().iter().flat_map(lines).collect();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let source = case["source"].as_str().unwrap();
        let answer = server.post(&format!("/webhook/{source}"), &headers, &body);
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (401, br#"{"error":"Unauthorized"}"#.as_slice()),
            "{case}"
        );
        let delivery = server.newest();
        let autopsy = &delivery["autopsy"];
        let sentence = autopsy["sentence"].as_str().unwrap();
        if autopsy["variant"] != case["variant"] {
            wrong.push(format!("{} named {}: {sentence}", case["variant"], autopsy["variant"]));
        }
        assert!(delivery["diagnosis"].as_str().unwrap().contains(sentence), "{case}");
        let headline = delivery["headline"].as_str().unwrap();
        assert!((2..=8).contains(&headline.split_whitespace().count()), "{headline}");
        assert_ne!(headline, "The sender signs differently", "{} has a headline of its own", case["variant"]);
        // What holds no digest is told without a try.
        let is_untried = ["no-digest", "signature-cut"].iter().any(|variant| case["variant"] == *variant);
        let is_tried = autopsy["tried"].as_u64().unwrap() > 0 || is_untried;
        assert!(is_tried && sentence.ends_with(['.', '!']), "{sentence}");
        for source in sources {
            assert!(!sentence.contains(source["secret"].as_str().unwrap().trim()), "{sentence}");
        }
        if case["variant"].is_null() {
            let tried = autopsy["tried"].as_u64().unwrap();
            assert!(
                sentence
                    .replace(',', "")
                    .starts_with(&format!("{tried} common signing mistakes were checked"))
                    && tried > 500,
                "{sentence}"
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn verify_prints_the_autopsy_and_a_corrected_secret_is_seen() {
    let made = cases();
    let server = server(made["sources"].as_array().unwrap());
    let file = server.data_dir().join("body");
    std::fs::write(&file, b"{\"a\":1}").unwrap();
    let signature = crate::harness::hmac_hex(b"the-secret-of-the-other-source-42", b"{\"a\":1}");
    let header = format!("X-TagoRUN-Signature: {signature}");
    let out = server
        .command(&["verify", "--source", "plain", "--header", &header, file.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(!out.status.success() && said.contains("another-sources-secret: It is signed with"), "{said}");

    server.post("/webhook/plain", &[("X-TagoRUN-Signature", &signature)], b"{\"a\":1}");
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    std::fs::write(server.data_dir().join("secret-plain"), "the-secret-of-the-other-source-42").unwrap();
    let server = server.stop_and_restart(None);
    assert_eq!(server.delivery(&id)["autopsy"]["variant"], "valid-now");
}

/// What `verify` prints about a request to the source `standard` of the cases.
fn verified(server: &Server, headers: &[(&str, &str)], body: &[u8]) -> String {
    let file = server.data_dir().join("body");
    std::fs::write(&file, body).unwrap();
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut arguments = vec!["verify", "--source", "standard"];
    lines.iter().for_each(|line| arguments.extend(["--header", line]));
    arguments.push(file.to_str().unwrap());
    let out = server.command(&arguments).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn a_right_digest_is_never_said_to_be_put_right_where_something_else_is_wrong() {
    let server = server(cases()["sources"].as_array().unwrap());
    let key = b"another thirty-two bytes of keys";
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    let signed = |time: i64| crate::harness::standard_webhooks(key, "msg_1", time, b"{}");
    for (time, variant) in [
        (now - 400, "timestamp-stale"),
        (now + 400, "timestamp-stale"),
        (now * 1_000, "timestamp-milliseconds"),
        (now + 7_200, "timestamp-zone"),
    ] {
        let (signature, time) = (signed(time), time.to_string());
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", &signature),
        ];
        let said = verified(&server, &headers, b"{}");
        assert!(said.contains(&format!("\n{variant}: The digest is right, but its time is not. ")), "{said}");
    }
    // These headers are masked where a delivery is stored: only verify sees what is in them.
    let (time, right) = (now.to_string(), signed(now));
    for (name, value) in [("Authorization", format!("HMAC {right}")), ("X-Auth", right.clone())] {
        let headers = [("webhook-id", "msg_1"), ("webhook-timestamp", time.as_str()), (name, &value)];
        assert!(verified(&server, &headers, b"{}").contains("\nanother-header"), "{name}");
    }
    // One signature of several is enough, and a stray header does not hide a complete set.
    let (right, time) = (signed(now), now.to_string());
    let beside = format!("v1,AAAA {right}");
    for headers in [
        vec![("webhook-id", "msg_1"), ("webhook-timestamp", &*time), ("webhook-signature", &beside)],
        vec![
            ("svix-id", "msg_1"),
            ("svix-timestamp", &time),
            ("svix-signature", &right),
            ("webhook-signature", "v1,AAAA"),
        ],
        vec![
            ("svix-id", "msg_1"),
            ("svix-timestamp", &time),
            ("svix-signature", &right),
            ("webhook-id", "stray"),
        ],
        vec![
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &time),
            ("webhook-signature", &right),
            ("webhook-signature", "v1,AAAA"),
        ],
    ] {
        let said = verified(&server, &headers, b"{}");
        assert!(said.starts_with("valid: "), "{headers:?}: {said}");
    }
}

#[test]
fn a_wrong_secret_is_never_named_as_a_style_and_hints_say_what_was_seen() {
    let server = Server::start();
    let wrong = crate::harness::hmac_hex(b"a secret that nobody knows", b"{}");
    let said = |headers: &[(&str, &str)], body: &[u8]| {
        let all: Vec<(&str, &str)> =
            headers.iter().copied().chain([("X-TagoRUN-Signature", wrong.as_str())]).collect();
        server.post("/webhook/tagorun", &all, body);
        let autopsy = server.newest()["autopsy"].clone();
        assert!(autopsy["variant"].is_null(), "{autopsy}");
        autopsy["sentence"].as_str().unwrap().to_owned()
    };
    let smee = [("timestamp", "1795874206123"), ("accept-language", "*"), ("sec-fetch-mode", "cors")];
    assert!(said(&smee, b"{\"a\":25}").contains("the headers of smee, a relay"));
    let curl = [("User-Agent", "curl/7.88.1"), ("Content-Type", "application/x-www-form-urlencoded")];
    assert!(said(&curl, b"{  \"a\": [1,    2]}").contains("Use --data-binary @file"));
    assert!(!said(&curl, b"{\"a\":1}").contains("curl"));
    for body in
        ["", "[]", "{}", "null", "\"\"", "{\"a\":1,\"a\":2}", "not json", "{\"a\":\"\\ud83d\"}", "\u{feff}{}"]
    {
        said(&[], body.as_bytes());
    }
    // A token or a digest of the body is not a signature.
    let digest = crate::harness::hmac_hex(b"x", b"y");
    for (name, value) in
        [("Authorization", format!("Bearer {digest}")), ("Content-Digest", format!("sha-256=:{digest}:"))]
    {
        server.post("/webhook/tagorun", &[(name, value.as_str())], b"{}");
        assert!(server.newest()["autopsy"].is_null(), "{name}");
    }
}

#[test]
fn a_large_body_is_looked_into_and_a_cut_one_is_not() {
    let server = Server::start();
    let body = format!(r#"{{"id":"big","event":"made.up","v":"{}"}}"#, "x".repeat(3_900_000));
    let signature =
        crate::harness::hmac_hex(crate::harness::SECRET.as_bytes(), format!("{body}\n").as_bytes());
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &signature)], body.as_bytes());
    assert_eq!(server.newest()["autopsy"]["variant"], "newline-added");
    server.post("/webhook/tagorun", &[], b"{}");
    assert!(server.newest()["autopsy"].is_null(), "no header holds a signature");
}

#[test]
fn a_diagnosis_names_the_nearest_miss() {
    let config = r#"
        [[source]]
        name = "tagorun"
        secrets = ["file:signing-secret"]
        allow = ["203.0.112.0/24", "127.0.0.0/8"]
        [[source]]
        name = "near"
        secrets = ["file:signing-secret"]
        allow = ["127.0.1.0/24"]
        [[source]]
        name = "tagoio"
        signature = "none"
        credentials = [{ bearer = "file:tagoio-token" }]
        [[source]]
        name = "keyed"
        signature = "none"
        credentials = [{ api_key = { key = "file:tagoio-token" } }]
        [[source]]
        name = "stripe"
        signature = "stripe"
        secrets = ["file:signing-secret"]
    "#;
    let server = Setup::new(config).start();
    let points = r#"[{"id":"66f1a2b3c4d5e6f700000001","variable":"co2","value":415}]"#;
    let secret = crate::harness::SECRET.as_bytes();
    let old = "1700000000";
    let stale = format!("t={old},v1={}", crate::harness::hmac_hex(secret, format!("{old}.{{}}").as_bytes()));
    let signed = crate::harness::hmac_hex(secret, b"{\"a\": 1,}");
    for (path, headers, body, part) in [
        ("/webhook/tagorum", vec![], "{}", "Probably “tagorun” is meant"),
        ("/webhook/zzzzzzzzz", vec![], "{}", "There are: tagorun, near, tagoio"),
        (
            "/webhook/tagorun",
            vec![("TagoIO-Retries", "1")],
            points,
            "Change the Action's URL to this one: http://",
        ),
        ("/webhook/near", vec![("X-Forwarded-For", "127.0.1.9")], "{}", "the first 23 of 24 bits agree"),
        ("/webhook/near", vec![("X-Forwarded-For", "127.0.1.9")], "{}", "trusted_proxies = [\"127.0.0.1\"]"),
        (
            "/webhook/keyed",
            vec![("Authorization", "Bearer x")],
            "{}",
            "but the key is looked for in X-API-Key",
        ),
        ("/webhook/tagoio", vec![("X-API-Key", "x")], "{}", "looked for in Authorization"),
        ("/webhook/tagoio", vec![], "{}", "a proxy takes it out"),
        ("/webhook/stripe", vec![("Stripe-Signature", stale.as_str())], "{}", "an old request played again"),
        (
            "/webhook/tagorun",
            vec![("X-TagoRUN-Signature", signed.as_str())],
            "{\"a\": 1,}",
            "a comma before a closing bracket",
        ),
    ] {
        server.post(path, &headers, body.as_bytes());
        let said = server.newest()["diagnosis"].as_str().unwrap().to_owned();
        assert!(said.contains(part), "{path}: {said}");
    }
}

#[test]
fn bodies_that_are_not_utf_8_are_told_by_their_encoding() {
    let server = Server::start();
    let text = r#"{"event":"user.login","id":"e","user":{"id":"u","email":"Müller@b.example"}}"#;
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let bodies = [
        ("application/json", text.encode_utf16().flat_map(u16::to_be_bytes).collect(), "UTF-16 (big-endian"),
        (
            "application/json",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16 (little-endian",
        ),
        (
            "application/json",
            text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(),
            "like UTF-32",
        ),
        (
            "application/json; charset=ISO-8859-1",
            latin.clone(),
            "encoded in iso-8859-1, as its Content-Type says",
        ),
        ("application/json", latin, "is 0xFC, which is not UTF-8"),
    ];
    for (content_type, body, hint) in bodies {
        let signature = crate::harness::hmac_hex(crate::harness::SECRET.as_bytes(), &body);
        let headers = [("X-TagoRUN-Signature", signature.as_str()), ("Content-Type", content_type)];
        assert_eq!(server.post("/webhook/tagorun", &headers, &body).status, 400);
        let said = server.newest()["diagnosis"].as_str().unwrap().to_owned();
        assert!(said.contains(hint), "{hint}: {said}");
    }
}

#[test]
fn a_signing_secret_that_is_sent_is_named_and_kept_nowhere_in_clear() {
    let secret = "a-signing-secret-of-the-tests-0123456789";
    let setup =
        Setup::new("[[source]]\nname = \"plain\"\nsignature = \"tagorun\"\nsecrets = [\"file:secret\"]\n");
    setup.file("secret", secret);
    let server = setup.start();
    let prefixed = format!("sha256={secret}");
    for (name, value, path) in [
        ("X-TagoRUN-Signature", secret, "/webhook/plain"),
        ("X-TagoRUN-Signature", &prefixed, "/webhook/plain"),
        ("X-Anything", secret, "/webhook/plain"),
        ("X-Anything", "x", &format!("/webhook/plain?sig={secret}")),
    ] {
        assert_eq!(server.post(path, &[(name, value)], b"{\"a\":1}").status, 401);
        let delivery = server.newest();
        let said = delivery["diagnosis"].as_str().unwrap();
        assert!(said.contains("contains the signing secret itself (file:secret)"), "{said}");
        assert!(said.contains("replace the secret"), "{said}");
        assert!(!delivery.to_string().contains(secret), "{delivery}");
        let id = delivery["id"].as_str().unwrap();
        let answer = exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"");
        let page = String::from_utf8(answer.body).unwrap();
        assert!(page.contains("the signing secret itself") && !page.contains(secret), "{name}");
    }
    let database = std::fs::read(server.data_dir().join("tagohook.db")).unwrap();
    let journal = std::fs::read(server.data_dir().join("tagohook.db-wal")).unwrap_or_default();
    for bytes in [database, journal] {
        assert!(memchr::memmem::find(&bytes, secret.as_bytes()).is_none());
    }
    let header = format!("X-TagoRUN-Signature: {secret}");
    let file = server.data_dir().join("body");
    std::fs::write(&file, b"{}").unwrap();
    let out = server.command(&["verify", "--header", &header, file.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(said.contains("secret-sent: ") && !said.contains(secret), "{said}");
}

/// A signature in a header for credentials is masked, and explained as well as in any other header.
#[test]
fn a_signature_in_a_header_for_credentials_is_explained_without_being_stored() {
    let secret = "a-secret-of-some-length";
    let config = "[[source]]\nname = \"own\"\nsignature = \"tagorun\"\nsecrets = [\"file:key\"]\n\n\
        [[source]]\nname = \"teams\"\nsignature = \"hmac\"\nsecrets = [\"file:key\"]\n\
        hmac = { header = \"Authorization\", prefix = \"HMAC \", encoding = \"base64\" }\n";
    let setup = Setup::new(config);
    setup.file("key", secret);
    let server = setup.start();
    let sent = br#"{"event": "user.login", "user": {"id": "u", "email": "a@b.example"}}"#;
    let compact = br#"{"event":"user.login","user":{"id":"u","email":"a@b.example"}}"#;
    let [hex, hex_of_compact] = [&sent[..], compact].map(|body| hmac_hex(secret.as_bytes(), body));
    let base64 = |hex: &str| base64::engine::general_purpose::STANDARD.encode(hex::decode(hex).unwrap());
    let upper = hex.to_uppercase();
    let autopsy = |source: &str, header: &str, value: &str| {
        server.post(&format!("/webhook/{source}"), &[(header, value)], sent);
        let delivery = server.newest();
        let stored = delivery["headers"].as_array().unwrap().iter().find(|line| line[0] == header);
        (delivery["autopsy"].clone(), stored.unwrap()[1].as_str().unwrap().to_owned())
    };
    let digests = [hex.clone(), upper, base64(&hex), hex_of_compact.clone(), base64(&hex_of_compact)];
    for header in ["Authorization", "X-Auth", "X-Auth-Token"] {
        for before in ["", "HMAC ", "sha256=", "Bearer "] {
            for digest in &digests {
                let value = format!("{before}{digest}");
                let (expected, clear) = autopsy("own", "X-Signature", &value);
                assert_eq!(clear, value);
                let (found, stored) = autopsy("own", header, &value);
                assert!(
                    expected["variant"].is_string() && found["variant"] == expected["variant"],
                    "{found}"
                );
                let told = |one: &Value| one["sentence"].as_str().unwrap().replace(header, "X-Signature");
                assert_eq!(told(&found), told(&expected), "{value}");
                assert!(stored.contains("masked-") && !stored.contains(digest), "{stored}");
            }
        }
    }
    // Where the source reads that header.
    let (found, stored) = autopsy("teams", "Authorization", &format!("HMAC {}", base64(&hex_of_compact)));
    assert!(found["sentence"].as_str().unwrap().contains("JSON"), "{found}");
    assert!(stored.starts_with("HMAC masked-"), "{stored}");
    // Whatever is not a digest is masked as ever.
    for value in
        ["hunter2hunter2", "hunter2 0123456789abcdef0123456789abcdef", "Basic dXNlcjpodW50ZXIyaHVudGVyMg=="]
    {
        let (_, stored) = autopsy("own", "Authorization", value);
        assert!(!stored.contains("hunter2") && !stored.contains("dXNlcj"), "{stored}");
    }
}

#[test]
fn a_signature_made_with_a_credential_names_the_credential() {
    let server = Server::start();
    let token = std::fs::read(server.data_dir().join("tagoio-token")).unwrap();
    let body = br#"{"event":"made.up"}"#;
    let signature = hmac_hex(token.trim_ascii(), body);
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &signature)], body);
    let said = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(said.contains("signed with file:tagoio-token, a credential of source “tagoio”"), "{said}");
}
