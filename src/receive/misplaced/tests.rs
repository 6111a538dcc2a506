//! The message for each valid credential in the wrong place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::domain::Scheme;

const TOKEN: &str = "a-token-of-the-tests-0123456789";
const SIGNS: &str = "a-signing-secret-of-the-tests";
const OTHER: &str = "the-token-of-another-source";

fn source(name: &str, credentials: Vec<Credential>, secrets: Vec<Secret>) -> Source {
    let scheme = if secrets.is_empty() { Scheme::None } else { Scheme::Tagorun };
    let mut source = Source { credentials, id_pointer: String::new(), ..Source::plain(name, scheme) };
    source.signature.secrets = secrets;
    source
}

fn secret(name: &str, text: &str) -> Secret {
    Secret::new(name, text.as_bytes())
}

fn look(credential: Credential, lines: &[(&str, &str)], target: &str) -> Option<Misplaced> {
    let own = source("tagoio", vec![credential], Vec::new());
    let signed = source("tagorun", Vec::new(), vec![secret("file:signing-secret", SIGNS)]);
    let other = source("other", vec![Credential::Bearer(secret("file:other-token", OTHER))], Vec::new());
    let mut headers = Headers::default();
    for (name, value) in lines {
        headers.push(*name, value.as_bytes());
    }
    find(&own, &[signed, own.clone(), other], &headers, target)
}

fn said(credential: Credential, lines: &[(&str, &str)], target: &str) -> String {
    let sentence = look(credential, lines, target).map(|found| found.sentence).unwrap_or_default();
    for known in [TOKEN, SIGNS, OTHER] {
        assert!(!sentence.contains(known), "{sentence}");
    }
    sentence
}

fn bearer() -> Credential {
    Credential::Bearer(secret("file:tagoio-token", TOKEN))
}

#[test]
fn a_right_bearer_token_in_the_wrong_form_is_named_with_what_is_wrong() {
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    for (value, how) in [
        (TOKEN.to_owned(), "without the word Bearer"),
        (format!("Bearer: {TOKEN}"), "with a colon behind that word"),
        (format!("Bearer \"{TOKEN}\""), "in quotes or brackets"),
        (format!("Bearer <{TOKEN}>"), "in quotes or brackets"),
        (format!("Token {TOKEN}"), "behind the word Token instead of Bearer"),
        (format!("Authorization: Bearer {TOKEN}"), "with the header's name repeated in its value"),
        (format!("Bearer Bearer {TOKEN}"), "behind the word Bearer and another word"),
        (format!("Bearer {}", STANDARD.encode(TOKEN)), "encoded as base64"),
        (basic(TOKEN), "as a Basic credential"),
        (basic(&format!("user:{TOKEN}")), "as a Basic credential"),
        (basic(&format!("{TOKEN}:")), "as a Basic credential"),
        (format!("Basic {TOKEN}"), "behind the word Basic instead of Bearer"),
        (format!("Bearer {TOKEN} "), "with blanks around it"),
        (format!("Bearer\t{TOKEN}"), "with a tab instead of a blank behind the word Bearer"),
        (format!("Bearer {TOKEN},"), "with a comma or a semicolon behind it"),
    ] {
        let sentence = said(bearer(), &[("Authorization", &value)], "/webhook/tagoio");
        let expected = format!(
            "The right token (file:tagoio-token) came {how}. Send it as Authorization: Bearer TOKEN."
        );
        assert_eq!(sentence, expected, "{value}");
    }
}

#[test]
fn a_right_token_in_the_wrong_place_is_named_with_the_place_and_never_kept() {
    for name in ["Token", "X-API-Key", "X-Anything"] {
        let found = look(bearer(), &[(name, TOKEN)], "/webhook/tagoio").unwrap();
        assert!(found.sentence.contains(&format!("came in the header {name}.")), "{}", found.sentence);
        assert_eq!(found.places, [Place::Header(name.to_owned())]);
    }
    let found = look(bearer(), &[], &format!("/webhook/tagoio?a=1&t={TOKEN}")).unwrap();
    assert!(found.sentence.contains("came in the URL, as the parameter t."), "{}", found.sentence);
    assert_eq!(found.places, [Place::Query("t".to_owned())]);
    for target in [format!("/webhook/tagoio/{TOKEN}"), format!("/webhook/tagoio?{TOKEN}")] {
        let found = look(bearer(), &[], &target).unwrap();
        assert!(found.sentence.contains("came in the URL."), "{}", found.sentence);
        assert_eq!(found.places, [Place::Part(TOKEN.to_owned())]);
    }
    let twice = [("Authorization", &*format!("Bearer {TOKEN}")), ("Authorization", "Bearer x")];
    assert!(said(bearer(), &twice, "/").contains("came with a second Authorization header."));
}

