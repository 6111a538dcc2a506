//! Gate 3: does the request present one of the source's credentials?

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::trace::{Finding, Gated};
use crate::domain::{Credential, Headers, Reason};

/// Base64 as in RFC 7617; some clients leave out the padding.
const BASIC: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One of `credentials` must be presented; without any configured, the check is skipped.
pub fn check(credentials: &[Credential], headers: &Headers) -> Gated<()> {
    if credentials.is_empty() {
        return Finding::new("", "no credentials asked for").skip(());
    }
    let authorization = Authorization::read(headers);
    let mut presented = vec![authorization.describe()];
    let mut matched = None;
    for (index, credential) in credentials.iter().enumerate() {
        // Every credential is compared, so that the time taken does not reveal which one matched.
        if matches(credential, &authorization, headers, &mut presented) && matched.is_none() {
            matched = Some(index);
        }
    }
    presented.retain(|part| !part.is_empty());
    presented.dedup();
    let rule = credentials.iter().map(describe).collect::<Vec<_>>().join(", or ");
    match (matched.and_then(|index| credentials.get(index)), presented.is_empty()) {
        (Some(credential), _) => Finding::new(describe(credential), rule).pass(()),
        (None, true) => Finding::new("none", rule).fail(Reason::CredentialsMissing),
        (None, false) => Finding::new(presented.join(", "), rule).fail(Reason::CredentialsWrong),
    }
}

/// What the `Authorization` header presents.
enum Authorization {
    Absent,
    Bearer(Vec<u8>),
    Basic { username: Vec<u8>, password: Vec<u8> },
    Unusable(&'static str),
}

impl Authorization {
    /// Reads the header: the scheme in any case, one or more blanks, then the token to the end (RFC 9110, 11.4).
    fn read(headers: &Headers) -> Self {
        let mut lines = headers.get_all("authorization");
        let Some(value) = lines.next() else { return Self::Absent };
        if lines.next().is_some() {
            return Self::Unusable("several Authorization headers");
        }
        if value.is_empty() {
            return Self::Absent;
        }
        let blank = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at_checked(blank).unwrap_or((value, &[]));
        let token = rest.trim_ascii_start();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            Self::Bearer(token.to_vec())
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            Self::read_basic(token)
        } else {
            Self::Unusable("an Authorization header of another scheme")
        }
    }

    fn read_basic(token: &[u8]) -> Self {
        let Ok(decoded) = BASIC.decode(token) else {
            return Self::Unusable("a Basic credential that is not base64");
        };
        // Only the first colon separates: a password may contain more (RFC 7617, 2).
        match decoded.iter().position(|byte| *byte == b':').and_then(|at| decoded.split_at_checked(at)) {
            Some((username, rest)) => {
                Self::Basic { username: username.to_vec(), password: rest.iter().skip(1).copied().collect() }
            }
            None => Self::Unusable("a Basic credential without a colon"),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Bearer(_) => "a bearer token".to_owned(),
            Self::Basic { .. } => "a basic username and password".to_owned(),
            Self::Unusable(why) => (*why).to_owned(),
        }
    }
}

fn describe(credential: &Credential) -> String {
    match credential {
        Credential::Bearer(secret) => format!("bearer token {}", secret.name()),
        Credential::ApiKey { header, secret: None, key, .. } => format!("{header} {}", key.name()),
        Credential::ApiKey { header, secret_header, key, .. } => {
            format!("{header} with {secret_header} {}", key.name())
        }
        Credential::Basic { password, .. } => format!("basic password {}", password.name()),
    }
}

fn matches(
    credential: &Credential,
    authorization: &Authorization,
    headers: &Headers,
    presented: &mut Vec<String>,
) -> bool {
    match (credential, authorization) {
        (Credential::Bearer(secret), Authorization::Bearer(token)) => same(token, secret.expose()),
        (
            Credential::Basic { username, password },
            Authorization::Basic { username: seen_username, password: seen_password },
        ) => same(seen_username, username.as_bytes()) & same(seen_password, password.expose()),
        (Credential::ApiKey { key, secret, header, secret_header }, _) => {
            let seen_key = only_value(headers, header);
            if let Some(value) = seen_key
                && !value.is_empty()
            {
                presented.push(format!("a key in {header}"));
            }
            let key_matches = same(seen_key.unwrap_or_default(), key.expose());
            let secret_matches = match secret {
                Some(secret) => same(only_value(headers, secret_header).unwrap_or_default(), secret.expose()),
                None => true,
            };
            key_matches & secret_matches
        }
        _ => false,
    }
}

