//! Behind a proxy: its host, its port, its path, and what another site still cannot do.

use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderMap;

use super::*;

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// A form that a browser posts from a page of `origin`, and that reaches us with `host`.
fn form(host: &str, origin: &str, site: Option<&str>) -> TestRequest {
    let request = TestRequest::post().uri("/logout").insert_header(("Host", host));
    let request = request.insert_header(("Origin", origin));
    match site {
        Some(site) => request.insert_header(("Sec-Fetch-Site", site)),
        None => request,
    }
}

const OWN: Option<&str> = Some("same-origin");

#[actix_web::test]
async fn own_forms_work_whatever_the_proxy_makes_of_the_port() {
    let house = house_at(None, &["hooks.example.com"], None);
    let app = serve!(house);
    for (host, origin) in [
        ("hooks.example.com", "https://hooks.example.com"),
        ("hooks.example.com", "https://hooks.example.com:8443"),
        ("hooks.example.com:443", "https://hooks.example.com"),
        ("hooks.example.com:80", "http://hooks.example.com"),
        ("hooks.example.com", "https://hooks.example.com:443"),
        ("127.0.0.1:29082", "https://hooks.example.com"),
        ("hooks.example.com", "null"),
    ] {
        let page = TestRequest::get().uri("/").insert_header(("Host", host)).to_request();
        assert_eq!(call_service(&app, page).await.status(), 200, "{host}");
        let answer = call_service(&app, form(host, origin, OWN).to_request()).await;
        assert_eq!(answer.status(), 303, "{host} {origin}");
    }
    // A browser that does not say where a request comes from, as over plain http.
    for (host, origin, status) in [
        ("hooks.example.com", "https://hooks.example.com", 303),
        ("hooks.example.com:443", "https://hooks.example.com", 303),
        ("hooks.example.com", "http://hooks.example.com:80", 303),
        ("hooks.example.com", "https://hooks.example.com:8443", 303),
        ("hooks.example.com:80", "https://hooks.example.com", 303),
        ("127.0.0.1:29082", "http://hooks.example.com:8443", 303),
        ("127.0.0.1:29082", "https://other.example.com", 403),
        ("hooks.example.com", "null", 403),
    ] {
        let answer = call_service(&app, form(host, origin, None).to_request()).await;
        assert_eq!(answer.status(), status, "{host} {origin}");
    }
}

#[actix_web::test]
async fn another_site_and_a_rebound_name_are_refused_whatever_they_say() {
    let public = Some("https://hooks.example.com:8443/tagohook/");
    let house = house_at(None, &["hooks.example.com"], public);
    let app = serve!(house);
    for (host, origin, site) in [
        ("hooks.example.com", "https://evil.example", Some("cross-site")),
        ("hooks.example.com", "https://hooks.example.com", Some("cross-site")),
        ("hooks.example.com", "https://hooks.example.com:8443", Some("same-site")),
        ("hooks.example.com", "null", Some("cross-site")),
        // The name of a stranger that was made to point here: the browser takes it for one origin.
        ("evil.example", "https://evil.example", OWN),
        ("127.0.0.1:8081", "https://evil.example", OWN),
        ("hooks.example.com", "https://evil.example", OWN),
        ("hooks.example.com", "https://hooks.example.com.evil.example", OWN),
        ("hooks.example.com", "https://evil.example", None),
        ("hooks.example.com", "ftp://hooks.example.com", OWN),
        ("localhost:8081", "http://localhost:9999", None),
    ] {
        for (name, value) in [("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Prefix", "/evil")] {
            let request = form(host, origin, site).insert_header((name, value)).to_request();
            assert_eq!(call_service(&app, request).await.status(), 403, "{host} {origin} {site:?}");
        }
    }
    let public = form("127.0.0.1:8081", "https://hooks.example.com:8443", None).to_request();
    assert_eq!(call_service(&app, public).await.status(), 303, "public_url is ours, also in an old browser");
}

