//! `/docs`: the documents as pages of the inspector.

use crate::harness::{Answer, Server, Setup, exchange};

fn get(server: &Server, path: &str) -> Answer {
    exchange(server.inspector, "GET", path, &[], b"")
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

#[test]
fn documents_files_and_pictures_are_served() {
    let server = Server::start();
    for (path, part) in [
        ("/docs", "<h1 id=\"documentation\">Documentation</h1>"),
        ("/docs/", "href=\"/docs/guide/quick-start\""),
        ("/docs/guide/debug", "<img src=\"/docs/pictures/list.png\""),
        ("/docs/CLI.md", "<h2 id=\"exit-codes\">"),
        ("/docs/config/default.toml", "trusted_proxies = []"),
        ("/docs/reference/api", "<h3 id=\"get-deliveries\">"),
    ] {
        let answer = get(&server, path);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert!(text(&answer).contains(part), "{path}: {part}\n{}", text(&answer));
    }
    let picture = get(&server, "/docs/pictures/list.png");
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/png")));
    assert!(picture.body.starts_with(b"\x89PNG"));
}

#[test]
fn a_search_lists_sections_and_what_was_typed_is_only_text() {
    let server = Server::start();
    let page = text(&get(&server, "/docs?q=Signature+mismatch"));
    assert!(page.contains("<li><a href=\"/docs/guide/debug#signature-mismatch\">"), "{page}");
    assert!(page.contains("<mark>"), "{page}");
    let page = text(&get(&server, "/docs/cli?q=%3Cscript%3Ealert(1)%3C/script%3E"));
    assert!(page.contains("Nothing contains all words") && !page.contains("<script>alert"), "{page}");
}

#[test]
fn an_unknown_page_is_404_with_the_way_to_the_right_one() {
    let server = Server::start();
    for (path, link) in [
        ("/docs/guide/quick-strat", "Did you mean <a href=\"/docs/guide/quick-start\">"),
        ("/docs/metrics", "Did you mean <a href=\"/docs/reference/metrics\">"),
        ("/docs/dead-letters", "Related sections"),
        ("/docs/../../etc/passwd", "has no page"),
    ] {
        let answer = get(&server, path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(text(&answer).contains(link), "{path}: {}", text(&answer));
    }
}

#[test]
fn the_documentation_needs_the_password_and_keeps_the_path_of_a_proxy() {
    let hash =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$3Vdy/JZMM7q3BJtGQ3bHfL5mWzNqV0b2hoYzqg6qUQ0";
    let locked = Setup::new("[inspector]\npassword_file = \"hash\"\n");
    locked.file("hash", hash);
    assert_eq!(get(&locked.start(), "/docs").status, 303);
    let below = Setup::new("[inspector]\npublic_url = \"https://example.com/hooks/\"\n").start();
    let page = text(&exchange(below.inspector, "GET", "/hooks/docs/guide/debug", &[], b""));
    for link in
        ["href=\"/hooks/docs/cli\"", "src=\"/hooks/docs/pictures/list.png\"", "action=\"/hooks/docs\""]
    {
        assert!(page.contains(link), "{link}\n{page}");
    }
}
