//! What a sender may add around the body before signing: a table of frames, and the values for them from the headers.

use std::borrow::Cow;

use super::difference::Difference;
use super::suspect::Suspect;
use crate::domain::{Headers, HmacForm, Platform, Scheme, SignedPart, TimePlace};

/// Each frame with its variant and a description of what the sender signs. `{b}` is the body, `{t}` a timestamp, `{i}`
/// an id, `{n}` a nonce. `{m}` is the method, `{p}` the path, `{u}` the URL, `{f}` the form's fields.
const FRAMES: &[(&str, &str, &str)] = &[
    ("{b}", "body-alone", "the body alone"),
    ("{t}.{b}", "timestamp-body", "the timestamp, a dot and the body, as Stripe does"),
    ("{i}.{t}.{b}", "id-timestamp-body", "id, timestamp and body with dots, as Standard Webhooks does"),
    ("{t}{b}", "timestamp-body", "the timestamp and the body, as Zendesk does"),
    ("{t}:{b}", "timestamp-body", "the timestamp, a colon and the body, as Paddle does"),
    ("v0:{t}:{b}", "timestamp-body", "v0, the timestamp and the body with colons, as Slack and Zoom do"),
    ("v1:{t}:{b}", "timestamp-body", "v1, the timestamp and the body with colons"),
    ("{t}\n{b}", "timestamp-body", "the timestamp, a line break and the body"),
    ("{i}:{t}:{b}", "id-timestamp-body", "id, timestamp and body with colons"),
    ("{b}{t}", "body-timestamp", "the body and the timestamp"),
    ("{b}.{t}", "body-timestamp", "the body, a dot and the timestamp"),
    ("{t}.{i}.{b}", "id-timestamp-body", "timestamp, id and body with dots"),
    ("{i}{t}{b}", "id-timestamp-body", "id, timestamp and body, as Twitch does"),
    ("{i}.{b}", "id-body", "the id, a dot and the body"),
    ("{i}{b}", "id-body", "the id and the body"),
    ("{n}{t}{b}", "nonce-timestamp-body", "nonce, timestamp and body"),
    ("{t}{n}{b}", "nonce-timestamp-body", "timestamp, nonce and body"),
    ("{n}.{t}.{b}", "nonce-timestamp-body", "nonce, timestamp and body with dots"),
    ("{t}.{n}.{b}", "nonce-timestamp-body", "timestamp, nonce and body with dots"),
    ("{t}\n{n}\n{b}\n", "nonce-timestamp-body", "timestamp, nonce and body, each on its line"),
    ("{n}{b}", "nonce-body", "the nonce and the body"),
    ("{m}{u}{b}{t}", "path-body", "the method, the URL, the body and the timestamp, as HubSpot does"),
    ("{t}{m}{p}{b}", "path-body", "the timestamp, the method, the path and the body"),
    ("{p}{b}", "path-body", "the path and the body"),
    ("{m}{p}{b}", "path-body", "the method, the path and the body"),
    ("{m}\n{p}\n{b}", "path-body", "the method, the path and the body, each on its line"),
    ("{u}{b}", "path-body", "the URL and the body, as Square does"),
    ("{b}{u}", "path-body", "the body and the URL"),
    ("{u}{f}", "url-fields", "the URL and the sorted fields of the form, as Twilio does"),
    ("{u}", "url-alone", "the URL without the body, as Twilio does where the body is JSON"),
];

/// Headers with a message id.
const IDS: &[&str] = &[
    "webhook-id",
    "svix-id",
    "X-TagoRUN-Message-Id",
    "X-TagoRUN-Event-Id",
    "X-GitHub-Delivery",
    "X-Request-Id",
];
/// Headers with a time, the likely ones first; all others ending in -timestamp follow.
const TIMES: &[&str] = &["webhook-timestamp", "svix-timestamp", "X-TagoRUN-Timestamp", "X-Webhook-Timestamp"];
const NONCES: &[&str] = &["X-Nonce", "X-Webhook-Nonce", "X-Request-Nonce", "Nonce"];
/// The most values tried of one kind.
const MOST: usize = 4;

/// The bytes before and after the body.
pub struct Frame {
    pub before: Vec<u8>,
    pub after: Vec<u8>,
    /// Whether the body is between them.
    pub has_body: bool,
    pub difference: Option<Difference>,
}

