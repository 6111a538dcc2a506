//! Requests that an attacker may try, and that must fail.

use super::*;
use crate::domain::{HandedSecret, Platform, Scheme};

fn source(scheme: Scheme, kind: Handshake) -> Source {
    let token = (kind == Handshake::Meta).then(|| Secret::new("file:token", *b"our-verify-token"));
    let handed = HandedSecret::new("/data/asana-secret-s".into(), None);
    let mut source = Source::plain("s", scheme);
    source.signature.secrets = vec![Secret::new("file:s", *b"0123456789abcdef")];
    source.handshake = Some(HandshakeRule { kind, token, opens_links: false, handed });
    source
}

fn asked(kind: Handshake, given: &str, token: &str) -> Result<Reply, Reason> {
    let source = source(Scheme::Platform(Platform::X), kind);
    let asked = Asked { handshake: kind, is_signed: false, given: given.to_owned(), token: token.to_owned() };
    answer(&source, source.handshake.as_ref().unwrap(), &asked)
        .map(|(reply, _)| reply)
        .map_err(|refusal| refusal.reason)
}

#[test]
fn nothing_that_could_be_an_event_is_signed() {
    for kind in [Handshake::Zoom, Handshake::X] {
        for given in ["MDk4NzY1NDMyMQ==", "a", &"x".repeat(256)] {
            assert!(asked(kind, given, "").is_ok(), "{given}");
        }
        for given in
            ["", "{}", "[]", "{\"event\":1}", "v0:1:{}", "a b", "\"a\"", "a\nb", "ü", &"x".repeat(257)]
        {
            assert_eq!(asked(kind, given, "").map(|_| ()), Err(Reason::HandshakeMalformed), "{given:?}");
        }
    }
    let reply = asked(Handshake::X, "challenge_string", "").unwrap();
    let expected = STANDARD.encode(digest(b"0123456789abcdef", &[b"challenge_string"]));
    assert_eq!(reply.body, format!("{{\"response_token\":\"sha256={expected}\"}}").into_bytes());
}

#[test]
fn a_challenge_is_returned_as_text_within_its_limits() {
    for kind in [Handshake::Slack, Handshake::Dropbox, Handshake::Twitch, Handshake::MicrosoftGraph] {
        let reply = asked(kind, "Validation: <script>alert(1)</script>", "").unwrap();
        assert_eq!((reply.status, reply.content_type), (200, TEXT), "{kind:?}: a browser shows no page");
        for given in ["", "a\r\nb", "a\0", &"x".repeat(2049)] {
            assert_eq!(asked(kind, given, "").map(|_| ()), Err(Reason::HandshakeMalformed), "{kind:?}");
        }
        assert!(asked(kind, &"x".repeat(2048), "").is_ok());
    }
    let reply = asked(Handshake::Okta, "a\"b", "").unwrap();
    assert_eq!(reply.body, br#"{"verification":"a\"b"}"#);
}

#[test]
fn meta_is_answered_only_with_our_own_token() {
    assert_eq!(asked(Handshake::Meta, "1158201444", "our-verify-token").unwrap().body, b"1158201444");
    for token in ["", "our-verify-toke", "our-verify-token2", "OUR-VERIFY-TOKEN"] {
        assert_eq!(asked(Handshake::Meta, "1", token).map(|_| ()), Err(Reason::HandshakeRefused), "{token}");
    }
}

#[test]
fn a_secret_is_handed_over_once_and_never_printed() {
    let source = source(Scheme::Platform(Platform::Asana), Handshake::Asana);
    let rule = source.handshake.as_ref().unwrap();
    let hand = |given: &str| {
        let asked = Asked {
            handshake: Handshake::Asana,
            is_signed: false,
            given: given.to_owned(),
            token: String::new(),
        };
        answer(&source, rule, &asked).map_err(|refusal| refusal.reason)
    };
    let first = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
    let (reply, said) = hand(first).unwrap();
    assert!(said.contains("file:asana-secret-s") && !said.contains(first), "{said}");
    let Some(FollowUp::Keep(secret)) = reply.follow_up else { panic!("it is not kept") };
    assert!(rule.handed.take(secret));
    assert!(hand(first).unwrap().0.follow_up.is_none(), "the same one is answered again");
    assert_eq!(hand(&first.replace('b', "c")).map(|_| ()), Err(Reason::HandshakeRefused));
    for odd in ["", "short", "with a blank in it", &"x".repeat(257)] {
        assert_eq!(hand(odd).map(|_| ()), Err(Reason::HandshakeMalformed), "{odd}");
    }
    assert_eq!(source.signature_now().secrets.len(), 2);
}