#[test]
fn another_secret_of_ours_is_called_by_its_name() {
    let signs = said(bearer(), &[("Authorization", &format!("Bearer {SIGNS}"))], "/");
    assert_eq!(
        signs,
        "Authorization carries file:signing-secret, the signing secret of source “tagorun”. Source “tagoio” expects \
         file:tagoio-token."
    );
    let other = said(bearer(), &[("Authorization", &format!("Bearer {OTHER}"))], "/");
    assert_eq!(
        other,
        "Authorization carries file:other-token, the credential of source “other”. Post to /webhook/other, or send \
         file:tagoio-token."
    );
}

#[test]
fn keys_and_passwords_are_looked_for_too() {
    let key = |second: Option<&str>| Credential::ApiKey {
        key: secret("file:k", TOKEN),
        secret: second.map(|text| secret("file:s", text)),
        header: "X-API-Key".to_owned(),
        secret_header: "X-API-Secret".to_owned(),
    };
    let in_bearer = said(key(None), &[("Authorization", &format!("Bearer {TOKEN}"))], "/");
    assert_eq!(
        in_bearer,
        "The right key (file:k) came in the header Authorization. Send it as X-API-Key: KEY."
    );
    let behind = said(key(None), &[("X-API-Key", &format!("ApiKey {TOKEN}"))], "/");
    assert!(behind.contains("came behind the word ApiKey."), "{behind}");
    let alone = said(key(Some("the-second-half")), &[("X-API-Key", TOKEN)], "/");
    assert!(alone.contains("came in X-API-Key, without X-API-Secret."), "{alone}");
    let wrong = said(key(Some("the-second-half")), &[("X-API-Key", TOKEN), ("X-API-Secret", "x")], "/");
    assert!(wrong.contains("with another secret in X-API-Secret."), "{wrong}");
    let half = said(key(Some("the-second-half")), &[("X-API-Secret", "the-second-half")], "/");
    assert!(half.contains("The right secret (file:s) came without the right key in X-API-Key."), "{half}");

    let password = || Credential::Basic { username: "u".to_owned(), password: secret("env:P", TOKEN) };
    let basic =
        |text: &str| said(password(), &[("Authorization", &format!("Basic {}", STANDARD.encode(text)))], "/");
    assert!(
        basic(&format!("other:{TOKEN}")).contains("The right password (env:P) came with another user name.")
    );
    assert!(basic(TOKEN).contains("came without a user name and a colon."));
    assert!(basic(&STANDARD.encode(format!("u:{TOKEN}"))).contains("came encoded as base64 twice."));
    assert!(basic(&format!("{TOKEN}:u")).contains("came in the place of the user name."));
    let plain = said(password(), &[("Authorization", &format!("Basic u:{TOKEN}"))], "/");
    assert!(plain.contains("came with other text at a colon."), "{plain}");
}

#[test]
fn a_token_that_was_not_filled_in_is_told_from_a_wrong_one() {
    let undefined = format!("Basic {}", STANDARD.encode("undefined:undefined"));
    for value in [
        "Bearer $TOKEN$",
        "Bearer {{token}}",
        "Bearer undefined",
        "Bearer YOUR_TOKEN",
        "Bearer <TOKEN>",
        "Bearer file:tagoio-token",
        "${TOKEN}",
        &undefined,
    ] {
        let sentence = said(bearer(), &[("Authorization", value)], "/");
        assert!(sentence.contains("carries a placeholder"), "{value}: {sentence}");
    }
    assert!(said(bearer(), &[("Authorization", "Bearer ")], "/").contains("no token."));
    for value in ["Bearer another-token-0123456789", "Bearer a-token-of-the-tests-012345678", "x"] {
        assert_eq!(look(bearer(), &[("Authorization", value)], "/webhook/tagoio?x=1"), None, "{value}");
    }
}
