//! What is read, rejected, written and read again.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::secrets::SecretReader;
use super::*;
use crate::config::seal::Sealer;
use crate::domain::{Backoff, Secret, Subscription, SubscriptionOrigin};

const DOCUMENT: &str = include_str!("../../../tests/data/webhooks-integration.md");

fn resolve(reference: &str) -> Result<Secret, String> {
    match reference {
        "file:signing-secret" | "env:TOKEN" => {
            Ok(Secret::new(reference, *b"0123456789abcdef0123456789abcdef"))
        }
        other if other.starts_with("file:") => Err(format!("{other} cannot be read")),
        _ => Err("a secret does not stand in the configuration".to_owned()),
    }
}

fn sealer() -> Sealer {
    Sealer::new(&[7; 32])
}

fn read_as(origin: SecretOrigin, present: Option<&Subscription>, json: &str) -> Result<Read, Vec<JsonFault>> {
    let sealer = sealer();
    let check = |_, secret: &Secret| {
        if secret.expose().len() < 16 { Err("too short".to_owned()) } else { Ok(()) }
    };
    let secrets = SecretReader { origin, resolve: &resolve, sealer: &sealer, check, present };
    Reader { secrets }.read("s1", SubscriptionOrigin::Api, json)
}

fn read(json: &Value) -> Result<Read, Vec<JsonFault>> {
    read_as(SecretOrigin::Api, None, &json.to_string())
}

fn places(json: &Value) -> Vec<String> {
    read(json).unwrap_err().into_iter().map(|fault| fault.pointer).collect()
}

