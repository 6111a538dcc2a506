//! `tagohook send EVENT`, also `tagohook trigger EVENT`: a signed event to the running instance, or to any URL.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::{Value, json};

use super::arguments::{Globals, Rows, Send};
use super::colour::{Tone, toned};
use super::fault::Fault;
use super::faulty::{Request, Sample};
use super::inspector::{self, Api, http_url, nobody_runs, text};
use super::output::{Unwritten, answer, complain, counted, is_quiet, say};
use super::progress::Bar;
use super::sign::{find_source, read_body};
use super::{configuration, configuration_without_secrets, environment};
use crate::app;
use crate::catalog::{Catalog, EventType, fresh_example};
use crate::config::{ForwardProxy, rate as rate_of};
use crate::domain::{Clock as _, Timestamp};
use crate::send::{Answer, Client, OwnReceiver, TargetGuard, Trust, fresh_id};
use crate::telemetry::SystemClock;

/// Sends, prints each response, and fails if one is not 2xx.
pub fn run(globals: &Globals, send: &Send) -> anyhow::Result<ExitCode> {
    let asked = Asked::read(globals, send)?;
    if send.publish {
        return publish(globals, &asked);
    }
    let data_dir = globals.options().data_dir(&environment());
    let receiver = OwnReceiver::of_data_dir(&data_dir);
    if send.to.is_none() && receiver.is_none() {
        return Err(nobody_runs(&data_dir, ", or a target with --to URL"));
    }
    let config = configuration(globals)?;
    let source = find_source(&config, send.source.as_deref())?;
    let own_url = receiver.as_ref().map(|receiver| receiver.source_url(&source.name));
    let url = send.to.clone().or(own_url).context("no target")?;
    let own = asked.file()?;
    inspector::run(async {
        let client = match (&send.to, &receiver) {
            (None, Some(receiver)) => Client::of_receiver(receiver)?,
            (Some(_), Some(receiver)) => {
                let trust = Trust::SystemAndOwn(receiver.clone());
                Client::behind(TargetGuard::new(false), &ForwardProxy::default(), trust)?
            }
            _ => Client::new(TargetGuard::new(false))?,
        };
        let bar = Bar::new("sent", "events", send.count);
        let mut total = Total::default();
        let mut pace = asked.pace;
        for _ in 0..send.count {
            pace.wait().await;
            let now = SystemClock.wall();
            let id = fresh_id(now);
            let body = asked.body(own.as_ref(), &id, now)?;
            let sample =
                Sample { source, receiver: &config.receiver, event: &send.event, id: &id, now, body };
            let trial = send.fault.map(|fault| sample.with(fault)).transpose()?;
            let requests = match &trial {
                Some(trial) => trial.requests.clone(),
                None => vec![sample.right(sample.body.clone())?],
            };
            let mut last = None;
            for mut request in requests {
                request.headers.extend(asked.headers.iter().cloned());
                let answer = post(&client, &url, request).await.with_context(|| hint(send))?;
                total.elapsed = total.elapsed.saturating_add(answer.elapsed);
                total.requests = total.requests.saturating_add(1);
                last = Some((bar.above(|| print_answer(&answer, &id, send.rows)), answer));
            }
            let Some((printed, answer)) = last else { continue };
            printed?;
            let judged = match &trial {
                Some(trial) => trial.judge(&answer),
                None if (200..300).contains(&answer.status) => Ok(()),
                None => Err(String::new()),
            };
            if let Err(why) = judged {
                total.refused = total.refused.saturating_add(1);
                if !why.is_empty() {
                    bar.above(|| complain(why));
                }
            }
            bar.step();
        }
        drop(bar);
        total.tell(send)
    })
}

/// What the command line asks for. What is wrong with it is said before an instance is looked for.
struct Asked<'a> {
    send: &'a Send,
    catalog: Catalog,
    headers: Vec<(String, String)>,
    pace: Pace,
}

impl<'a> Asked<'a> {
    fn read(globals: &Globals, send: &'a Send) -> anyhow::Result<Self> {
        if let Some(to) = &send.to {
            http_url("--to", to, "http://127.0.0.1:3000/hook")?;
        }
        let config = configuration_without_secrets(globals)?;
        if !send.publish {
            find_source(&config, send.source.as_deref())?;
        }
        let catalog = app::read_catalog(&config)?;
        let headers = send.header.iter().map(|line| header_line(line)).collect::<anyhow::Result<_>>()?;
        let pace = Pace::of(send.rate.as_deref())?;
        let asked = Self { send, catalog, headers, pace };
        if send.file.is_none() {
            asked.example("", "")?;
        }
        Ok(asked)
    }

    /// The bytes of `--file`.
    fn file(&self) -> anyhow::Result<Option<Bytes>> {
        self.send.file.as_deref().map(|file| read_body(Some(file))).transpose()
    }

    /// The payload of an event: the bytes of a file, or the example.
    fn body(&self, own: Option<&Bytes>, id: &str, now: Timestamp) -> anyhow::Result<Bytes> {
        own.map_or_else(|| self.example(id, &now.to_string()), |own| Ok(own.clone()))
    }

    fn example(&self, id: &str, time: &str) -> anyhow::Result<Bytes> {
        let Send { event, set, .. } = self.send;
        let event_type = self.catalog.resolve(event);
        let payload = event_type.and_then(|event_type| fresh_example(event_type, id, time));
        let mut payload = payload.ok_or_else(|| no_example(&self.catalog, event))?;
        for assignment in set {
            let (path, value) = assignment
                .split_once('=')
                .ok_or_else(|| Fault::usage(format!("--set {assignment:?}: expected PATH=VALUE")))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            set_path(&mut payload, path, value)?;
        }
        Ok(Bytes::from(serde_json::to_vec(&payload)?))
    }
}

