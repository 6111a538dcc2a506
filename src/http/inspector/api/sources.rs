//! `GET sources`, `GET sources/{name}`: the sources, their rules and their recent deliveries.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::config::secret_end;
use crate::domain::{Credential, EventPlace, SchemaMode, Secret, Source, UnknownEvents};
use crate::http::inspector::InspectorState;
use crate::http::inspector::operations::sources::Traffic;
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::ack::{AckTimes, ack_times};

/// Every source, the default one first, and those with deliveries that are not configured.
pub async fn list(state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let sources = state.sources.all();
            let (times, traffic) = read(&state, &sources).await?;
            let mut objects: Vec<Value> = sources
                .iter()
                .zip(traffic)
                .map(|(source, came)| object(&state, source, came, &times))
                .collect();
            let is_unknown = |times: &&AckTimes| !sources.iter().any(|source| source.name == times.source);
            objects.extend(times.iter().filter(is_unknown).map(|times| Value::Object(times_object(times))));
            Ok(HttpResponse::Ok().json(json!({"sources": objects, "next": null})))
        }
        .await,
    )
}

/// One source.
pub async fn one(name: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let missing = || Problem::not_found(format!("There is no source {:?}.", name.as_str()));
            let source = state.sources.named(&name).ok_or_else(missing)?;
            let (times, traffic) = read(&state, std::slice::from_ref(&source)).await?;
            let came = traffic.first().copied().unwrap_or_default();
            Ok(HttpResponse::Ok().json(object(&state, &source, came, &times)))
        }
        .await,
    )
}

async fn read(state: &InspectorState, sources: &[Source]) -> Result<(Vec<AckTimes>, Vec<Traffic>), Problem> {
    let fault = |fault| Problem::store_fault(&fault);
    let times = ack_times(&state.store, sources).await.map_err(fault)?;
    Ok((times, Traffic::of(state, sources).await.map_err(fault)?))
}

fn object(state: &InspectorState, source: &Source, came: Traffic, times: &[AckTimes]) -> Value {
    let own = times.iter().find(|times| times.source == source.name);
    let mut object = own.map(times_object).unwrap_or_default();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    let seconds = |time: Duration| time.as_secs_f64();
    put("id", source.name.as_str().into());
    put("source", source.name.as_str().into());
    put("url", state.source_url(&source.name).into());
    put("public_url", state.public_source_url(&source.name).into());
    put("preset", source.preset.clone().into());
    put("signature", source.signature.scheme.as_str().into());
    put("secrets", source.signature_now().secrets.iter().map(secret_object).collect());
    put("tolerance_s", seconds(source.signature.tolerance).into());
    put("credentials", source.credentials.iter().map(credential_object).collect());
    put("allow", source.allow.ranges.iter().map(ToString::to_string).collect());
    put("schema", schema_word(source.schema).into());
    put("unknown_events", unknown_word(source.unknown_events).into());
    put(
        "event",
        match &source.event {
            EventPlace::Scheme => Value::Null,
            place => place.to_string().into(),
        },
    );
    put("id_pointer", source.id_pointer.as_str().into());
    put("id_scope", source.id_scope.words().into());
    put("dedupe_by_body_s", source.dedupe_by_body.map(seconds).into());
    put("entity", source.entity.as_str().into());
    put("handshake", source.handshake.as_ref().map(|rule| rule.kind.as_str()).into());
    put("timeout_ms", (seconds(source.sender_timeout) * 1_000.0).into());
    put("last_seen", came.last_seen.map(|at| at.to_string()).into());
    put("accepted_24h", came.accepted.into());
    put("refused_24h", came.refused.into());
    object.into()
}

/// The name and the last characters of a secret.
fn secret_object(secret: &Secret) -> Value {
    json!({"name": secret.name(), "ends": secret_end(secret)})
}

fn credential_object(credential: &Credential) -> Value {
    match credential {
        Credential::Bearer(token) => json!({"bearer": secret_object(token)}),
        Credential::Basic { username, password } => {
            json!({"basic": {"username": username, "password": secret_object(password)}})
        }
        Credential::ApiKey { key, secret, header, secret_header } => {
            let second = secret.as_ref().map(secret_object);
            let name = second.as_ref().map(|_| secret_header);
            json!({"api_key": {
                "key": secret_object(key), "header": header, "secret": second, "secret_header": name,
            }})
        }
    }
}

/// The word of the configuration.
#[must_use]
pub const fn schema_word(mode: SchemaMode) -> &'static str {
    match mode {
        SchemaMode::Enforce => "enforce",
        SchemaMode::Strict => "strict",
        SchemaMode::Warn => "warn",
        SchemaMode::Off => "off",
    }
}

const fn unknown_word(mode: UnknownEvents) -> &'static str {
    match mode {
        UnknownEvents::Accept => "accept",
        UnknownEvents::Reject => "reject",
    }
}

fn times_object(times: &AckTimes) -> Map<String, Value> {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let members = [
        ("id", json!(times.source)),
        ("source", json!(times.source)),
        ("deliveries", json!(times.deliveries)),
        ("p50_ms", json!(ms(times.p50))),
        ("p95_ms", json!(ms(times.p95))),
        ("p99_ms", json!(ms(times.p99))),
        ("timeout_ms", json!(times.timeout.map(ms))),
        ("gave_up", json!(times.gave_up)),
    ];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
