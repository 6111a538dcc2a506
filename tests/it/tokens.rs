//! Tokens for the API: what each scope opens, where their secret is, and what a revoked one opens.

use serde_json::{Value, json};

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{Answer, Listening, Server, Setup, exchange, login, until};

const PASSWORD: &str = "correct horse battery";

fn protected() -> Server {
    let setup = Setup::new("[inspector]\npassword_file = \"password\"\n");
    let (read, mut write) = std::io::pipe().unwrap();
    writeln!(write, "{PASSWORD}").unwrap();
    drop(write);
    let hash = setup.command(&["hash-password"]).stdin(read).output().unwrap();
    setup.file("password", &String::from_utf8(hash.stdout).unwrap());
    setup.start()
}

fn ask(server: &Server, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("Authorization", bearer.as_str())];
    if !body.is_empty() {
        headers.push(("Content-Type", "application/json"));
    }
    exchange(server.inspector, method, path, &headers, body.as_bytes())
}

fn value(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn make(server: &Server, by: &str, name: &str, scope: &str) -> Value {
    let made = ask(server, by, "POST", "/api/v1/tokens", &json!({"name": name, "scope": scope}).to_string());
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    value(&made)
}

#[test]
fn each_scope_opens_what_it_says_and_a_revoked_token_nothing() {
    let server = protected();
    let made = ["read", "replay", "admin"].map(|scope| make(&server, PASSWORD, scope, scope));
    let [read, replay, admin] = made.each_ref().map(|token| token["token"].as_str().unwrap());
    let delivery = "/api/v1/deliveries/0197b2b0-7a10-7000-8000-000000000000/replay";
    let to = r#"{"to": "receiver"}"#;
    let event = r#"{"event": "user.login"}"#;
    for (method, path, body, statuses) in [
        ("GET", "/api/v1/deliveries", "", [200, 200, 200]),
        ("HEAD", "/api/v1/deliveries", "", [200, 200, 200]),
        ("GET", "/metrics", "", [200, 200, 200]),
        ("GET", "/", "", [200, 200, 200]),
        ("POST", delivery, to, [403, 404, 404]),
        ("POST", "/api/v1/deliveries/replay", r#"{"to": "receiver", "dry_run": true}"#, [403, 200, 200]),
        ("POST", "/api/v1/events", event, [403, 403, 202]),
        ("GET", "/api/v1/tokens", "", [403, 403, 200]),
        ("POST", "/api/v1/tokens", r#"{"name": "x", "scope": "admin"}"#, [403, 403, 201]),
        ("GET", "/tokens", "", [403, 403, 200]),
    ] {
        for (token, expected) in [read, replay, admin].into_iter().zip(statuses) {
            let answer = ask(&server, token, method, path, body);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(answer.status, expected, "{method} {path}: {text}");
            if expected == 403 {
                assert_eq!(answer.header("content-type"), Some("application/problem+json"));
                assert!(text.contains("This token has the scope re"), "{text}");
            }
        }
    }
    let id = made[0]["id"].as_str().unwrap();
    assert_eq!(ask(&server, replay, "DELETE", &format!("/api/v1/tokens/{id}"), "").status, 403);
    assert_eq!(ask(&server, admin, "DELETE", &format!("/api/v1/tokens/{id}"), "").status, 204);
    assert_eq!(ask(&server, admin, "DELETE", &format!("/api/v1/tokens/{id}"), "").status, 404);
    let refused = ask(&server, read, "GET", "/api/v1/deliveries", "");
    assert_eq!(refused.status, 401);
    assert!(String::from_utf8_lossy(&refused.body).contains("unknown, or it was revoked"));
    assert_eq!(ask(&server, "thk_0", "GET", "/api/v1/deliveries", "").status, 401);
    assert_eq!(ask(&server, "wrong", "GET", "/api/v1/deliveries", "").status, 401);
}

/// What tokens of the scope `replay` may change.
const REPLAYS: [&str; 10] = [
    "post /deliveries/attempts",
    "post /deliveries/replay",
    "post /deliveries/{id}/replay",
    "post /replay-runs/{id}/stop",
    "post /replay-runs/{id}/resume",
    "post /messages/send-now",
    "post /messages/{id}/send-now",
    "post /dead-letters/replay",
    "post /dead-letters/{id}/replay",
    "post /subscriptions/{id}/check",
];
/// What changes nothing, although it is no GET.
const QUESTIONS: [&str; 4] =
    ["post /what-if", "delete /what-if/{id}", "post /subscriptions/preview", "post /deliveries/{id}/schema"];

#[test]
fn every_operation_refuses_a_token_whose_scope_is_too_small() {
    const ID: &str = "0197b2b0-7a10-7000-8000-000000000000";
    let server = protected();
    let tokens = ["read", "replay"].map(|scope| make(&server, PASSWORD, scope, scope));
    let document: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
    let place = regex::Regex::new(r"\{[^}]*\}").unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().iter().filter(|(_, one)| one["responses"].is_object());
        for (method, operation) in methods {
            let name = format!("{method} {}", path.trim_start_matches("/api/v1"));
            let needed = match name.as_str() {
                "get /tokens" => "admin",
                question if question.starts_with("get ") || QUESTIONS.contains(&question) => "read",
                replay if REPLAYS.contains(&replay) => "replay",
                _ => "admin",
            };
            let described = operation["description"].as_str().unwrap();
            assert!(
                described.contains(&format!("A token needs the scope `{needed}`")),
                "{name}: {described}"
            );
            // These two last until something happens.
            if ["get /deliveries/stream", "get /wait"].contains(&name.as_str()) {
                continue;
            }
            operations += 1;
            let (method, target) = (method.to_uppercase(), place.replace_all(path, ID));
            let body = if method == "GET" { "" } else { "{}" };
            for (token, opens) in tokens.iter().zip([needed == "read", needed != "admin"]) {
                let answer = ask(&server, token["token"].as_str().unwrap(), &method, &target, body);
                assert_eq!(answer.status != 403, opens, "{name} with {}: {}", token["scope"], answer.status);
                assert_ne!(answer.status, 401, "{name}");
            }
        }
    }
    assert!(operations > 60, "{operations} operations");
    // To save is more than to ask.
    let schema = format!("/api/v1/deliveries/{ID}/schema");
    for token in &tokens {
        let answer = ask(&server, token["token"].as_str().unwrap(), "POST", &schema, r#"{"save": true}"#);
        assert_eq!(answer.status, 403);
        assert!(String::from_utf8_lossy(&answer.body).contains("needs admin"));
    }
    assert_eq!(ask(&server, PASSWORD, "POST", &schema, r#"{"save": true}"#).status, 404);
}

#[test]
fn the_secret_is_in_one_answer_only_and_the_last_use_is_shown() {
    let server = protected();
    let made = make(&server, PASSWORD, "ci <b>", "read");
    let secret = made["token"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("thk_") && secret.ends_with(made["tail"].as_str().unwrap()));
    let list = value(&ask(&server, PASSWORD, "GET", "/api/v1/tokens", ""));
    assert_eq!(list["tokens"][0]["last_used_at"], Value::Null);
    assert!(list["tokens"][0].get("token").is_none() && list["next"].is_null());
    assert_eq!(ask(&server, &secret, "GET", "/api/v1/sources", "").status, 200);
    let page = ask(&server, PASSWORD, "GET", "/tokens", "");
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(
        page.contains("ci &#60;b&#62;") && page.contains("just now") && !page.contains(&secret),
        "{page}"
    );
    let list = value(&ask(&server, PASSWORD, "GET", "/api/v1/tokens", ""));
    assert!(list["tokens"][0]["last_used_at"].is_string(), "{list}");
    let (mut files, mut bytes) = (0, 0);
    for file in std::fs::read_dir(server.data_dir()).unwrap().map(Result::unwrap) {
        let content = std::fs::read(file.path()).unwrap();
        let hit = content.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!hit, "{} has the token in clear", file.path().display());
        (files, bytes) = (files + 1, bytes + content.len());
    }
    assert!(files > 3 && bytes > 10_000, "{files} files, {bytes} bytes");
}

#[test]
fn a_token_keeps_its_scope_where_no_password_is_set() {
    let server = Server::start();
    let made = exchange(
        server.inspector,
        "POST",
        "/api/v1/tokens",
        &[("Content-Type", "application/json")],
        br#"{"name": "ci", "scope": "read"}"#,
    );
    let made = value(&made);
    let token = made["token"].as_str().unwrap();
    assert_eq!(ask(&server, token, "GET", "/api/v1/deliveries", "").status, 200);
    assert_eq!(ask(&server, token, "POST", "/api/v1/events", r#"{"event": "user.login"}"#).status, 403);
    assert_eq!(ask(&server, "anything", "GET", "/api/v1/deliveries", "").status, 200);
}

#[test]
fn a_name_and_a_scope_are_needed_and_faults_are_named_with_their_place() {
    let server = Server::start();
    for (body, pointers) in [
        ("{}", vec!["/name", "/scope"]),
        (r#"{"name": " ", "scope": "read"}"#, vec!["/name"]),
        (r#"{"name": "x", "scope": "Read"}"#, vec!["/scope"]),
        (r#"{"name": "x", "scope": "read", "more": 1}"#, vec!["/more"]),
        (r#"{"name": "x\ny", "scope": "read"}"#, vec!["/name"]),
    ] {
        let headers = [("Content-Type", "application/json")];
        let answer = exchange(server.inspector, "POST", "/api/v1/tokens", &headers, body.as_bytes());
        assert_eq!(answer.status, 400, "{body}");
        let errors = value(&answer)["errors"].as_array().unwrap().clone();
        let seen: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(seen, pointers, "{body}");
    }
    let refused = exchange(server.inspector, "PUT", "/api/v1/tokens", &[], b"");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, POST")));
}

#[test]
fn the_page_makes_a_token_once_and_revokes_it() {
    let server = Server::start();
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    let post = |path: &str, body: &str| exchange(server.inspector, "POST", path, &form, body.as_bytes());
    let made = post("/tokens", "name=ci&scope=replay");
    let text = String::from_utf8_lossy(&made.body).into_owned();
    assert_eq!(made.status, 201);
    let at = text.find("thk_").unwrap();
    let secret = &text[at..at + 68];
    assert_eq!(ask(&server, secret, "GET", "/api/v1/deliveries", "").status, 200);
    let wrong = post("/tokens", "name=&scope=replay");
    assert_eq!(wrong.status, 400);
    assert!(String::from_utf8_lossy(&wrong.body).contains("1 to 60 characters"));
    let at = text.find("tok_").unwrap();
    let revoked = post("/tokens/revoke", &format!("id={}", &text[at..at + 16]));
    assert_eq!((revoked.status, revoked.header("location")), (303, Some("/tokens")));
    until("it is revoked", || ask(&server, secret, "GET", "/api/v1/deliveries", "").status == 401);
}

#[test]
fn the_command_line_makes_lists_and_revokes_tokens() {
    let server = Server::start();
    let run = |arguments: &[&str]| {
        let done = server.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout), text(done.stderr))
    };
    let (code, made, _) = run(&["tokens", "create", "ci", "--scope", "replay"]);
    assert_eq!(code, Some(0));
    let secret = made.trim_end();
    assert!(secret.starts_with("thk_") && made.lines().count() == 1, "{made}");
    assert_eq!(ask(&server, secret, "GET", "/api/v1/deliveries", "").status, 200);
    let (_, list, _) = run(&["tokens", "list"]);
    assert!(list.contains("ci") && list.contains("replay") && !list.contains(secret), "{list}");
    let (_, rows, _) = run(&["tokens", "list", "--json"]);
    let row: Value = serde_json::from_str(rows.trim_end()).unwrap();
    assert_eq!((&row["name"], &row["scope"]), (&json!("ci"), &json!("replay")));
    assert_eq!(run(&["tokens", "create", "x", "--scope", "reed"]).0, Some(2));
    let (code, _, fault) = run(&["tokens", "revoke", "other"]);
    assert!(code == Some(1) && fault.contains("no token \"other\""), "{code:?} {fault}");
    assert_eq!(run(&["tokens", "revoke", "ci"]).0, Some(0));
    assert_eq!(ask(&server, secret, "GET", "/api/v1/deliveries", "").status, 401);
    assert!(run(&["tokens", "list"]).1.contains("no tokens"));
}

#[test]
fn listen_says_at_once_that_the_scope_of_its_token_is_too_small() {
    let server = protected();
    let listen = |scope: &str| {
        let token = make(&server, PASSWORD, scope, scope)["token"].as_str().unwrap().to_owned();
        let mut command = server.command(&["listen", "--exec", "cat", "--name", scope]);
        command.env("TAGOHOOK_TOKEN", token);
        command
    };
    let refused = listen("read").output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    assert!(told.contains("This token has the scope read; the request needs replay."), "{told}");
    assert!(!server.data_dir().join("listen").exists(), "it has not begun");
    let listening = Listening::start(listen("replay"));
    server.post_signed(login("e1").as_bytes());
    assert_eq!(listening.wait_for(1).len(), 1);
    let replays = || value(&ask(&server, PASSWORD, "GET", "/api/v1/replays", ""))["replays"].clone();
    until("the report", || replays()[0]["to"] == "listen cat");
    assert_eq!(listening.stop(), Some(130));
}

#[test]
fn a_path_written_another_way_opens_nothing_more() {
    let server = protected();
    let read = make(&server, PASSWORD, "read", "read");
    let read = read["token"].as_str().unwrap();
    for path in [
        "/api/v1/%74okens",
        "/api/v1/tok%65ns/",
        "/%61pi/v1/tokens",
        "/%74okens",
        "/tokens//",
        "//tokens",
        "/api/v1/x/../tokens",
    ] {
        let answer = ask(&server, read, "GET", path, "");
        assert!(matches!(answer.status, 403 | 404), "{path}: {}", answer.status);
        assert!(!String::from_utf8_lossy(&answer.body).contains("last_used"), "{path}");
    }
    for path in [
        "/static/../api/v1/deliveries",
        "/static/%2e%2e/api/v1/deliveries",
        "/login/../api/v1/deliveries",
        "/static/..%2fapi",
    ] {
        let answer = exchange(server.inspector, "GET", path, &[], b"");
        assert!(!matches!(answer.status, 200), "{path}: {}", answer.status);
    }
}

#[test]
fn a_token_is_taken_from_its_header_only_and_is_in_no_log() {
    let mut server = protected();
    let admin = make(&server, PASSWORD, "admin", "admin");
    let admin = admin["token"].as_str().unwrap();
    for path in [
        "/api/v1/deliveries?token=TOKEN",
        "/api/v1/deliveries?access_token=TOKEN",
        "/metrics?authorization=Bearer%20TOKEN",
    ] {
        let path = path.replace("TOKEN", admin);
        assert_eq!(exchange(server.inspector, "GET", &path, &[], b"").status, 401, "{path}");
    }
    let cookie = format!("tagohook_session={admin}");
    assert_eq!(
        exchange(server.inspector, "GET", "/api/v1/deliveries", &[("Cookie", &cookie)], b"").status,
        401
    );
    let basic = format!("Basic {admin}");
    assert_eq!(
        exchange(server.inspector, "GET", "/api/v1/deliveries", &[("Authorization", &basic)], b"").status,
        401
    );
    let bearer = format!("Bearer {admin}");
    let twice = [("Authorization", bearer.as_str()), ("Authorization", "Bearer x")];
    assert_eq!(exchange(server.inspector, "GET", "/api/v1/deliveries", &twice, b"").status, 401);
    // Another site's page with a token, as a malicious extension might have it.
    let site = [
        ("Authorization", bearer.as_str()),
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    assert_eq!(exchange(server.inspector, "GET", "/api/v1/deliveries", &site, b"").status, 403);
    assert_eq!(ask(&server, admin, "GET", "/api/v1/deliveries", "").status, 200);
    assert_eq!(ask(&server, admin, "POST", "/api/v1/events", "{}").status, 400);
    server.stop();
    let written =
        [server.log(), std::fs::read_to_string(server.data_dir().join("addresses.json")).unwrap_or_default()];
    assert!(written.iter().all(|text| !text.contains(admin)));
    for file in std::fs::read_dir(server.data_dir()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(memchr::memmem::find(&bytes, admin.as_bytes()).is_none(), "hashed at rest");
    }
}

#[test]
fn a_revoked_token_and_a_closed_session_end_their_open_streams_before_the_next_row() {
    let server = protected();
    let made = make(&server, PASSWORD, "reader", "read");
    let token = made["token"].as_str().unwrap();
    let form = format!("password={}", PASSWORD.replace(' ', "+"));
    let browser = [("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/x-www-form-urlencoded")];
    let login = exchange(server.inspector, "POST", "/login", &browser, form.as_bytes());
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let open = |header: String, path: &str| {
        let mut stream = TcpStream::connect(server.inspector).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n{header}\r\nConnection: close\r\n\r\n",
            server.inspector
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let until_greeted = |stream: &mut TcpStream| {
        let mut read = Vec::new();
        while memchr::memmem::find(&read, b"id: ").is_none() {
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&buffer[..count]);
        }
    };
    let path = "/api/v1/deliveries/stream";
    let mut by_token = open(format!("Authorization: Bearer {token}"), path);
    let mut by_cookie = open(format!("Cookie: {cookie}"), path);
    let mut by_password = open(format!("Authorization: Bearer {PASSWORD}"), path);
    let mut waiting = open(format!("Authorization: Bearer {token}"), "/api/v1/wait?timeout=20s");
    for stream in [&mut by_token, &mut by_cookie, &mut by_password] {
        until_greeted(stream);
    }
    std::thread::sleep(Duration::from_millis(300));
    let id = made["id"].as_str().unwrap();
    assert_eq!(ask(&server, PASSWORD, "DELETE", &format!("/api/v1/tokens/{id}"), "").status, 204);
    let out = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
    assert!(exchange(server.inspector, "POST", "/logout", &out, b"").status < 400);
    assert_eq!(server.post("/webhook-test/x", &[], b"after").status, 200);
    for (stream, name) in [(&mut by_token, "token"), (&mut by_cookie, "session"), (&mut waiting, "wait")] {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(!rest.contains("webhook-test"), "{name}: {rest}");
    }
    let mut row = Vec::new();
    while memchr::memmem::find(&row, b"webhook-test").is_none() {
        let mut buffer = [0; 1024];
        let count = by_password.read(&mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&row));
        row.extend_from_slice(&buffer[..count]);
    }
}
