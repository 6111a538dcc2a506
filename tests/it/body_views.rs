//! A body looked at in each way: nothing of it is lost, nothing of it runs.

use crate::harness::{Answer, Server, exchange};

fn page(server: &Server, path: &str) -> Answer {
    exchange(server.inspector, "GET", path, &[], b"")
}

fn html(server: &Server, path: &str) -> String {
    let answer = page(server, path);
    assert_eq!(answer.status, 200, "{path}");
    String::from_utf8(answer.body).unwrap()
}

fn capture(server: &Server, kind: &str, body: &[u8]) -> String {
    server.post("/webhook-test/body?q=%3Ci%3E&q=2", &[("Content-Type", kind)], body);
    format!("/deliveries/{}", server.newest()["id"].as_str().unwrap())
}

const MULTIPART: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--x\r\n\
    Content-Disposition: form-data; name=\"f\"; filename=\"\\\"><svg onload=..>.html\"\r\nContent-Type: text/html\r\n\r\n\
    <script>alert(1)</script>\r\n--x--\r\n";

#[test]
fn ui_08_a_tree_keeps_every_token() {
    let server = Server::start();
    let body = br#"{"n":1152921506151679042,"one":1.0,"exp":1e2,"n":"\ud83d"}"#;
    let shown = html(&server, &capture(&server, "application/json", body));
    for token in [
        "1152921506151679042",
        "1.0",
        "1e2",
        "\\ud83d",
        "this key is here more than once",
        "a lone surrogate",
    ] {
        assert!(shown.contains(token), "{token}");
    }
    let text = html(&server, &format!("{}?view=text", capture(&server, "text/plain", body)));
    assert!(text.contains("{&#34;n&#34;:1152921506151679042,"), "{text}");
}

#[test]
fn ui_02_what_looks_like_a_page_is_text_and_what_is_downloaded_runs_nothing() {
    let server = Server::start();
    let html_body = b"<!doctype html><script>alert(1)</script><img src=x onerror=alert(2)>";
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    for (kind, body) in [("text/html", &html_body[..]), ("image/svg+xml", svg)] {
        let at = capture(&server, kind, body);
        let shown = html(&server, &at);
        assert!(
            !shown.contains("<script>alert") && !shown.contains("<svg xmlns=") && shown.contains("&#60;"),
            "{shown}"
        );
        assert_eq!(page(&server, &format!("{at}/image")).status, 404);
        let raw = page(&server, &format!("/api/v1{at}/raw"));
        assert_eq!(raw.header("content-type"), Some("application/octet-stream"));
        assert_eq!(raw.header("x-content-type-options"), Some("nosniff"));
        assert!(raw.header("content-disposition").unwrap().starts_with("attachment"));
        assert!(raw.header("content-security-policy").unwrap().starts_with("sandbox"));
    }
}

