//! How each question is recognised.

use serde_json::Value;

use crate::domain::{Handshake, Headers, Source};

/// The longest body searched for a question, in bytes.
const LONGEST: usize = 64 * 1024;

/// The parts of a request that identify a question.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The header lines.
    pub headers: &'a Headers,
    /// The body.
    pub body: &'a [u8],
}

impl Question<'_> {
    fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value).trim().to_owned())
    }

    fn has(&self, header: &str, value: &str) -> bool {
        self.header(header).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body.get(..LONGEST).unwrap_or(self.body)).ok()
    }

    fn text_at(&self, pointer: &str) -> String {
        let text = |value: Value| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        self.json().and_then(text).unwrap_or_default()
    }

    fn says(&self, pointer: &str, word: &str) -> bool {
        self.text_at(pointer) == word
    }
}

/// One kind of question.
struct Kind {
    handshake: Handshake,
    method: &'static str,
    /// Whether the platform signs its question.
    is_signed: bool,
    /// Whether a request is this kind of question.
    is: fn(&Question<'_>) -> bool,
    /// The value to return or use: a challenge, a link, a secret.
    given: fn(&Question<'_>) -> String,
}

/// Every kind, according to the platforms' documentation.
const KINDS: [Kind; 13] = [
    Kind {
        handshake: Handshake::AwsIot,
        method: "POST",
        is_signed: false,
        is: |asked| asked.has("x-amz-rules-engine-message-type", "DestinationConfirmation"),
        given: |asked| asked.text_at("/enableUrl"),
    },
    Kind {
        handshake: Handshake::AwsSns,
        method: "POST",
        is_signed: false,
        is: |asked| asked.has("x-amz-sns-message-type", "SubscriptionConfirmation"),
        given: |asked| asked.text_at("/SubscribeURL"),
    },
    Kind {
        handshake: Handshake::EventGrid,
        method: "POST",
        is_signed: false,
        is: |asked| asked.has("aeg-event-type", "SubscriptionValidation"),
        given: |asked| asked.text_at("/0/data/validationCode"),
    },
    Kind {
        handshake: Handshake::MicrosoftGraph,
        method: "POST",
        is_signed: false,
        is: |asked| asked.query("validationToken").is_some() && asked.body.trim_ascii().is_empty(),
        given: |asked| asked.query("validationToken").unwrap_or_default(),
    },
    Kind {
        handshake: Handshake::Slack,
        method: "POST",
        is_signed: true,
        is: |asked| asked.says("/type", "url_verification"),
        given: |asked| asked.text_at("/challenge"),
    },
    Kind {
        handshake: Handshake::Zoom,
        method: "POST",
        is_signed: true,
        is: |asked| asked.says("/event", "endpoint.url_validation"),
        given: |asked| asked.text_at("/payload/plainToken"),
    },
    Kind {
        handshake: Handshake::Meta,
        method: "GET",
        is_signed: false,
        is: |asked| asked.query("hub.mode").as_deref() == Some("subscribe"),
        given: |asked| asked.query("hub.challenge").unwrap_or_default(),
    },
    Kind {
        handshake: Handshake::Dropbox,
        method: "GET",
        is_signed: false,
        is: |asked| asked.query("challenge").is_some(),
        given: |asked| asked.query("challenge").unwrap_or_default(),
    },
    Kind {
        handshake: Handshake::Twitch,
        method: "POST",
        is_signed: true,
        is: |asked| asked.has("Twitch-Eventsub-Message-Type", "webhook_callback_verification"),
        given: |asked| asked.text_at("/challenge"),
    },
    Kind {
        handshake: Handshake::Okta,
        method: "GET",
        is_signed: false,
        is: |asked| asked.header("x-okta-verification-challenge").is_some(),
        given: |asked| asked.header("x-okta-verification-challenge").unwrap_or_default(),
    },
    Kind {
        handshake: Handshake::X,
        method: "GET",
        is_signed: false,
        is: |asked| asked.query("crc_token").is_some(),
        given: |asked| asked.query("crc_token").unwrap_or_default(),
    },
    Kind {
        handshake: Handshake::Asana,
        method: "POST",
        is_signed: false,
        is: |asked| asked.header("X-Hook-Secret").is_some(),
        given: |asked| asked.header("X-Hook-Secret").unwrap_or_default(),
    },
    Kind {
        handshake: Handshake::Xero,
        method: "POST",
        is_signed: true,
        is: |asked| {
            let is_empty =
                |value: Value| value.pointer("/events").and_then(Value::as_array).is_some_and(Vec::is_empty);
            asked.header("x-xero-signature").is_some() && asked.json().is_some_and(is_empty)
        },
        given: |_| String::new(),
    },
];

/// A question that a source answers.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The platform's handshake.
    pub handshake: Handshake,
    /// Whether the platform signs the question.
    pub is_signed: bool,
    /// The value to return or use.
    pub given: String,
    /// The verify token, for Meta.
    pub token: String,
}

/// The question in a request to `source`, if the source names its platform.
#[must_use]
pub fn asked_at(source: &Source, question: &Question<'_>) -> Option<Asked> {
    let rule = source.handshake.as_ref()?;
    let kind = KINDS.iter().find(|kind| kind.handshake == rule.kind)?;
    (kind.method == question.method && (kind.is)(question)).then(|| Asked {
        handshake: kind.handshake,
        is_signed: kind.is_signed,
        given: (kind.given)(question),
        token: question.query("hub.verify_token").unwrap_or_default(),
    })
}

/// The platform whose question a request is, whatever its source answers.
#[must_use]
pub fn recognise(question: &Question<'_>) -> Option<Handshake> {
    let kind = KINDS.iter().find(|kind| kind.method == question.method && (kind.is)(question))?;
    Some(kind.handshake)
}
