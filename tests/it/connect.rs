//! "Connect a sender": the steps to a first delivery, the secret that is shown on request, and the check of a public address.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use crate::harness::{Answer, SECRET, Server, Setup, TOKEN, exchange, until};

/// A form that a page of ours sends.
const FORM: [(&str, &str); 2] =
    [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn page(server: &Server, path: &str) -> String {
    let answer = exchange(server.inspector, "GET", path, &[], b"");
    assert_eq!(answer.status, 200, "{path}");
    text(&answer)
}

fn form(server: &Server, path: &str, more: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers: Vec<(&str, &str)> = FORM.iter().chain(more).copied().collect();
    exchange(server.inspector, "POST", path, &headers, body.as_bytes())
}

#[test]
fn the_first_page_has_the_steps_of_each_sender_and_no_secret() {
    let server = Server::start();
    let tunnel = format!("cloudflared tunnel --url http://{}", server.receiver);
    for (path, parts) in [
        ("/", ["Connect your first sender", "https://YOUR-ADDRESS/webhook/tagorun", "Show the secret"]),
        ("/connect", ["Connect a sender", "https://YOUR-ADDRESS/webhook/tagorun", "X-TagoRUN-Signature"]),
        (
            "/connect?for=tagoio&at=hooks.example.com",
            ["https://YOUR-ADDRESS/webhook/tagoio", "Authorization: Bearer •", "Show the token"],
        ),
        (
            "/connect?for=analysis",
            [
                "TAGOHOOK_URL",
                "Enter this signing secret as TAGOHOOK_SECRET",
                "createHmac(&#39;sha256&#39;, secret)",
            ],
        ),
        (
            "/connect?for=anything",
            ["https://YOUR-ADDRESS/webhook-test/anything", "without a check", "webhook-test/anything&#39;"],
        ),
    ] {
        let page = page(&server, path);
        for part in parts.iter().chain([&tunnel.as_str(), &"Waiting for the first delivery"]) {
            assert!(page.contains(part), "{path} lacks {part}: {page}");
        }
        assert!(!page.contains(SECRET) && !page.contains(TOKEN), "{path}");
    }
}

#[test]
fn a_secret_is_shown_on_request_to_this_machine_only() {
    let server = Server::start();
    let ask =
        |sender: &str, more: &[(&str, &str)]| form(&server, "/connect/secret", more, &[("for", sender)]);
    let shown = ask("tagorun", &[]);
    assert_eq!((shown.status, shown.header("cache-control")), (200, Some("no-store")));
    assert!(text(&shown).contains(SECRET) && !text(&shown).contains(TOKEN));
    assert!(text(&ask("tagoio", &[])).contains(&format!("Authorization: Bearer {TOKEN}")));
    assert!(!text(&ask("anything", &[])).contains(SECRET));
    for (name, value) in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
        ("Via", "1.1 proxy"),
    ] {
        let refused = text(&ask("tagorun", &[(name, value)]));
        assert!(!refused.contains(SECRET) && refused.contains("It is not shown here"), "{name}");
    }
    // Another site, and a link.
    let foreign = exchange(
        server.inspector,
        "POST",
        "/connect/secret",
        &[("Sec-Fetch-Site", "cross-site")],
        b"for=tagorun",
    );
    assert_eq!(foreign.status, 403);
    assert_eq!(exchange(server.inspector, "GET", "/connect/secret?for=tagorun", &[], b"").status, 405);
    until("it is logged", || server.log().contains("a secret was shown"));
    assert!(!server.log().contains(SECRET));
}