#[actix_web::test]
async fn the_log_in_stays_under_the_public_path_over_tls() {
    let house = house_at(Some(PASSWORD), &[], Some("https://hooks.example.com/tagohook"));
    let app = serve!(house);
    let get = |path: &str| TestRequest::get().uri(path).insert_header(("Host", "hooks.example.com"));
    // The proxy keeps the path, or has removed it.
    for asked in ["/tagohook/drift?a=b", "/drift?a=b"] {
        let page = call_service(&app, get(asked).to_request()).await;
        assert_eq!(page.status(), 303, "{asked}");
        assert_eq!(header(page.headers(), "location"), "/tagohook/login?next=%2Fdrift%3Fa%3Db");
    }
    for open in ["/tagohook/login", "/tagohook/login/", "/tagohook/static/app.css", "/login"] {
        assert_eq!(call_service(&app, get(open).to_request()).await.status(), 200, "{open}");
    }
    for closed in ["/tagohook", "/tagohook/", "/tagohook//", "/tagohook/tagohook/static/x", "/overview/"] {
        assert_eq!(call_service(&app, get(closed).to_request()).await.status(), 303, "{closed}");
    }
    for closed in ["/tagohook/metrics", "/tagohook/api/v1/deliveries/", "/metrics/"] {
        assert_eq!(call_service(&app, get(closed).to_request()).await.status(), 401, "{closed}");
    }
    let right = TestRequest::post().uri("/tagohook/login").insert_header(("Host", "hooks.example.com"));
    let right = right.set_payload("password=correct+horse+battery&next=%2Fdrift");
    let right = call_service(&app, right.to_request()).await;
    assert_eq!(header(right.headers(), "location"), "/tagohook/drift");
    let cookie = header(right.headers(), "set-cookie");
    assert!(
        cookie.contains("; Path=/tagohook; ") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap().to_owned();

    // Somebody follows a link from chat or mail: the page opens, and nothing but pages does.
    let link = |path: &str| {
        let request = get(path).insert_header(("Cookie", pair.clone()));
        let request = request.insert_header(("Sec-Fetch-Site", "cross-site"));
        request.insert_header(("Sec-Fetch-Mode", "navigate")).insert_header(("Sec-Fetch-Dest", "document"))
    };
    let page = call_service(&app, link("/tagohook/drift").to_request()).await;
    assert_eq!(page.status(), 200);
    assert_eq!(call_service(&app, link("/tagohook/api/v1/deliveries").to_request()).await.status(), 403);
    let form = form("hooks.example.com", "https://evil.example", Some("cross-site"));
    let form = form.insert_header(("Cookie", pair.clone())).to_request();
    assert_eq!(call_service(&app, form).await.status(), 403, "no other site logs anybody out");

    let out = TestRequest::post().uri("/tagohook/logout").insert_header(("Host", "hooks.example.com"));
    let out = out.insert_header(("Cookie", pair.clone())).insert_header(("Sec-Fetch-Site", "same-origin"));
    let out = call_service(&app, out.to_request()).await;
    assert_eq!(header(out.headers(), "location"), "/tagohook/login");
    assert!(header(out.headers(), "set-cookie").contains("; Path=/tagohook; Max-Age=0; "));
}

#[actix_web::test]
async fn the_session_is_sent_over_https_only_where_the_browser_came_by_https() {
    let house = house_at(Some(PASSWORD), &["hooks.example.com"], None);
    let app = serve!(house);
    for (host, origin, site, is_secure) in [
        ("127.0.0.1:8081", "https://hooks.example.com", None, true),
        ("127.0.0.1:8081", "http://hooks.example.com", None, false),
        ("hooks.example.com", "http://hooks.example.com", None, false),
        ("hooks.example.com:8443", "https://hooks.example.com:8443", OWN, true),
        ("localhost:8081", "http://localhost:8081", OWN, false),
        ("localhost:8081", "null", OWN, false),
    ] {
        let login = form(host, origin, site).uri("/login");
        let login = login.set_payload("password=correct+horse+battery&next=%2F").to_request();
        let answer = call_service(&app, login).await;
        let cookie = header(answer.headers(), "set-cookie");
        assert_eq!(answer.status(), 303, "{host} {origin}");
        assert_eq!(cookie.ends_with("; SameSite=Lax; Secure"), is_secure, "{host} {origin}: {cookie}");
    }
}

async fn text(answer: ServiceResponse<actix_web::body::BoxBody>) -> String {
    String::from_utf8(read_body(answer).await.to_vec()).unwrap()
}

#[actix_web::test]
async fn a_person_who_is_refused_reads_a_page_that_says_how_to_mend_it() {
    let house = house(None);
    let app = serve!(house);
    let html = ("Accept", "text/html,application/xhtml+xml");
    let strange = || TestRequest::get().uri("/").insert_header(("Host", "tunnel.example:8081"));
    let page = call_service(&app, strange().insert_header(html).to_request()).await;
    assert_eq!(page.status(), 403);
    assert_eq!(header(page.headers(), "content-type"), "text/html; charset=utf-8");
    let page = text(page).await;
    assert!(page.contains("allowed_hosts = [&#34;tunnel.example:8081&#34;]"), "{page}");
    let program = call_service(&app, strange().to_request()).await;
    assert_eq!(header(program.headers(), "content-type"), "application/problem+json");
    let api = strange().uri("/api/v1/deliveries").insert_header(html).to_request();
    assert_eq!(header(call_service(&app, api).await.headers(), "content-type"), "application/problem+json");
    let odd = TestRequest::get().uri("/").insert_header(("Host", "a\"]x<b>")).insert_header(html);
    let odd = text(call_service(&app, odd.to_request()).await).await;
    assert!(!odd.contains("<b>") && odd.contains("allowed_hosts = [&#34;example.com&#34;]"), "{odd}");
    for site in [None, OWN] {
        let form = form("127.0.0.1:8081", "https://hooks.example.com:8443", site).insert_header(html);
        let page = text(call_service(&app, form.to_request()).await).await;
        assert!(page.contains("Origin and Host differ") && !page.contains("another site"), "{page}");
        for seen in ["is at https://hooks.example.com:8443,", "the host 127.0.0.1:8081.", "Host $http_host"] {
            assert!(page.contains(seen), "{seen}: {page}");
        }
        assert!(page.contains("public_url = &#34;https://hooks.example.com:8443/&#34;"), "{page}");
    }
    for origin in ["https://a\"b", "null", "https://"] {
        let form = form("127.0.0.1:8081", origin, None).insert_header(html);
        let page = text(call_service(&app, form.to_request()).await).await;
        assert!(page.contains("another site") && !page.contains("a&#34;b"), "{origin}: {page}");
    }
    let other = form("127.0.0.1:8081", "https://evil.example", Some("cross-site")).insert_header(html);
    assert!(text(call_service(&app, other.to_request()).await).await.contains("another site"));
}

#[actix_web::test]
async fn every_page_of_ours_has_a_name_that_no_public_path_may_take() {
    let house = house(None);
    let app = serve!(house);
    for name in PublicUrl::OWN {
        let answer = call_service(&app, get(&format!("/{name}")).to_request()).await;
        // There is no source in this house to ask about.
        let needs_more = ["static", "diff", "what-if"].contains(name);
        assert_eq!(answer.status() == 404, needs_more, "{name}: {}", answer.status());
    }
    let page = text(call_service(&app, get("/").to_request()).await).await;
    for link in page.split("href=\"/").skip(1) {
        let name = link.split(['"', '/', '?']).next().unwrap();
        assert!(name.is_empty() || PublicUrl::OWN.contains(&name), "{name}");
    }
}

#[actix_web::test]
async fn a_probe_needs_no_password_and_no_name_of_ours_and_learns_nothing() {
    let house = house(Some(PASSWORD));
    let app = serve!(house);
    for path in ["/healthz", "/readyz"] {
        for host in ["localhost:8081", "10.1.2.3:8081", "load-balancer.example"] {
            let probe = TestRequest::get().uri(path).insert_header(("Host", host)).to_request();
            let answer = call_service(&app, probe).await;
            assert_eq!(answer.status(), 200, "{host}");
            assert_eq!(read_body(answer).await, r#"{"status":"ok"}"#);
        }
        assert_eq!(call_service(&app, post(path).to_request()).await.status(), 405);
    }
    assert_eq!(call_service(&app, get("/healthz/x").to_request()).await.status(), 303);
}
