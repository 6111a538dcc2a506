//! The list of deliveries: its count, its rows on the page and in the stream, its address, what the search box suggests.

use std::io::Read as _;

use serde_json::{Value, json};

use crate::harness::{Answer, Connection, Server, Setup, exchange, login};

fn page(server: &Server, path: &str) -> String {
    String::from_utf8(exchange(server.inspector, "GET", path, &[], b"").body).unwrap()
}

/// The count that the list of a search shows.
fn count(server: &Server, query: &str) -> String {
    let page = page(server, &format!("/?{query}"));
    let shown = page.split("id=\"count\">").nth(1).unwrap_or_else(|| panic!("{page}"));
    shown.split('<').next().unwrap().to_owned()
}

#[test]
fn the_count_is_that_of_the_search_whatever_it_asks() {
    let server = Server::start();
    for n in 0..7 {
        server.post_signed(login(&format!("evt_{n}")).as_bytes());
    }
    server.post("/webhook/tagorun", &[], b"coffee");
    assert_eq!(count(&server, "verdict=accepted"), "7 deliveries");
    let id = server.deliveries("verdict=accepted")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.tell("PATCH", &format!("deliveries/{id}"), &json!({"pinned": true})).status, 200);
    for (query, expected) in [
        ("", "8 deliveries"),
        ("verdict=accepted", "7 deliveries"),
        ("verdict=rejected", "1 delivery"),
        ("q=coffee", "1 delivery"),
        ("q=after%3A-1h", "8 deliveries"),
        ("q=before%3A-1h", "0 deliveries"),
        ("q=verdict%3Aaccepted+id%3Aevt_*", "7 deliveries"),
        ("q=pinned%3Atrue", "1 delivery"),
        ("q=verdict%3Aduplicate+OR+coffee", "1 delivery"),
        ("q=no-such-thing", "0 deliveries"),
    ] {
        assert_eq!(count(&server, query), expected, "{query}");
    }
    let part = page(&server, "/deliveries/survey?q=coffee");
    assert!(part.contains("id=\"count\">1 delivery<") && !part.contains("<html"), "{part}");
}

#[test]
fn a_delivery_is_in_the_chart_as_soon_as_it_is_in_the_list() {
    let server = Server::start();
    assert!(!page(&server, "/deliveries/survey").contains("histogram-accepted"));
    server.post_signed(login("evt_1").as_bytes());
    let part = page(&server, "/deliveries/survey");
    assert!(part.contains("id=\"count\">1 delivery<") && part.contains("#histogram-accepted"), "{part}");
}

#[test]
fn a_row_of_the_stream_is_the_row_of_the_page() {
    let server = Server::start();
    let mut stream = Connection::open(server.inspector);
    let host = server.inspector;
    let asked = format!(
        "GET /api/v1/deliveries/stream?rows=html HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n"
    );
    stream.write(asked.as_bytes());
    // It follows from when it is connected.
    while !stream.line().unwrap().starts_with(": connected") {}
    let data = |stream: &mut Connection| loop {
        let line = stream.line().unwrap();
        if let Some(data) = line.strip_prefix("data: {\"") {
            return serde_json::from_str::<Value>(&format!("{{\"{data}")).unwrap();
        }
    };
    server.post_signed(login("<b>evt</b>").as_bytes());
    let streamed = data(&mut stream);
    let id = streamed["id"].as_str().unwrap();
    let html = streamed["html"].as_str().unwrap();
    assert!(html.contains("&#60;b&#62;evt") && !html.contains("<b>"), "{html}");
    let again = page(&server, &format!("/deliveries/rows?ids={id}"));
    // How long ago it is may differ, and only that.
    let timeless = |html: &str| {
        let (before, rest) = html.split_once(" UTC\">").unwrap();
        format!("{before}{}", rest.split_once('<').unwrap().1)
    };
    let row = again.strip_prefix("<table><tbody>").unwrap().strip_suffix("</tbody></table>").unwrap();
    assert_eq!(timeless(row), timeless(html));
    assert!(page(&server, "/").contains(timeless(html).split("<td class=\"c-time").next().unwrap()));
    let plain = server.api_raw("deliveries/stream?rows=pdf");
    assert_eq!(plain.status, 400);
}

#[test]
fn an_address_with_empty_fields_leads_to_the_one_without() {
    let server = Server::start();
    let lead = |path: &str| {
        let answer = exchange(server.inspector, "GET", path, &[], b"");
        (answer.status, answer.header("location").map(str::to_owned))
    };
    assert_eq!(lead("/?q=coffee&verdict=&reason=&source=a"), (302, Some("/?q=coffee&source=a".into())));
    assert_eq!(lead("/?q=&verdict="), (302, Some("/".into())));
    assert_eq!(lead("/?q=a%0D%0AX:1&verdict="), (302, Some("/?q=a%0D%0AX%3A1".into())));
    assert_eq!(lead("/?q=coffee"), (200, None));
}

