//! `GET sources`, `GET sources/{name}`: the sources, their rules and their recent deliveries.

use std::time::Duration;

use actix_web::web;
use serde::Serialize;
use utoipa::openapi::{Object, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::openapi::Done;
use crate::config::secret_end;
use crate::domain::{Credential, EventPlace, SchemaMode, Secret, Source, UnknownEvents};
use crate::http::inspector::answer::Time;
use crate::http::inspector::operations::sources::Traffic;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::inspect::ack::{AckTimes, ack_times};

/// Sources.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceList {
    /// The default one first; then those with deliveries that are not configured, which have only their times.
    sources: Vec<SourceObject>,
    next: Option<String>,
}

/// A source: its times if it received anything, and its rules if it is configured.
#[derive(Debug, Serialize)]
pub struct SourceObject {
    id: String,
    source: String,
    #[serde(flatten)]
    times: Option<TimesObject>,
    /// How long its sender waits for our answer; null if that is not known.
    timeout_ms: Option<f64>,
    #[serde(flatten)]
    rules: Option<RulesObject>,
}

/// What every source has.
#[derive(Serialize, ToSchema)]
struct SourceHead {
    id: String,
    source: String,
    /// How long its sender waits for our answer; null if that is not known.
    timeout_ms: Option<f64>,
}

impl PartialSchema for SourceObject {
    fn schema() -> RefOr<Schema> {
        let mut whole = Object::new();
        for (at, part) in
            [SourceHead::schema(), TimesObject::schema(), RulesObject::schema()].into_iter().enumerate()
        {
            let RefOr::T(Schema::Object(part)) = part else { continue };
            whole.properties.extend(part.properties);
            if at == 0 {
                whole.required = part.required;
            }
        }
        whole.description = Some(
            "A source: its times if it received anything, and its rules if it is configured.".to_owned(),
        );
        RefOr::T(Schema::Object(whole))
    }
}

impl ToSchema for SourceObject {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        RulesObject::schemas(schemas);
    }
}

/// How long answers took.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimesObject {
    deliveries: usize,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    /// How many were not answered before the sender gave up.
    gave_up: usize,
}

/// The rules of a source, and what it received in a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct RulesObject {
    /// Its URL on this machine.
    url: String,
    /// Its URL at the public address that was checked.
    public_url: Option<String>,
    preset: Option<String>,
    /// The scheme of signatures.
    signature: &'static str,
    secrets: Vec<SecretObject>,
    tolerance_s: f64,
    credentials: Vec<CredentialObject>,
    /// The addresses that may send.
    allow: Vec<String>,
    /// `enforce`, `strict`, `warn` or `off`.
    schema: &'static str,
    /// `accept` or `reject`.
    unknown_events: &'static str,
    /// Where the event's name is.
    event: Option<String>,
    id_pointer: String,
    id_scope: Vec<&'static str>,
    dedupe_by_body_s: Option<f64>,
    entity: String,
    handshake: Option<&'static str>,
    last_seen: Option<Time>,
    accepted_24h: u64,
    refused_24h: u64,
}

/// The name and the last characters of a secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretObject {
    name: String,
    /// Null if it is too short to show any.
    ends: Option<String>,
}

/// A credential that a source accepts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialObject {
    /// `Authorization: Bearer`.
    Bearer(SecretObject),
    /// `Authorization: Basic`.
    Basic {
        /// The name of the user.
        username: String,
        /// The password.
        password: SecretObject,
    },
    /// A header of its own.
    ApiKey {
        /// The key.
        key: SecretObject,
        /// The header of the key.
        header: String,
        /// The second secret.
        secret: Option<SecretObject>,
        /// The header of the second secret.
        secret_header: Option<String>,
    },
}