impl Frame {
    fn of(text: &[u8], difference: Option<Difference>) -> Self {
        const BODY: &[u8] = b"{b}";
        let at = memchr::memmem::find(text, BODY);
        let (before, rest) = text.split_at(at.unwrap_or(text.len()));
        let after = rest.strip_prefix(BODY).unwrap_or_default();
        Self { before: before.to_vec(), after: after.to_vec(), has_body: at.is_some(), difference }
    }
}

/// What a scheme signs.
fn template(scheme: Scheme) -> Cow<'static, [u8]> {
    let fixed: &[u8] = match scheme {
        Scheme::Hmac(form) => return Cow::Owned(frame_of(form)),
        Scheme::StandardWebhooks => b"{i}.{t}.{b}",
        Scheme::Stripe => b"{t}.{b}",
        Scheme::Platform(Platform::Slack | Platform::Zoom) => b"v0:{t}:{b}",
        Scheme::Platform(Platform::Twitch) => b"{i}{t}{b}",
        Scheme::Tagorun | Scheme::Github | Scheme::Platform(_) | Scheme::None => b"{b}",
    };
    Cow::Borrowed(fixed)
}

/// The form as a frame.
fn frame_of(form: &HmacForm) -> Vec<u8> {
    let part = |part: &SignedPart| match part {
        SignedPart::Text(text) => text.clone(),
        SignedPart::Body => "{b}".to_owned(),
        SignedPart::Time => "{t}".to_owned(),
        SignedPart::Id => "{i}".to_owned(),
        SignedPart::Method => "{m}".to_owned(),
        SignedPart::Path => "{p}".to_owned(),
        SignedPart::Url => "{u}".to_owned(),
        SignedPart::Form => "{f}".to_owned(),
    };
    form.signed.iter().map(part).collect::<String>().into_bytes()
}

/// Whether a scheme signs a time.
pub fn signs_time(scheme: Scheme) -> bool {
    memchr::memmem::find(&template(scheme), b"{t}").is_some()
}

/// The times that a scheme reads, as written.
pub fn signed_times(scheme: Scheme, headers: &Headers) -> Vec<Vec<u8>> {
    let inside = |header: &str, before: &str| {
        headers.get_all(header).flat_map(|value| times_after(value, &[before])).collect()
    };
    match scheme {
        Scheme::Stripe => inside("Stripe-Signature", "t="),
        Scheme::Hmac(HmacForm { header, time: Some(TimePlace::Inside(before)), .. }) => {
            inside(header, before)
        }
        _ => values(headers, &own_parts(scheme).1),
    }
}

/// The headers with the id and with the time that a scheme reads. A time inside the signature's header has none.
fn own_parts(scheme: Scheme) -> (Vec<&'static str>, Vec<&'static str>) {
    let (ids, times): (&[&str], &[&str]) = match scheme {
        Scheme::Hmac(form) => {
            let time = match &form.time {
                Some(TimePlace::Header(name)) => Some(name.as_str()),
                _ => None,
            };
            return (form.id.as_deref().into_iter().collect(), time.into_iter().collect());
        }
        Scheme::StandardWebhooks => (&["webhook-id", "svix-id"], &["webhook-timestamp", "svix-timestamp"]),
        Scheme::Platform(Platform::Slack) => (&[], &["X-Slack-Request-Timestamp"]),
        Scheme::Platform(Platform::Zoom) => (&[], &["x-zm-request-timestamp"]),
        Scheme::Platform(Platform::Twitch) => {
            (&["Twitch-Eventsub-Message-Id"], &["Twitch-Eventsub-Message-Timestamp"])
        }
        _ => (&[], &[]),
    };
    (ids.to_vec(), times.to_vec())
}

/// What the scheme signs around the body, with the id and the time of its own headers. A request with headers of Standard
/// Webhooks and of Svix has two of them. What is missing was signed as empty.
pub fn usual(suspect: &Suspect<'_>) -> Vec<Frame> {
    let or_empty = |values: Vec<Vec<u8>>| if values.is_empty() { vec![Vec::new()] } else { values };
    let mut beside = Beside::of(suspect);
    beside.ids = or_empty(values(suspect.headers, &own_parts(suspect.scheme).0));
    beside.times = or_empty(signed_times(suspect.scheme, suspect.headers));
    if beside.fields.is_empty() {
        beside.fields = or_empty(Vec::new());
    }
    beside.filled(&template(suspect.scheme)).iter().map(|text| Frame::of(text, None)).collect()
}