#[test]
fn a_search_that_cannot_be_read_says_what_was_meant_and_still_lists() {
    let server = Server::start();
    server.post_signed(login("evt_1").as_bytes());
    let answer = exchange(server.inspector, "GET", "/?q=verdcit%3Aaccepted&source=tagorun", &[], b"");
    assert_eq!(answer.status, 400);
    let page = String::from_utf8(answer.body).unwrap();
    assert!(page.contains("Unknown field “verdcit”."), "{page}");
    assert!(page.contains("<a href=\"/?q=verdict%3Aaccepted&#38;source=tagorun\">verdict</a>"), "{page}");
    assert!(page.contains("evt_1") && page.contains("is-stale"), "{page}");
    let told = server.api_raw("deliveries?q=verdcit%3Aaccepted");
    assert_eq!(told.status, 400);
    assert!(told.json()["errors"][0]["message"].as_str().unwrap().contains("did you mean “verdict”?"));
}

#[test]
fn a_rejected_delivery_is_found_by_what_its_unverified_body_says_and_a_user_by_the_body() {
    let server = Server::start();
    assert_eq!(server.post_signed(login("evt_good").as_bytes()).status, 200);
    let device = r#"{"id":"evt_bad","event":"data.threshold","device":{"id":"dev-7"},"user":{"id":"u7"}}"#;
    assert_eq!(server.post("/webhook/tagorun", &[], device.as_bytes()).status, 401);
    let events = |query: &str| -> Vec<Value> {
        server.deliveries(query).iter().map(|row| row["event_id"].clone()).collect()
    };
    let (good, bad) = (json!("evt_good"), Value::Null);
    for (query, expected) in [
        ("q=id%3Aevt_*", vec![&bad, &good]),
        ("q=id%3Aevt_bad", vec![&bad]),
        ("q=device%3Adev-7", vec![&bad]),
        ("q=user%3Au1", vec![&good]),
        ("q=user%3Au*", vec![&bad, &good]),
        ("q=NOT+id%3Aevt_bad", vec![&good]),
        ("q=user%3Aevt_good", vec![]),
        // A filter by name asks for what was verified.
        ("event_id=evt_bad", vec![]),
        ("entity=dev-7", vec![]),
    ] {
        let expected: Vec<Value> = expected.into_iter().cloned().collect();
        assert_eq!(events(query), expected, "{query}");
    }
    let found = page(&server, "/?q=id%3Aevt_*");
    assert_eq!(found.matches("(unverified)").count(), 1, "the rejected one is marked: {found}");
}

#[test]
fn what_was_meant_comes_before_everything_that_is_possible() {
    let server = Server::start();
    server.post_signed(login("evt_1").as_bytes());
    let faults = |query: &str| {
        let answer = exchange(server.inspector, "GET", &format!("/?q={query}"), &[], b"");
        assert_eq!(answer.status, 400, "{query}");
        let page = String::from_utf8(answer.body).unwrap();
        page.split("id=\"faults\"").nth(1).unwrap().split("</div>").next().unwrap().to_owned()
    };
    let misspelt = faults("reason%3Asignature_mismach");
    let meant = misspelt.find("Did you mean <a href=\"/?q=reason%3Asignature_mismatch\">").unwrap();
    assert!(misspelt.find("Expected one of unknown_source").unwrap() > meant, "{misspelt}");
    let refused = faults("verdict%3Arefused");
    assert!(refused.contains("Did you mean <a href=\"/?q=verdict%3Arejected\">rejected</a>?"), "{refused}");
}

