//! A replay of one delivery.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use url::Url;
use utoipa::ToSchema;

use crate::domain::{Replay, ReplaySignature, StoredDelivery, plain};
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::request::{As, Members, SignatureParam, Word};
use crate::http::inspector::state::InspectorState;
use crate::inspect::replay::{Asked, Edits, ReplayFault, Target};

/// Where a replay goes.
const TARGETS: &str = "\"receiver\", an http or https URL, or the id of a subscription";

/// A replay of one delivery.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ReplayRequest {
    /// `receiver`, which is the default, an http or https URL, or the id of a subscription. A URL that ends in `/*` gets
    /// the stored path.
    #[schema(value_type = Option<String>)]
    pub to: Option<As<Place>>,
    /// What becomes of the signature; `fresh` without a word.
    #[schema(inline)]
    pub signature: Option<SignatureParam>,
    /// Another method.
    pub method: Option<String>,
    /// Another path, for our own receiver.
    pub path: Option<String>,
    /// Other headers: `[[name, value], …]`, which keeps repeats and their order, or an object.
    #[schema(value_type = Option<Vec<Vec<String>>>)]
    pub headers: Option<HeaderLines>,
    /// Another body, as text.
    pub body: Option<String>,
    /// Another body, as base64.
    #[schema(value_type = Option<String>)]
    pub body_base64: Option<As<Decoded>>,
}

impl Members for ReplayRequest {}

/// Where a replay goes, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(pub String);

impl Word for Place {
    fn expected() -> String {
        TARGETS.to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        let is_http = |text: &str| text.starts_with("http://") || text.starts_with("https://");
        (is_http(text) || !text.contains("://")).then(|| Self(text.to_owned())).ok_or(None)
    }
}

/// Bytes that are written as base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded(pub Bytes);

impl Word for Decoded {
    fn expected() -> String {
        "base64".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        STANDARD.decode(text).map(|bytes| Self(bytes.into())).map_err(|_| None)
    }
}

/// Header lines: a list of pairs, or an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderLines(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for HeaderLines {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ReadsLines)
    }
}

struct ReadsLines;

impl<'de> Visitor<'de> for ReadsLines {
    type Value = HeaderLines;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of [name, value], or an object of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<HeaderLines, A::Error> {
        let wrong = |_| de::Error::invalid_value(de::Unexpected::Seq, &ReadsLines);
        let mut lines = Vec::new();
        while let Some(line) = items.next_element::<(String, String)>().map_err(wrong)? {
            lines.push(line);
        }
        Ok(HeaderLines(lines))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<HeaderLines, A::Error> {
        let wrong = |_| de::Error::invalid_value(de::Unexpected::Map, &ReadsLines);
        let mut lines = Vec::new();
        while let Some(line) = members.next_entry::<String, String>().map_err(wrong)? {
            lines.push(line);
        }
        Ok(HeaderLines(lines))
    }
}

/// One fault of a body.
#[must_use]
pub fn fault(pointer: &str, message: impl Into<String>) -> FieldFault {
    FieldFault { pointer: pointer.to_owned(), message: message.into() }
}

impl ReplayRequest {
    /// What it asks for.
    ///
    /// # Errors
    /// 400 with every fault; 409 for a disabled subscription.
    pub fn asked(self, state: &InspectorState) -> Result<Asked, Problem> {
        let mut faults = Vec::new();
        let target = target(state, self.to.as_ref()).map_err(|why| faults.push(why)).ok();
        if self.path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            faults.push(fault("/path", "a path that begins with /"));
        }
        if self.path.is_some() && matches!(target, Some(Target::Url(_))) {
            let why =
                "only for our own receiver; a URL has its own path, or ends in /* to get the stored one";
            faults.push(fault("/path", why));
        }
        if self.body.is_some() && self.body_base64.is_some() {
            faults.push(fault("/body_base64", "body is given too; one of them"));
        }
        let Some(target) = target.filter(|_| faults.is_empty()) else {
            return Err(Problem::bad_body(faults));
        };
        refuse_disabled(state, &target)?;
        let decoded = self.body_base64.map(|As(Decoded(bytes))| bytes);
        let edits = Edits {
            method: self.method,
            path: self.path,
            headers: self.headers.map(|HeaderLines(lines)| lines),
            body: self.body.map(Bytes::from).or(decoded),
        };
        let signature = self.signature.map_or(ReplaySignature::Fresh, |As(signature)| signature);
        Ok(Asked { target, signature, edits, run: None })
    }
}

/// Where it goes; without a word, to our own receiver.
///
/// # Errors
/// The fault of `to`.
pub fn target(state: &InspectorState, to: Option<&As<Place>>) -> Result<Target, FieldFault> {
    let Some(As(Place(text))) = to else { return Ok(Target::Receiver) };
    if text == "receiver" {
        return Ok(Target::Receiver);
    }
    if state.sender.subscriptions().get(text).is_some() {
        return Ok(Target::Subscription(text.clone()));
    }
    if let Some(parked) = state.sender.subscriptions().parked(text) {
        return Err(fault("/to", format!("{} {}", parked.sentence(), parked.cure())));
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| fault("/to", TARGETS))?;
    match state.sender.guard().check_url(&url) {
        Ok(()) => Ok(Target::Url(url)),
        Err(blocked) => Err(fault("/to", blocked.to_string())),
    }
}

/// A disabled subscription gets no new messages.
///
/// # Errors
/// 409.
pub fn refuse_disabled(state: &InspectorState, target: &Target) -> Result<(), Problem> {
    let Target::Subscription(id) = target else { return Ok(()) };
    let active = state.sender.subscriptions().get(id);
    match active.filter(|active| !active.is_enabled()) {
        Some(_) => Err(Problem::conflict("The subscription is disabled; enable it first.")),
        None => Ok(()),
    }
}

/// The id and name of each subscription that a delivery can be replayed to.
#[must_use]
pub fn enabled_subscriptions(state: &InspectorState) -> Vec<(String, String)> {
    let all = state.sender.subscriptions().all();
    let enabled = all.iter().filter(|active| active.is_enabled());
    let named = enabled.map(|active| {
        let subscription = &active.compiled.subscription;
        (subscription.id.clone(), plain(&subscription.name))
    });
    named.collect()
}

/// Sends a delivery again.
///
/// # Errors
/// 400 if it cannot be sent like this, 503.
pub async fn replayed(
    state: &InspectorState,
    delivery: StoredDelivery,
    asked: &Asked,
) -> Result<Replay, Problem> {
    let refused = |why: String| Problem::bad_body(vec![fault("", why)]);
    let replayer = state.replayer().map_err(refused)?;
    replayer.replay(delivery, asked).await.map_err(|wrong| match wrong {
        ReplayFault::Asked(why) => refused(why),
        ReplayFault::Store(wrong) => Problem::from(wrong),
    })
}
