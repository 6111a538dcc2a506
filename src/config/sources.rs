//! `[[source]]`: who sends to us, and by which rules.

use std::time::Duration;

use ipnet::IpNet;
use toml::{Table, Value};

use super::fault::{ConfigFaults, Origin};
use super::layers::ConfigFile;
use super::secrets::{SecretCheck, Secrets};
use super::source_event;
use super::values::{self, one_of, split_list, texts};
use crate::domain::suggestion;
use crate::domain::{
    Allowlist, Credential, DEFAULT_ID_POINTER, EventPlace, Handshake, IdScope, SchemaMode, Scheme, Secret,
    Selector, SignatureRule, SilenceAfter, Source, UnknownEvents,
};

mod handshake;
mod hmac;

pub use hmac::hmac_form;

const KEYS: [&str; 23] = [
    "name",
    "preset",
    "secrets",
    "signature",
    "hmac",
    "tolerance",
    "allow",
    "allow_all",
    "credentials",
    "schema",
    "unknown_events",
    "event",
    "id_pointer",
    "id_scope",
    "dedupe_by_body",
    "entity",
    "device",
    "silence_after",
    "sender_timeout",
    "time_pointer",
    "handshake",
    "handshake_token",
    "handshake_confirm",
];
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// TagoRUN's own timeout, from its webhook configuration.
const DEFAULT_SENDER_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_ENTITY: &str = "/device/id";
/// The longest name of a source.
const MAX_NAME: usize = 64;
/// Reserved names with another meaning.
const RESERVED: [&str; 2] = ["webhook-test", "published"];

/// Reads every source; faults contain its number if it has no name.
pub fn read(
    tables: &[Table],
    file: Option<&ConfigFile>,
    secrets: &mut Secrets<'_>,
    check_secret: SecretCheck,
    faults: &mut ConfigFaults,
) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for (nth, table) in tables.iter().enumerate() {
        let (table, preset) = match source_event::with_preset(table) {
            Ok(filled) => (filled, Ok(())),
            Err(what) => (table.clone(), Err(what)),
        };
        let mut reader = Reader { table: &table, file, nth, secrets, faults };
        if let Err(what) = preset {
            reader.fault::<()>("preset", &what);
        }
        let Some(source) = reader.source(check_secret) else { continue };
        if sources.iter().any(|other| other.name == source.name) {
            reader.fault::<()>("name", &format!("{:?} is the name of another source too", source.name));
        }
        sources.push(source);
    }
    if tables.is_empty() {
        let origin = file.map_or(Origin::Default, |file| Origin::File(file.path.clone(), None));
        faults.add(&origin, "source", "at least one [[source]] is needed");
    }
    sources
}

struct Reader<'a, 's> {
    table: &'a Table,
    file: Option<&'a ConfigFile>,
    nth: usize,
    secrets: &'a mut Secrets<'s>,
    faults: &'a mut ConfigFaults,
}

