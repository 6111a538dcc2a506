//! The secrets of a subscription: references, literals from the API, sealed secrets, and masks that come back.

use serde_json::{Map, Value};

use super::fault::JsonFault;
use super::mask::{DOTS, mask, mask_header};
use super::write::secrets_of;
use crate::config::seal::Sealer;
use crate::config::secrets::SecretCheck;
use crate::domain::json::pointer;
use crate::domain::{
    Credential, HeaderValue, Scheme, Secret, SigningRule, Subscription, SubscriptionHeader,
    names_credential_header,
};

/// The default signing secret: the installation's own.
const OWN_SECRET: &str = "file:signing-secret";
/// The name of a literal secret.
pub(super) const LITERAL: &str = "sealed";
/// The longest value of a header, in bytes.
const MAX_VALUE: usize = 4_096;
/// Headers that belong to the connection (RFC 9110, 7.6.1) or to the request as a whole, and our own.
const RESERVED: [&str; 20] = [
    "host",
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "x-tagorun-signature",
    "x-tagorun-event-id",
    "x-tagorun-message-id",
    "x-tagorun-attempt",
    "x-tagorun-batch-size",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// Where a subscription comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    /// The API or a page: literals are allowed; references stay inside the data directory.
    Api,
    /// The configuration: references only.
    Config,
    /// The store: literals are sealed.
    Store,
}

/// Reads secrets.
pub struct SecretReader<'a> {
    /// Where the subscription comes from.
    pub origin: SecretOrigin,
    /// Resolves `file:` and `env:` references.
    pub resolve: &'a dyn Fn(&str) -> Result<Secret, String>,
    /// Opens sealed secrets.
    pub sealer: &'a Sealer,
    /// Returns why a secret is not a valid key for a scheme.
    pub check: SecretCheck,
    /// The current subscription, whose masked secrets may come back.
    pub present: Option<&'a Subscription>,
}

/// Whether a credential contains characters that a header cannot carry.
fn breaks_header(secret: &Secret, pointer: &str) -> bool {
    let is_credential = pointer.starts_with("/auth/") && !pointer.starts_with("/auth/basic/");
    let is_odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    (is_credential || pointer.starts_with("/headers/")) && secret.expose().iter().any(is_odd)
}

