//! The inspector's routes over a real store: the guard, the API, the login.

use futures_util::FutureExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody as _;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body, read_body_json};
use argon2::password_hash::PasswordHasher as _;
use serde_json::Value;

use super::*;
use crate::catalog::Catalog;
use crate::config::{PasswordHash, PublicUrl, Rate, Sealer, SecretResolver, TrustedProxies};
use crate::domain::{
    BodyEnd, ClientAddress, Connection, Decision, Delivery, DeliveryId, Entry, EventFacts, Headers,
    ManualClock, Reason, Timestamp, Unverified,
};
use crate::http::inspector::InspectorParts;
use crate::http::receiver::body::BodyLimits;
use crate::http::receiver::limits::AddressRate;
use crate::http::receiver::state::Rules;
use crate::inspect::what_if::WhatIf;
use crate::payload::Sources;
use crate::receive::{Masking, Receiver};
use crate::send::{Client, Sender, SenderParts, TargetGuard};
use crate::store::{Retention, Store, StoreOptions};

const PASSWORD: &str = "correct horse battery";

struct House {
    state: InspectorState,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

fn house(password: Option<&str>) -> House {
    house_at(password, &[], None)
}

fn house_at(password: Option<&str>, allowed_hosts: &[&str], public_url: Option<&str>) -> House {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let day = Duration::from_secs(86_400);
    let retention = Retention {
        keep_deliveries: day,
        keep_rejected: day,
        keep_captured: 100,
        keep_event_ids: day,
        keep_messages: day,
        keep_dead_letters: day,
        max_size: 1 << 30,
        max_refused: 1 << 28,
    };
    let path = folder.path().join("tagohook.db");
    let options = StoreOptions {
        place: crate::store::Place::Sqlite(path),
        clock: clock.clone(),
        retention,
        queue: 64,
        queue_bytes: 1 << 24,
        workers: Default::default(),
        metrics: Default::default(),
    };
    let cheap = argon2::Params::new(64, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cheap);
    let hash = password.map(|password| argon2.hash_password(password.as_bytes()).unwrap().to_string());
    let store = Store::open(options).now_or_never().unwrap().unwrap();
    let catalog = Arc::new(Catalog::builtin());
    let clock_too: Arc<dyn crate::domain::Clock> = clock.clone();
    let guard = TargetGuard::new(false);
    let sender = Sender::new(SenderParts {
        store: store.clone(),
        catalog: Arc::clone(&catalog),
        clock: clock_too,
        metrics: Arc::default(),
        guard,
        client: Client::new(guard).unwrap(),
        sources: Sources::new(Vec::new(), 1 << 20),
        secrets: SecretResolver::new(folder.path().to_owned(), &[]),
        sealer: Sealer::new(&[7; 32]),
        lease: day,
        health_interval: day,
        connections: 100,
    });
    let masking = Arc::new(Masking::new([7; 32]));
    let seldom = Rate { count: std::num::NonZeroU32::MIN, per: day };
    let rules = Arc::new(arc_swap::ArcSwap::from_pointee(Rules {
        receiver: Arc::new(Receiver::new(Vec::new(), Arc::clone(&catalog), Arc::clone(&masking), 1 << 20)),
        trusted_proxies: TrustedProxies::default(),
        body: BodyLimits { max_body: 1 << 20, timeout: day },
        refused_rate: AddressRate::new(seldom),
        capture_rate: AddressRate::new(seldom),
    }));
    let what_if = WhatIf::new(
        store.clone(),
        Arc::clone(&catalog),
        masking,
        1 << 20,
        crate::telemetry::Workers::default(),
    );
    let state = InspectorState::new(InspectorParts {
        readiness: crate::http::Readiness::new(store.clone()),
        store,
        catalog,
        sender,
        sources: Sources::new(Vec::new(), 1 << 20),
        receiver: crate::send::OwnReceiver::new(
            crate::domain::ListenAddress::Tcp("127.0.0.1:8080".parse().unwrap()),
            || None,
        ),
        inspector: "127.0.0.1:8081".parse().unwrap(),
        password: hash.map(PasswordHash::new),
        allowed_hosts: allowed_hosts.iter().map(ToString::to_string).collect(),
        public_url: public_url.map(|url| PublicUrl::parse(url).unwrap()),
        search_time: std::time::Duration::from_secs(1),
        what_if,
        rules,
        reach: crate::http::Reach::default(),
        own_replays: crate::inspect::replay::OwnReplays::default(),
        reload: crate::http::ReloadDesk::new().0,
        data_dir: folder.path().to_owned(),
        config_file: None,
        schemas_dir: None,
        retention,
        metrics: Arc::default(),
        clock: clock.clone(),
    });
    House { state, clock, _folder: folder }
}

impl House {
    async fn keep(&self, event_type: &str, reason: Option<Reason>, body: &'static [u8]) -> DeliveryId {
        let now = crate::domain::Clock::now(&*self.clock);
        let id = DeliveryId::new_at(now);
        let ip = "127.0.0.1".parse().unwrap();
        let delivery = Delivery {
            id,
            source: "tagorun".into(),
            received_at: now,
            method: "POST".into(),
            path: "/webhook/tagorun".into(),
            http_version: "HTTP/1.1".into(),
            client: ClientAddress { ip, peer: ip, explanation: "direct connection".into() },
            connection: Connection::default(),
            headers: Headers::default(),
            body: bytes::Bytes::from_static(body),
            body_end: BodyEnd::Complete,
        };
        let facts = EventFacts { event_type: Some(event_type.into()), ..EventFacts::default() };
        let decision = reason.map_or(Decision::Accept(None), Decision::Reject);
        let unverified = Unverified::default();
        let entry =
            Entry { delivery, facts, unverified, checks: Vec::new(), decision, started: Instant::now() };
        self.state.store.append(entry).await.unwrap();
        id
    }
}

macro_rules! serve {
    ($house:expr) => {
        init_service(
            App::new()
                .app_data(web::Data::new($house.state.clone()))
                .configure(routes)
                .wrap(from_fn(guard::guard))
                .wrap(from_fn(mount::mount))
                .wrap(from_fn(unread::keep)),
        )
        .await
    };
}

mod behind_proxy;

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path).insert_header(("Host", "localhost:8081"))
}