fn with(more: &Value) -> Value {
    let mut base = json!({"url": "https://e.example/hook", "events": ["user.*"]});
    for (key, value) in more.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

/// The configurations in the document: its JSON code blocks after one comment line.
fn configurations() -> Vec<String> {
    let blocks = DOCUMENT.split("```javascript\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let bodies = blocks.map(|block| block.split_once('\n').unwrap().1.to_owned());
    bodies.filter(|body| serde_json::from_str::<Value>(body).is_ok_and(|value| value.is_object())).collect()
}

#[test]
fn every_complete_configuration_of_the_document_loads_unchanged() {
    let complete: Vec<String> = configurations().into_iter().filter(|body| body.contains("url\"")).collect();
    assert_eq!(complete.len(), 10, "the document has ten");
    for body in complete {
        let read =
            read_as(SecretOrigin::Api, None, &body).unwrap_or_else(|faults| panic!("{faults:?}\n{body}"));
        assert!(!read.subscription.events.is_empty());
    }
}

#[test]
fn the_fragments_of_the_document_load_inside_a_subscription() {
    let fragments: Vec<String> =
        configurations().into_iter().filter(|body| !body.contains("url\"")).collect();
    assert_eq!(fragments.len(), 2);
    for body in fragments {
        read(&with(&serde_json::from_str(&body).unwrap())).unwrap();
    }
    for headers in [
        json!({"Authorization": "Bearer your-secret-token"}),
        json!({"X-API-Key": "your-api-key", "X-API-Secret": "your-api-secret"}),
    ] {
        read(&with(&json!({"headers": headers}))).unwrap();
    }
    let literal = json!({"headers": {"Authorization": "Basic base64(username:password)"}});
    let faults = read(&with(&literal)).unwrap_err();
    assert!(faults[0].message.contains("\"basic\""), "{faults:?}");
}

#[test]
fn the_short_form_gets_a_name_and_mixing_the_forms_is_a_fault() {
    let read = read(
        &json!({"event": "user.login", "webhook_url": "https://crm.company.com/x", "payload": {"a": 1}}),
    );
    let subscription = read.unwrap().subscription;
    assert_eq!(subscription.name, "user.login to crm.company.com");
    assert_eq!(subscription.payload_template.as_deref(), Some("{\"a\":1}"));
    assert_eq!(places(&with(&json!({"webhook_url": "https://e.example/"}))), ["/webhook_url"]);
}

#[test]
fn every_fault_is_told_with_its_place() {
    let bad = json!({
        "url": "ftp://e.example/", "events": ["user*"], "headers": {"Host": "x", "X-A": "a\nb", "X-B": "ok", "x-b": "ok"},
        "timeout": 0, "retry_policy": {"max_attempts": 0, "backof": "x"}, "rate_limit": {"max_requests": 0},
        "batch": 7, "missing": "drop", "auth": {"bearer": ""}, "signature": {"scheme": "md5"}, "colour": 1,
        "sources": "a", "enabled": "yes",
    });
    let mut found = places(&bad);
    found.sort();
    assert_eq!(
        found,
        [
            "/auth/bearer",
            "/batch",
            "/colour",
            "/enabled",
            "/events/0",
            "/headers/Host",
            "/headers/X-A",
            "/headers/x-b",
            "/missing",
            "/rate_limit/max_requests",
            "/retry_policy/backof",
            "/retry_policy/max_attempts",
            "/signature/scheme",
            "/sources",
            "/timeout",
            "/url",
        ]
    );
    assert_eq!(places(&json!({})), ["/url", "/events"]);
    assert!(
        read_as(SecretOrigin::Api, None, r#"{"url":"a","url":"b"}"#).unwrap_err()[0]
            .message
            .contains("twice")
    );
}

#[test]
fn s_06_attempts_and_times_are_read_as_the_document_means_them() {
    let policy = |more: Value| read(&with(&more)).unwrap().subscription.retry_policy;
    assert_eq!(policy(json!({})).max_attempts, 8);
    let given = policy(json!({"retry_policy": {"max_attempts": 3, "backoff": "exponential"}}));
    assert_eq!((given.max_attempts, given.backoff), (3, Backoff::Exponential(Duration::from_secs(1))));
    assert_eq!(policy(json!({"max_attempts": 5})).max_attempts, 5);
    assert_eq!(
        places(&with(&json!({"max_attempts": 5, "retry_policy": {"max_attempts": 4}}))),
        ["/max_attempts"]
    );
    let schedule = policy(json!({"retry_policy": {"backoff": "schedule", "delays": ["5s", 0.5]}}));
    assert_eq!((schedule.max_attempts, schedule.jitter), (3, true));
    let timeout = |value: Value| read(&with(&json!({"timeout": value}))).unwrap();
    assert_eq!(timeout(json!(30)).subscription.timeout, Duration::from_secs(30));
    assert_eq!(timeout(json!(0.25)).subscription.timeout, Duration::from_millis(250));
    let millis = timeout(json!(30_000));
    assert_eq!((millis.subscription.timeout, millis.warnings.len()), (Duration::from_secs(30), 1));
}

#[test]
fn ui_17_secrets_are_masked_for_people_sealed_for_the_store_and_kept_when_their_mask_comes_back() {
    let given = with(&json!({
        "auth": {"api_key": {"key": "key-0123456789-abcd", "secret": "env:TOKEN"}},
        "headers": {"X-Auth-Token": "token-0123456789-wxyz", "X-Source": "TagoRUN"},
        "signature": {"secrets": ["first-secret-0123456789", "second-secret-0123456789"]},
    }));
    let subscription = read(&given).unwrap().subscription;
    let (shown, stored) = (shown_json(&subscription), stored_json(&subscription, &sealer()));
    for text in [&shown, &stored] {
        for secret in ["key-0123", "token-0123", "first-secret", "second-secret"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(shown.contains("••••abcd") && shown.contains("env:TOKEN"), "{shown}");
    let again = read_as(SecretOrigin::Store, None, &stored).unwrap().subscription;
    assert_eq!(shown_json(&again), shown);
    let put_back = read_as(SecretOrigin::Api, Some(&subscription), &shown).unwrap().subscription;
    let exposed =
        |of: &Subscription| of.signature.secrets.iter().map(|s| s.expose().to_vec()).collect::<Vec<_>>();
    assert_eq!(exposed(&put_back), exposed(&subscription));
    assert!(read_as(SecretOrigin::Api, None, &shown).is_err(), "a mask is no secret");
}

#[test]
fn the_configuration_takes_references_only_and_the_api_none_that_leave_the_data_directory() {
    let literal = with(&json!({"auth": {"bearer": "a-literal-token-here"}})).to_string();
    assert!(read_as(SecretOrigin::Config, None, &literal).is_err());
    for reference in ["file:/etc/passwd", "file:../x", "file:store-key"] {
        assert_eq!(places(&with(&json!({"auth": {"bearer": reference}}))), ["/auth/bearer"], "{reference}");
    }
}

#[test]
fn what_could_not_stand_in_a_header_or_is_not_what_would_be_dialled_is_refused() {
    for auth in [json!({"bearer": "a\nb"}), json!({"api_key": {"key": "k", "secret": "s\u{0}"}})] {
        assert_eq!(places(&with(&json!({"auth": auth}))).len(), 1, "{auth}");
    }
    for url in ["http://a\nb/", "http://a/\tb", "http://a/\u{7f}"] {
        assert_eq!(places(&with(&json!({"url": url}))), ["/url"], "{url:?}");
    }
}

#[test]
fn a_patch_changes_what_it_names_and_leaves_the_text_of_the_rest() {
    let present = r#"{"name":"a","headers":{"A":"1","B":"2"},"payload_template":{"n":1.0},"fallback":"x"}"#;
    let merged =
        merged(present, r#"{"headers":{"B":null,"C":"3"},"fallback":null,"webhook_url":"u"}"#).unwrap();
    assert_eq!(merged, r#"{"headers":{"A":"1","C":"3"},"name":"a","payload_template":{"n":1.0},"url":"u"}"#);
}

#[test]
fn a_patch_that_changes_how_the_delays_grow_begins_with_the_figures_of_that_way() {
    let schedule =
        r#"{"retry_policy":{"backoff":"schedule","delays":[5,300],"max_delay":300,"max_attempts":3}}"#;
    let patched = |patch: &str| {
        let merged = merged(schedule, patch).unwrap();
        serde_json::from_str::<Value>(&merged).unwrap()["retry_policy"].clone()
    };
    for patch in [json!({"backoff": "fixed", "base": "1s"}), json!({"backoff": "exponential"})] {
        assert_eq!(patched(&json!({"retry_policy": patch}).to_string()), patch);
    }
    let more = patched(r#"{"retry_policy":{"delays":[7,8]}}"#);
    assert_eq!((&more["delays"], &more["max_attempts"]), (&json!([7, 8]), &json!(3)));
    let fewer = patched(r#"{"retry_policy":{"max_attempts":2}}"#);
    assert_eq!((&fewer["delays"], &fewer["max_attempts"]), (&json!([5, 300]), &json!(2)));
}

proptest! {
    #[test]
    fn what_is_written_reads_as_it_was(name in "[^\\x00-\\x1f\\x7f-\\x9f]{1,40}", value in "[ -~]{0,40}", seconds in 1_u32..300) {
        prop_assume!(!name.trim().is_empty());
        let given = with(&json!({"name": name, "headers": {"X-Any": value}, "timeout": seconds, "ordered": true}));
        let subscription = read(&given).unwrap().subscription;
        let stored = stored_json(&subscription, &sealer());
        let again = read_as(SecretOrigin::Store, None, &stored).unwrap().subscription;
        prop_assert_eq!(shown_json(&again), shown_json(&subscription));
        prop_assert_eq!(again.name, name);
    }
}
