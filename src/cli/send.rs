//! `tagohook send EVENT`: a signed event to the running instance, or to any URL.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use serde_json::Value;

use super::arguments::{Globals, Send};
use super::inspector::{self, Api, nobody_runs, text};
use super::output::{Unwritten, answer, counted, say};
use super::sign::{find_source, read_body};
use super::{configuration, configuration_without_secrets, environment};
use crate::app;
use crate::catalog::{Catalog, EventType, fresh_example};
use crate::config::read_addresses;
use crate::domain::Clock as _;
use crate::send::{Answer, Client, TargetGuard, fresh_id, signed_request, source_url};
use crate::telemetry::SystemClock;

/// Sends, prints each response, and fails if one is not 2xx.
pub fn run(globals: &Globals, send: &Send) -> anyhow::Result<ExitCode> {
    if send.publish {
        return publish(globals, send);
    }
    if let Some(to) = &send.to
        && !url::Url::parse(to).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    {
        bail!("--to {to:?} is not an http or https URL; expected e.g. http://127.0.0.1:3000/hook");
    }
    let data_dir = globals.options().data_dir(&environment());
    let addresses = read_addresses(&data_dir);
    if send.to.is_none() && addresses.is_none() {
        bail!("{}", nobody_runs(&data_dir, ", or a target with --to URL"));
    }
    let config = configuration(globals)?;
    let catalog = app::read_catalog(&config)?;
    let source = find_source(&config, send.source.as_deref())?;
    let own_url = addresses.as_ref().map(|addresses| source_url(&addresses.receiver, &source.name));
    let url = send.to.clone().or(own_url).context("no target")?;
    let own = send.file.as_deref().map(|file| read_body(Some(file))).transpose()?;
    let event_type = catalog.resolve(&send.event);
    if own.is_none() && event_type.is_none_or(|event_type| event_type.example().is_none()) {
        bail!("{}", no_example(&catalog, &send.event));
    }
    let more = send.header.iter().map(|line| header_line(line)).collect::<anyhow::Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = match (&send.to, &addresses) {
            (None, Some(addresses)) => Client::of_receiver(&addresses.receiver)?,
            _ => Client::new(TargetGuard::new(false))?,
        };
        let mut refused = 0_u32;
        let mut total = Duration::ZERO;
        for _ in 0..send.count {
            let now = SystemClock.wall();
            let id = fresh_id(now);
            let body = match (&own, event_type) {
                (Some(bytes), _) => bytes.clone(),
                (None, Some(event_type)) => example(event_type, &id, &now.to_string(), &send.set)?,
                (None, None) => bail!("nothing to send"),
            };
            let mut headers = signed_request(source, &send.event, &id, now, &body)?;
            headers.extend(more.iter().cloned());
            let answer = client.post(&url, &headers, body).await.with_context(|| hint(send))?;
            total = total.saturating_add(answer.elapsed);
            refused = refused.saturating_add(u32::from(!(200..300).contains(&answer.status)));
            print_answer(&answer)?;
        }
        let code = if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if send.count == 1 {
            return Ok(code);
        }
        let mean_ms = total.as_secs_f64() * 1000.0 / f64::from(send.count);
        answer(say!("{} sent, {refused} refused, {mean_ms:.1} ms each", send.count), code)
    })
}

/// Publishes through the running instance.
fn publish(globals: &Globals, send: &Send) -> anyhow::Result<ExitCode> {
    let catalog = app::read_catalog(&configuration_without_secrets(globals)?)?;
    let own = send.file.as_deref().map(|file| read_body(Some(file))).transpose()?;
    let event_type = catalog.resolve(&send.event);
    inspector::run(async {
        let api = Api::find(globals, &send.inspector)?;
        for _ in 0..send.count {
            let now = SystemClock.wall();
            let body = match (&own, event_type) {
                (Some(bytes), _) => bytes.clone(),
                (None, Some(event_type)) => example(event_type, &fresh_id(now), &now.to_string(), &send.set)?,
                (None, None) => bail!("{}", no_example(&catalog, &send.event)),
            };
            let told = api.post("events", body).await?;
            let warnings = told.get("warnings").and_then(Value::as_array).cloned().unwrap_or_default();
            say!("{}: {}", text(&told, "event_id"), counted(text(&told, "messages"), "message"))?;
            for warning in warnings.iter().filter_map(Value::as_str) {
                say!("  warning: {warning}")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn hint(send: &Send) -> &'static str {
    if send.to.is_some() {
        "nothing was delivered"
    } else {
        "the tagohook of this data directory does not answer; is it still running?"
    }
}

fn no_example(catalog: &Catalog, name: &str) -> String {
    let near = crate::domain::suggestion(name, catalog.iter().map(EventType::name));
    let near = if near.is_empty() {
        "; `tagohook events` lists the events, --file sends a payload of your own".to_owned()
    } else {
        near
    };
    format!("the catalogue has no example of {name:?}{near}")
}

fn example(event_type: &EventType, id: &str, time: &str, set: &[String]) -> anyhow::Result<Bytes> {
    let mut payload = fresh_example(event_type, id, time).context("the event has no example")?;
    for assignment in set {
        let (path, value) =
            assignment.split_once('=').ok_or_else(|| anyhow!("--set {assignment:?}: expected PATH=VALUE"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        set_path(&mut payload, path, value)?;
    }
    Ok(Bytes::from(serde_json::to_vec(&payload)?))
}

/// Sets `value` at a dotted path and creates missing objects; a number is an array index.
fn set_path(payload: &mut Value, path: &str, value: Value) -> anyhow::Result<()> {
    let mut place = payload;
    for step in path.split('.') {
        place = match place {
            Value::Array(items) => {
                let length = items.len();
                let at: usize =
                    step.parse().with_context(|| format!("--set {path}: {step:?} is not an index"))?;
                items.get_mut(at).ok_or_else(|| anyhow!("--set {path}: the array has {length} items"))?
            }
            Value::Object(members) => members.entry(step).or_insert(Value::Null),
            Value::Null => {
                *place = Value::Object(serde_json::Map::new());
                place.as_object_mut().context("an object")?.entry(step).or_insert(Value::Null)
            }
            _ => bail!("--set {path}: the value before {step:?} has no members"),
        };
    }
    *place = value;
    Ok(())
}

fn header_line(line: &str) -> anyhow::Result<(String, String)> {
    let (name, value) =
        line.split_once(':').ok_or_else(|| anyhow!("--header {line:?}: expected 'Name: value'"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn print_answer(answer: &Answer) -> Result<(), Unwritten> {
    let ms = answer.elapsed.as_secs_f64() * 1000.0;
    say!("{} in {ms:.1} ms  {}", answer.status, String::from_utf8_lossy(&answer.body).trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_set_in_objects_and_arrays_and_made_where_it_is_missing() {
        let mut payload = json!({"user": {"id": 1}, "list": [{"a": 1}]});
        set_path(&mut payload, "user.email", json!("x")).unwrap();
        set_path(&mut payload, "list.0.a", json!(2)).unwrap();
        set_path(&mut payload, "new.deep", json!([])).unwrap();
        assert_eq!(
            payload,
            json!({"user": {"id": 1, "email": "x"}, "list": [{"a": 2}], "new": {"deep": []}})
        );
        assert!(set_path(&mut payload, "list.7.a", json!(1)).is_err());
        assert!(set_path(&mut payload, "user.id.deep", json!(1)).is_err());
    }
}