fn post(path: &str) -> TestRequest {
    TestRequest::post().uri(path).insert_header(("Host", "localhost:8081"))
}

#[actix_web::test]
async fn ui_05_a_strange_host_is_403_on_pages_api_and_stream() {
    let house = house(None);
    let app = serve!(house);
    for path in ["/", "/api/v1/deliveries", "/api/v1/deliveries/stream", "/static/app.css", "/metrics"] {
        for host in ["evil.example", "evil.example:8081", "localhost.evil.example"] {
            let request = TestRequest::get().uri(path).insert_header(("Host", host));
            let request = request.insert_header(("X-Forwarded-Host", "localhost")).to_request();
            assert_eq!(call_service(&app, request).await.status(), 403, "{path} {host}");
        }
        let none = TestRequest::get().uri(path).to_request();
        assert_eq!(call_service(&app, none).await.status(), 403, "{path}");
        let ours = call_service(&app, get(path).to_request()).await;
        assert_eq!(ours.status(), 200, "{path}");
        assert!(ours.headers().get("content-security-policy").unwrap().to_str().unwrap().contains("'none'"));
        assert_eq!(ours.headers().get("x-content-type-options").unwrap(), "nosniff");
        assert_eq!(ours.headers().get("referrer-policy").unwrap(), "no-referrer");
    }
}

#[actix_web::test]
async fn ui_06_another_site_is_403_and_a_get_changes_nothing() {
    let house = house(None);
    let app = serve!(house);
    let strangers = [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://localhost:9999"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    for header in strangers {
        for request in [
            get("/api/v1/deliveries"),
            get("/api/v1/deliveries/stream"),
            get("/"),
            post("/send-test"),
            post("/logout"),
            post("/login"),
        ] {
            let answer = call_service(&app, request.insert_header(header).to_request()).await;
            assert_eq!(answer.status(), 403, "{header:?}");
        }
    }
    for path in ["/send-test", "/logout"] {
        let answer = call_service(&app, get(path).to_request()).await;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers().get("allow").unwrap(), "POST");
    }
    let plain = post("/logout").insert_header(("Content-Type", "text/plain")).set_payload("x");
    let plain = plain.insert_header(("Content-Length", "1")).to_request();
    assert_eq!(call_service(&app, plain).await.status(), 415);
    let same_site_post = post("/logout").insert_header(("Sec-Fetch-Site", "same-site")).to_request();
    assert_eq!(call_service(&app, same_site_post).await.status(), 403);
    let link = get("/").insert_header(("Sec-Fetch-Site", "cross-site"));
    let link =
        link.insert_header(("Sec-Fetch-Mode", "navigate")).insert_header(("Sec-Fetch-Dest", "document"));
    assert_eq!(call_service(&app, link.to_request()).await.status(), 200);
    let own = post("/logout").insert_header(("Origin", "http://localhost:8081")).to_request();
    assert_eq!(call_service(&app, own).await.status(), 303);
}

