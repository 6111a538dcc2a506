//! Each reason has its headline, its cause and something to do; and deliveries that other tests start from.

use super::*;
use std::net::{IpAddr, Ipv4Addr};

use crate::domain::{
    BodyEnd, ClientAddress, Connection, DeliveryId, DeliveryRow, Fault, Headers, Marks, Scheme, Secret,
    Source, Timestamp, Unverified,
};

/// A delivery of that verdict, without checks.
pub fn stored(verdict: Verdict, reason: Option<Reason>) -> StoredDelivery {
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    StoredDelivery {
        row: DeliveryRow {
            seq: 1,
            id: DeliveryId::new_at(Timestamp::from_secs(1_700_000_000)),
            source: "tagorun".into(),
            received_at: Timestamp::from_secs(1_700_000_000),
            method: "POST".into(),
            path: "/webhook/tagorun".into(),
            client_ip: ip,
            event_type: None,
            event_name: None,
            event_id: Some("evt_1".into()),
            entity: None,
            verdict,
            reason,
            status: reason.map_or(200, Reason::status),
            size_bytes: 2,
            duration_us: 10,
            duplicate_of: None,
            marks: Marks::default(),
            cause: None,
            unverified: Unverified::default(),
        },
        http_version: "HTTP/1.1".into(),
        client: ClientAddress { ip, peer: ip, explanation: "direct connection".into() },
        connection: Connection::default(),
        hung_up: None,
        headers: Headers::default(),
        body: bytes::Bytes::from_static(b"{}"),
        body_end: BodyEnd::Complete,
        checks: Vec::new(),
        node: None,
    }
}

/// A source of that scheme.
pub fn source(scheme: Scheme) -> Source {
    Source::plain("alerts", scheme)
}

fn refused(reason: Reason, seen: &str, rule: &str, faults: Vec<Fault>) -> StoredDelivery {
    let mut delivery = stored(Verdict::Rejected, Some(reason));
    delivery.checks.push(Check {
        gate: Gate::Signature,
        outcome: Outcome::Fail,
        reason: Some(reason),
        seen: seen.into(),
        rule: rule.into(),
        duration_us: 1,
        faults,
        notes: Vec::new(),
    });
    delivery
}

fn of(delivery: &StoredDelivery) -> Diagnosis {
    diagnose(delivery, &[], None)
}

#[test]
fn every_reason_has_a_headline_a_cause_and_something_to_do_and_says_it_once() {
    for reason in Reason::ALL {
        let told = of(&refused(*reason, "SEEN", "RULE", Vec::new()));
        assert!((1..=8).contains(&told.headline.split_whitespace().count()), "{reason:?}: {}", told.headline);
        assert!(told.cause.ends_with('.') && !told.fixes.is_empty(), "{reason:?}: {told:?}");
        assert!(told.text().matches("SEEN").count() <= 1, "{reason:?}: {}", told.text());
        for sentence in [told.text(), told.cause] {
            assert!(!sentence.contains("  ") && !sentence.contains(".."), "{sentence}");
        }
    }
}

#[test]
fn a_mismatch_that_nothing_explains_names_the_secrets_and_where_to_try_another() {
    let mut source = source(Scheme::Tagorun);
    source.name = "tagorun".to_owned();
    source.signature.secrets = vec![Secret::new("file:signing-secret", *b"0123456789abcdef0123456789ab7a7f")];
    let delivery = refused(Reason::SignatureMismatch, "one signature", "tagorun", Vec::new());
    let autopsy = Autopsy::impossible("2,807 common signing mistakes were checked, and none matches.");
    let told = diagnose(&delivery, &[source], Some(&autopsy));
    assert_eq!(told.headline, "Wrong secret or changed body");
    assert!(told.text().contains("in the file signing-secret (ends in 7a7f)"), "{}", told.text());
    assert!(told.fixes.iter().any(|fix| fix.action == Some(Action::TestSecret)));
    assert!(told.evidence.iter().any(|said| said.starts_with("2,807")), "{told:?}");
}

#[test]
fn an_invalid_payload_counts_its_faults() {
    let faults = vec![Fault::new("/user", "Missing required field: user"), Fault::new("/a", "b")];
    let said = of(&refused(Reason::InvalidPayload, "user.login", "schema", faults)).text();
    assert!(said.contains("Missing required field: user (+1 more)"), "{said}");
}

