//! Tokens for the API: what each scope opens, where their secret is, and what a revoked one opens.

use serde_json::{Value, json};

use std::io::Write as _;

use crate::harness::{Answer, Server, Setup, exchange, until};

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
