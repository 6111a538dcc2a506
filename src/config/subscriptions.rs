//! `[[subscription]]`: the same keys as in the API's JSON, with secrets by reference.

use std::cell::RefCell;
use std::collections::HashMap;

use toml::{Table, Value};

use super::fault::ConfigFaults;
use super::layers::ConfigFile;
use super::seal::Sealer;
use super::secrets::{SecretCheck, Secrets};
use super::subscription::{JsonFault, Reader, SecretOrigin, SecretReader};
use crate::domain::{Subscription, SubscriptionOrigin, suggestion};

/// The longest generated id.
const MAX_ID: usize = 128;
/// Path segments of the API and the pages, which cannot be ids.
const RESERVED: [&str; 2] = ["new", "preview"];

/// Warnings about the fallbacks of these entries, if there are no other subscriptions.
#[must_use]
pub fn fallback_notices(subscriptions: &[Subscription]) -> Vec<String> {
    let is_known =
        |fallback: &str| subscriptions.iter().any(|other| other.id == fallback || other.name == fallback);
    let notice = |subscription: &Subscription| {
        let fallback = subscription.fallback.as_deref().filter(|fallback| !is_known(fallback))?;
        let near = suggestion(fallback, subscriptions.iter().map(|other| other.name.as_str()));
        Some(format!(
            "subscription {}: fallback: no entry has the id or name {fallback:?}{near}; unless it was made through the API, it is not tried",
            subscription.id
        ))
    };
    subscriptions.iter().filter_map(notice).collect()
}

/// Reads every subscription of the file.
pub fn read(
    tables: &[Table],
    file: &ConfigFile,
    secrets: &mut Secrets<'_>,
    check: SecretCheck,
    faults: &mut ConfigFaults,
) -> Vec<Subscription> {
    let mut subscriptions: Vec<Subscription> = Vec::new();
    let mut places: HashMap<String, Place> = HashMap::new();
    let notices = RefCell::new(Vec::new());
    for (nth, table) in tables.iter().enumerate() {
        let mut tell = |pointer: &str, what: &str| {
            let key = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            let name = words_for(table, nth);
            let place = pointer.trim_start_matches('/').replace('/', ".");
            let place = if place.is_empty() { name } else { format!("{name}.{place}") };
            faults.add(&file.origin("subscription", nth, key), &place, what);
        };
        let (id, key) = match id_of(table) {
            Ok(found) => found,
            Err((key, what)) => {
                tell(&format!("/{key}"), &what);
                (String::new(), key)
            }
        };
        if let Some(first) = places.get(&id) {
            let cure = if key == "id" { "" } else { "; give one of them an id of its own" };
            let at = file.origin("subscription", first.nth, first.key);
            tell(&format!("/{key}"), &format!("{id:?} is the id of {} too, at {at}{cure}", first.name));
        } else if !id.is_empty() {
            places.insert(id.clone(), Place { name: words_for(table, nth), nth, key });
        }
        let json = match serde_json::to_string(table) {
            Ok(json) => json,
            Err(fault) => {
                tell("", &format!("cannot be written as JSON: {fault}"));
                continue;
            }
        };
        let shared = RefCell::new(&mut *secrets);
        let resolve = |reference: &str| shared.borrow_mut().resolve(reference);
        // A configuration contains no sealed secrets.
        let sealer = Sealer::new(&[0; 32]);
        let reader = Reader {
            secrets: SecretReader {
                origin: SecretOrigin::Config,
                resolve: &resolve,
                sealer: &sealer,
                check,
                present: None,
            },
        };
        match reader.read(&id, SubscriptionOrigin::Config, &json) {
            Err(found) => found.iter().for_each(|JsonFault { pointer, message }| tell(pointer, message)),
            Ok(read) => {
                let told = read.warnings.iter().map(|warning| format!("subscription {id}: {warning}"));
                notices.borrow_mut().extend(told);
                subscriptions.push(read.subscription);
            }
        }
    }
    secrets.notices.append(&mut notices.into_inner());
    subscriptions
}

/// The place of an entry: its name, its index, and the key of its id.
struct Place {
    name: String,
    nth: usize,
    key: &'static str,
}

fn words_for(table: &Table, nth: usize) -> String {
    table.get("name").and_then(Value::as_str).map_or_else(
        || format!("subscription {}", nth.saturating_add(1)),
        |name| format!("subscription {name:?}"),
    )
}

/// The id of an entry and the key it comes from: `id`, or else the name.
fn id_of(table: &Table) -> Result<(String, &'static str), (&'static str, String)> {
    let (id, key) = match table.get("id") {
        Some(Value::String(id)) => (id.clone(), "id"),
        Some(_) => return Err(("id", "must be a string".to_owned())),
        None => (table.get("name").and_then(Value::as_str).map(slug).unwrap_or_default(), "name"),
    };
    if RESERVED.contains(&id.as_str()) {
        return Err((key, format!("{id:?} is not available as an id; give the entry another id")));
    }
    if key == "name" {
        let what = "missing; a name with letters or digits makes the id of the entry, where no id is given";
        return if id.is_empty() { Err((key, what.to_owned())) } else { Ok((id, key)) };
    }
    let is_url_safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let is_good = (1..=MAX_ID).contains(&id.len())
        && id.chars().all(is_url_safe)
        && id.starts_with(|first: char| first.is_ascii_alphanumeric());
    if is_good {
        Ok((id, key))
    } else {
        let what = format!(
            "1 to {MAX_ID} letters, digits, \"-\", \"_\" or \".\", with a letter or digit first; for example \"front-door\""
        );
        Err((key, what))
    }
}

/// The name in a form for URLs: letters and digits in lower case, everything else as one dash.
fn slug(name: &str) -> String {
    let mut id = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            id.push(letter.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    id.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_name_as_it_can_stand_in_a_url() {
        assert_eq!(slug("External System – Integration!"), "external-system-integration");
        assert_eq!(slug(" ★ "), "");
    }
}
