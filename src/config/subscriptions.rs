//! `[[subscription]]`: the same words as in the API's JSON, secrets by reference.

use std::cell::RefCell;

use toml::{Table, Value};

use super::fault::ConfigFaults;
use super::layers::ConfigFile;
use super::seal::Sealer;
use super::secrets::{SecretCheck, Secrets};
use super::subscription::{JsonFault, Reader, SecretOrigin, SecretReader};
use crate::domain::{Subscription, SubscriptionOrigin};

/// Reads every subscription of the file.
pub fn read(
    tables: &[Table],
    file: &ConfigFile,
    secrets: &mut Secrets<'_>,
    check: SecretCheck,
    faults: &mut ConfigFaults,
) -> Vec<Subscription> {
    let mut subscriptions: Vec<Subscription> = Vec::new();
    let notices = RefCell::new(Vec::new());
    for (nth, table) in tables.iter().enumerate() {
        let mut tell = |pointer: &str, what: &str| {
            let key = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            let name = table.get("name").and_then(Value::as_str).map_or_else(
                || format!("subscription {}", nth.saturating_add(1)),
                |name| format!("subscription {name:?}"),
            );
            let place = pointer.trim_start_matches('/').replace('/', ".");
            let place = if place.is_empty() { name } else { format!("{name}.{place}") };
            faults.add(&file.origin("subscription", nth, key), &place, what);
        };
        let Some(id) = table.get("name").and_then(Value::as_str).map(id_of).filter(|id| !id.is_empty())
        else {
            tell("/name", "missing; a name with letters or digits, by which the API knows it");
            continue;
        };
        let json = match serde_json::to_string(table) {
            Ok(json) => json,
            Err(fault) => {
                tell("", &format!("cannot stand in JSON: {fault}"));
                continue;
            }
        };
        let shared = RefCell::new(&mut *secrets);
        let resolve = |reference: &str| shared.borrow_mut().resolve(reference);
        // Nothing in a configuration is sealed.
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
            Ok(_) if subscriptions.iter().any(|other| other.id == id) => {
                tell("/name", &format!("another subscription is {id:?} too"));
            }
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

/// The name as it can stand in a URL: letters and digits in lower case, everything else one dash.
fn id_of(name: &str) -> String {
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
        assert_eq!(id_of("External System – Integration!"), "external-system-integration");
        assert_eq!(id_of(" ★ "), "");
    }
}
