//! Where a file of the documentation is, and where the links in it lead.

use super::files::FILES;

/// The description of the API, which the program serves itself.
const OPENAPI: (&str, &str) = ("docs/openapi.json", "/api/v1/openapi.json");

/// The address of a file: `docs/guide/debug.md` is at `/docs/guide/debug`, `docs/README.md` at `/docs`.
pub fn address(path: &str) -> String {
    if path == OPENAPI.0 {
        return OPENAPI.1.to_owned();
    }
    let inside = path.strip_prefix("docs/").unwrap_or(path);
    let inside = inside.strip_suffix(".md").unwrap_or(inside);
    let inside = if inside == "README" { "" } else { inside.strip_suffix("/README").unwrap_or(inside) };
    format!("/docs/{}", inside.to_lowercase()).trim_end_matches('/').to_owned()
}

/// Where a link in the file `from` leads: out of the documentation unchanged, to another file of it by its address.
/// `None` if there is no such file.
pub fn target(from: &str, link: &str) -> Option<String> {
    if link.starts_with('#') || link.contains("://") || link.starts_with("mailto:") {
        return Some(link.to_owned());
    }
    let (file, anchor) = link.split_once('#').map_or((link, ""), |(file, anchor)| (file, anchor));
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    let is_known = path == OPENAPI.0 || FILES.iter().any(|(known, _)| *known == path);
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    is_known.then(|| format!("{}{anchor}", address(&path)))
}

/// The anchor of a heading, as GitHub makes it.
pub fn anchor(heading: &str) -> String {
    let letters = heading.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_at_its_path_without_its_ending() {
        assert_eq!(address("docs/README.md"), "/docs");
        assert_eq!(address("docs/CLI.md"), "/docs/cli");
        assert_eq!(address("docs/verify/README.md"), "/docs/verify");
        assert_eq!(address("SECURITY.md"), "/docs/security");
        assert_eq!(address("deploy/proxies/nginx.conf"), "/docs/deploy/proxies/nginx.conf");
    }

    #[test]
    fn a_link_is_resolved_from_its_file() {
        let from = "docs/guide/debug.md";
        assert_eq!(target(from, "reachable.md#check-it").unwrap(), "/docs/guide/reachable#check-it");
        assert_eq!(target(from, "../CLI.md").unwrap(), "/docs/cli");
        assert_eq!(target(from, "../../SECURITY.md").unwrap(), "/docs/security");
        assert_eq!(target(from, "../openapi.json").unwrap(), "/api/v1/openapi.json");
        assert_eq!(target(from, "#search").unwrap(), "#search");
        assert_eq!(target(from, "https://example.com/a.md").unwrap(), "https://example.com/a.md");
        assert_eq!(target(from, "../../src/main.rs"), None);
    }

    #[test]
    fn an_anchor_is_the_heading_in_small_letters_with_dashes() {
        assert_eq!(anchor("tagohook migrate-store"), "tagohook-migrate-store");
        assert_eq!(anchor("receiver.tls_cert, receiver.tls_key"), "receivertls_cert-receivertls_key");
        assert_eq!(anchor("GET /deliveries/{id}"), "get-deliveriesid");
    }
}
