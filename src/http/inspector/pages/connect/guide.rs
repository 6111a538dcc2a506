//! The steps from nothing to a first delivery, for each kind of sender.

use actix_web::HttpRequest;
use url::form_urlencoded;

use super::secret;
use crate::domain::{Credential, DeliveryFilter, ListenAddress, Scheme, Secret, Source, Verdict, plain};
use crate::http::inspector::address_check::Found;
use crate::http::inspector::pages::source_setup::Setup;
use crate::http::inspector::remembered::Apply;
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::receive::CAPTURES;
use crate::send::{shell_quote, signed_curl, source_path};
use crate::store::StoreError;

/// The placeholder of the public address until it is known.
const UNKNOWN: &str = "https://YOUR-ADDRESS/";
/// The event of the button, which does not count as the sender's first.
const TEST_EVENT: &str = "webhook.test";
/// The script that makes signed events in TagoIO.
const ANALYSIS: &str = include_str!("../../../../../examples/tagoio-analysis/analysis.js");
/// How many of the newest deliveries are searched for one of the sender.
const NEWEST: usize = 20;

/// Who is to be connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum For {
    /// TagoRUN, which signs.
    #[default]
    Tagorun,
    /// An Action of TagoIO, which sends a header.
    Tagoio,
    /// An Analysis of TagoIO, a script that signs.
    Analysis,
    /// Anything that can post.
    Anything,
}

impl For {
    const ALL: [Self; 4] = [Self::Tagorun, Self::Tagoio, Self::Analysis, Self::Anything];

    pub fn read(word: &str) -> Self {
        Self::ALL.into_iter().find(|one| one.word() == word).unwrap_or_default()
    }

    /// The word in the address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tagorun => "tagorun",
            Self::Tagoio => "tagoio",
            Self::Analysis => "analysis",
            Self::Anything => "anything",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Tagorun => "TagoRUN",
            Self::Tagoio => "TagoIO Action",
            Self::Analysis => "TagoIO Analysis",
            Self::Anything => "Anything",
        }
    }

    /// The first source that fits.
    fn source(self, sources: &[Source]) -> Option<&Source> {
        match self {
            Self::Tagorun | Self::Analysis => {
                sources.iter().find(|source| source.signature.scheme == Scheme::Tagorun)
            }
            Self::Tagoio => {
                let fits = |source: &&Source| {
                    source.signature.scheme == Scheme::None && !source.credentials.is_empty()
                };
                sources
                    .iter()
                    .filter(fits)
                    .find(|source| source.name == "tagoio")
                    .or(sources.iter().find(fits))
            }
            Self::Anything => None,
        }
    }
}

/// A tab.
pub struct Tab {
    pub label: &'static str,
    pub url: String,
    pub is_here: bool,
}

/// A secret that the sender needs.
pub struct SecretView {
    /// `file:tagoio-token`, as the configuration names it.
    pub name: String,
    /// The text before it in the header line; empty if it is entered alone.
    pub prefix: &'static str,
    /// The header; empty if it is entered alone.
    pub header: String,
    /// The secret in clear, if it was asked for and may be shown.
    pub value: Option<String>,
    /// Why it is not shown here.
    pub refusal: Option<&'static str>,
    /// The file that contains it.
    pub file: Option<String>,
}

/// The newest delivery of the sender.
pub struct Arrived {
    pub id: String,
    pub what: String,
    pub when: When,
    /// The word of the light: `arrived` or `rejected`.
    pub state: &'static str,
}

/// The last check of a public address.
pub struct Check {
    pub found: Found,
    pub when: When,
}

/// The steps.
pub struct Guide {
    pub who: For,
    pub tabs: Vec<Tab>,
    /// The public address as it was typed, or the one that is known.
    pub at: String,
    /// The public address that is known to lead here.
    pub public: Option<String>,
    /// Whether a source of that kind is there.
    pub has_source: bool,
    /// The receiver, for people.
    pub receiver: String,
    /// The line that opens a tunnel.
    pub tunnel: Option<String>,
    /// The lines of a proxy.
    pub proxy: String,
    /// What to enter in the sender.
    pub url: String,
    pub secret: Option<SecretView>,
    /// A line for a shell.
    pub curl: Option<String>,
    /// A script to paste.
    pub script: Option<&'static str>,
    /// Where in the sender's menus it is entered, and what the field is called there.
    pub place: &'static str,
    pub field: &'static str,
    pub check: Option<Check>,
    /// How a change of the configuration gets into force.
    pub apply: Apply,
    pub arrived: Option<Arrived>,
    /// The stream of further deliveries.
    pub stream: String,
    /// Whether the button sends to this source.
    pub has_test: bool,
}