impl Reader<'_, '_> {
    fn source(&mut self, check_secret: SecretCheck) -> Option<Source> {
        for key in self.table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let near = suggestion(key, KEYS.into_iter());
            self.fault::<()>(key, &format!("unknown key{near}"));
        }
        let name = self.name();
        let kind = self.handshake_kind();
        let signature = self.signature(kind.flatten(), check_secret);
        let handshake = self.handshake(kind.flatten(), name.as_deref());
        let allow = self.allow();
        let credentials = self.credentials();
        let schema = self.word("schema", &["enforce", "strict", "warn", "off"], "enforce");
        let unknown_events = self.word("unknown_events", &["accept", "reject"], "accept");
        let event = self.value("event", EventPlace::Scheme, source_event::event);
        let id_pointer = self.pointer("id_pointer", DEFAULT_ID_POINTER);
        let id_scope = self.value("id_scope", IdScope::default(), source_event::id_scope);
        if let (Some(rule), Some(event), Some(scope)) = (&signature, &event, id_scope)
            && let Err(what) = source_event::check(rule.scheme, event, scope)
        {
            self.fault::<()>("id_scope", &what);
        }
        let entity = self.pointer("entity", DEFAULT_ENTITY);
        let device = self.selector("device");
        let time_pointer = self.pointer("time_pointer", "");
        let dedupe_by_body = self.dedupe_by_body();
        let silence_after = self.value("silence_after", SilenceAfter::Off, |value| {
            values::silence_after(&values::written(value))
        });
        let sender_timeout = self.value("sender_timeout", DEFAULT_SENDER_TIMEOUT, |value| {
            values::duration(&values::written(value))
        });
        Some(Source {
            name: name?,
            preset: self.table.get("preset").and_then(Value::as_str).map(str::to_owned),
            signature: signature?,
            allow: allow?,
            credentials: credentials?,
            schema: match schema?.as_str() {
                "strict" => SchemaMode::Strict,
                "warn" => SchemaMode::Warn,
                "off" => SchemaMode::Off,
                _ => SchemaMode::Enforce,
            },
            unknown_events: match unknown_events?.as_str() {
                "reject" => UnknownEvents::Reject,
                _ => UnknownEvents::Accept,
            },
            event: event?,
            id_pointer: id_pointer?,
            id_scope: id_scope?,
            dedupe_by_body: dedupe_by_body?,
            entity: entity?,
            device: device?,
            silence_after: silence_after?,
            sender_timeout: sender_timeout?,
            time_pointer: time_pointer?,
            handshake: kind.and(handshake)?,
        })
    }

    fn fault<T>(&mut self, key: &str, what: &str) -> Option<T> {
        let origin = self.file.map_or(Origin::Default, |file| file.origin("source", self.nth, key));
        let name = self.table.get("name").and_then(Value::as_str).map_or_else(
            || format!("source {}", self.nth.saturating_add(1)),
            |name| format!("source {name:?}"),
        );
        self.faults.add(&origin, &format!("{name}.{key}"), what);
        None
    }

    /// The converted value of `key`; `default` if the key is missing.
    fn value<T>(
        &mut self,
        key: &str,
        default: T,
        convert: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.table.get(key).map(convert) {
            None => Some(default),
            Some(Ok(value)) => Some(value),
            Some(Err(what)) => self.fault(key, &what),
        }
    }

    fn name(&mut self) -> Option<String> {
        let Some(name) = self.table.get("name").and_then(Value::as_str) else {
            return self.fault("name", "missing; the NAME in /webhook/NAME");
        };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
            return self.fault(
                "name",
                &format!("{name:?} cannot be part of a URL; use letters, digits, -, _ and ., at most 64"),
            );
        }
        if matches!(name, "." | "..") {
            return self
                .fault("name", &format!("{name:?} cannot be part of a URL: clients remove it from a path"));
        }
        if RESERVED.contains(&name) {
            return self.fault("name", &format!("{name:?} has a meaning of its own; choose another name"));
        }
        Some(name.to_owned())
    }

    fn signature(
        &mut self,
        handshake: Option<Handshake>,
        check_secret: SecretCheck,
    ) -> Option<SignatureRule> {
        let described = self.value("hmac", None, |value| hmac::read(value).map(Some))?;
        let names: Vec<&str> = Scheme::ALL.into_iter().map(Scheme::as_str).chain([Scheme::HMAC]).collect();
        // A forgotten line must never mean "no check".
        let own = handshake.and_then(|kind| kind.schemes().first().copied());
        let default = match described {
            Some(form) => Scheme::Hmac(form),
            None => own.filter(|scheme| *scheme != Scheme::None).unwrap_or(Scheme::Tagorun),
        };
        let word = self.word("signature", &names, default.as_str())?;
        let scheme = match (word.as_str(), described) {
            (Scheme::HMAC, Some(form)) => Scheme::Hmac(form),
            (Scheme::HMAC, None) => {
                let what = "needs the key hmac, as hmac = { header = \"X-Signature\", signed = \"{body}\" }";
                return self.fault("signature", what);
            }
            (_, Some(_)) => {
                return self.fault("hmac", &format!("is for signature = \"hmac\"; this source has {word:?}"));
            }
            _ => Scheme::ALL.into_iter().find(|scheme| scheme.as_str() == word)?,
        };
        self.check_scheme(handshake, scheme)?;
        let tolerance =
            self.value("tolerance", DEFAULT_TOLERANCE, |value| values::duration(&values::written(value)));
        let references = self.value("secrets", Vec::new(), texts)?;
        let is_handed = handshake == Some(Handshake::Asana);
        if scheme != Scheme::None && references.is_empty() && !is_handed {
            let what = format!(
                "signature {word:?} needs at least one secret, as [\"file:signing-secret\"]; no check must be \
                 written out: signature = \"none\""
            );
            return self.fault("secrets", &what);
        }
        let mut secrets = Vec::new();
        let mut is_whole = true;
        for reference in &references {
            let secret = self.secrets.resolve(reference);
            match secret.and_then(|secret| {
                check_secret(scheme, &secret)
                    .map_err(|why| format!("{}: {why}", secret.name()))
                    .map(|()| secret)
            }) {
                Ok(secret) => secrets.push(secret),
                Err(what) => {
                    is_whole = false;
                    self.fault::<()>("secrets", &what);
                }
            }
        }
        is_whole.then_some(SignatureRule { scheme, secrets, tolerance: tolerance? })
    }

    fn allow(&mut self) -> Option<Allowlist> {
        let allow_all =
            self.value("allow_all", false, |value| value.as_bool().ok_or("true or false".to_owned()))?;
        let ranges: Vec<IpNet> = self.value("allow", Vec::new(), |value| {
            let entries = texts(value)?;
            match split_list(&entries) {
                // An unset variable must not open the source to everyone.
                parts if parts.is_empty() && !entries.is_empty() => {
                    Err("names no address; write [] if every address may send".to_owned())
                }
                parts => values::ranges(&parts),
            }
        })?;
        if let Some(range) = ranges.iter().find(|range| values::matches_all(range) && !allow_all) {
            return self.fault(
                "allow",
                &format!("{range} matches every address; write allow_all = true if that is meant"),
            );
        }
        Some(Allowlist { ranges })
    }

    fn credentials(&mut self) -> Option<Vec<Credential>> {
        let items = self.value("credentials", Vec::new(), |value| {
            value.as_array().cloned().ok_or_else(|| "a list, as [{ bearer = \"file:NAME\" }]".to_owned())
        })?;
        let read: Vec<Option<Credential>> = items.iter().map(|item| self.credential(item)).collect();
        read.into_iter().collect()
    }

    fn credential(&mut self, item: &Value) -> Option<Credential> {
        let forms =
            "one of { bearer = … }, { api_key = { key = … } }, { basic = { username = …, password = … } }";
        let fault = |reader: &mut Self, what: &str| reader.fault("credentials", what);
        let Some((kind, value)) =
            item.as_table().filter(|table| table.len() == 1).and_then(|table| table.iter().next())
        else {
            let is_placeholder = item.to_string().contains("base64(");
            let hint =
                if is_placeholder { "; base64( is a placeholder, the encoding is done here" } else { "" };
            return fault(self, &format!("{forms}{hint}"));
        };
        match (kind.as_str(), value) {
            ("bearer", Value::String(reference)) => Some(Credential::Bearer(self.secret(reference)?)),
            ("api_key", Value::Table(table)) => self.api_key(table),
            ("basic", Value::Table(table)) => self.basic(table),
            _ => fault(self, forms),
        }
    }

    fn secret(&mut self, reference: &str) -> Option<Secret> {
        match self.secrets.resolve(reference) {
            Ok(secret) => Some(secret),
            Err(what) => self.fault("credentials", &what),
        }
    }

    fn api_key(&mut self, table: &Table) -> Option<Credential> {
        let keys = ["key", "secret", "header", "secret_header"];
        if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
            return self.fault("credentials", &format!("api_key.{key}: unknown key; {}", keys.join(", ")));
        }
        let text = |key: &str| table.get(key).and_then(Value::as_str);
        let header = text("header").unwrap_or("X-API-Key").to_owned();
        let secret_header = text("secret_header").unwrap_or("X-API-Secret").to_owned();
        for name in [&header, &secret_header] {
            if name.is_empty() || !name.bytes().all(values::is_token) {
                return self.fault("credentials", &format!("{name:?} is not a header name"));
            }
        }
        let Some(key) = text("key") else {
            return self.fault("credentials", "api_key.key is missing; \"file:NAME\" or \"env:NAME\"");
        };
        let key = self.secret(key)?;
        let secret = match text("secret") {
            Some(reference) => Some(self.secret(reference)?),
            None => None,
        };
        Some(Credential::ApiKey { key, secret, header, secret_header })
    }

    fn basic(&mut self, table: &Table) -> Option<Credential> {
        let keys = ["username", "password"];
        if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
            return self.fault("credentials", &format!("basic.{key}: unknown key; {}", keys.join(", ")));
        }
        let text = |key: &str| table.get(key).and_then(Value::as_str);
        let (Some(username), Some(password)) = (text("username"), text("password")) else {
            return self.fault("credentials", "basic needs username and password");
        };
        if username.contains(':') {
            return self
                .fault("credentials", "basic.username contains a colon, which RFC 7617 does not allow");
        }
        Some(Credential::Basic { username: username.to_owned(), password: self.secret(password)? })
    }

    fn word(&mut self, key: &str, words: &[&str], default: &str) -> Option<String> {
        self.value(key, default.to_owned(), |value| one_of(value, words))
    }

    fn pointer(&mut self, key: &str, default: &str) -> Option<String> {
        self.value(key, default.to_owned(), |value| {
            let is_escaped = |text: &str| text.split('~').skip(1).all(|part| part.starts_with(['0', '1']));
            let pointer =
                value.as_str().filter(|text| text.is_empty() || text.starts_with('/') && is_escaped(text));
            pointer
                .map(str::to_owned)
                .ok_or_else(|| format!("{value} is not a JSON pointer; write it as \"/id\" or \"/data/id\""))
        })
    }

    /// The outer `None` is a fault, the inner one means that nothing is selected.
    fn selector(&mut self, key: &str) -> Option<Option<Selector>> {
        self.value(key, None, |value| match value.as_str() {
            Some("") => Ok(None),
            Some(text) => Selector::read(text).map(Some),
            None => Err("must be a string: \"path\", \"header:NAME\" or a JSON pointer".to_owned()),
        })
    }

    /// The outer `None` is a fault, the inner one means that bodies are not compared.
    fn dedupe_by_body(&mut self) -> Option<Option<Duration>> {
        self.value("dedupe_by_body", None, |value| match value.as_str() {
            Some("") => Ok(None),
            _ => values::duration(&values::written(value)).map(Some),
        })
    }
}
