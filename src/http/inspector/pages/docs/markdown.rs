//! Markdown as HTML in the inspector's style, and as text for the search.

use std::collections::HashMap;
use std::fmt::Write as _;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::place::{anchor, target};

/// A document as HTML.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Its first heading.
    pub title: String,
    /// All of it.
    pub html: String,
    /// Its parts, each below a heading.
    pub sections: Vec<Section>,
}

/// The text below a heading, up to the next one.
#[derive(Debug, Default)]
pub struct Section {
    /// The anchor of the heading.
    pub anchor: String,
    /// The heading.
    pub heading: String,
    /// Its level: 1 is the title.
    pub level: u8,
    /// What people read below it.
    pub text: String,
}

/// Renders the document `text` of the file `path`.
pub fn rendered(path: &str, text: &str) -> Rendered {
    let mut work = Work { path, ..Work::default() };
    let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut out = Vec::with_capacity(events.len());
    let mut rest = events.into_iter();
    while let Some(event) = rest.next() {
        work.take(event, &mut rest, &mut out);
    }
    let mut page = String::new();
    html::push_html(&mut page, out.into_iter());
    let title = work.sections.first().map(|section| section.heading.clone()).unwrap_or_default();
    Rendered { title, html: page, sections: work.sections }
}

/// A file that is no document: its text as it is.
pub fn listing(path: &str, text: &str) -> Rendered {
    let mut work = Work { path, ..Work::default() };
    let name = path.rsplit('/').next().unwrap_or(path);
    let html = format!("<h1>{}</h1>\n{}", escaped(path), work.code(text, true));
    let section = Section { heading: path.to_owned(), level: 1, text: text.to_owned(), ..Section::default() };
    Rendered { title: name.to_owned(), html, sections: vec![section] }
}

#[derive(Default)]
struct Work<'p> {
    path: &'p str,
    sections: Vec<Section>,
    anchors: HashMap<String, usize>,
    codes: usize,
    /// The columns of the table.
    columns: Vec<String>,
    is_in_head: bool,
    /// The next cell of the row.
    cell: usize,
}

