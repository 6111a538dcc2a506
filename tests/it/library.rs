//! The public API of the crate, as another Rust program uses it.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tagohook::{Catalogue, Claimed, EventStore, Request, Scheme, SignatureErrorKind, Signer, Verifier};

/// The published example of Standard Webhooks: its own library made it.
const SW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SW_BODY: &[u8] = br#"{"test": 2432232314}"#;
const SW_TIME: u64 = 1_614_265_330;
const SW_HEADERS: [(&str, &str); 3] = [
    ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    ("webhook-timestamp", "1614265330"),
    ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
];

fn at(secs: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(secs)
}

#[test]
fn a_signed_time_is_checked_with_its_tolerance_and_a_signed_id_is_told() {
    let request = Request::new(SW_HEADERS, SW_BODY);
    let verifier = Verifier::new(Scheme::STANDARD_WEBHOOKS, [SW_SECRET]).unwrap();
    for (now, is_valid) in [(SW_TIME - 300, true), (SW_TIME + 300, true), (SW_TIME + 301, false)] {
        let signed = verifier.verify_at(&request, at(now));
        assert_eq!(signed.is_ok(), is_valid, "{now}");
    }
    let signed = verifier.verify_at(&request, at(SW_TIME)).unwrap();
    assert_eq!((signed.secret, signed.id.as_deref()), (0, Some("msg_p5jXN8AQM9LWM0D4loKWxJek")));
    let stale = verifier.verify(&request).unwrap_err();
    assert_eq!(stale.kind(), SignatureErrorKind::Stale);
    let wide = verifier.tolerance(Duration::from_secs(400));
    assert!(wide.verify_at(&request, at(SW_TIME + 400)).is_ok());
    let autopsy = wide.autopsy_at(&request, at(SW_TIME + 7_200)).unwrap();
    assert_eq!(autopsy.headline, "The sender signs local time, not UTC");
    assert_eq!(wide.autopsy_at(&request, at(SW_TIME)), None);
    let made = Signer::new(Scheme::STANDARD_WEBHOOKS, SW_SECRET).unwrap();
    let made = made.sign_at("msg_p5jXN8AQM9LWM0D4loKWxJek", at(SW_TIME), SW_BODY);
    let made: Vec<(&str, &str)> = made.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(made, SW_HEADERS);
}