#[test]
fn the_search_box_is_told_what_may_come_next() {
    let server = Server::start();
    let device = "64c2f1a9b7e3d80009a1c0de";
    let body = login("evt_1").replace("\"user\":", &format!("\"device\":{{\"id\":\"{device}\"}},\"user\":"));
    server.post_signed(body.as_bytes());
    let texts = |query: &str| -> Vec<String> {
        let found = server.api(&format!("suggestions?{query}"));
        let all = found["suggestions"].as_array().unwrap();
        all.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts("q=verd"), ["verdict:"]);
    assert_eq!(texts("q=source%3Atagor"), ["tagorun"]);
    assert!(texts("q=type%3Auser").contains(&"user.login".to_owned()));
    assert!(texts("q=reason%3Astal").contains(&"stale".to_owned()));
    assert_eq!(texts("q=verdict%3Arefus"), ["rejected"]);
    assert_eq!(texts("q=us"), ["user:"]);
    assert!(texts("").len() >= 5);
    for _ in 0..200 {
        if texts("q=device%3Ac0de") == [device] {
            let first = &server.api("suggestions?q=device%3Ac0de+x&at=9")["suggestions"][0];
            assert_eq!((&first["from"], &first["to"]), (&json!(7), &json!(11)));
            assert_eq!(server.api_raw("suggestions?q=x&at=many").status, 400);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the device is never suggested");
}

#[test]
fn pages_and_scripts_are_compressed_for_who_takes_that() {
    let server = Server::start();
    server.post_signed(login("evt_1").as_bytes());
    let get = |path: &str, headers: &[(&str, &str)]| exchange(server.inspector, "GET", path, headers, b"");
    let unpacked = |answer: &Answer| {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_end(&mut text).unwrap();
        text
    };
    for path in ["/static/app.css", "/static/app.js", "/event-types", "/api/v1/event-types"] {
        let plain = get(path, &[]);
        let packed = get(path, &[("Accept-Encoding", "br, gzip")]);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(packed.header("vary"), Some("Accept-Encoding"), "{path}");
        assert!(packed.body.len() * 2 < plain.body.len(), "{path}: {}", packed.body.len());
        assert_eq!(unpacked(&packed), plain.body, "{path}");
    }
    let packed = get("/static/app.css", &[("Accept-Encoding", "gzip")]);
    let tag = packed.header("etag").unwrap();
    let again = get("/static/app.css", &[("Accept-Encoding", "gzip"), ("If-None-Match", tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let raw = get(&format!("/api/v1/deliveries/{id}/raw"), &[("Accept-Encoding", "gzip")]);
    assert_eq!(raw.header("content-encoding"), None);
}

#[test]
fn a_plan_of_replays_says_what_it_is_made_of_and_what_may_be_forwarded() {
    let server = Server::start();
    for n in 0..3 {
        server.post_signed(login(&format!("evt_{n}")).as_bytes());
    }
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &"0".repeat(64))], login("evt_9").as_bytes());
    server.subscribe(&json!({"name": "Door", "url": "http://127.0.0.1:9/", "events": ["user.login"]}));
    server.subscribe(&json!({"name": "Roof", "url": "http://127.0.0.1:9/", "events": ["user.logout"]}));
    let plan = server.tell("POST", "deliveries/replay", &json!({"to": "receiver", "dry_run": true})).json();
    assert_eq!(
        plan["groups"],
        json!([
            {"source": "tagorun", "event_type": "user.login", "verdict": "accepted", "count": 3},
            {"source": "tagorun", "event_type": "user.login", "verdict": "rejected", "count": 1},
        ])
    );
    let origin = format!("http://{}", server.inspector);
    let headers = [("Origin", origin.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    let shown = |form: &[u8]| {
        let answer = exchange(server.inspector, "POST", "/replays", &headers, form);
        let text = String::from_utf8(answer.body).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let all = shown(b"to=receiver&q=&do=plan");
    assert!(all.contains("1 of them was rejected before and may be accepted now."), "{all}");
    assert!(all.contains("forwarded to 1 subscription: <bdi>Door</bdi>."), "{all}");
    let accepted = shown(b"to=receiver&q=verdict%3Aaccepted&do=plan");
    assert!(
        !accepted.contains("id=\"revived\"") && accepted.contains("<strong>3</strong> deliveries"),
        "{accepted}"
    );
    let elsewhere = shown(b"to=url&url=http%3A%2F%2F127.0.0.1%3A9%2F&q=&do=plan");
    assert!(!elsewhere.contains("id=\"revived\""), "{elsewhere}");
}

#[test]
fn a_search_that_stops_early_says_how_far_it_came_and_continues_from_there() {
    let config = "[inspector]\nsearch_time = \"0s\"\n[receiver]\ncapture_rate = \"1000/s\"\n";
    let server = Setup::new(config).start();
    // More than a step reads, with and without the index.
    let ids: Vec<String> = (0..300)
        .map(|n| {
            let body: &[u8] = if [0, 140, 299].contains(&n) { b"a needle" } else { b"hay" };
            let answer = server.post("/webhook-test", &[], body).json();
            answer["delivery_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected = [299, 140, 0].map(|n: usize| ids[n].clone());

    let (mut found, mut steps) = (Vec::new(), Vec::new());
    let mut before = String::new();
    loop {
        let told = server.api(&format!("deliveries?q=body%3Aneedle{before}"));
        let rows = told["deliveries"].as_array().unwrap();
        found.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        match (told["next"].as_str(), told["searched_back_to"].as_str()) {
            (Some(next), Some(time)) => {
                before = format!("&before={next}");
                steps.push(time.to_owned());
            }
            (None, None) => break,
            _ => panic!("both or neither: {told}"),
        }
    }
    assert_eq!(found, expected);
    assert!(!steps.is_empty() && steps.is_sorted_by(|one, next| one >= next), "{steps:?}");

    let further =
        regex::Regex::new(r#"Searched back to [\s\S]*?href="([^"]+)">Search further back<"#).unwrap();
    let (mut path, mut shown, mut links) = ("/?q=body%3Aneedle".to_owned(), Vec::new(), 0);
    loop {
        let html = page(&server, &path);
        shown.extend(ids.iter().filter(|id| html.contains(&format!("data-id=\"{id}\""))).rev().cloned());
        let Some(link) = further.captures(&html) else { break };
        path = link[1].replace("&amp;", "&").replace("&#38;", "&");
        links += 1;
    }
    assert_eq!((shown, links > 0), (expected.to_vec(), true));

    let exported = server.api_raw("deliveries/export?q=body%3Aneedle");
    assert_eq!(
        String::from_utf8(exported.body).unwrap().lines().count(),
        3,
        "an export continues without being asked"
    );
}
