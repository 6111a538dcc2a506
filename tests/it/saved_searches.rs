//! Searches that people gave a name; and values that lead to a search.

use serde_json::json;

use crate::harness::{Server, exchange, login};

#[test]
fn a_search_is_saved_listed_replaced_and_removed() {
    let server = Server::start();
    let put =
        |name: &str, query: &str| server.tell("PUT", &format!("searches/{name}"), &json!({"query": query}));
    assert_eq!(server.api("searches")["searches"], json!([]));
    assert_eq!(put("b%20refused", "verdict=rejected").status, 200);
    assert_eq!(put("a", "q=verdict%3Aaccepted").status, 200);
    assert_eq!(put("a", "q=type%3Auser.*&status=200").status, 200);
    assert_eq!(
        server.api("searches")["searches"],
        json!([{"name": "a", "query": "q=type%3Auser.*&status=200"}, {"name": "b refused", "query": "verdict=rejected"}])
    );
    for (name, query) in [
        ("a", "colour=red"),
        ("a", "q=colour%3Ared"),
        ("%20", "q=x"),
        ("a%0Ab", "q=x"),
        (&"x".repeat(61), "q=x"),
    ] {
        assert_eq!(put(name, query).status, 400, "{name} {query}");
    }
    assert_eq!(server.tell("PUT", "searches/a", &json!({})).status, 400);
    assert_eq!(server.tell("DELETE", "searches/a", &json!({})).status, 204);
    assert_eq!(server.tell("DELETE", "searches/a", &json!({})).status, 404);
    for n in 0..99 {
        assert_eq!(put(&format!("n{n}"), "q=x").status, 200);
    }
    assert_eq!(put("one-more", "q=x").status, 409);
    let server = server.kill_and_restart();
    assert_eq!(server.api("searches")["searches"].as_array().unwrap().len(), 100);
    let origin = format!("http://{}", server.inspector);
    let form = |path: &str, body: &[u8]| {
        let headers = [("Origin", origin.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        exchange(server.inspector, "POST", path, &headers, body)
    };
    assert_eq!(
        form("/searches/remove", b"name=n1&query=verdict%3Drejected").header("location"),
        Some("/?verdict=rejected")
    );
    assert_eq!(form("/searches", b"name=%3Cb%3E&query=verdict%3Drejected%0D%0AX:1").status, 400);
    assert_eq!(
        form("/searches", b"name=%3Cb%3E&query=verdict%3Drejected").header("location"),
        Some("/?verdict=rejected")
    );
    let page =
        String::from_utf8(exchange(server.inspector, "GET", "/?verdict=rejected", &[], b"").body).unwrap();
    assert!(page.contains("&#60;b&#62;") && !page.contains("<b>"), "{page}");
}

#[test]
fn every_fact_of_a_delivery_leads_to_all_that_share_it() {
    let server = Server::start();
    let body = login("evt 1").replace("\"user\":", "\"device\":{\"id\":\"d-1\"},\"user\":");
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", "bad"), ("X-Say", "a \"b\"")], b"x");
    server.post_signed(body.as_bytes());
    for delivery in server.deliveries("") {
        let path = format!("/deliveries/{}", delivery["id"].as_str().unwrap());
        let page = String::from_utf8(exchange(server.inspector, "GET", &path, &[], b"").body).unwrap();
        let links: Vec<&str> = page
            .split("href=\"")
            .skip(1)
            .filter(|rest| rest.starts_with("/?q="))
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert!(links.len() >= 8, "{links:?}");
        for link in links {
            let query = link.trim_start_matches("/?").replace("&amp;", "&").replace("&#38;", "&");
            let found = server.deliveries(&query);
            assert!(found.iter().any(|one| one["id"] == delivery["id"]), "{link} does not find {path}");
        }
    }
}