#[test]
fn each_kind_of_fault_has_its_autopsy() {
    let verifier = Verifier::new(Scheme::TAGORUN, ["a-secret-of-at-least-16-bytes"]).unwrap();
    // printf '{"a":1}' | openssl dgst -sha256 -hmac "a-secret-of-at-least-16-bytes
    // "
    let with_newline = Signer::new(Scheme::TAGORUN, "a-secret-of-at-least-16-bytes\n").unwrap();
    let headers = with_newline.sign("", br#"{"a":1}"#);
    for (headers, kind, headline) in [
        (headers, SignatureErrorKind::Mismatch, "The sender's secret ends with a blank"),
        (vec![], SignatureErrorKind::Missing, "Not signed"),
        (
            vec![("X-TagoRUN-Signature".to_owned(), "sha256=".to_owned())],
            SignatureErrorKind::Malformed,
            "Malformed signature header",
        ),
    ] {
        let request = Request::new(headers, br#"{"a":1}"#);
        assert_eq!(verifier.verify(&request).unwrap_err().kind(), kind);
        let autopsy = verifier.autopsy(&request).unwrap();
        assert_eq!(autopsy.headline, headline);
        assert!(!autopsy.cause.is_empty());
    }
}

#[test]
fn any_hmac_can_be_described_and_signs_as_it_verifies() {
    let scheme = Scheme::hmac(
        r#"{ header = "X-Sig", prefix = "v1=", algorithm = "sha512", encoding = "base64", signed = "{timestamp}.{body}", timestamp = "X-Time" }"#,
    )
    .unwrap();
    let headers = Signer::new(scheme, "a-secret-of-at-least-16-bytes").unwrap().sign("", b"{}");
    let verifier =
        Verifier::new(scheme, ["another-secret-16-bytes", "a-secret-of-at-least-16-bytes"]).unwrap();
    assert_eq!(verifier.verify(&Request::new(headers.clone(), b"{}")).unwrap().secret, 1);
    assert!(verifier.verify(&Request::new(headers, b"{ }")).is_err());
    for (text, part) in [("{ heder = \"X\" }", "did you mean header"), ("7", "table"), ("{", "")] {
        let fault = Scheme::hmac(text).unwrap_err().to_string();
        assert!(fault.contains(part) && !fault.is_empty(), "{fault}");
    }
    let path = Scheme::hmac(r#"{ header = "X-Sig", signed = "{path}{body}" }"#).unwrap();
    assert!(Signer::new(path, "a-secret-of-at-least-16-bytes").is_err());
}

#[test]
fn schemes_have_names_and_secrets_a_least_length() {
    for name in ["tagorun", "standard-webhooks", "github", "stripe", "slack", "x"] {
        assert_eq!(Scheme::named(name).unwrap().name(), name);
    }
    assert_eq!((Scheme::named("none"), Scheme::named("hmac")), (None, None));
    let fault = Verifier::new(Scheme::TAGORUN, ["a-secret-of-at-least-16-bytes", "short"]).unwrap_err();
    assert_eq!(fault.to_string(), "secret 2: 5 bytes; at least 16 are needed");
    assert!(Verifier::new::<&str>(Scheme::TAGORUN, []).is_err());
    let shown = format!("{:?}", Signer::new(Scheme::TAGORUN, "a-secret-of-at-least-16-bytes").unwrap());
    assert!(!shown.contains("at-least"), "{shown}");
}

#[test]
fn every_example_of_the_catalogue_is_valid_and_own_schemas_count() {
    let catalogue = Catalogue::builtin();
    for event_type in catalogue.events() {
        let event = catalogue.validate(event_type.example().unwrap().as_bytes()).unwrap();
        assert_eq!((event.name.as_str(), event.is_known), (event_type.name(), true));
        assert!(event_type.schema().contains("\"required\"") && event_type.shape().is_some());
    }
    let unknown = catalogue.validate(br#"{"event":"plant.watered","id":42}"#).unwrap();
    assert_eq!((unknown.is_known, unknown.id.as_deref()), (false, Some("42")));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plant.watered.json"), r#"{"required":["litres"]}"#).unwrap();
    let own = Catalogue::with_schemas(folder.path()).unwrap();
    assert_eq!(own.validate(br#"{"event":"plant.watered"}"#).unwrap_err().problems[0].pointer, "/litres");
    for body in [&b"[]"[..], b"{", b"{}", br#"{"event":"a","event":"b"}"#, br#"{"event":"a","id":1.5}"#] {
        assert_eq!(catalogue.validate(body).unwrap_err().problems.len(), 1);
    }
    fs::write(folder.path().join("plant.watered.json"), "{").unwrap();
    assert!(Catalogue::with_schemas(folder.path()).unwrap_err().to_string().contains("plant.watered.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_equal_claims_exactly_one_is_new_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.db");
    let store = EventStore::open(&file).await.unwrap();
    let claims = (0..50).map(|_| store.claim("s", "evt_1", br#"{"n": 1}"#));
    let claimed = futures_util::future::try_join_all(claims).await.unwrap();
    assert_eq!(claimed.iter().filter(|claimed| **claimed == Claimed::New).count(), 1);
    store.close().await;
    let store = EventStore::open(&file).await.unwrap();
    // The same value in other bytes is the same event.
    let again = store.claim("s", "evt_1", br#"{"n":1}"#).await.unwrap();
    let Claimed::Duplicate { first_seen } = again else { panic!("{again:?}") };
    assert!(first_seen.elapsed().unwrap() < Duration::from_secs(3_600));
    assert!(matches!(store.claim("s", "evt_1", b"{}").await.unwrap(), Claimed::Conflict { .. }));
    for id in ["", "  ", "a\0", &"x".repeat(257)] {
        assert!(store.claim("s", id, b"{}").await.is_err(), "{id:?}");
    }
    store.close().await;
    assert!(EventStore::open(folder.path().join("missing/events.db")).await.is_err());
}