/// What the scheme signs, with an id or a time that is not in its own headers: in the body, or in another header.
pub fn borrowed(suspect: &Suspect<'_>) -> Vec<Frame> {
    let template = template(suspect.scheme);
    if *template == *b"{b}" {
        return Vec::new();
    }
    let mut beside = Beside::of(suspect);
    beside.ids.extend(of_body(suspect.body, &["id", "event_id", "message_id"]));
    beside.times.extend(of_body(suspect.body, &["timestamp", "time", "created_at"]));
    let fix = match suspect.scheme {
        Scheme::StandardWebhooks => {
            "The sender signs another id or timestamp than those in webhook-id and webhook-timestamp. | Send the values that it \
             signs, and whole seconds since 1970."
        }
        _ => {
            "The sender signs another id or timestamp than those in the headers. | Send the values that it signs."
        }
    };
    let difference = || Some(Difference::new("parts-other", fix));
    beside.filled(&template).iter().map(|text| Frame::of(text, difference())).collect()
}

/// The texts and numbers of these members.
fn of_body(body: &[u8], names: &[&str]) -> Vec<Vec<u8>> {
    let Ok(members) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body) else {
        return Vec::new();
    };
    let text = |name: &&str| match members.get(*name)? {
        serde_json::Value::String(text) => Some(text.as_bytes().to_vec()),
        serde_json::Value::Number(number) => Some(number.to_string().into_bytes()),
        _ => None,
    };
    names.iter().filter_map(text).collect()
}

/// The usual frame with another time; `None`: the scheme signs none.
pub fn with_time(suspect: &Suspect<'_>, time: &str) -> Vec<Frame> {
    let template = template(suspect.scheme);
    if !signs_time(suspect.scheme) {
        return Vec::new();
    }
    let mut beside = Beside::of(suspect);
    beside.times = vec![time.as_bytes().to_vec()];
    beside.filled(&template).iter().map(|text| Frame::of(text, None)).collect()
}

/// The times in the headers, as written.
pub fn times(suspect: &Suspect<'_>) -> Vec<Vec<u8>> {
    Beside::of(suspect).times
}

/// The other frames whose parts are in the headers.
pub fn others(suspect: &Suspect<'_>) -> Vec<Frame> {
    let beside = Beside::of(suspect);
    let asked: Cow<'_, str> = match suspect.scheme {
        Scheme::Hmac(form) => Cow::Owned(form.template()),
        Scheme::StandardWebhooks => "id, timestamp and body with dots".into(),
        Scheme::Stripe => "the timestamp, a dot and the body".into(),
        Scheme::Platform(Platform::Slack | Platform::Zoom) => {
            "v0, the timestamp and the body with colons".into()
        }
        Scheme::Platform(Platform::Twitch) => "id, timestamp and body without anything between".into(),
        Scheme::Tagorun | Scheme::Github | Scheme::Platform(_) | Scheme::None => "the body alone".into(),
    };
    let mut frames = Vec::new();
    for (template, name, what) in FRAMES {
        let fix = format!(
            "The sender signs {what}, but the scheme {} signs {asked}. | Let it sign that, or use a source with {}.",
            suspect.scheme.as_str(),
            rule_for(template)
        );
        for text in beside.filled(template.as_bytes()) {
            frames.push(Frame::of(&text, Some(Difference::new(name, fix.clone()))));
        }
    }
    frames
}

/// The rule of a source that would take this frame.
fn rule_for(template: &str) -> String {
    if template.contains("{n}") {
        return "signature = \"none\" and a credential".to_owned();
    }
    let names = [
        ("{b}", "{body}"),
        ("{t}", "{timestamp}"),
        ("{i}", "{id}"),
        ("{m}", "{method}"),
        ("{p}", "{path}"),
        ("{u}", "{url}"),
        ("{f}", "{form}"),
    ];
    let signed = names.iter().fold(template.to_owned(), |text, (sign, name)| text.replace(sign, name));
    format!("signature = \"hmac\" and hmac.signed = {signed:?}")
}

