//! The main job on real input: every example and raw body of the catalogue, and the specification's own sample.

use std::fs;
use std::path::Path;

use crate::harness::{Server, TOKEN};

fn catalog(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog").join(name)).unwrap()
}

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

#[test]
fn every_example_of_the_catalogue_is_accepted_under_its_name() {
    let server = Server::start();
    let mut seen = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let answer = server.post_signed(&fs::read(&path).unwrap());
        assert_eq!((answer.status, answer.word().as_str()), (200, "processed"), "{name}");
        let delivery = server.newest();
        assert_eq!(delivery["event_type"], name);
        assert!(delivery["checks"][5]["notes"].is_null(), "{name}: {}", delivery["checks"][5]);
        seen += 1;
    }
    assert_eq!(seen, 35);
    assert_eq!(server.deliveries("verdict=accepted").len(), 35);
    assert_eq!(
        server.deliveries("entity=66f16881c903480009ff1042").len(),
        server.deliveries("").iter().filter(|row| !row["entity"].is_null()).count()
    );
}

#[test]
fn every_raw_body_of_the_catalogue_is_taken_and_kept_to_the_byte() {
    let server = Server::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/examples/raw");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let body = fs::read(&path).unwrap();
        let is_points = body.trim_ascii().starts_with(b"[");
        let answer = if is_points {
            server.post("/webhook/tagoio", &[("Authorization", &bearer())], &body)
        } else {
            server.post_signed(&body)
        };
        assert_eq!((answer.status, answer.word().as_str()), (200, "processed"), "{}", path.display());
        assert_eq!(server.raw(answer.json()["delivery_id"].as_str().unwrap()), body, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn the_headers_of_a_real_action_are_taken_and_shown_without_its_token() {
    let server = Server::start();
    let text = String::from_utf8(catalog("examples/raw/tagoio_action_post.headers")).unwrap();
    let mut lines = text.lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap();
    let bearer = bearer();
    let headers: Vec<(&str, &str)> = lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| *name != "Host")
        .map(|(name, value)| (name, if name == "Authorization" { bearer.as_str() } else { value }))
        .collect();
    assert!(headers.len() >= 5 && headers.iter().any(|(name, _)| *name == "Authorization"));
    let answer = server.post(target, &headers, &catalog("examples/raw/tagoio_action_post.json"));
    assert_eq!(answer.word(), "processed");

    let delivery = server.newest();
    assert_eq!((&delivery["path"], &delivery["source"]), (&target.into(), &"tagoio".into()));
    for (name, value) in headers {
        let shown = delivery["headers"].as_array().unwrap().iter().find(|header| header[0] == name);
        let shown = &shown.unwrap_or_else(|| panic!("{name}"))[1];
        assert_eq!(shown == value, name != "Authorization", "{name}: {shown}");
    }
    assert!(!delivery.to_string().contains(TOKEN));
}

#[test]
fn the_specification_s_own_sample_is_accepted_and_marked_without_id() {
    let server = Server::start();
    let sample = catalog("examples/raw/seed_user_login.json");
    assert_eq!(server.post_signed(&sample).word(), "processed");
    assert_eq!(server.post_signed(&sample).word(), "processed");
    let check = server.newest()["checks"][6].clone();
    assert!(check["notes"][0].as_str().unwrap().starts_with("no id"), "{check}");
}

#[test]
fn an_undotted_alias_shows_both_names() {
    let server = Server::start();
    let answer = server.post_signed(&catalog("examples/raw/sibling_overview_device_alert.json"));
    assert_eq!(answer.word(), "processed");
    let row = &server.deliveries("")[0];
    assert_eq!(
        (row["event_type"].as_str(), row["event_name"].as_str()),
        (Some("data.threshold"), Some("device_alert"))
    );
    assert_eq!(server.deliveries("event_type=device_alert").len(), 1);
}

#[test]
fn a_tagoio_action_is_an_event_and_its_fallback_form_the_same_one() {
    let server = Server::start();
    let points = catalog("examples/raw/tagoio_action_post.json");
    let bearer = bearer();
    let headers = [("Authorization", bearer.as_str()), ("TagoIO-Retries", "1")];
    let post = |body: &[u8]| server.post("/webhook/tagoio/berlin-air", &headers, body);
    assert_eq!(post(&points).word(), "processed");
    let delivery = server.newest();
    assert_eq!(
        (delivery["event_type"].as_str(), delivery["entity"].as_str()),
        (Some("data.received"), Some("66f16881c903480009ff1042"))
    );
    assert_eq!(delivery["event_id"], serde_json::Value::Null);
    assert_eq!(post(&points).word(), "already_processed");

    let fallback = catalog("examples/raw/tagoio_fallback_device.json");
    let answer = post(&fallback);
    assert_eq!(answer.word(), "processed", "another set of points");
    assert!(server.newest()["checks"][4]["notes"][0].as_str().unwrap().contains("given up once"));

    let mut given_up: serde_json::Value = serde_json::from_slice(&points).unwrap();
    for point in given_up.as_array_mut().unwrap() {
        point["metadata"] = serde_json::json!({"_http_error": "ENOTFOUND", "_http_attempts": 10});
    }
    assert_eq!(post(given_up.to_string().as_bytes()).word(), "already_processed");
    assert!(server.newest()["checks"][4]["notes"][0].as_str().unwrap().contains("given up once"));
    assert_eq!(server.post("/webhook/tagoio", &[], &points).status, 401);
}

#[test]
fn a_legal_tagoio_batch_of_two_megabytes_is_taken() {
    let server = Server::start();
    let points: Vec<serde_json::Value> = (0..8_000)
        .map(|at| serde_json::json!({"id": format!("{at:024x}"), "device": "66f16881c903480009ff1042", "variable": "temperature",
            "value": at % 3 == 0, "group": "67cd3fd2c0a1e4000b7d9f11", "time": "2026-03-09T07:14:58.402Z", "unit": "°C",
            "metadata": {"note": "a note that makes the point as long as real ones are"}}))
        .collect();
    let body = serde_json::to_vec(&points).unwrap();
    assert!(body.len() > 1_500_000);
    let bearer = bearer();
    let headers = [("Authorization", bearer.as_str())];
    assert_eq!(server.post("/webhook/tagoio", &headers, &body).word(), "processed");
    assert_eq!(server.post("/webhook/tagoio", &headers, &body).word(), "already_processed");
}