impl Guide {
    /// The steps where nothing was ever received.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn first(request: &HttpRequest, state: &InspectorState) -> Result<Self, StoreError> {
        let sources = state.sources.all();
        let fits = |one: &For| one.source(&sources).is_some();
        let who = For::ALL.into_iter().find(fits).unwrap_or(For::Anything);
        Self::of(request, state, who, "", false).await
    }

    /// The steps for `who`, with the secret in clear if `has_secret`. `at` is a public address that was typed.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn of(
        request: &HttpRequest,
        state: &InspectorState,
        who: For,
        at: &str,
        has_secret: bool,
    ) -> Result<Self, StoreError> {
        let sources = state.sources.all();
        let source = who.source(&sources);
        let name = source.map_or(CAPTURES, |source| source.name.as_str());
        let public = state.sources.public().map(|base| base.to_string());
        let path = match who {
            For::Anything => "webhook-test/anything".to_owned(),
            _ => source_path(source.map_or("NAME", |source| &source.name)),
        };
        let url = format!("{}{path}", public.as_deref().unwrap_or(UNKNOWN));
        // Without a public address, what is sent from this machine reaches the receiver directly.
        let options = if public.is_none() { state.receiver.curl_options() } else { String::new() };
        let to = match &public {
            Some(_) => url.clone(),
            None => format!("{}/{path}", state.receiver_base()),
        };
        let checked = state.last_check();
        let typed = if at.is_empty() { checked.as_ref().map_or("", |checked| &checked.at) } else { at };
        let typed = if typed.is_empty() { public.clone().unwrap_or_default() } else { typed.to_owned() };
        let setup = source.map(|source| Setup::of(source, &url));
        let secret = source.and_then(|source| secret_view(request, state, source, has_secret));
        let now = state.clock.wall();
        Ok(Self {
            who,
            tabs: For::ALL.iter().map(|one| tab(*one, who, at)).collect(),
            check: checked
                .filter(|checked| checked.at == typed)
                .map(|checked| Check { found: checked.found, when: When::relative(checked.when, now) }),
            at: typed,
            place: match who {
                For::Analysis => "Analysis › Environment Variables",
                _ => setup.as_ref().map_or("", |setup| setup.place),
            },
            field: match who {
                For::Analysis => "TAGOHOOK_URL",
                _ => setup.and_then(|setup| Some(setup.fields.first()?.label)).unwrap_or_default(),
            },
            script: (who == For::Analysis).then_some(ANALYSIS),
            apply: state.apply(),
            has_source: source.is_some() || who == For::Anything,
            receiver: state.receiver_shown(),
            tunnel: tunnel(state),
            proxy: nginx(&upstream(state)),
            curl: match who {
                For::Tagorun => {
                    source.and_then(|source| signed_curl(source, &state.catalog, (&to, &options), now))
                }
                For::Analysis => None,
                For::Tagoio => secret.as_ref().map(|secret| points_curl(&curl_to(&to, &options), secret)),
                For::Anything => {
                    Some(format!("{} --data-binary '{{\"hello\":\"world\"}}'", curl_to(&to, &options)))
                }
            },
            url,
            public,
            secret,
            arrived: arrived(state, name).await?,
            stream: stream_of(name, *state.store.newest().borrow()),
            has_test: who == For::Tagorun
                && source.is_some_and(|source| {
                    state.first_source().is_some_and(|first| first.name == source.name)
                }),
        })
    }
}

/// The secret that the sender of `source` needs; its value only if it is asked for and may be shown.
fn secret_view(
    request: &HttpRequest,
    state: &InspectorState,
    source: &Source,
    is_asked: bool,
) -> Option<SecretView> {
    let (view, secret) = needed(state, source)?;
    let refusal = secret::refusal(request, state);
    if !is_asked || refusal.is_some() {
        return Some(SecretView { refusal, ..view });
    }
    tracing::info!(name = %view.name, "a secret was shown on the page Connect a sender");
    Some(SecretView { value: String::from_utf8(secret.expose().to_vec()).ok(), ..view })
}