#[test]
fn a_password_lets_see_a_secret_from_elsewhere_and_a_public_address_without_one_does_not() {
    let public = Setup::new("[inspector]\npublic_url = \"http://inspect.example.com/\"\n").start();
    let refused = text(&form(&public, "/connect/secret", &[], &[("for", "tagorun")]));
    assert!(!refused.contains(SECRET) && refused.contains("Set inspector.password_file"), "{refused}");
    let setup = Setup::new("[inspector]\npassword_file = \"password\"\n");
    let hash = setup.command(&["hash-password"]).stdin(pipe("correct horse battery")).output().unwrap();
    setup.file("password", &String::from_utf8(hash.stdout).unwrap());
    let server = setup.start();
    let from_outside = ("X-Forwarded-For", "203.0.113.7");
    assert_ne!(form(&server, "/connect/secret", &[from_outside], &[("for", "tagorun")]).status, 200);
    let bearer = ("Authorization", "Bearer correct horse battery");
    let shown = form(&server, "/connect/secret", &[from_outside, bearer], &[("for", "tagorun")]);
    assert!(text(&shown).contains(SECRET));
}

/// A pipe that says one line.
fn pipe(line: &str) -> std::process::Stdio {
    let (read, mut write) = std::io::pipe().unwrap();
    writeln!(write, "{line}").unwrap();
    read.into()
}

/// A server that gives every connection the same answer.
fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn a_check_says_whether_an_address_leads_here_and_what_answers_instead() {
    let server = Server::start();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let moved =
        answering("HTTP/1.1 301 Moved\r\nLocation: https://hooks.example.com/\r\nContent-Length: 0\r\n\r\n");
    let login = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let gateway = answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    for (at, part) in [
        (format!("http://{}", server.receiver), "leads to this program"),
        (format!("http://{}/webhook/tagorun", server.receiver), "Only this machine can reach it"),
        (format!("http://{}/elsewhere", server.receiver), "answered 404"),
        (format!("http://{closed}"), "cannot be reached"),
        (format!("http://{moved}"), "redirects to https://hooks.example.com/"),
        (format!("http://{login}"), "answered 200, but not from this program"),
        (format!("http://{gateway}"), "does not reach this program"),
        (format!("https://{}", server.receiver), "does not speak HTTPS on that port"),
        ("http://169.254.169.254".to_owned(), "never reached"),
        ("ftp://hooks.example.com".to_owned(), "That is not a web address."),
        (String::new(), "That is not a web address."),
    ] {
        let answer = form(&server, "/connect/check", &[], &[("for", "tagorun"), ("at", &at)]);
        let page = text(&answer).replace("&quot;", "\"").replace("&#34;", "\"");
        assert_eq!(answer.status, 200);
        assert!(page.contains(part), "{at}: {page}");
        // Only an address that leads here is one to copy.
        let is_copied = page.contains("data-copy=\"receiver-url\"");
        assert_eq!(is_copied, part.contains("leads to") || part.contains("Only this"), "{at}: {page}");
        form(&server, "/connect/forget", &[], &[("for", "tagorun")]);
    }
    assert_eq!(server.deliveries("").len(), 0, "a check is no delivery");
    // The URL that worked is the one to enter.
    let at = format!("http://{}", server.receiver);
    let page = text(&form(&server, "/connect/check", &[], &[("for", "tagoio"), ("at", &at)]));
    assert!(page.contains(&format!("<code id=\"receiver-url\">{at}/webhook/tagoio</code>")), "{page}");
}

