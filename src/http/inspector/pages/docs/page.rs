//! `/docs` and what is below it.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::library::{Library, Page, library, picture};
use super::search::{Hit, found};
use crate::domain::nearest;
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::state::InspectorState;

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'l> {
    frame: Frame,
    library: &'l Library,
    address: &'l str,
    query: &'l str,
    content: Content<'l>,
}

enum Content<'l> {
    Page(&'l Page),
    Hits(Vec<Hit>),
    /// No such page; the one that may have been meant, and what a search for its name finds.
    Nothing {
        near: Option<&'l Page>,
        hits: Vec<Hit>,
    },
}

impl DocsPage<'_> {
    fn title(&self) -> &str {
        match &self.content {
            Content::Page(page) => &page.title,
            Content::Hits(_) => "Search",
            Content::Nothing { .. } => "Page not found",
        }
    }
}

/// A page, what a search finds, or a picture.
pub async fn docs(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let asked = request.path().to_lowercase();
    if let Some(bytes) = picture(&asked) {
        return HttpResponse::Ok().insert_header((CONTENT_TYPE, "image/png")).body(bytes);
    }
    let library = library();
    let query = form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "q");
    let query = query.map(|(_, query)| query.trim().to_owned()).unwrap_or_default();
    let (status, content) = match library.page(asked.strip_suffix(".md").unwrap_or(&asked)) {
        Some(_) if !query.is_empty() => (StatusCode::OK, Content::Hits(found(library, &query))),
        Some(page) => (StatusCode::OK, Content::Page(page)),
        None => (StatusCode::NOT_FOUND, nothing(library, &asked)),
    };
    let page =
        DocsPage { frame: Frame::of(&state, "docs"), library, address: &asked, query: &query, content };
    page::html(status, &page)
}

fn nothing<'l>(library: &'l Library, asked: &str) -> Content<'l> {
    let name = asked.rsplit('/').next().unwrap_or_default();
    let words = name.replace(['-', '_', '.'], " ");
    let near = nearest(asked, library.pages.iter().map(|page| page.address.as_str()));
    let named = library.pages.iter().find(|page| page.address.rsplit('/').next() == Some(name));
    let near = named.or_else(|| library.page(near?));
    Content::Nothing { near, hits: found(library, &words) }
}