/// Every source, the default one first, and those with deliveries that are not configured.
pub async fn list(state: web::Data<InspectorState>) -> Result<Done<SourceList>, Problem> {
    let sources = state.sources.all();
    let (times, traffic) = read(&state, &sources).await?;
    let configured = sources.iter().zip(traffic).map(|(source, came)| object(&state, source, came, &times));
    let mut objects: Vec<SourceObject> = configured.collect();
    let is_unknown = |times: &&AckTimes| !sources.iter().any(|source| source.name == times.source);
    objects.extend(times.iter().filter(is_unknown).map(only_times));
    Ok(Done(SourceList { sources: objects, next: None }))
}

/// One source.
pub async fn one(
    name: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<SourceObject>, Problem> {
    let missing = || Problem::not_found(format!("There is no source {:?}.", name.as_str()));
    let source = state.sources.named(&name).ok_or_else(missing)?;
    let (times, traffic) = read(&state, std::slice::from_ref(&source)).await?;
    let came = traffic.first().copied().unwrap_or_default();
    Ok(Done(object(&state, &source, came, &times)))
}

async fn read(state: &InspectorState, sources: &[Source]) -> Result<(Vec<AckTimes>, Vec<Traffic>), Problem> {
    let times = ack_times(&state.store, sources).await?;
    Ok((times, Traffic::of(state, sources).await?))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn times_of(times: &AckTimes) -> TimesObject {
    TimesObject {
        deliveries: times.deliveries,
        p50_ms: millis(times.p50),
        p95_ms: millis(times.p95),
        p99_ms: millis(times.p99),
        gave_up: times.gave_up,
    }
}

fn only_times(times: &AckTimes) -> SourceObject {
    SourceObject {
        id: times.source.clone(),
        source: times.source.clone(),
        times: Some(times_of(times)),
        timeout_ms: times.timeout.map(millis),
        rules: None,
    }
}

fn object(state: &InspectorState, source: &Source, came: Traffic, times: &[AckTimes]) -> SourceObject {
    let own = times.iter().find(|times| times.source == source.name);
    let rules = RulesObject {
        url: state.source_url(&source.name),
        public_url: state.public_source_url(&source.name),
        preset: source.preset.as_ref().map(ToString::to_string),
        signature: source.signature.scheme.as_str(),
        secrets: source.signature_now().secrets.iter().map(secret_object).collect(),
        tolerance_s: source.signature.tolerance.as_secs_f64(),
        credentials: source.credentials.iter().map(credential_object).collect(),
        allow: source.allow.ranges.iter().map(ToString::to_string).collect(),
        schema: schema_word(source.schema),
        unknown_events: unknown_word(source.unknown_events),
        event: match &source.event {
            EventPlace::Scheme => None,
            place => Some(place.to_string()),
        },
        id_pointer: source.id_pointer.as_str().to_owned(),
        id_scope: source.id_scope.words(),
        dedupe_by_body_s: source.dedupe_by_body.map(|time| time.as_secs_f64()),
        entity: source.entity.as_str().to_owned(),
        handshake: source.handshake.as_ref().map(|rule| rule.kind.as_str()),
        last_seen: came.last_seen.map(Time),
        accepted_24h: came.accepted,
        refused_24h: came.refused,
    };
    SourceObject {
        id: source.name.clone(),
        source: source.name.clone(),
        times: own.map(times_of),
        timeout_ms: Some(millis(source.sender_timeout)),
        rules: Some(rules),
    }
}

fn secret_object(secret: &Secret) -> SecretObject {
    SecretObject { name: secret.name().to_owned(), ends: secret_end(secret) }
}

fn credential_object(credential: &Credential) -> CredentialObject {
    match credential {
        Credential::Bearer(token) => CredentialObject::Bearer(secret_object(token)),
        Credential::Basic { username, password } => {
            CredentialObject::Basic { username: username.clone(), password: secret_object(password) }
        }
        Credential::ApiKey { key, secret, header, secret_header } => CredentialObject::ApiKey {
            key: secret_object(key),
            header: header.clone(),
            secret: secret.as_ref().map(secret_object),
            secret_header: secret.as_ref().map(|_| secret_header.clone()),
        },
    }
}

/// The word of the configuration.
const fn schema_word(mode: SchemaMode) -> &'static str {
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
