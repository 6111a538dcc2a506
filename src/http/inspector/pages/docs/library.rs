//! All pages of the documentation, rendered once, and their order.

use std::sync::LazyLock;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::files::FILES;
use super::markdown::{Section, listing, rendered};
use super::place::{address, target};

/// The page with the contents: its lists are the navigation.
const CONTENTS: &str = "docs/README.md";

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its address, such as `/docs/guide/debug`.
    pub address: String,
    /// Its first heading.
    pub title: String,
    /// All of it, as HTML.
    pub html: String,
    /// Its parts, each below a heading.
    pub sections: Vec<Section>,
}

impl Page {
    /// The sections below the headings of the second level.
    pub fn parts(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| section.level == 2)
    }

    /// Whether there are enough of them for a list.
    pub fn has_parts(&self) -> bool {
        self.parts().count() > 1
    }
}

/// Pages of one kind in the navigation.
#[derive(Debug, Default)]
pub struct Shelf {
    /// What they are.
    pub name: String,
    /// Their addresses and titles.
    pub entries: Vec<(String, String)>,
}

/// The documentation.
#[derive(Debug)]
pub struct Library {
    /// The pages, in the order of the navigation; then the files that pages link to.
    pub pages: Vec<Page>,
    /// The navigation.
    pub shelves: Vec<Shelf>,
}

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::read);

/// The documentation, rendered at the first request.
pub fn library() -> &'static Library {
    &LIBRARY
}

/// The bytes of a picture.
pub fn picture(asked: &str) -> Option<&'static [u8]> {
    let file = FILES.iter().find(|(path, _)| path.ends_with(".png") && address(path) == asked)?;
    Some(file.1)
}

impl Library {
    fn read() -> Self {
        let texts = FILES.iter().filter_map(|(path, bytes)| Some((*path, std::str::from_utf8(bytes).ok()?)));
        let page = |(path, text): (&str, &str)| {
            let content = if path.ends_with(".md") { rendered(path, text) } else { listing(path, text) };
            Page {
                address: address(path),
                title: content.title,
                html: content.html,
                sections: content.sections,
            }
        };
        let mut pages: Vec<Page> = texts.clone().map(page).collect();
        let contents = texts.clone().find(|(path, _)| *path == CONTENTS).map(|(_, text)| text);
        let shelves = shelves(contents.unwrap_or_default());
        let order: Vec<&String> =
            shelves.iter().flat_map(|shelf| shelf.entries.iter().map(|(address, _)| address)).collect();
        let last = order.len();
        pages.sort_by_key(|page| order.iter().position(|address| **address == page.address).unwrap_or(last));
        Self { pages, shelves }
    }

    /// The page at an address.
    pub fn page(&self, address: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.address == address)
    }
}

/// The lists of the contents: a heading, and the links below it.
fn shelves(contents: &str) -> Vec<Shelf> {
    let mut found: Vec<Shelf> = Vec::new();
    let mut is_heading = false;
    let mut link = None;
    for event in Parser::new(contents) {
        match (event, found.last_mut()) {
            (Event::Start(Tag::Heading { .. }), _) => {
                is_heading = true;
                found.push(Shelf::default());
            }
            (Event::End(TagEnd::Heading(_)), _) => is_heading = false,
            (Event::Start(Tag::Link { dest_url, .. }), _) => link = target(CONTENTS, &dest_url),
            (Event::End(TagEnd::Link), _) => link = None,
            (Event::Text(text), Some(shelf)) if is_heading => shelf.name.push_str(&text),
            (Event::Text(text), Some(shelf)) => {
                shelf.entries.extend(link.take().map(|link| (link, text.into_string())));
            }
            _ => {}
        }
    }
    found.retain(|shelf| !shelf.entries.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_in_the_navigation_once() {
        let library = library();
        assert_eq!(
            library.shelves.iter().map(|shelf| shelf.name.as_str()).collect::<Vec<_>>(),
            ["Start", "How to", "Explanations", "Reference"]
        );
        let mut listed: Vec<&String> = library
            .shelves
            .iter()
            .flat_map(|shelf| shelf.entries.iter().map(|(address, _)| address))
            .collect();
        let mut documents: Vec<String> = FILES
            .iter()
            .filter(|(path, _)| path.ends_with(".md") && *path != CONTENTS)
            .map(|(path, _)| address(path))
            .collect();
        listed.sort_unstable();
        documents.sort_unstable();
        assert_eq!(listed, documents.iter().collect::<Vec<_>>());
    }

    #[test]
    fn every_link_leads_to_a_page_and_to_a_heading_on_it() {
        let library = library();
        let link = regex::Regex::new(r#"(?:href|src)="([^"]*)""#).unwrap();
        let (mut wrong, mut seen) = (Vec::new(), 0);
        for page in &library.pages {
            for found in link.captures_iter(&page.html) {
                let to = &found[1];
                if to.contains("://") || to.starts_with("/api/") || to.starts_with("mailto:") {
                    continue;
                }
                seen += 1;
                let (address, anchor) = to.split_once('#').unwrap_or((to, ""));
                let address = if address.is_empty() { page.address.as_str() } else { address };
                let is_picture = picture(address).is_some();
                let has_anchor = library.page(address).is_some_and(|page| {
                    anchor.is_empty() || page.sections.iter().any(|section| section.anchor == anchor)
                });
                if !is_picture && !has_anchor {
                    wrong.push(format!("{}: {to}", page.address));
                }
            }
        }
        assert!(seen > 300, "{seen}");
        assert_eq!(wrong, Vec::<String>::new());
    }
}