/// The lines of nginx for a proxy to `upstream`.
fn nginx(upstream: &str) -> String {
    format!(
        "location /webhook {{\n    proxy_pass {upstream};\n    proxy_set_header X-Forwarded-For $remote_addr;\n    \
         client_max_body_size 5m;\n}}"
    )
}

/// The live stream of deliveries of `source` that arrive after `newest`.
fn stream_of(source: &str, newest: i64) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("source", source)
        .append_pair("last_event_id", &newest.to_string())
        .finish();
    format!("/api/v1/deliveries/stream?{query}")
}

impl Guide {
    /// Whether the sender is that one.
    pub fn is(&self, word: &str) -> bool {
        self.who.word() == word
    }

    /// What is to be done with the URL.
    pub const fn url_title(&self) -> &'static str {
        match self.who {
            For::Tagorun => "Enter this URL in TagoRUN",
            For::Tagoio => "Enter this URL in the Action",
            For::Analysis => "Enter this URL in the Analysis",
            For::Anything => "Send anything to this URL",
        }
    }
}

fn tab(one: For, here: For, at: &str) -> Tab {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("for", one.word());
    if !at.is_empty() {
        query.append_pair("at", at);
    }
    Tab { label: one.label(), url: format!("/connect?{}", query.finish()), is_here: one == here }
}

/// The secret that a sender to this source is given, not shown yet.
fn needed<'s>(state: &InspectorState, source: &'s Source) -> Option<(SecretView, &'s Secret)> {
    let (secret, header, prefix) = match source.credentials.first() {
        Some(Credential::Bearer(secret)) => (secret, "Authorization", "Bearer "),
        Some(Credential::ApiKey { key, header, .. }) => (key, header.as_str(), ""),
        Some(Credential::Basic { .. }) => return None,
        None => (source.signature.secrets.first()?, "", ""),
    };
    let file =
        secret.name().strip_prefix("file:").map(|name| state.data_dir.join(name).display().to_string());
    let view = SecretView {
        name: secret.name().to_owned(),
        prefix,
        header: header.to_owned(),
        value: None,
        refusal: None,
        file,
    };
    Some((view, secret))
}

/// Where a proxy of this machine passes requests on to.
fn upstream(state: &InspectorState) -> String {
    let scheme = if state.receiver.is_tls() { "https" } else { "http" };
    match state.receiver.listen() {
        ListenAddress::Unix(_) => format!("{scheme}://{}", state.receiver),
        ListenAddress::Tcp(_) => state.receiver_base(),
    }
}

fn tunnel(state: &InspectorState) -> Option<String> {
    // A tunnel would need the certificate's name; who has a certificate needs no tunnel.
    let is_reachable = state.receiver.listen().socket().is_none() && !state.receiver.is_tls();
    is_reachable.then(|| format!("cloudflared tunnel --url {}", state.receiver_base()))
}

/// The beginning of a curl line.
fn curl_to(url: &str, options: &str) -> String {
    format!("curl -sS {}{options}", shell_quote(url))
}

fn points_curl(curl: &str, secret: &SecretView) -> String {
    let value = match (&secret.value, &secret.file) {
        (Some(value), _) => value.replace('\'', r"'\''"),
        (None, Some(file)) => format!("'\"$(cat '{file}')\"'"),
        (None, None) => "TOKEN".to_owned(),
    };
    format!(
        "{curl} \\\n  -H 'Content-Type: application/json' \\\n  -H '{}: {}{value}' \\\n  --data-binary \
         '[{{\"variable\":\"temperature\",\"value\":21.5,\"unit\":\"°C\"}}]'",
        secret.header, secret.prefix,
    )
}

async fn arrived(state: &InspectorState, source: &str) -> Result<Option<Arrived>, StoreError> {
    let filter = DeliveryFilter { source: Some(source.to_owned()), ..DeliveryFilter::default() };
    let rows = state.store.list(&filter, None, NEWEST).await?;
    let row = rows.into_iter().find(|row| row.event_type.as_deref() != Some(TEST_EVENT));
    Ok(row.map(|row| {
        let what =
            row.event_type.as_deref().map_or_else(|| format!("{} {}", row.method, row.path), str::to_owned);
        Arrived {
            id: row.id.to_string(),
            what: format!("{}, {}", plain(&what), row.verdict.as_str()),
            when: When::relative(row.received_at, state.clock.wall()),
            state: if row.verdict == Verdict::Rejected { "rejected" } else { "arrived" },
        }
    }))
}