impl SecretReader<'_> {
    /// A secret at `pointer`; the fault never repeats it.
    fn secret(&self, value: &Value, pointer: &str, faults: &mut Vec<JsonFault>) -> Option<Secret> {
        match self.read(value, pointer) {
            // For a stored secret, the fault is reported when it is sent.
            Ok(secret) if self.origin != SecretOrigin::Store && breaks_header(&secret, pointer) => {
                faults.push(JsonFault::new(pointer, "contains a line break or another control character"));
                None
            }
            Ok(secret) => Some(secret),
            Err(what) => {
                faults.push(JsonFault::new(pointer, what));
                None
            }
        }
    }

    fn read(&self, value: &Value, pointer: &str) -> Result<Secret, String> {
        if let (SecretOrigin::Store, Some(sealed)) =
            (self.origin, value.get("sealed").and_then(Value::as_str))
        {
            let opened = self.sealer.open(sealed);
            return opened
                .map(|bytes| Secret::new(LITERAL, bytes))
                .ok_or_else(|| "was encrypted with another store-key; enter it again".to_owned());
        }
        let text =
            value.as_str().ok_or("must be a string: the secret itself, \"file:NAME\" or \"env:NAME\"")?;
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if text.contains("base64(") {
            return Err(BASE64_HINT.to_owned());
        }
        if text.starts_with("file:") || text.starts_with("env:") {
            return self.reference(text);
        }
        if let Some(kept) = self.kept(text, pointer) {
            return Ok(kept);
        }
        if text.contains(DOTS) {
            return Err("is a mask, not the secret; hand the secret in again".to_owned());
        }
        match self.origin {
            // A value that differs from event to event is not a secret of this file; `auth` can refer to one.
            SecretOrigin::Config if pointer.starts_with("/headers/") && text.contains("{{") => {
                Ok(Secret::new(LITERAL, text.as_bytes()))
            }
            SecretOrigin::Config => (self.resolve)(text),
            SecretOrigin::Api | SecretOrigin::Store => Ok(Secret::new(LITERAL, text.as_bytes())),
        }
    }

    fn reference(&self, text: &str) -> Result<Secret, String> {
        if let (SecretOrigin::Api, Some(name)) = (self.origin, text.strip_prefix("file:")) {
            let leaves = name.starts_with('/') || name.split('/').any(|part| part == "..");
            if leaves || name == "store-key" {
                return Err("names a file in the data directory, as \"file:crm-token\"".to_owned());
            }
        }
        (self.resolve)(text)
    }

    /// The current secret whose mask came back unchanged: the one at that place, or for a list any of them.
    fn kept(&self, text: &str, pointer: &str) -> Option<Secret> {
        let present = secrets_of(self.present?);
        let is_it = |secret: &Secret| mask(secret) == text || mask_header(secret) == text;
        let here = present.iter().find(|(place, secret)| place == pointer && is_it(secret));
        let list = pointer.rsplit_once('/').map(|(list, _)| list).filter(|list| list.ends_with("/secrets"));
        let moved = || {
            let list = list?;
            present.iter().find(|(place, secret)| place.starts_with(list) && is_it(secret))
        };
        here.or_else(moved).map(|(_, secret)| (*secret).clone())
    }

    /// `auth`: exactly one way to present a credential.
    pub fn auth(&self, value: &Value, faults: &mut Vec<JsonFault>) -> Option<Credential> {
        let forms = "one of {\"bearer\": …}, {\"api_key\": {\"key\": …}}, {\"basic\": {\"username\": …, \"password\": …}}";
        let one =
            value.as_object().filter(|members| members.len() == 1).and_then(|members| members.iter().next());
        match one.map(|(kind, value)| (kind.as_str(), value)) {
            Some(("bearer", token)) => self.secret(token, "/auth/bearer", faults).map(Credential::Bearer),
            Some(("api_key", Value::Object(members))) => self.api_key(members, faults),
            Some(("api_key", key)) => {
                let mut members = Map::new();
                members.insert("key".to_owned(), key.clone());
                self.api_key(&members, faults)
            }
            Some(("basic", Value::Object(members))) => self.basic(members, faults),
            _ => {
                faults.push(JsonFault::new("/auth", forms));
                None
            }
        }
    }

    fn api_key(&self, members: &Map<String, Value>, faults: &mut Vec<JsonFault>) -> Option<Credential> {
        only(members, &["key", "secret", "header", "secret_header"], "/auth/api_key", faults)?;
        let header = header_name(members, "header", "X-API-Key", faults)?;
        let secret_header = header_name(members, "secret_header", "X-API-Secret", faults)?;
        let missing = Value::Null;
        let key = self.secret(members.get("key").unwrap_or(&missing), "/auth/api_key/key", faults)?;
        let secret = match members.get("secret").filter(|secret| !secret.is_null()) {
            Some(secret) => Some(self.secret(secret, "/auth/api_key/secret", faults)?),
            None => None,
        };
        Some(Credential::ApiKey { key, secret, header, secret_header })
    }

    fn basic(&self, members: &Map<String, Value>, faults: &mut Vec<JsonFault>) -> Option<Credential> {
        only(members, &["username", "password"], "/auth/basic", faults)?;
        let username = members.get("username").and_then(Value::as_str);
        let Some(username) = username.filter(|username| !username.contains(':')) else {
            faults
                .push(JsonFault::new("/auth/basic/username", "must be a string without a colon (RFC 7617)"));
            return None;
        };
        let missing = Value::Null;
        let password =
            self.secret(members.get("password").unwrap_or(&missing), "/auth/basic/password", faults)?;
        Some(Credential::Basic { username: username.to_owned(), password })
    }

    /// `signature`; by default, requests are signed as TagoRUN does, with the installation's own secret.
    pub fn signature(&self, value: Option<&Value>, faults: &mut Vec<JsonFault>) -> Option<SigningRule> {
        let empty = Map::new();
        let members = match value {
            None => &empty,
            Some(Value::Object(members)) => members,
            Some(_) => {
                let form = "an object, as {\"scheme\": \"tagorun\", \"secrets\": [\"file:signing-secret\"]}, or \"none\"";
                faults.push(JsonFault::new("/signature", form));
                return None;
            }
        };
        only(members, &["scheme", "secrets", "secret"], "/signature", faults)?;
        let schemes = [Scheme::Tagorun, Scheme::StandardWebhooks, Scheme::None];
        let word = members.get("scheme").map_or(Some("tagorun"), Value::as_str);
        let scheme = word.and_then(|word| schemes.into_iter().find(|scheme| scheme.as_str() == word));
        let Some(scheme) = scheme else {
            faults.push(JsonFault::new("/signature/scheme", "one of tagorun, standard-webhooks, none"));
            return None;
        };
        let given: Vec<Value> = match (members.get("secrets"), members.get("secret")) {
            (Some(Value::Array(secrets)), None) => secrets.clone(),
            (None, Some(secret)) => vec![secret.clone()],
            (None, None) if scheme == Scheme::None => Vec::new(),
            (None, None) => vec![Value::from(OWN_SECRET)],
            _ => {
                faults.push(JsonFault::new("/signature/secrets", "a list of secrets"));
                return None;
            }
        };
        if scheme == Scheme::None {
            return Some(SigningRule { scheme, secrets: Vec::new() });
        }
        if given.is_empty() {
            let what = "is empty; name at least one secret, or write \"scheme\": \"none\"";
            faults.push(JsonFault::new("/signature/secrets", what));
            return None;
        }
        let mut secrets = Vec::new();
        for (at, secret) in given.iter().enumerate() {
            let pointer = format!("/signature/secrets/{at}");
            let secret = self.secret(secret, &pointer, faults)?;
            if let Err(why) = (self.check)(scheme, &secret) {
                faults.push(JsonFault::new(pointer, why));
                return None;
            }
            secrets.push(secret);
        }
        Some(SigningRule { scheme, secrets })
    }

    /// `headers`: name to value; headers with credential-like names are secrets.
    pub fn headers(&self, value: &Value, faults: &mut Vec<JsonFault>) -> Option<Vec<SubscriptionHeader>> {
        let Some(members) = value.as_object() else {
            faults.push(JsonFault::new("/headers", "an object, as {\"X-Source\": \"TagoRUN\"}"));
            return None;
        };
        let before = faults.len();
        let mut headers: Vec<SubscriptionHeader> = Vec::new();
        for (name, value) in members {
            let pointer = pointer::child("/headers", name);
            let is_repeated = headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
            match check_name(name, is_repeated) {
                Err(what) => faults.push(JsonFault::new(pointer, what)),
                Ok(()) => headers.extend(
                    self.header(name, value, &pointer, faults)
                        .map(|value| SubscriptionHeader { name: name.clone(), value }),
                ),
            }
        }
        (faults.len() == before).then_some(headers)
    }

    fn header(
        &self,
        name: &str,
        value: &Value,
        pointer: &str,
        faults: &mut Vec<JsonFault>,
    ) -> Option<HeaderValue> {
        if names_credential_header(name) {
            return self.secret(value, pointer, faults).map(HeaderValue::Secret);
        }
        let text = value.as_str().filter(|text| {
            text.len() <= MAX_VALUE && !text.chars().any(|letter| letter.is_control() && letter != '\t')
        });
        let Some(text) = text else {
            let what = format!("must be a string of at most {MAX_VALUE} bytes, without line breaks");
            faults.push(JsonFault::new(pointer, what));
            return None;
        };
        Some(HeaderValue::Text(text.to_owned()))
    }
}