#[test]
fn the_light_is_green_with_the_first_delivery_of_a_sender_and_not_with_our_own_test() {
    let server = Server::start();
    let test = [("Accept", "application/json"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(exchange(server.inspector, "POST", "/send-test", &test, b"").status, 200);
    assert!(page(&server, "/connect").contains("data-state=\"waiting\""));
    assert_eq!(server.post("/webhook/tagorun", &[], b"{\"event\":\"user.login\"}").status, 401);
    assert!(page(&server, "/connect").contains("data-state=\"rejected\""), "a rejected one is not green");
    let body = b"[{\"variable\":\"t\",\"value\":1}]";
    let token = format!("Bearer {TOKEN}");
    assert_eq!(server.post("/webhook/tagoio", &[("Authorization", &token)], body).status, 200);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let page = page(&server, "/connect?for=tagoio");
    assert!(page.contains("data-state=\"arrived\"") && page.contains(&format!("/deliveries/{id}")), "{page}");
}

#[test]
fn a_sender_without_a_source_is_told_so() {
    let server = Setup::new("[[source]]\nname = \"open\"\nsignature = \"none\"\n").start();
    let page = page(&server, "/connect?for=tagorun");
    assert!(page.contains("No source for this sender is configured."), "{page}");
    assert!(self::page(&server, "/").contains("webhook-test/anything"), "the first page shows what works");
}

#[test]
fn a_checked_address_is_kept_and_used_on_every_page_and_after_a_restart() {
    let server = Server::start();
    let sources = page(&server, "/sources/tagoio");
    assert!(
        sources.contains("Only this machine can reach this URL") && sources.contains("href=\"/connect\"")
    );
    // A name that leads here, and is not the address that the program knows of itself.
    let public = format!("http://localhost:{}/", server.receiver.port());
    let checked = text(&form(&server, "/connect/check", &[], &[("for", "tagorun"), ("at", &public)]));
    assert!(checked.contains("leads to this program"), "{checked}");
    // The secret does not take the result away, and the other tabs have it too.
    let with_secret = text(&form(&server, "/connect/secret", &[], &[("for", "tagorun"), ("at", &public)]));
    for page in [with_secret, page(&server, "/connect?for=tagoio"), page(&server, "/connect")] {
        assert!(page.contains("leads to this program"), "{page}");
        assert!(!page.contains("YOUR-ADDRESS") && !page.contains("Shown once"), "{page}");
    }
    server.post("/webhook/tagorun", &[("TagoIO-Retries", "1")], b"[{\"variable\":\"t\",\"value\":1}]");
    let refused = format!("/deliveries/{}", server.newest()["id"].as_str().unwrap());
    let server = server.stop_and_restart(None);
    for path in ["/connect?for=tagoio", "/sources/tagoio", "/sources", &refused] {
        let page = page(&server, path);
        assert!(page.contains(&format!("{public}webhook/tagoio")), "{path}: {page}");
    }
    let connect = page(&server, "/connect");
    let curl = connect.split("id=\"curl\"").nth(1).unwrap().split("</code>").next().unwrap();
    assert!(curl.contains(&format!("{public}webhook/tagorun")), "{curl}");
    let source = server.api("sources/tagoio");
    assert_eq!(source["public_url"], format!("{public}webhook/tagoio"), "{source}");
    form(&server, "/connect/forget", &[], &[("for", "tagorun")]);
    assert!(page(&server, "/connect").contains("YOUR-ADDRESS"));
    assert!(!page(&server, "/sources").contains(&public));
}

#[test]
fn a_test_delivery_goes_through_the_checked_address_and_says_which_way_it_went() {
    let server = Server::start();
    let headers = [("Accept", "application/json"), ("Sec-Fetch-Site", "same-origin")];
    let send = || exchange(server.inspector, "POST", "/send-test", &headers, b"").json();
    let direct = send();
    assert_eq!((&direct["status"], &direct["through"]), (&200.into(), &serde_json::Value::Null));
    assert!(page(&server, "/connect").contains("It goes directly to the receiver"));
    let public = format!("http://localhost:{}/", server.receiver.port());
    form(&server, "/connect/check", &[], &[("for", "tagorun"), ("at", &public)]);
    assert!(page(&server, "/connect").contains(&format!("It goes through {public}")));
    let through = send();
    assert_eq!((&through["status"], &through["through"]), (&200.into(), &public.as_str().into()));
    let sent = server.delivery(through["delivery_id"].as_str().unwrap());
    let host = sent["headers"].as_array().unwrap().iter().find(|line| line[0] == "host").cloned();
    assert!(host.unwrap()[1].as_str().unwrap().starts_with("localhost:"), "{sent}");
}

#[test]
fn the_page_of_a_source_shows_its_own_secret_on_request_and_a_diagnosis_leads_there() {
    let server = Setup::new(
        "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n[[source]]\nname = \"pump\"\nsignature = \
         \"none\"\ncredentials = [{ bearer = \"file:tagoio-token\" }]\n",
    )
    .start();
    let hidden = page(&server, "/sources/pump");
    assert!(hidden.contains("Show the token") && !hidden.contains(TOKEN), "{hidden}");
    let shown = text(&form(&server, "/sources/pump", &[], &[]));
    assert!(shown.contains(&format!("Bearer {TOKEN}")) && !shown.contains(SECRET), "{shown}");
    assert!(text(&form(&server, "/sources/tagorun", &[], &[])).contains(SECRET));
    let elsewhere = text(&form(&server, "/sources/pump", &[("X-Forwarded-For", "203.0.113.7")], &[]));
    assert!(!elsewhere.contains(TOKEN) && elsewhere.contains("It is not shown here"), "{elsewhere}");
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(exchange(server.inspector, "POST", "/sources/pump", &foreign, b"").status, 403);

    for (source, words, place) in [
        ("pump", "Show the token", "The token is in the file tagoio-token"),
        ("tagorun", "Show the secret", "It is in the file signing-secret"),
    ] {
        server.post(&format!("/webhook/{source}"), &[], b"{\"event\":\"user.login\"}");
        let page = page(&server, &format!("/deliveries/{}", server.newest()["id"].as_str().unwrap()));
        let link = format!("href=\"/sources/{source}#setup-title\">{words}</a>");
        assert!(page.contains(&link) && page.contains(place), "{page}");
    }
}

#[test]
fn a_reload_that_failed_is_said_on_the_pages_until_one_succeeds() {
    let good = "[receiver]\nmax_body = \"1 MiB\"\n";
    let mut server = Setup::new(good).start();
    let attention = |server: &Server| {
        let told = server.api("overview")["attention"].as_array().unwrap().clone();
        told.into_iter().find(|one| one["topic"] == "configuration")
    };
    assert_eq!(attention(&server), None);
    server.reconfigure("[receiver]\nmax_bodyy = \"1 MiB\"\n");
    until("the failed reload is said", || attention(&server).is_some());
    let said = attention(&server).unwrap()["sentence"].to_string();
    assert!(said.contains("not reloaded") && said.contains("max_bodyy"), "{said}");
    assert!(page(&server, "/overview").contains("not reloaded"));
    let sources = page(&server, "/sources");
    assert!(sources.contains("max_bodyy") && sources.contains("kill -HUP"), "{sources}");
    server.reconfigure(good);
    until("it is forgotten", || attention(&server).is_none());
    assert!(!page(&server, "/sources").contains("not reloaded"));
}

#[test]
fn a_line_of_the_configuration_says_in_which_file_it_goes_and_how_it_is_reloaded() {
    let server = Setup::new(
        "[[source]]\nname = \"near\"\nsignature = \"none\"\nallow = [\"203.0.113.0/24\"]\n[[source]]\nname = \
         \"open\"\nsignature = \"none\"\nunknown_events = \"reject\"\n",
    )
    .start();
    server.post("/webhook/near", &[("X-Forwarded-For", "203.0.113.7")], b"{\"event\":\"user.login\"}");
    let read = |server: &Server| {
        let page = page(server, &format!("/deliveries/{}", server.newest()["id"].as_str().unwrap()));
        page.replace("&quot;", "\"").replace("&#34;", "\"")
    };
    let hidden = read(&server);
    assert!(hidden.contains("[receiver]\ntrusted_proxies = [\"127.0.0.1\"]"), "{hidden}");
    let reload = format!("test.toml</code>, then reload: <code>kill -HUP {}</code>", server.pid());
    assert!(hidden.contains(&reload) && hidden.contains("has <code>[receiver]</code> already"), "{hidden}");
    server.post("/webhook/open", &[], b"{\"event\":\"no.such\"}");
    let unknown = read(&server);
    assert!(unknown.contains("unknown_events = \"accept\"") && unknown.contains(&reload), "{unknown}");
    // A line for the sender is none of the configuration.
    server.post("/webhook/tagorum", &[], b"{}");
    assert!(!read(&server).contains("kill -HUP"));
}