/// The values for each placeholder of a frame.
struct Beside {
    ids: Vec<Vec<u8>>,
    times: Vec<Vec<u8>>,
    nonces: Vec<Vec<u8>>,
    method: Vec<Vec<u8>>,
    paths: Vec<Vec<u8>>,
    urls: Vec<Vec<u8>>,
    fields: Vec<Vec<u8>>,
}

impl Beside {
    fn of(suspect: &Suspect<'_>) -> Self {
        let headers = suspect.headers;
        let path = suspect.path.as_bytes();
        let bare = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let paths = unique([path.to_vec(), bare.to_vec()]);
        let hosts = values(headers, &["Host", "X-Forwarded-Host"]);
        let mut urls = Vec::new();
        for host in &hosts {
            for scheme in ["https://", "http://"] {
                urls.extend(paths.iter().map(|path| [scheme.as_bytes(), host, path].concat()));
            }
        }
        Self {
            ids: values(headers, IDS),
            times: all_times(headers),
            nonces: values(headers, NONCES),
            method: vec![suspect.method.as_bytes().to_vec()],
            paths,
            urls,
            fields: sorted_fields(suspect),
        }
    }

    /// The template with every combination of values.
    fn filled(&self, template: &[u8]) -> Vec<Vec<u8>> {
        let signs: [(&[u8], &[Vec<u8>]); 7] = [
            (b"{i}", &self.ids),
            (b"{t}", &self.times),
            (b"{n}", &self.nonces),
            (b"{m}", &self.method),
            (b"{p}", &self.paths),
            (b"{u}", &self.urls),
            (b"{f}", &self.fields),
        ];
        let mut texts = vec![template.to_vec()];
        for (sign, values) in signs {
            if memchr::memmem::find(template, sign).is_some() {
                texts = self.fill(texts, sign, values);
            }
        }
        texts
    }

    fn fill(&self, texts: Vec<Vec<u8>>, sign: &[u8], values: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let put = |text: &Vec<u8>, value: &Vec<u8>| match memchr::memmem::find(text, sign) {
            Some(at) => {
                let (before, rest) = text.split_at(at);
                [before, value, rest.strip_prefix(sign).unwrap_or_default()].concat()
            }
            None => text.clone(),
        };
        texts
            .iter()
            .flat_map(|text| values.iter().map(|value| put(text, value)).collect::<Vec<_>>())
            .collect()
    }
}

fn unique(values: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut unique: Vec<Vec<u8>> = Vec::new();
    for value in values {
        if !value.is_empty() && !unique.contains(&value) && unique.len() < MOST {
            unique.push(value);
        }
    }
    unique
}

fn values(headers: &Headers, names: &[&str]) -> Vec<Vec<u8>> {
    let lines = names.iter().flat_map(|name| headers.get_all(name));
    unique(lines.map(|value| value.trim_ascii().to_vec()))
}

/// What follows one of these prefixes inside a header, such as `t=`.
fn times_after(value: &[u8], before: &[&str]) -> Vec<Vec<u8>> {
    let parts = value.split(|byte| matches!(byte, b',' | b';' | b' ')).map(<[u8]>::trim_ascii);
    let time = |part: &[u8]| {
        before.iter().find_map(|before| part.strip_prefix(before.as_bytes()).map(<[u8]>::to_vec))
    };
    parts.filter_map(time).collect()
}

/// The times inside headers, then those of headers that are known, then of every header that ends in -timestamp.
fn all_times(headers: &Headers) -> Vec<Vec<u8>> {
    let inside = headers.iter().flat_map(|header| times_after(&header.value, &["t=", "ts="]));
    let named = values(headers, TIMES);
    let others = headers
        .iter()
        .filter(|header| header.name.to_ascii_lowercase().ends_with("-timestamp"))
        .map(|header| header.value.trim_ascii().to_vec());
    unique(inside.chain(named).chain(others))
}

/// The names and values of a form, sorted by name, without separators.
fn sorted_fields(suspect: &Suspect<'_>) -> Vec<Vec<u8>> {
    let kind = suspect.headers.get("Content-Type").unwrap_or_default();
    if !kind.starts_with(b"application/x-www-form-urlencoded") {
        return Vec::new();
    }
    let mut fields: Vec<(String, String)> =
        form_urlencoded::parse(suspect.body).map(|(name, value)| (name.into(), value.into())).collect();
    fields.sort();
    vec![fields.iter().map(|(name, value)| format!("{name}{value}")).collect::<String>().into_bytes()]
}