#[actix_web::test]
async fn the_list_is_paged_filtered_and_strict() {
    let house = house(None);
    let app = serve!(house);
    for number in 0..5 {
        house.keep("user.login", (number == 2).then_some(Reason::NotJson), b"{}").await;
    }
    let first: Value =
        read_body_json(call_service(&app, get("/api/v1/deliveries?limit=2").to_request()).await).await;
    assert_eq!(first["deliveries"].as_array().unwrap().len(), 2);
    let mut next = first["next"].as_str().map(str::to_owned);
    let mut seen = 2;
    while let Some(cursor) = next {
        let path = format!("/api/v1/deliveries?limit=2&before={cursor}");
        let page: Value = read_body_json(call_service(&app, get(&path).to_request()).await).await;
        seen += page["deliveries"].as_array().unwrap().len();
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, 5);
    let refused = "/api/v1/deliveries?verdict=rejected&reason=not_json";
    let refused: Value = read_body_json(call_service(&app, get(refused).to_request()).await).await;
    assert_eq!(refused["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(refused["deliveries"][0]["status"], 400);
    for bad in ["limit=0", "limit=501", "before=x", "before=0", "colour=red", "verdict=ok", "source="] {
        let answer = call_service(&app, get(&format!("/api/v1/deliveries?{bad}")).to_request()).await;
        assert_eq!(answer.status(), 400, "{bad}");
        assert_eq!(answer.headers().get("content-type").unwrap(), "application/problem+json");
        let problem: Value = read_body_json(answer).await;
        assert_eq!(problem["status"], 400);
        let name = format!("/{}", bad.split('=').next().unwrap());
        assert_eq!(problem["errors"][0]["pointer"], name);
    }
    let limit = call_service(&app, get("/api/v1/deliveries?limit=500").to_request()).await;
    assert_eq!(limit.status(), 200);
    let deleted = TestRequest::delete().uri("/api/v1/deliveries").insert_header(("Host", "localhost"));
    let deleted = call_service(&app, deleted.to_request()).await;
    assert_eq!(deleted.status(), 405);
    assert_eq!(deleted.headers().get("allow").unwrap(), "GET, HEAD");
    assert_eq!(call_service(&app, get("/api/v1/nothing").to_request()).await.status(), 404);
}

#[actix_web::test]
async fn ui_02_a_raw_body_is_a_download_that_no_browser_runs() {
    let house = house(None);
    let app = serve!(house);
    let body = b"<script>alert(1)</script>\xff\x00";
    let id = house.keep("x", None, body).await;
    let raw = call_service(&app, get(&format!("/api/v1/deliveries/{id}/raw")).to_request()).await;
    let header = |name: &str| raw.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(header("content-disposition"), format!("attachment; filename=\"delivery-{id}.bin\""));
    assert!(header("content-security-policy").starts_with("sandbox"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(read_body(raw).await, body.as_slice());
    let one: Value =
        read_body_json(call_service(&app, get(&format!("/api/v1/deliveries/{id}")).to_request()).await).await;
    assert_eq!(one["body_base64"], "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pv8A");
    assert!(one.get("body").is_none() && one["diagnosis"].as_str().unwrap().starts_with("Accepted"));
    for missing in ["0195789a-b000-7c3e-9d41-1d797b831d45", "x", "..%2f..%2fetc"] {
        let path = format!("/api/v1/deliveries/{missing}");
        assert_eq!(call_service(&app, get(&path).to_request()).await.status(), 404);
    }
}

#[actix_web::test]
async fn ui_11_the_stream_resumes_without_a_gap_and_resets_once() {
    let house = house(None);
    let app = serve!(house);
    for _ in 0..3 {
        house.keep("user.login", None, b"{}").await;
    }
    let mut bodies = Vec::new();
    for (cursor, expected) in
        [("1", "id: 2\nevent: delivery"), ("garbage", "event: reset"), ("99", "event: reset")]
    {
        let request = get("/api/v1/deliveries/stream").insert_header(("Last-Event-ID", cursor));
        let answer = call_service(&app, request.to_request()).await;
        assert_eq!(answer.headers().get("content-type").unwrap(), "text/event-stream");
        let mut body = Box::pin(answer.into_body());
        let mut text = String::new();
        while !text.contains("event:") {
            let chunk = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        assert!(text.contains(expected), "{cursor}: {text}");
        assert_eq!(text.matches("event: delivery").count(), if cursor == "1" { 2 } else { 0 }, "{text}");
        bodies.push(body);
    }
    house.state.stop();
    for mut body in bodies {
        let end = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
        assert!(end.is_none(), "a stream ends when the program stops");
    }
}

#[actix_web::test]
async fn wait_returns_the_first_match_or_408() {
    let house = house(None);
    let app = serve!(house);
    house.keep("user.login", None, b"{}").await;
    let timeout = call_service(&app, get("/api/v1/wait?timeout=50ms").to_request()).await;
    assert_eq!(timeout.status(), 408);
    let past = "/api/v1/wait?from=2020-01-01T00:00:00Z&event_type=user.login&timeout=5s";
    let found: Value = read_body_json(call_service(&app, get(past).to_request()).await).await;
    assert_eq!(found["event_type"], "user.login");
    let waiting = call_service(&app, get("/api/v1/wait?event_type=data.received&timeout=10s").to_request());
    let (found, ()) = futures_util::future::join(waiting, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        house.keep("user.login", None, b"{}").await;
        house.keep("data.received", None, b"{}").await;
    })
    .await;
    let found: Value = read_body_json(found).await;
    assert_eq!(found["event_type"], "data.received");
}

#[actix_web::test]
async fn with_a_password_everything_but_the_login_asks_for_it() {
    let house = house(Some(PASSWORD));
    let app = serve!(house);
    for path in ["/api/v1/deliveries", "/api/v1/deliveries/stream", "/metrics"] {
        let answer = call_service(&app, get(path).to_request()).await;
        assert_eq!(answer.status(), 401, "{path}");
        assert!(answer.headers().contains_key("www-authenticate"));
        let token = get(path).insert_header(("Authorization", format!("Bearer {PASSWORD}")));
        assert_eq!(call_service(&app, token.to_request()).await.status(), 200, "{path}");
    }
    let page = call_service(&app, get("/?q=a%26b").to_request()).await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(page.headers().get("location").unwrap(), "/login?next=%2F%3Fq%3Da%2526b");
    for open in ["/login", "/static/app.css"] {
        assert_eq!(call_service(&app, get(open).to_request()).await.status(), 200, "{open}");
    }
    assert_eq!(call_service(&app, post("/send-test").to_request()).await.status(), 401);
    let wrong = post("/login").set_payload("password=wrong&next=/").to_request();
    assert_eq!(call_service(&app, wrong).await.status(), 401);
    let form = "password=correct+horse+battery&next=%2Fevent-types";
    let right = call_service(&app, post("/login").set_payload(form).to_request()).await;
    assert_eq!(right.headers().get("location").unwrap(), "/event-types");
    let cookie = right.headers().get("set-cookie").unwrap().to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.ends_with("SameSite=Lax") && cookie.contains("Path=/;"));
    let pair = cookie.split(';').next().unwrap().to_owned();
    let read = || get("/api/v1/deliveries").insert_header(("Cookie", pair.clone())).to_request();
    assert_eq!(call_service(&app, read()).await.status(), 200);
    let no_browser = post("/send-test").insert_header(("Cookie", pair.clone())).to_request();
    assert_eq!(call_service(&app, no_browser).await.status(), 401);
    let out = post("/logout").insert_header(("Cookie", pair.clone()));
    let out = out.insert_header(("Sec-Fetch-Site", "same-origin")).to_request();
    assert_eq!(call_service(&app, out).await.status(), 303);
    assert_eq!(call_service(&app, read()).await.status(), 401);
}