/// What was sent.
#[derive(Debug, Default)]
struct Total {
    requests: u32,
    /// Events with another response than the right one.
    refused: u32,
    elapsed: Duration,
}

impl Total {
    fn tell(&self, send: &Send) -> anyhow::Result<ExitCode> {
        let code = if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if send.count == 1 || send.rows.json || is_quiet() {
            return Ok(code);
        }
        let mean_ms = self.elapsed.as_secs_f64() * 1000.0 / f64::from(self.requests.max(1));
        let wrong = if send.fault.is_some() { "with another response than expected" } else { "refused" };
        answer(say!("{} sent, {} {wrong}, {mean_ms:.1} ms each", send.count, self.refused), code)
    }
}

/// Keeps to a rate.
#[derive(Clone, Copy)]
struct Pace {
    every: Duration,
    next: Instant,
}

impl Pace {
    fn of(rate: Option<&str>) -> anyhow::Result<Self> {
        let rate = rate.map(rate_of).transpose().map_err(|why| Fault::usage(format!("--rate: {why}")))?;
        let every = rate.map_or(Duration::ZERO, |rate| rate.per / rate.count.get());
        Ok(Self { every, next: Instant::now() })
    }

    async fn wait(&mut self) {
        tokio::time::sleep_until(self.next.into()).await;
        self.next = self.next.checked_add(self.every).unwrap_or(self.next);
    }
}

async fn post(client: &Client, url: &str, request: Request) -> anyhow::Result<Answer> {
    let Request { headers, body, pause } = request;
    let Some(pause) = pause else { return Ok(client.post(url, &headers, body).await?) };
    let url = http_url("--to", url, "http://127.0.0.1:3000/hook")?;
    Ok(client.post_slowly(&url, &headers, &body, pause).await?)
}

/// Publishes through the running instance.
fn publish(globals: &Globals, asked: &Asked<'_>) -> anyhow::Result<ExitCode> {
    let Asked { send, mut pace, .. } = *asked;
    inspector::run(async {
        let api = Api::find(globals, &send.inspector)?;
        let own = asked.file()?;
        let bar = Bar::new("published", "events", send.count);
        for _ in 0..send.count {
            pace.wait().await;
            let now = SystemClock.wall();
            let body = asked.body(own.as_ref(), &fresh_id(now), now)?;
            let told = api.post("events", body).await?;
            bar.above(|| print_published(&told, send.rows))?;
            bar.step();
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn print_published(told: &Value, rows: Rows) -> Result<(), Unwritten> {
    if rows.json {
        return say!("{told}");
    }
    say!("{}: {}", text(told, "event_id"), counted(text(told, "messages"), "message"))?;
    let warnings = told.get("warnings").and_then(Value::as_array);
    for warning in warnings.into_iter().flatten().filter_map(Value::as_str) {
        say!("  warning: {warning}")?;
    }
    Ok(())
}

fn hint(send: &Send) -> &'static str {
    if send.to.is_some() {
        "nothing was delivered"
    } else {
        "the tagohook of this data directory does not answer; is it still running?"
    }
}

fn no_example(catalog: &Catalog, name: &str) -> anyhow::Error {
    let near = crate::domain::suggestion(name, catalog.iter().map(EventType::name));
    let near = if near.is_empty() {
        "; `tagohook events` lists the events, --file sends a payload of your own".to_owned()
    } else {
        near
    };
    Fault::usage(format!("the catalogue has no example of {name:?}{near}"))
}

/// Sets `value` at a dotted path and creates missing objects; a number is an array index.
fn set_path(payload: &mut Value, path: &str, value: Value) -> anyhow::Result<()> {
    let mut place = payload;
    for step in path.split('.') {
        place = match place {
            Value::Array(items) => {
                let length = items.len();
                let at: usize = step
                    .parse()
                    .map_err(|_| Fault::usage(format!("--set {path}: {step:?} is not an index")))?;
                items
                    .get_mut(at)
                    .ok_or_else(|| Fault::usage(format!("--set {path}: the array has {length} items")))?
            }
            Value::Object(members) => members.entry(step).or_insert(Value::Null),
            Value::Null => {
                *place = Value::Object(serde_json::Map::new());
                place.as_object_mut().context("an object")?.entry(step).or_insert(Value::Null)
            }
            _ => return Err(Fault::usage(format!("--set {path}: the value before {step:?} has no members"))),
        };
    }
    *place = value;
    Ok(())
}

fn header_line(line: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| Fault::usage(format!("--header {line:?}: expected 'Name: value'")))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// With `--quiet`, only other responses than 2xx are printed.
fn print_answer(answer: &Answer, id: &str, rows: Rows) -> Result<(), Unwritten> {
    let ms = answer.elapsed.as_secs_f64() * 1000.0;
    let body = String::from_utf8_lossy(&answer.body);
    let body = body.trim_end();
    if rows.json {
        let ms = (ms * 10.0).round() / 10.0;
        return say!("{}", json!({"event_id": id, "status": answer.status, "duration_ms": ms, "body": body}));
    }
    if is_quiet() && (200..300).contains(&answer.status) {
        return Ok(());
    }
    let tone = if (200..300).contains(&answer.status) { Tone::Well } else { Tone::Bad };
    say!("{} in {ms:.1} ms  {body}", toned(&answer.status.to_string(), tone))
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
