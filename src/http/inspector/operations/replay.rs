//! A replay of one delivery.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use crate::domain::ReplaySignature;
use crate::http::inspector::json_body::{bad, fault};
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::state::InspectorState;
use crate::inspect::replay::{Asked, Edits, Target};

/// What the body asks for.
///
/// # Errors
/// 400 with every fault.
pub fn asked(state: &InspectorState, members: &Map<String, Value>) -> Result<Asked, Problem> {
    let mut faults = Vec::new();
    let target = target(state, members.get("to"), &mut faults);
    let signature = signature(members.get("signature"), &mut faults);
    let edits = Edits {
        method: text(members, "method", &mut faults),
        path: text(members, "path", &mut faults).filter(|path| {
            let is_path = path.starts_with('/');
            if !is_path {
                faults.push(fault("/path", "a path that begins with /"));
            }
            is_path
        }),
        headers: members.get("headers").and_then(|value| headers(value, &mut faults)),
        body: body(members, &mut faults),
    };
    if edits.path.is_some() && matches!(target, Some(Target::Url(_))) {
        faults.push(fault(
            "/path",
            "only for our own receiver; a URL has its own path, or ends in /* to get the stored one",
        ));
    }
    match (target, signature) {
        (Some(target), Some(signature)) if faults.is_empty() => {
            Ok(Asked { target, signature, edits, run: None })
        }
        _ => Err(bad(faults)),
    }
}

/// Where it goes; without a word, to our own receiver.
pub fn target(state: &InspectorState, value: Option<&Value>, faults: &mut Vec<FieldFault>) -> Option<Target> {
    let expected = "\"receiver\", an http or https URL, or the id of a subscription";
    let text = match value {
        None | Some(Value::Null) => return Some(Target::Receiver),
        Some(Value::String(text)) => text,
        Some(_) => {
            faults.push(fault("/to", expected));
            return None;
        }
    };
    if text == "receiver" {
        return Some(Target::Receiver);
    }
    if state.sender.subscriptions().get(text).is_some() {
        return Some(Target::Subscription(text.clone()));
    }
    if let Some(parked) = state.sender.subscriptions().parked(text) {
        faults.push(fault("/to", &format!("{} {}", parked.sentence(), parked.cure())));
        return None;
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        faults.push(fault("/to", expected));
        return None;
    };
    match state.sender.guard().check_url(&url) {
        Ok(()) => Some(Target::Url(url)),
        Err(blocked) => {
            faults.push(fault("/to", &blocked.to_string()));
            None
        }
    }
}

/// What becomes of the signature; without a word it is made anew.
pub fn signature(value: Option<&Value>, faults: &mut Vec<FieldFault>) -> Option<ReplaySignature> {
    match value {
        None | Some(Value::Null) => Some(ReplaySignature::Fresh),
        Some(value) => {
            let found = value.as_str().and_then(ReplaySignature::from_word);
            if found.is_none() {
                faults.push(fault("/signature", "one of fresh, original, none"));
            }
            found
        }
    }
}

fn text(members: &Map<String, Value>, name: &str, faults: &mut Vec<FieldFault>) -> Option<String> {
    match members.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            faults.push(fault(&format!("/{name}"), "a text"));
            None
        }
    }
}

/// `[[name, value], …]`, which keeps repeats and their order, or an object.
fn headers(value: &Value, faults: &mut Vec<FieldFault>) -> Option<Vec<(String, String)>> {
    let pair = |name: &Value, value: &Value| Some((name.as_str()?.to_owned(), value.as_str()?.to_owned()));
    let lines = match value {
        Value::Null => return None,
        Value::Array(lines) => lines
            .iter()
            .map(|line| match line.as_array().map(Vec::as_slice) {
                Some([name, value]) => pair(name, value),
                _ => None,
            })
            .collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect::<Option<Vec<_>>>(),
        _ => None,
    };
    if lines.is_none() {
        faults.push(fault("/headers", "a list of [name, value], or an object of texts"));
    }
    lines
}

fn body(members: &Map<String, Value>, faults: &mut Vec<FieldFault>) -> Option<Bytes> {
    match (text(members, "body", faults), text(members, "body_base64", faults)) {
        (Some(_), Some(_)) => {
            faults.push(fault("/body_base64", "body is given too; one of them"));
            None
        }
        (Some(text), None) => Some(Bytes::from(text)),
        (None, Some(text)) => match STANDARD.decode(text) {
            Ok(bytes) => Some(Bytes::from(bytes)),
            Err(_) => {
                faults.push(fault("/body_base64", "base64"));
                None
            }
        },
        (None, None) => None,
    }
}