#[test]
fn ui_16_a_part_is_downloaded_under_a_safe_name() {
    let server = Server::start();
    let at = capture(&server, "multipart/form-data; boundary=x", MULTIPART);
    let shown = html(&server, &at);
    assert!(
        shown.contains("&#34;&#62;&#60;svg onload=..&#62;.html") && shown.contains("25 bytes"),
        "{shown}"
    );
    assert!(!shown.contains("<svg onload"));
    let part = page(&server, &format!("{at}/parts/1"));
    assert_eq!(part.body, b"<script>alert(1)</script>");
    assert_eq!(part.header("content-type"), Some("application/octet-stream"));
    assert_eq!(part.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(part.header("content-disposition"), Some("attachment; filename=\"___svg_onload_.._.html\""));
    assert!(part.header("content-security-policy").unwrap().starts_with("sandbox"));
    assert_eq!(page(&server, &format!("{at}/parts/2")).status, 404);
    assert_eq!(page(&server, &format!("{at}/parts/x")).status, 404);
    let inside = html(&server, &format!("{at}?part=0"));
    assert!(inside.contains("Part 1 of the body"), "{inside}");
    let cut = html(&server, &capture(&server, "multipart/form-data; boundary=x", &MULTIPART[..90]));
    assert!(cut.contains("the last part does not end") || cut.contains("class=\"warning\""), "{cut}");
}

#[test]
fn ui_17_a_password_is_masked_in_the_tree_and_exact_in_the_raw_bytes() {
    let server = Server::start();
    let body = br#"{"user":{"password":"hunter2-of-the-tests"}}"#;
    let at = capture(&server, "application/json", body);
    let shown = html(&server, &at);
    let place = shown.find("Hidden · Show").expect("masked");
    assert!(shown[place..].contains("hunter2-of-the-tests"));
    assert_eq!(page(&server, &format!("/api/v1{at}/raw")).body, body);
}

#[test]
fn forms_points_images_and_packed_bodies_are_shown_as_what_they_are() {
    let server = Server::start();
    let form = capture(
        &server,
        "application/x-www-form-urlencoded",
        b"a=1&b=%3Cb%3E&payload=%7B%22deep%22%3A1.0%7D",
    );
    let tree = html(&server, &form);
    assert!(tree.contains("id=\"body-tree\"") && tree.contains("deep"), "GitHub's payload is a tree");
    assert!(tree.contains("Query parameters") && tree.contains("&#60;i&#62;"));
    assert!(html(&server, &format!("{form}?view=form")).contains("&#60;b&#62;"));
    let points =
        capture(&server, "application/json", br#"[{"variable":"co2","value":1152921504606846976123}]"#);
    assert!(html(&server, &format!("{points}?view=points")).contains("1152921504606846976123"));
    let png = b"\x89PNG\r\n\x1a\nrest";
    let image = capture(&server, "text/html", png);
    assert!(html(&server, &image).contains("/image"));
    let picture = page(&server, &format!("{image}/image"));
    assert_eq!((picture.header("content-type"), &*picture.body), (Some("image/png"), &png[..]));
    assert!(html(&server, &format!("{image}?view=hex")).contains("89 50 4e 47"));

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, br#"{"packed":true}"#).unwrap();
    let packed = packed.finish().unwrap();
    server.post(
        "/webhook-test",
        &[("Content-Encoding", "gzip"), ("Content-Type", "application/json")],
        &packed,
    );
    let at = format!("/deliveries/{}", server.newest()["id"].as_str().unwrap());
    assert!(html(&server, &at).contains("packed") && html(&server, &at).contains("Unpacked:"));
    assert!(html(&server, &format!("{at}?view=hex")).contains("1f 8b"));
}

#[test]
fn what_is_deep_long_or_broken_is_cut_honestly_and_quickly() {
    let server = Server::start();
    let deep = capture(&server, "application/json", "[".repeat(500_000).as_bytes());
    let shown = html(&server, &deep);
    assert!(
        shown.contains("deeper than 64 levels: 499936 more bytes")
            && shown.contains("Here it stops being JSON")
    );
    assert!(shown.len() < 200_000, "{}", shown.len());
    let further = html(&server, &format!("{deep}?view=tree&at=64"));
    assert!(further.contains("/0/0/0") && further.contains("499872 more bytes"));
    let long = format!("[{}]", vec!["1"; 100_000].join(","));
    let at = capture(&server, "application/json", long.as_bytes());
    assert!(html(&server, &at).contains("99800 more of 100000"));
    assert!(html(&server, &format!("{at}?view=tree&at=0&offset=99990")).contains(">99999<"));
    for odd in [
        "view=tree&at=99999999999999999999",
        "view=nothing",
        "offset=-1",
        "part=7&view=points",
        "at=3&offset=7",
    ] {
        assert_eq!(page(&server, &format!("{at}?{odd}")).status, 200, "{odd}");
    }
    assert_eq!(page(&server, "/deliveries/nothing/image").status, 404);
}

#[test]
fn faults_of_the_schema_stand_in_the_tree_at_their_place() {
    let server = Server::start();
    let body = r#"{"id":"evt_1","event":"user.login","timestamp":"2026-03-09T07:14:58Z","user":7}"#;
    assert_eq!(server.post_signed(body.as_bytes()).status, 400);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let shown = html(&server, &format!("/deliveries/{id}"));
    let value = shown.find("class=\"value number\"").unwrap();
    assert!(shown[value..].find("at-fault").is_some_and(|at| at < 200), "{shown}");
    let bare = r#"{"id":"e","event":"user.login","timestamp":"2026-03-09T07:14:58Z","user":{"id":"u1"}}"#;
    assert_eq!(server.post_signed(bare.as_bytes()).status, 400);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    assert!(html(&server, &format!("/deliveries/{id}")).contains("class=\"at-fault\""));
}