#[test]
fn points_are_told_from_a_repeat_by_their_ids() {
    let mut delivery = stored(Verdict::Accepted, None);
    delivery.row.event_id = None;
    assert!(of(&delivery).text().contains("a repeat cannot be recognised"), "{:?}", of(&delivery));
    for (seen, told) in [
        ("the ids of 28 data points", "the event is new, recognised by the ids of 28 data points."),
        (
            "no id; the digest of the body, for 600 s",
            "the event is new, recognised by the digest of the body, for 600 s.",
        ),
    ] {
        let mut delivery = delivery.clone();
        delivery.checks.push(Check {
            gate: Gate::Idempotency,
            outcome: Outcome::Pass,
            reason: None,
            seen: seen.into(),
            rule: String::new(),
            duration_us: 0,
            faults: Vec::new(),
            notes: Vec::new(),
        });
        assert!(of(&delivery).text().contains(told), "{:?}", of(&delivery));
    }
}

#[test]
fn a_cause_that_is_known_takes_the_place_of_what_is_guessed() {
    let cause =
        "The right token (file:t) came without the word Bearer. Send it as Authorization: Bearer TOKEN.";
    let mut delivery = refused(Reason::CredentialsWrong, "a", "b", Vec::new());
    if let Some(check) = delivery.checks.first_mut() {
        check.notes = vec![cause.to_owned()];
    }
    let told = of(&delivery);
    assert_eq!(told.text(), format!("Right credential, sent the wrong way. {cause}"));
    assert_eq!(told.fixes.len(), 1);
}

#[test]
fn an_unproven_sender_is_told_to_the_operator() {
    let mut delivery = stored(Verdict::Accepted, None);
    for gate in [Gate::Credentials, Gate::Signature] {
        delivery.checks.push(Check {
            gate,
            outcome: Outcome::Skipped,
            reason: None,
            seen: String::new(),
            rule: String::new(),
            duration_us: 0,
            faults: Vec::new(),
            notes: Vec::new(),
        });
    }
    assert!(of(&delivery).text().contains("Nothing proves who sent it"));
}

#[test]
fn a_source_with_several_credentials_is_told_about_the_one_that_was_sent() {
    let mut source = source(Scheme::None);
    source.name = "tagorun".to_owned();
    let secret = |name: &str| Secret::new(name, *b"0123456789abcdef");
    source.credentials = vec![
        Credential::Basic { username: "u".to_owned(), password: secret("env:PW") },
        Credential::ApiKey {
            key: secret("env:K"),
            secret: None,
            header: "X-API-Key".to_owned(),
            secret_header: String::new(),
        },
        Credential::Bearer(secret("env:TK")),
    ];
    for (header, value, seen, headline, step) in [
        (
            "Authorization",
            "Bearer masked",
            "a bearer token",
            "Wrong token",
            "The token is in the variable TK",
        ),
        ("X-API-Key", "masked", "a key in X-API-Key", "Wrong credential", "The key is in the variable K"),
        ("Authorization", "Basic masked", "a basic username and password", "Wrong credential", "variable PW"),
    ] {
        let mut delivery = refused(Reason::CredentialsWrong, seen, "RULE", Vec::new());
        delivery.headers.push(header, value);
        let told = diagnose(&delivery, std::slice::from_ref(&source), None);
        assert_eq!(told.headline, headline, "{value}: {}", told.text());
        assert!(told.text().contains(step), "{value}: {}", told.text());
    }
    source.credentials.retain(|credential| matches!(credential, Credential::ApiKey { .. }));
    let mut delivery = refused(Reason::CredentialsWrong, "a bearer token", "RULE", Vec::new());
    delivery.headers.push("Authorization", "Bearer masked");
    let told = diagnose(&delivery, &[source], None);
    assert_eq!(told.headline, "The credential is in the wrong header");
}

#[test]
fn a_trusted_proxy_is_never_advised_to_be_trusted() {
    let mut delivery = refused(Reason::IpNotAllowed, "127.0.0.1", "one of 203.0.113.0/24", Vec::new());
    delivery.headers.push("X-Forwarded-For", "127.0.0.1, 127.0.0.1");
    let direct = of(&delivery).text();
    assert!(direct.contains("trusted_proxies"), "{direct}");
    delivery.client.explanation =
        "X-Forwarded-For of trusted proxy 127.0.0.1, address 2 from the end".to_owned();
    let trusted = of(&delivery).text();
    assert!(!trusted.contains("trusted_proxies") && trusted.contains("allow = [\"127.0.0.1\"]"), "{trusted}");
}
