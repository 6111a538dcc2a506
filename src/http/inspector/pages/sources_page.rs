//! `/sources` and `/sources/{name}`: who may send to us, by which rules, and what is entered at the sender.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::connect::refusal;
use super::page::{self, Frame};
use super::source_rules::Rule;
use super::source_setup::Setup;
use crate::domain::{Scheme, Source, Timestamp, grouped, plain};
use crate::http::inspector::operations::sources::Traffic;
use crate::http::inspector::remembered::{Apply, FailedReload};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;

#[derive(Template)]
#[template(path = "sources.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<SourceView>,
    /// Whether senders on the internet can use the URLs.
    is_public: bool,
    /// A reload that failed, and when.
    failed_reload: Option<(FailedReload, When)>,
    apply: Apply,
}

#[derive(Template)]
#[template(path = "source.html")]
struct OnePage {
    frame: Frame,
    view: SourceView,
    rules: Vec<Rule>,
    setup: Setup,
    /// Whether senders on the internet can use the URL.
    is_public: bool,
    /// Why secrets are not shown here.
    refusal: Option<&'static str>,
    has_secrets: bool,
}

struct SourceView {
    name: String,
    url: String,
    is_default: bool,
    /// How it is secured, in a few words.
    security: String,
    /// Whether nothing keeps strangers out.
    is_open: bool,
    last_seen: When,
    accepted: u64,
    refused: u64,
}

impl SourceView {
    fn of(state: &InspectorState, source: &Source, came: Traffic, is_default: bool, now: Timestamp) -> Self {
        let security = security(source);
        Self {
            name: source.name.clone(),
            url: state.sender_url(&source.name),
            is_default,
            is_open: security.is_empty(),
            security: if security.is_empty() { "open to everyone".to_owned() } else { security.join(", ") },
            last_seen: When::maybe(came.last_seen, now),
            accepted: came.accepted,
            refused: came.refused,
        }
    }

    fn accepted_shown(&self) -> String {
        grouped(self.accepted)
    }

    fn refused_shown(&self) -> String {
        grouped(self.refused)
    }

    fn was_seen(&self) -> bool {
        !self.last_seen.iso.is_empty()
    }
}

/// What keeps strangers out.
fn security(source: &Source) -> Vec<String> {
    let mut words = Vec::new();
    if source.signature.scheme != Scheme::None {
        words.push(format!("{} signature", source.signature.scheme.as_str()));
    }
    if !source.credentials.is_empty() {
        words.push("credentials".to_owned());
    }
    if !source.allow.ranges.is_empty() {
        words.push("allowlist".to_owned());
    }
    words
}

/// Every source, the default one first.
pub async fn list(state: web::Data<InspectorState>) -> HttpResponse {
    let sources = state.sources.all();
    let traffic = match Traffic::of(&state, &sources).await {
        Ok(traffic) => traffic,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let now = state.clock.wall();
    let rows = sources.iter().zip(traffic).enumerate();
    let rows = rows.map(|(at, (source, came))| SourceView::of(&state, source, came, at == 0, now)).collect();
    let page = ListPage {
        frame: Frame::of(&state, "sources"),
        rows,
        is_public: state.is_public(),
        failed_reload: state.failed_reload().map(|failed| {
            let when = When::clock(failed.when, now);
            (failed, when)
        }),
        apply: state.apply(),
    };
    page::html(StatusCode::OK, &page)
}

/// One source.
pub async fn one(
    name: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    show(&name, refusal(&request, &state), false, &state).await
}

/// `POST /sources/{name}`: the same page, with the secrets that its sender needs in clear.
pub async fn with_secrets(
    name: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let refusal = refusal(&request, &state);
    if refusal.is_none() {
        tracing::info!(source = %plain(&name), "a secret was shown on the page of its source");
    }
    show(&name, refusal, refusal.is_none(), &state).await
}

async fn show(
    name: &str,
    refusal: Option<&'static str>,
    has_secrets: bool,
    state: &InspectorState,
) -> HttpResponse {
    let sources = state.sources.all();
    let Some(at) = sources.iter().position(|source| source.name == name) else {
        return page::not_found(state, "There is no source of this name.");
    };
    let Some(source) = sources.get(at) else { return page::no_store(state) };
    let traffic = match Traffic::of(state, std::slice::from_ref(source)).await {
        Ok(traffic) => traffic.first().copied().unwrap_or_default(),
        Err(fault) => return page::store_fault(state, &fault),
    };
    let view = SourceView::of(state, source, traffic, at == 0, state.clock.wall());
    let setup = Setup::of(source, &view.url);
    let page = OnePage {
        frame: Frame::of(state, "sources"),
        rules: Rule::all(source),
        setup: if has_secrets { setup.with_secrets() } else { setup },
        is_public: state.is_public(),
        refusal,
        has_secrets,
        view,
    };
    page::html(StatusCode::OK, &page)
}
