//! Files of older releases, opened by this one.

use std::io::Read as _;

use serde_json::json;

use crate::harness::{Reply, Server, Setup, Sink, hmac_hex, until};

/// Nothing of the file is too old, whenever the test runs.
const KEEP: &str = "[store]\nkeep_deliveries = \"36500d\"\nkeep_rejected = \"36500d\"\nkeep_messages = \"36500d\"\nkeep_dead_letters = \"36500d\"\n";

fn older(name: &str) -> Server {
    let setup = Setup::new(KEEP);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/older");
    let key = std::fs::read_to_string(folder.join(format!("{name}.store-key"))).unwrap();
    setup.file("store-key", &key);
    let packed = std::fs::File::open(folder.join(format!("{name}.db.gz"))).unwrap();
    let mut file = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut file).unwrap();
    let path = setup.data_dir().join("tagohook.db");
    std::fs::write(&path, file).unwrap();
    // What is overdue would be sent to the port of the file's own time before a test could say where to.
    let pause =
        "UPDATE subscriptions SET enabled = 0, document = json_set(document, '$.enabled', json('false'))";
    rusqlite::Connection::open(&path).unwrap().execute(pause, []).unwrap();
    setup.start()
}

#[test]
fn rt_03_what_waited_in_an_older_file_is_sent_by_this_release() {
    let server = older("v3");
    let sink = Sink::scripted(|_, _| Reply::Status(200));
    let subscriptions = server.api("subscriptions");
    let id = |name: &str| {
        let all = subscriptions["subscriptions"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    for name in ["retrying", "dead"] {
        let url = json!({"url": sink.url(&format!("/{name}")), "enabled": true});
        assert_eq!(server.tell("PATCH", &format!("subscriptions/{}", id(name)), &url).status, 200);
    }
    until("the second attempts", || {
        server.messages(&format!("subscription_id={}&status=delivered", id("retrying"))).len() == 3
    });
    let replay = json!({"subscription_id": id("dead")});
    assert_eq!(server.tell("POST", "dead-letters/replay", &replay).status, 202);
    until("the replays", || server.messages("status=delivered").len() == 6);
    let seen = sink.seen();
    let retried: Vec<_> = seen.iter().filter(|request| request.path == "/retrying").collect();
    assert_eq!((seen.len(), retried.len()), (6, 3));
    for request in retried {
        assert_eq!(request.header("x-tagorun-attempt"), "2");
        assert_eq!(request.header("authorization"), "Bearer a-bearer-that-was-sealed");
        let signature = hmac_hex(b"a-secret-that-was-sealed-0123456789", &request.body);
        assert_eq!(request.header("x-tagorun-signature"), signature);
    }
}

#[test]
fn what_an_older_file_keeps_is_listed_and_whole() {
    let server = older("v3");
    let verdicts: Vec<_> = server.deliveries("").iter().map(|row| row["verdict"].clone()).collect();
    assert_eq!(verdicts, ["captured", "rejected", "duplicate", "accepted"]);
    let captured = &server.deliveries("q=captured")[0];
    assert_eq!(server.raw(captured["id"].as_str().unwrap()), b"captured words");
    assert_eq!(server.deliveries("reason=signature_mismatch&event_type=user.login").len(), 0);
    assert_eq!(server.deliveries("event_type=user.login").len(), 2);
    let whole = |row: &serde_json::Value| server.api(&format!("deliveries/{}", row["id"].as_str().unwrap()));
    let rejected = whole(&server.deliveries("verdict=rejected")[0]);
    assert_eq!(rejected["headers"][3], json!(["User-Agent", "Python-urllib/3.11"]));
    assert_eq!(rejected["checks"][3]["reason"], "signature_mismatch");
    let repeated = whole(&server.deliveries("verdict=duplicate")[0]);
    let seen = repeated["checks"][6]["seen"].as_str().unwrap();
    assert!(seen.starts_with("id evt_old: first accepted at "), "{seen}");
    assert_eq!(server.deliveries("q=header.user-agent:urllib").len(), 4);
}

#[test]
fn what_an_older_file_keeps_is_learnt_from() {
    let server = older("v3");
    until("the learner", || {
        server.api("drift?event_type=user.login")["drift"][0]["first_delivery_id"].is_string()
    });
}
