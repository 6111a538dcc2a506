//! The inspector behind a real nginx: at another port, under a path that the proxy removes, and under one that it keeps.

use std::collections::{BTreeSet, VecDeque};

use serde_json::json;

use crate::harness::{Connection, Nginx, Server, Setup, exchange, login, until};

/// What holds a path that is not a link.
const NO_LINKS: [&str; 8] =
    ["title", "data-at", "value", "placeholder", "content", "data-key", "data-pointer", "data-path"];
/// The most pages that are looked at.
const MOST_PAGES: usize = 600;

/// A server whose public URL is under `/tagohook/` of an nginx that asks it for `target`.
fn under_a_path(target: &str, more: &str) -> (Server, Nginx) {
    let address = Nginx::free_address();
    let config = format!("[inspector]\npublic_url = \"http://{address}/tagohook/\"\n{more}");
    let server = Setup::new(&config).start();
    let location = format!(
        "location /tagohook/ {{ proxy_pass http://{}{target}; proxy_set_header Host $host; proxy_buffering off; }}",
        server.inspector
    );
    (server, Nginx::start(address, &location))
}

/// Something on every page.
fn filled(server: &Server) {
    for id in ["evt_1", "evt_1", "evt_2"] {
        server.post_signed(login(id).as_bytes());
    }
    server
        .post_signed(br#"{"id":"a","event":"data.received","device":{"id":"d/1"},"data":{"x":[1,{"y":2}]}}"#);
    server.post("/webhook/tagorun", &[], login("evt_3").as_bytes());
    server.post("/webhook-test/a?b=/c", &[("X-Path", "/deliveries/x")], b"<a href=\"/from-a-sender\">");
    let url = format!("http://{}/webhook-test", server.receiver);
    server.subscribe(&json!({"name": "Own", "url": url, "events": ["*"]}));
    let dead = json!({"name": "Dead", "url": "http://127.0.0.1:9/x", "events": ["*"], "retries": 0});
    if server.tell("POST", "subscriptions", &dead).status != 201 {
        server.subscribe(&json!({"name": "Dead", "url": "http://127.0.0.1:9/x", "events": ["*"]}));
    }
    server.post_signed(login("evt_4").as_bytes());
    until("a message", || !server.messages("").is_empty());
    let all = server.tell("POST", "deliveries/replay", &json!({"q": "verdict:captured"}));
    assert_eq!(all.status, 202);
}

/// Name and value of each attribute that holds a path.
fn paths(html: &str) -> Vec<(String, String)> {
    let attribute = regex::Regex::new(r#"\s([a-z-]+)="(/[^"]*)""#).unwrap();
    let found = attribute.captures_iter(html).map(|found| (found[1].to_owned(), found[2].to_owned()));
    let found = found.filter(|(name, _)| !NO_LINKS.contains(&name.as_str()));
    found.map(|(name, path)| (name, path.replace("&amp;", "&").replace("&#38;", "&"))).collect()
}

/// Follows every link from the first page. The number of references seen.
fn crawl(nginx: &Nginx) -> usize {
    let mut known = BTreeSet::new();
    let mut left = VecDeque::from(["/tagohook/".to_owned()]);
    let mut references = 0;
    let mut kinds = BTreeSet::new();
    while let Some(path) = left.pop_front() {
        let target = path.split('#').next().unwrap().to_owned();
        if known.len() >= MOST_PAGES || !known.insert(target.clone()) {
            continue;
        }
        let answer = exchange(nginx.address, "GET", &target, &[], b"");
        assert_eq!(answer.status, 200, "{target}");
        if !answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            continue;
        }
        kinds.insert(target.trim_start_matches("/tagohook/").split(['/', '?']).next().unwrap().to_owned());
        for (name, path) in paths(&String::from_utf8_lossy(&answer.body)) {
            references += 1;
            assert!(path.starts_with("/tagohook/"), "{name}={path} of {target} leads out of the path");
            match name.as_str() {
                "href" | "src" | "data-copy-url" | "data-copy-link" => left.push_back(path),
                "action" | "data-arrivals" | "data-stream" | "data-survey" | "data-range" => {}
                other => panic!("is {other}={path} of {target} a link?"),
            }
        }
    }
    let expected = ["", "deliveries", "drift", "entities", "event-types", "health", "messages", "overview"];
    assert!(expected.iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
    for kind in ["subscriptions", "replays", "what-if", "diff", "dead-letters"] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
    references
}

#[test]
fn under_a_path_no_reference_of_any_page_leaves_it() {
    for target in ["/", ""] {
        let (server, nginx) = under_a_path(target, "");
        filled(&server);
        let references = crawl(&nginx);
        assert!(references > 1_000, "{references} references");
        let attention = server.api("overview")["attention"].clone();
        let urls = attention.as_array().unwrap().iter().filter_map(|one| one["url"].as_str());
        assert!(urls.into_iter().all(|url| url.starts_with("/tagohook/")), "{attention}");
    }
}

#[test]
fn under_a_path_forms_lead_back_and_the_stream_is_live() {
    for target in ["/", ""] {
        let (server, nginx) = under_a_path(target, "");
        let origin = format!("http://{}", nginx.address);
        let headers = [("Origin", origin.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        let sent = exchange(nginx.address, "POST", "/tagohook/send-test", &headers, b"");
        assert_eq!((sent.status, sent.header("location")), (303, Some("/tagohook/")));
        let plan = b"to=receiver&q=verdict%3Aaccepted&do=send";
        let run = exchange(nginx.address, "POST", "/tagohook/replays", &headers, plan);
        assert!(run.header("location").unwrap().starts_with("/tagohook/replays/"), "{run:?}");
        let stranger = [("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site")];
        assert_eq!(exchange(nginx.address, "POST", "/tagohook/send-test", &stranger, b"").status, 403);
        let subscription = json!({"name": "x", "url": "http://127.0.0.1:9/", "events": ["user.login"]});
        let json = [("Content-Type", "application/json")];
        let path = "/tagohook/api/v1/subscriptions";
        let made = exchange(nginx.address, "POST", path, &json, subscription.to_string().as_bytes());
        assert!(made.header("location").unwrap().starts_with("/tagohook/api/v1/subscriptions/"), "{made:?}");

        let mut stream = Connection::open(nginx.address);
        let host = nginx.address;
        stream.write(
            format!("GET /tagohook/api/v1/deliveries/stream HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(),
        );
        while stream.line().unwrap() != "event: alive" {}
        server.post_signed(login("evt_live").as_bytes());
        while !stream.line().unwrap().contains("evt_live") {}
    }
}

#[test]
fn a_slash_at_the_end_of_a_path_is_no_other_page() {
    let server = Server::start();
    let id = server.post("/webhook-test", &[], b"x").json()["delivery_id"].as_str().unwrap().to_owned();
    for path in ["/deliveries", "/deliveries/", "/overview/", "/health//", "/api/v1/deliveries/", "//"] {
        assert_eq!(exchange(server.inspector, "GET", path, &[], b"").status, 200, "{path}");
    }
    for path in [format!("/deliveries/{id}/"), format!("/api/v1/deliveries/{id}/raw/")] {
        assert_eq!(exchange(server.inspector, "GET", &path, &[], b"").status, 200, "{path}");
    }
}

#[test]
fn commands_reach_an_inspector_under_a_path() {
    for target in ["/", ""] {
        let (server, nginx) = under_a_path(target, "");
        server.subscribe(&json!({"name": "Roof", "url": "http://127.0.0.1:9/", "events": ["user.login"]}));
        for url in
            [format!("http://{}/tagohook/", nginx.address), format!("http://{}/tagohook", nginx.address)]
        {
            // Before the second word and after it.
            for arguments in [
                ["subscriptions", "--inspector", &url, "list"],
                ["subscriptions", "list", "--inspector", &url],
            ] {
                let output = server.command(&arguments).output().unwrap();
                let told = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(
                    told.contains("Roof"),
                    "{arguments:?}: {told}{}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
        }
        let letters = ["dead-letters", "list", "--inspector", &format!("http://{}/tagohook/", nginx.address)];
        assert!(server.command(&letters).output().unwrap().status.success());
        // nginx asks by HTTP/1.0, in which a POST without a body has to say so.
        let base = format!("http://{}/tagohook/", nginx.address);
        for arguments in [&["reload"][..], &["subscriptions", "test", "Roof"]] {
            let output = server.command(arguments).args(["--url", &base]).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!told.contains("Content-Length"), "{arguments:?}: {told}");
        }
        let elsewhere = format!("http://{}/nowhere/", nginx.address);
        let output = server.command(&["subscriptions", "list", "--inspector", &elsewhere]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("404") && told.contains("path of --url"), "{told}");
    }
}

#[test]
fn a_public_url_that_no_browser_could_use_is_refused_at_the_start() {
    for (url, why) in [
        ("hooks.example", "expected e.g. \\\"https://example.com/tagohook/\\\""),
        ("https://h/static/", "the path /static is one of the inspector's own"),
        ("https://h/?a", "without user, query and fragment"),
    ] {
        let setup = Setup::new(&format!("[inspector]\npublic_url = \"{url}\"\n"));
        let output = setup.command(&["check-config"]).output().unwrap();
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{told}");
        let why = why.replace('\\', "");
        assert!(told.contains("inspector.public_url") && told.contains(&why), "{told}");
    }
}