impl Work<'_> {
    fn take<'t>(
        &mut self,
        event: Event<'t>,
        rest: &mut impl Iterator<Item = Event<'t>>,
        out: &mut Vec<Event<'t>>,
    ) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => self.heading(level, rest, out),
            Event::Start(Tag::CodeBlock(kind)) => {
                let text = until_end(rest);
                self.read(&text);
                // What a program prints is not for copying.
                let is_output = matches!(&kind, CodeBlockKind::Fenced(language) if &**language == "text");
                out.push(Event::Html(self.code(&text, !is_output).into()));
            }
            Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell)
            | Event::End(TagEnd::Table | TagEnd::TableHead | TagEnd::TableCell) => self.table(event, out),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = self.link(&dest_url);
                out.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                let dest_url = self.link(&dest_url);
                out.push(Event::Start(Tag::Image { link_type, dest_url, title, id }));
            }
            // Comments; the documents have no other HTML.
            Event::Html(_) | Event::InlineHtml(_) => {}
            other => {
                match &other {
                    Event::Text(text) | Event::Code(text) => self.read(text),
                    Event::SoftBreak | Event::HardBreak => self.read(" "),
                    Event::End(TagEnd::Paragraph | TagEnd::Item) => self.read(" "),
                    _ => {}
                }
                out.push(other);
            }
        }
    }

    /// A table scrolls. On a phone each cell is a line, and says which column it is of.
    fn table<'t>(&mut self, event: Event<'t>, out: &mut Vec<Event<'t>>) {
        match &event {
            Event::Start(Tag::Table(_)) => {
                out.push(Event::Html("<div class=\"docs-table\" tabindex=\"0\">".into()));
            }
            Event::Start(Tag::TableHead) => {
                self.columns.clear();
                self.is_in_head = true;
            }
            Event::End(TagEnd::TableHead) => self.is_in_head = false,
            Event::Start(Tag::TableRow) => self.cell = 0,
            Event::Start(Tag::TableCell) if self.is_in_head => self.columns.push(String::new()),
            Event::Start(Tag::TableCell) => {
                let column =
                    self.columns.get(self.cell).map(|column| escaped(column.trim())).unwrap_or_default();
                self.cell = self.cell.saturating_add(1);
                return out.push(Event::Html(format!("<td data-label=\"{column}\">").into()));
            }
            Event::End(TagEnd::TableCell) => {
                self.read(" ");
                if !self.is_in_head {
                    return out.push(Event::Html("</td>".into()));
                }
            }
            _ => {}
        }
        let is_end = matches!(event, Event::End(TagEnd::Table));
        out.push(event);
        if is_end {
            out.push(Event::Html("</div>\n".into()));
        }
    }

    fn link<'t>(&self, link: &str) -> CowStr<'t> {
        target(self.path, link).unwrap_or_else(|| link.to_owned()).into()
    }

    fn read(&mut self, text: &str) {
        if let Some(column) = self.columns.last_mut().filter(|_| self.is_in_head) {
            column.push_str(text);
        }
        if let Some(section) = self.sections.last_mut() {
            section.text.push_str(text);
        }
    }

    fn heading<'t>(
        &mut self,
        level: HeadingLevel,
        rest: &mut impl Iterator<Item = Event<'t>>,
        out: &mut Vec<Event<'t>>,
    ) {
        let inside: Vec<Event<'t>> =
            rest.take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))).collect();
        let mut heading = String::new();
        for event in &inside {
            if let Event::Text(text) | Event::Code(text) = event {
                heading.push_str(text);
            }
        }
        let anchor = self.free_anchor(&heading);
        let start =
            Tag::Heading { level, id: Some(anchor.clone().into()), classes: Vec::new(), attrs: Vec::new() };
        out.push(Event::Start(start));
        out.extend(inside);
        if level != HeadingLevel::H1 {
            let words = escaped(&heading);
            let link =
                format!(" <a class=\"anchor\" href=\"#{anchor}\" aria-label=\"Link to {words}\">#</a>");
            out.push(Event::InlineHtml(link.into()));
        }
        out.push(Event::End(TagEnd::Heading(level)));
        let level = match level {
            HeadingLevel::H1 => 1,
            HeadingLevel::H2 => 2,
            _ => 3,
        };
        self.sections.push(Section { anchor, heading, level, text: String::new() });
    }

    /// The anchor of a heading; a second one of that name gets a number.
    fn free_anchor(&mut self, heading: &str) -> String {
        let anchor = anchor(heading);
        let count = self.anchors.entry(anchor.clone()).or_default();
        let free = if *count == 0 { anchor } else { format!("{anchor}-{count}") };
        *count = count.saturating_add(1);
        free
    }

    /// A block of code, with a button that copies it.
    fn code(&mut self, text: &str, is_copied: bool) -> String {
        self.codes = self.codes.saturating_add(1);
        let id = self.codes;
        let mut html = String::from("<div class=\"docs-code\"><pre class=\"body\" tabindex=\"0\">");
        // Writing to a String cannot fail.
        let _ = write!(html, "<code id=\"code-{id}\">{}</code></pre>", escaped(text.trim_end()));
        if is_copied {
            let _ = write!(
                html,
                "<button class=\"quiet\" type=\"button\" data-copy=\"code-{id}\" hidden>Copy</button>"
            );
        }
        html.push_str("</div>\n");
        html
    }
}

/// The text up to the end of a block of code.
fn until_end<'t>(rest: &mut impl Iterator<Item = Event<'t>>) -> String {
    let mut code = String::new();
    for event in rest.take_while(|event| !matches!(event, Event::End(TagEnd::CodeBlock))) {
        if let Event::Text(text) = event {
            code.push_str(&text);
        }
    }
    code
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_page_with_anchors_links_and_code() {
        let text = "# Title\n\nSee [it](../CLI.md#output).\n\n## A `b`\n\n```sh\necho '<&>'\n```\n\n## A `b`\n\n<!-- x -->\n| a |\n|---|\n| b |\n";
        let page = rendered("docs/guide/debug.md", text);
        assert_eq!(page.title, "Title");
        for part in [
            "<h1 id=\"title\">Title</h1>",
            "<a href=\"/docs/cli#output\">it</a>",
            "<h2 id=\"a-b\">A <code>b</code> <a class=\"anchor\" href=\"#a-b\"",
            "<code id=\"code-1\">echo '&lt;&amp;&gt;'</code>",
            "<h2 id=\"a-b-1\">",
            "<div class=\"docs-table\" tabindex=\"0\"><table>",
            "<th>a</th></tr></thead><tbody>\n<tr><td data-label=\"a\">b</td></tr>",
        ] {
            assert!(page.html.contains(part), "{part}\n{}", page.html);
        }
        assert!(!page.html.contains("<!--"));
        let texts: Vec<&str> = page.sections.iter().map(|section| section.text.trim()).collect();
        assert_eq!(texts, ["See it.", "echo '<&>'", "a b"]);
    }
}
