//! Reads a subscription and reports every fault with its place.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::fault::JsonFault;
use super::pace;
use super::secrets::{SecretOrigin, SecretReader};
use crate::domain::json::{not_an_object, pointer, unique_members};
use crate::domain::suggestion;
use crate::domain::{MissingValue, RetryPolicy, Scheme, SigningRule, Subscription, SubscriptionOrigin};

/// The keys that are read, in the order of the contract.
const KEYS: [&str; 21] = [
    "name",
    "url",
    "events",
    "headers",
    "retry_policy",
    "timeout",
    "filters",
    "payload_template",
    "event",
    "webhook_url",
    "payload",
    "sources",
    "signature",
    "auth",
    "enabled",
    "ordered",
    "fallback",
    "rate_limit",
    "batch",
    "missing",
    "max_attempts",
];
/// Keys that the API returns and accepts again, so that a GET response can be used in a PUT.
const TOLD: [&str; 9] = [
    "id",
    "disabled_reason",
    "origin",
    "created_at",
    "updated_at",
    "warnings",
    "health",
    "stats",
    "evaluations",
];
/// The default timeout of an attempt.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest name, in bytes.
const MAX_NAME: usize = 256;
/// The longest name of an event or pattern, in bytes.
const MAX_EVENT: usize = 256;

/// A subscription that was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// The subscription.
    pub subscription: Subscription,
    /// Valid but unusual settings, one sentence each.
    pub warnings: Vec<String>,
}

/// Reads subscriptions; `secrets` decides which secrets are allowed.
pub struct Reader<'a> {
    /// How secrets are read.
    pub secrets: SecretReader<'a>,
}

impl Reader<'_> {
    /// Reads `json` as the subscription `id`.
    ///
    /// # Errors
    /// Every fault, not just the first.
    pub fn read(&self, id: &str, origin: SubscriptionOrigin, json: &str) -> Result<Read, Vec<JsonFault>> {
        let members =
            unique_members(json).map_err(|fault| vec![JsonFault::new("", not_an_object(json, &fault))])?;
        let mut reading = Reading { reader: self, members, faults: Vec::new(), warnings: Vec::new() };
        let subscription = reading.subscription(id, origin);
        match subscription {
            Some(subscription) if reading.faults.is_empty() => {
                Ok(Read { subscription, warnings: reading.warnings })
            }
            _ => Err(reading.faults),
        }
    }
}