const BASE64_HINT: &str = "base64( is a placeholder of the document: write \"auth\": {\"basic\": {\"username\": …, \
     \"password\": …}}, the encoding is done here";

fn check_name(name: &str, is_repeated: bool) -> Result<(), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("is not a header name (RFC 9110, 5.1)".to_owned());
    }
    if is_repeated {
        return Err("appears twice, in another spelling".to_owned());
    }
    if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        return Err(format!("tagohook sets {name} for each request; remove it"));
    }
    Ok(())
}

fn only(
    members: &Map<String, Value>,
    keys: &[&str],
    pointer: &str,
    faults: &mut Vec<JsonFault>,
) -> Option<()> {
    let unknown: Vec<&String> = members.keys().filter(|key| !keys.contains(&key.as_str())).collect();
    for key in &unknown {
        faults.push(JsonFault::new(format!("{pointer}/{key}"), format!("unknown key; {}", keys.join(", "))));
    }
    unknown.is_empty().then_some(())
}

fn header_name(
    members: &Map<String, Value>,
    key: &str,
    default: &str,
    faults: &mut Vec<JsonFault>,
) -> Option<String> {
    let Some(value) = members.get(key).filter(|value| !value.is_null()) else {
        return Some(default.to_owned());
    };
    let name = value.as_str().unwrap_or_default();
    match check_name(name, false) {
        Ok(()) => Some(name.to_owned()),
        Err(what) => {
            faults.push(JsonFault::new(format!("/auth/api_key/{key}"), what));
            None
        }
    }
}

/// A credential in both `headers` and `auth` would be sent twice.
pub fn presented_twice(auth: &Credential, headers: &[SubscriptionHeader]) -> Option<JsonFault> {
    let names: Vec<&str> = match auth {
        Credential::Bearer(_) | Credential::Basic { .. } => vec!["Authorization"],
        Credential::ApiKey { header, secret_header, .. } => vec![header, secret_header],
    };
    let twice =
        headers.iter().find(|header| names.iter().any(|name| header.name.eq_ignore_ascii_case(name)))?;
    Some(JsonFault::new("/auth", format!("headers has {} already; write one of the two", twice.name)))
}