/// The value of a header that occurs exactly once.
fn only_value<'a>(headers: &'a Headers, name: &'a str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name);
    values.next().filter(|_| values.next().is_none())
}

/// Equality in constant time. Digests are compared, so unequal lengths take as long as equal ones.
fn same(seen: &[u8], expected: &[u8]) -> bool {
    Sha256::digest(seen).ct_eq(&Sha256::digest(expected)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Gate, Secret};
    use crate::receive::trace::Trace;

    fn judge(credential: Credential, lines: &[(&str, &str)]) -> Result<(), Reason> {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(*name, value.as_bytes());
        }
        Trace::start().gate(Gate::Credentials, check(&[credential], &headers))
    }

    fn bearer() -> Credential {
        Credential::Bearer(Secret::new("file:t", *b"token-of-16-bytes"))
    }

    fn basic(username: &str, password: &str) -> Credential {
        let password = Secret::new("file:p", password.as_bytes());
        Credential::Basic { username: username.into(), password }
    }

    fn api_key(secret: Option<&str>) -> Credential {
        Credential::ApiKey {
            key: Secret::new("file:k", *b"the-key"),
            secret: secret.map(|secret| Secret::new("file:s", secret.as_bytes())),
            header: "X-API-Key".into(),
            secret_header: "X-API-Secret".into(),
        }
    }

    #[test]
    fn net_08_the_scheme_is_case_free_and_the_token_exact() {
        assert_eq!(judge(bearer(), &[("authorization", "bEaReR token-of-16-bytes")]), Ok(()));
        assert_eq!(judge(bearer(), &[("Authorization", "Bearer  token-of-16-bytes")]), Ok(()));
        for wrong in
            ["Bearer token-of-16-byte", "Bearer token-of-16-bytes ", "Bearer", "Bearer Token-of-16-bytes"]
        {
            assert_eq!(
                judge(bearer(), &[("Authorization", wrong)]),
                Err(Reason::CredentialsWrong),
                "{wrong}"
            );
        }
        assert_eq!(judge(bearer(), &[]), Err(Reason::CredentialsMissing));
        let twice = [("Authorization", "Bearer token-of-16-bytes"), ("Authorization", "Bearer x")];
        assert_eq!(judge(bearer(), &twice), Err(Reason::CredentialsWrong));
    }

    #[test]
    fn net_07_a_basic_password_may_hold_colons_and_utf_8() {
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let colons = format!("basic {}", encode("u:a:b:c"));
        assert_eq!(judge(basic("u", "a:b:c"), &[("Authorization", &colons)]), Ok(()));
        let umlauts = format!("Basic {}", encode("jürgen:pässwörd"));
        assert_eq!(judge(basic("jürgen", "pässwörd"), &[("Authorization", &umlauts)]), Ok(()));
        let wrong = format!("Basic {}", encode("u:a:b"));
        assert_eq!(judge(basic("u", "a:b:c"), &[("Authorization", &wrong)]), Err(Reason::CredentialsWrong));
        for broken in ["Basic !!!", "Basic dQ==", "Basic "] {
            let seen = judge(basic("u", "p"), &[("Authorization", broken)]);
            assert_eq!(seen, Err(Reason::CredentialsWrong), "{broken}");
        }
    }

    #[test]
    fn an_api_key_goes_with_its_secret_where_one_is_configured() {
        assert_eq!(judge(api_key(None), &[("x-api-key", "the-key")]), Ok(()));
        let both = [("X-API-Key", "the-key"), ("X-API-Secret", "the-secret")];
        assert_eq!(judge(api_key(Some("the-secret")), &both), Ok(()));
        assert_eq!(judge(api_key(Some("other")), &both), Err(Reason::CredentialsWrong));
        assert_eq!(judge(api_key(Some("s")), &[("X-API-Key", "the-key")]), Err(Reason::CredentialsWrong));
        assert_eq!(judge(api_key(None), &[("Authorization", "")]), Err(Reason::CredentialsMissing));
    }
}