/// A subscription that is being read.
pub(super) struct Reading<'a> {
    reader: &'a Reader<'a>,
    members: BTreeMap<String, Box<RawValue>>,
    faults: Vec<JsonFault>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    fn subscription(&mut self, id: &str, origin: SubscriptionOrigin) -> Option<Subscription> {
        self.check_keys();
        self.check_id(id);
        let url = self.url();
        let events = self.events();
        let name = self.name(url.as_deref(), events.as_deref());
        let auth = self.value("auth").map(|auth| self.secrets(|secrets, faults| secrets.auth(&auth, faults)));
        let headers = self.value("headers").map_or_else(
            || Some(Vec::new()),
            |headers| self.secrets(|secrets, faults| secrets.headers(&headers, faults)),
        );
        if let (Some(Some(auth)), Some(headers)) = (&auth, &headers)
            && let Some(fault) = super::secrets::presented_twice(auth, headers)
        {
            self.faults.push(fault);
        }
        let signature = self.signature();
        let retry_policy = self.retry_policy();
        let timeout = self.paced("timeout", pace::timeout).unwrap_or(DEFAULT_TIMEOUT);
        let rate_limit = self.paced("rate_limit", pace::rate_limit).flatten();
        let batch = self.paced("batch", pace::batch).flatten();
        let sources = self.names("sources");
        let fallback = self.text("fallback");
        if fallback.as_deref().is_some_and(|fallback| fallback == id || Some(fallback) == name.as_deref()) {
            self.fault("fallback", "names this subscription itself; name another one, or leave it out");
        }
        let missing = match self.text("missing").as_deref() {
            None | Some("null") => MissingValue::Null,
            Some("error") => MissingValue::Error,
            Some(_) => {
                self.fault("missing", "\"null\" or \"error\"");
                MissingValue::Null
            }
        };
        let enabled = self.flag("enabled", true);
        Some(Subscription {
            id: id.to_owned(),
            name: name?,
            url: url?,
            events: events?,
            sources,
            headers: headers?,
            auth: auth.map_or(Some(None), |auth| auth.map(Some))?,
            signature: signature?,
            enabled,
            disabled_reason: None,
            retry_policy,
            timeout,
            filters: self.object_text("filters"),
            payload_template: self.template(),
            missing,
            ordered: self.flag("ordered", false),
            fallback,
            rate_limit,
            batch,
            origin,
        })
    }

    fn check_keys(&mut self) {
        let unknown: Vec<String> = self
            .members
            .keys()
            .filter(|key| !KEYS.contains(&key.as_str()) && !TOLD.contains(&key.as_str()))
            .cloned()
            .collect();
        for key in unknown {
            let near = suggestion(&key, KEYS.into_iter());
            self.fault(&key, format!("unknown key{near}"));
        }
        if self.reader.secrets.origin == SecretOrigin::Config {
            let told = self.members.keys().filter(|key| TOLD.contains(&key.as_str()) && *key != "id");
            for key in told.cloned().collect::<Vec<_>>() {
                self.fault(&key, "unknown key: the API reports it, and it cannot be configured");
            }
        }
        for (one, other) in [("url", "webhook_url"), ("events", "event"), ("payload_template", "payload")] {
            if self.members.contains_key(one) && self.members.contains_key(other) {
                self.fault(other, format!("{one} sets the same; keep one of the two"));
            }
        }
    }

    /// An id that comes back through the API is accepted if unchanged; a different one is a fault.
    fn check_id(&mut self, id: &str) {
        if self.reader.secrets.origin != SecretOrigin::Api || self.value("id").is_none_or(|given| given == id)
        {
            return;
        }
        if self.reader.secrets.present.is_some() {
            self.fault("id", format!("this is subscription {id}, and an id never changes; leave it out"));
        } else {
            self.warnings.push("id: not used; a subscription made here gets an id of its own".to_owned());
        }
    }

    pub(super) fn fault(&mut self, key: &str, message: impl Into<String>) {
        self.faults.push(JsonFault::new(pointer::child("", key), message));
    }

    /// The value of `key`; `null` counts as absent.
    fn value(&self, key: &str) -> Option<Value> {
        let raw = self.members.get(key)?;
        serde_json::from_str(raw.get()).ok().filter(|value| *value != Value::Null)
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::String(_) => {
                self.fault(key, "is empty");
                None
            }
            _ => {
                self.fault(key, "must be a string");
                None
            }
        }
    }

    fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.value(key) {
            None => default,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.fault(key, "true or false");
                default
            }
        }
    }

    fn url(&mut self) -> Option<String> {
        let key = if self.members.contains_key("webhook_url") { "webhook_url" } else { "url" };
        if self.value(key).is_none() {
            self.fault("url", "is missing; the endpoint, as \"https://api.example.com/webhook\"");
            return None;
        }
        let text = self.text(key)?;
        match super::endpoint::check(&text) {
            Ok(()) => {
                // An existing subscription was sent as it is until now, and continues.
                if text.contains("{{") && self.reader.secrets.origin != SecretOrigin::Store {
                    self.fault(key, "is not a template: {{…}} would be sent unchanged; use it in headers or payload_template");
                }
                Some(text.trim().to_owned())
            }
            Err(what) => {
                self.fault(key, what);
                None
            }
        }
    }

    fn events(&mut self) -> Option<Vec<String>> {
        let key = if self.members.contains_key("event") { "event" } else { "events" };
        let listed = match self.value(key) {
            None => Vec::new(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(items)) => {
                let texts: Vec<String> =
                    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
                if texts.len() < items.len() {
                    self.fault(key, "a list of event names, as [\"user.login\", \"data.*\"]");
                    return None;
                }
                texts
            }
            Some(_) => {
                self.fault(key, "a list of event names, as [\"user.login\", \"data.*\"]");
                return None;
            }
        };
        if listed.is_empty() {
            self.fault(key, "names no event; a list as [\"user.login\", \"data.*\"], or [\"*\"] for all");
            return None;
        }
        for (at, event) in listed.iter().enumerate() {
            if let Err(what) = super::endpoint::check_event(event, MAX_EVENT) {
                self.faults.push(JsonFault::new(format!("/{key}/{at}"), what));
            }
        }
        Some(listed)
    }

    /// The name; without one, a description of what is sent where.
    fn name(&mut self, url: Option<&str>, events: Option<&[String]>) -> Option<String> {
        if self.value("name").is_some() {
            let name = self.text("name")?;
            if name.len() > MAX_NAME || name.chars().any(char::is_control) {
                self.fault("name", format!("at most {MAX_NAME} bytes, no control characters"));
                return None;
            }
            return Some(name);
        }
        let host = url::Url::parse(url?).ok()?.host_str()?.to_owned();
        Some(format!("{} to {host}", events?.first()?))
    }

    fn names(&mut self, key: &str) -> Option<Vec<String>> {
        match self.value(key)? {
            Value::Array(items) if items.iter().all(Value::is_string) => {
                Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
            }
            _ => {
                self.fault(key, "a list of names, as [\"tagorun\", \"published\"]");
                None
            }
        }
    }

    fn secrets<T>(
        &mut self,
        read: impl FnOnce(&SecretReader<'_>, &mut Vec<JsonFault>) -> Option<T>,
    ) -> Option<T> {
        read(&self.reader.secrets, &mut self.faults)
    }

    fn signature(&mut self) -> Option<SigningRule> {
        let value = self.value("signature");
        match value {
            Some(Value::String(word)) if word == Scheme::None.as_str() => {
                Some(SigningRule { scheme: Scheme::None, secrets: Vec::new() })
            }
            value => self.secrets(|secrets, faults| secrets.signature(value.as_ref(), faults)),
        }
    }

    fn retry_policy(&mut self) -> RetryPolicy {
        // The specification's own code also allows `max_attempts` next to `retry_policy` (S-06).
        let beside = self.value("max_attempts");
        let (given, pointer) = (self.value("retry_policy"), "/retry_policy");
        pace::retry_policy(given.as_ref(), beside.as_ref(), pointer, &mut self.faults)
    }

    fn paced<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Value, &mut Vec<String>) -> Result<T, Vec<JsonFault>>,
    ) -> Option<T> {
        let value = self.value(key)?;
        match read(&value, &mut self.warnings) {
            Ok(read) => Some(read),
            Err(faults) => {
                let under =
                    |fault: JsonFault| JsonFault::new(format!("/{key}{}", fault.pointer), fault.message);
                self.faults.extend(faults.into_iter().map(under));
                None
            }
        }
    }

    /// The exact text of a member that is an object.
    fn object_text(&mut self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::Object(_) => self.members.get(key).map(|raw| raw.get().to_owned()),
            _ => {
                self.fault(key, "an object");
                None
            }
        }
    }

    /// The exact text of the template; any JSON value is allowed, and `null` means none.
    fn template(&mut self) -> Option<String> {
        let key = if self.members.contains_key("payload") { "payload" } else { "payload_template" };
        self.members.get(key).map(|raw| raw.get().to_owned()).filter(|text| text != "null")
    }
}
