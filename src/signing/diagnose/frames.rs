//! What a sender may add around the body before signing: a table of frames, and the values for them from the headers.

use super::difference::Difference;
use super::suspect::Suspect;
use crate::domain::{Headers, Platform, Scheme};

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

/// The frame that the scheme uses. A request with headers of both Standard Webhooks and Svix has two of them.
pub fn usual(suspect: &Suspect<'_>) -> Vec<Frame> {
    let beside = Beside::of(suspect);
    let template: &[u8] = match suspect.scheme {
        Scheme::StandardWebhooks => b"{i}.{t}.{b}",
        Scheme::Stripe => b"{t}.{b}",
        Scheme::Platform(Platform::Slack | Platform::Zoom) => b"v0:{t}:{b}",
        Scheme::Platform(Platform::Twitch) => b"{i}{t}{b}",
        Scheme::Tagorun | Scheme::Github | Scheme::Platform(_) | Scheme::None => b"{b}",
    };
    let mut frames: Vec<Frame> = beside.filled(template).iter().map(|text| Frame::of(text, None)).collect();
    if frames.is_empty() {
        // Without id and time, empty values were signed.
        let bare =
            beside.fill(beside.fill(vec![template.to_vec()], b"{i}", &[Vec::new()]), b"{t}", &[Vec::new()]);
        frames.extend(bare.iter().map(|text| Frame::of(text, None)));
    }
    frames
}

/// The usual frame with another time; the first time is the one from the header.
pub fn with_time(suspect: &Suspect<'_>, time: &str) -> Vec<Frame> {
    let mut beside = Beside::of(suspect);
    beside.times = vec![time.as_bytes().to_vec()];
    let template: &[u8] = if suspect.scheme == Scheme::Stripe { b"{t}.{b}" } else { b"{i}.{t}.{b}" };
    beside.filled(template).iter().map(|text| Frame::of(text, None)).collect()
}

/// The times in the headers, as written.
pub fn times(suspect: &Suspect<'_>) -> Vec<Vec<u8>> {
    Beside::of(suspect).times
}

/// The other frames whose parts are in the headers.
pub fn others(suspect: &Suspect<'_>) -> Vec<Frame> {
    let beside = Beside::of(suspect);
    let asked = match suspect.scheme {
        Scheme::StandardWebhooks => "id, timestamp and body with dots",
        Scheme::Stripe => "the timestamp, a dot and the body",
        Scheme::Platform(Platform::Slack | Platform::Zoom) => "v0, the timestamp and the body with colons",
        Scheme::Platform(Platform::Twitch) => "id, timestamp and body without anything between",
        Scheme::Tagorun | Scheme::Github | Scheme::Platform(_) | Scheme::None => "the body alone",
    };
    let mut frames = Vec::new();
    for (template, name, what) in FRAMES {
        let fix = format!(
            "The sender signs {what}, but the scheme {} signs {asked}. Let it sign that, or use a source with \
             signature = \"none\" and a credential.",
            suspect.scheme.as_str()
        );
        for text in beside.filled(template.as_bytes()) {
            frames.push(Frame::of(&text, Some(Difference::new(name, fix.clone()))));
        }
    }
    frames
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
    unique(names.iter().filter_map(|name| headers.get(name)).map(|value| value.trim_ascii().to_vec()))
}

/// `t=` and `ts=` inside a header, then the known headers, then every header that ends in -timestamp.
fn all_times(headers: &Headers) -> Vec<Vec<u8>> {
    let inside = headers.iter().flat_map(|header| {
        let parts = header.value.split(|byte| matches!(byte, b',' | b';' | b' '));
        parts.filter_map(|part| {
            let part = part.trim_ascii();
            part.strip_prefix(b"t=").or_else(|| part.strip_prefix(b"ts=")).map(<[u8]>::to_vec)
        })
    });
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
