//! Real proxies in front of receiver and inspector, as installed and with the configurations of deploy/proxies/.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};

use crate::harness::{
    Answer, Connection, Form, Kind, Proxy, SECRET, Server, Setup, hmac_hex, login, request_bytes,
};

/// The sender that is allowed, and one that is not. The proxies are at 127.0.0.1.
const ALLOWED: &str = "127.0.0.2";
const STRANGER: &str = "127.0.0.3";
const PASSWORD: &str = "correct horse battery";
const HOOKS: &str = "hooks.example.com";
const INSPECT: &str = "inspect.example.com";
/// How soon a row must be in the live list.
const LIVE: Duration = Duration::from_secs(1);
/// A body above `max_body`, and one below it that is above what nginx takes by default.
const TOO_LARGE: usize = 5_000_000;
const LARGE: usize = 3_900_000;

/// What is known of a proxy, as installed.
struct Facts {
    /// Whether it names the client.
    names_client: bool,
    /// What becomes of a client that forges the header.
    forged: u16,
    /// What becomes of `%2F` in a path.
    slash: u16,
    /// What becomes of 3.9 MB.
    large: u16,
}

fn facts(kind: Kind, form: Form) -> Facts {
    let works = Facts { names_client: true, forged: 403, slash: 200, large: 200 };
    match (form, kind) {
        (Form::Ours | Form::Socket | Form::ProxyProtocol(_), _) | (_, Kind::Caddy | Kind::Varnish) => works,
        (_, Kind::Apache) => Facts { slash: 404, ..works },
        // They pass on what their client wrote.
        (_, Kind::HAProxy) => Facts { names_client: false, forged: 200, ..works },
        (_, Kind::Nginx) => Facts { names_client: false, forged: 200, slash: 200, large: 413 },
    }
}

struct House {
    kind: Kind,
    form: Form,
    proxy: Proxy,
    server: Server,
    /// The path under which browsers reach the inspector.
    path: &'static str,
}

impl House {
    fn start(kind: Kind, form: Form) -> Self {
        let path = if form == Form::Ours { "/tagohook" } else { "" };
        let public = if form == Form::Ours {
            format!("public_url = \"https://{INSPECT}{path}/\"")
        } else {
            String::new()
        };
        let trusted = "trusted_proxies = [\"127.0.0.1\"]";
        let receiver = match form {
            Form::AsInstalled => trusted.to_owned(),
            Form::Ours => format!("{trusted}\nclient_ip_header = \"x-forwarded-for\""),
            Form::Socket => {
                "listen = \"unix:receiver.sock\" #receiver-listen\ntrusted_proxies = [\"unix:\"]\n\
                             client_ip_header = \"x-forwarded-for\""
                    .to_owned()
            }
            Form::ProxyProtocol(_) => format!("{trusted}\nproxy_protocol = true"),
        };
        let setup = Setup::new(&format!(
            "[receiver]\n{receiver}\n\
             [inspector]\npassword_file = \"password\"\nallowed_hosts = [\"{INSPECT}\"]\n{public}\n\
             [[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nallow = [\"{ALLOWED}\"]\n\
             [[source]]\nname = \"anywhere\"\nsecrets = [\"file:signing-secret\"]\n\
             [[source]]\nname = \"open\"\nsignature = \"none\"\nschema = \"off\"\n"
        ));
        let mut hash = setup.command(&["hash-password"]);
        let mut hash = hash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        hash.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        setup.file("password", &String::from_utf8(hash.wait_with_output().unwrap().stdout).unwrap());
        let server = setup.start();
        if form == Form::Socket {
            // In place of membership in its group.
            let open =
                |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            open(&server.socket(), 0o666);
            open(server.socket().parent().unwrap(), 0o755);
        }
        Self { kind, form, proxy: Proxy::start(kind, form, &server), server, path }
    }

    /// A request to the receiver from this address.
    fn hook(&self, from: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let host = format!("{HOOKS}:{}", self.proxy.hooks.port());
        let mut connection = Connection::open_from(from, self.proxy.hooks);
        connection.write(&request_bytes(&host, "POST", target, headers, body));
        connection.answer().unwrap_or_else(|| panic!("{self}: no answer to {target}"))
    }

    fn signed(&self, from: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let hex = hmac_hex(SECRET.as_bytes(), body);
        let headers: Vec<_> =
            headers.iter().copied().chain([("X-TagoRUN-Signature", hex.as_str())]).collect();
        self.hook(from, target, &headers, body)
    }

    /// A browser's request to the inspector.
    fn page(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let host = format!("{INSPECT}:{}", self.proxy.inspect.port());
        let mut connection = Connection::open_from(ALLOWED, self.proxy.inspect);
        connection.write(&request_bytes(&host, method, &format!("{}{target}", self.path), headers, body));
        connection.answer_to(method).unwrap_or_else(|| panic!("{self}: no answer to {target}"))
    }

    /// The newest delivery, asked for at the inspector itself.
    fn newest(&self) -> serde_json::Value {
        let rows = self.api("deliveries?limit=1");
        self.api(&format!("deliveries/{}", rows["deliveries"][0]["id"].as_str().unwrap()))
    }

    fn api(&self, path: &str) -> serde_json::Value {
        let bearer = format!("Bearer {PASSWORD}");
        let target = format!("/api/v1/{path}");
        let answer = crate::harness::exchange(
            self.server.inspector,
            "GET",
            &target,
            &[("Authorization", &bearer)],
            b"",
        );
        assert_eq!(answer.status, 200, "{self}: {path}");
        answer.json()
    }
}

impl std::fmt::Display for House {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?} {:?}", self.kind, self.form)
    }
}

fn behind(kind: Kind) {
    if !kind.is_installed() {
        return;
    }
    for form in [Form::AsInstalled, Form::Ours, Form::Socket, Form::ProxyProtocol(1), Form::ProxyProtocol(2)]
    {
        let speaks = matches!(kind, Kind::HAProxy | Kind::Varnish);
        if matches!(form, Form::ProxyProtocol(_)) && !speaks {
            continue;
        }
        let house = House::start(kind, form);
        the_bytes_are_those_that_were_signed(&house);
        the_client_is_who_the_proxy_saw(&house);
        the_path_arrives_as_it_was_sent(&house);
        large_bodies_have_their_answer(&house);
        every_request_reaches_us(&house);
        if !matches!(form, Form::AsInstalled | Form::Ours) {
            // The way to the inspector is the same.
            continue;
        }
        let cookie = a_browser_logs_in_and_presses_a_button(&house);
        a_row_is_live(&house, &cookie);
    }
}

#[test]
fn proxies_nginx() {
    behind(Kind::Nginx);
}

#[test]
fn proxies_apache() {
    behind(Kind::Apache);
}

#[test]
fn proxies_haproxy() {
    behind(Kind::HAProxy);
}

#[test]
fn proxies_caddy() {
    behind(Kind::Caddy);
}

#[test]
fn proxies_varnish() {
    behind(Kind::Varnish);
}

fn the_bytes_are_those_that_were_signed(house: &House) {
    let body = login("bytes").replace("\":", "\" :  ").replace('}', " }\n").replacen(
        '{',
        "{\"n\": 1.0, \"u\": \"\\u00fc ü 😀\",",
        1,
    );
    assert_eq!(house.signed(ALLOWED, "/webhook/anywhere", &[], body.as_bytes()).status, 200, "{house}");
    let id = house.newest()["id"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {PASSWORD}");
    let raw = format!("/api/v1/deliveries/{id}/raw");
    let raw =
        crate::harness::exchange(house.server.inspector, "GET", &raw, &[("Authorization", &bearer)], b"");
    assert_eq!(raw.body, body.as_bytes(), "{house}");

    let chunked = login("chunked");
    let hex = hmac_hex(SECRET.as_bytes(), chunked.as_bytes());
    let mut connection = Connection::open_from(ALLOWED, house.proxy.hooks);
    connection.write(
        format!(
            "POST /webhook/anywhere HTTP/1.1\r\nHost: {HOOKS}\r\nX-TagoRUN-Signature: {hex}\r\n\
             Transfer-Encoding: chunked\r\n\r\n"
        )
        .as_bytes(),
    );
    for piece in chunked.as_bytes().chunks(7) {
        connection.write(&[format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
    }
    connection.write(b"0\r\n\r\n");
    assert_eq!(connection.answer().unwrap().status, 200, "{house}: chunked");

    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(login("gzip").as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let answer = house.signed(ALLOWED, "/webhook/anywhere", &[("Content-Encoding", "gzip")], &gzip);
    assert_eq!(answer.status, 200, "{house}: gzip, signed as it was sent");
}

fn the_client_is_who_the_proxy_saw(house: &House) {
    let facts = facts(house.kind, house.form);
    let post = |from: &str, id: &str, headers: &[(&str, &str)]| {
        house.signed(from, "/webhook/tagorun", headers, login(id).as_bytes()).status
    };
    let expected = if facts.names_client { (200, ALLOWED) } else { (403, "127.0.0.1") };
    let status = post(ALLOWED, "allowed", &[]);
    let seen = house.newest();
    assert_eq!((status, seen["client_ip"].as_str().unwrap()), expected, "{house}");
    if !facts.names_client {
        let said = seen["diagnosis"].as_str().unwrap();
        assert!(said.contains("did not name its client"), "{house}: {said}");
    }
    let forged = [("X-Forwarded-For", ALLOWED)];
    assert_eq!(post(STRANGER, "forged", &forged), facts.forged, "{house}: forged");
    if house.form != Form::AsInstalled {
        assert_eq!(house.newest()["client_ip"], STRANGER, "{house}");
        let own = [("Forwarded", "for=192.168.1.9"), ("X-Real-IP", "192.168.1.9")];
        assert_eq!(post(ALLOWED, "own", &own), 200, "{house}: the sender's own way out adds a header");
        let forged = [("Forwarded", "for=127.0.0.2"), ("X-Real-IP", ALLOWED)];
        assert_eq!(post(STRANGER, "again", &forged), 403, "{house}: forged in another header");
        assert_eq!(post(STRANGER, "stranger", &[]), 403, "{house}");
    }
}

fn the_path_arrives_as_it_was_sent(house: &House) {
    let expected = facts(house.kind, house.form).slash;
    let target = "/webhook/anywhere/a%2Fb%7e//c?x=%2f&y=%7e";
    let status = house.signed(ALLOWED, target, &[], login("path").as_bytes()).status;
    assert_eq!(status, expected, "{house}");
    if expected == 200 {
        assert_eq!(house.newest()["path"], target, "{house}");
    }
}

/// The statuses that curl sees. It sends `Expect: 100-continue` with such bodies.
fn curl(house: &House, target: &str, length: usize, times: usize) -> Vec<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let filler = "x".repeat(length - 8);
    write!(file, "{{\"x\":\"{filler}\"}}").unwrap();
    let url = format!("http://{}{target}", house.proxy.hooks);
    let body = format!("@{}", file.path().display());
    let once = |_| {
        let mut command = Command::new("curl");
        command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", ALLOWED]);
        command.args(["-H", &format!("Host: {HOOKS}"), "--data-binary", &body, &url]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    (0..times).map(once).collect()
}

fn large_bodies_have_their_answer(house: &House) {
    let seen = curl(house, "/webhook/open", TOO_LARGE, 8);
    // A proxy of Go may close its client's connection before the rest of the body came; curl then keeps the 100.
    assert!(seen.iter().all(|status| status == "413" || status == "100"), "{house}: with Expect: {seen:?}");
    assert!(seen.iter().filter(|status| *status == "413").count() > 4, "{house}: with Expect: {seen:?}");
    let large = facts(house.kind, house.form).large.to_string();
    assert_eq!(curl(house, "/webhook/open", LARGE, 1), [large], "{house}");
}

fn every_request_reaches_us(house: &House) {
    for _ in 0..3 {
        let mut connection = Connection::open_from(ALLOWED, house.proxy.hooks);
        connection.write(&request_bytes(HOOKS, "GET", "/webhook-test/probe", &[], b""));
        assert_eq!(connection.answer().unwrap().status, 200, "{house}");
    }
    let rows = house.api("deliveries?verdict=captured");
    assert_eq!(rows["deliveries"].as_array().unwrap().len(), 3, "{house}: none comes from a cache");
}

/// The cookie of the session.
fn a_browser_logs_in_and_presses_a_button(house: &House) -> String {
    let path = house.path;
    let first = house.page("GET", "/", &[("Accept", "text/html")], b"");
    assert_eq!(
        (first.status, first.header("location").unwrap()),
        (303, &*format!("{path}/login?next=%2F")),
        "{house}"
    );
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let password = form_urlencoded::Serializer::new(String::new()).append_pair("password", PASSWORD).finish();
    let port = house.proxy.inspect.port();
    let (tls, plain) = (format!("https://{INSPECT}"), format!("http://{INSPECT}:{port}"));
    let strange = [form, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(house.page("POST", "/login", &strange, password.as_bytes()).status, 403, "{house}");
    let mut cookies = Vec::new();
    for (origin, site) in [(&tls, Some("same-origin")), (&plain, None)] {
        let headers: Vec<_> =
            [form, ("Origin", origin)].into_iter().chain(site.map(|site| ("Sec-Fetch-Site", site))).collect();
        let login = house.page("POST", "/login", &headers, password.as_bytes());
        assert_eq!(login.status, 303, "{house} {origin}: {}", String::from_utf8_lossy(&login.body));
        let cookie = login.header("set-cookie").unwrap().to_owned();
        // With an https public_url it is sent over https only, wherever the browser came from.
        assert_eq!(
            cookie.ends_with("; Secure"),
            origin == &tls || house.form == Form::Ours,
            "{house}: {cookie}"
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = house.page("GET", "/", &[("Cookie", &cookie)], b"");
        assert_eq!(page.status, 200, "{house} {origin}");
        let style = format!("href=\"{path}/static/app.css\"");
        assert!(String::from_utf8_lossy(&page.body).contains(&style), "{house}: {style}");
        assert_eq!(house.page("GET", "/static/app.css", &[], b"").status, 200, "{house}");
        let headers: Vec<_> = headers.iter().copied().chain([("Cookie", cookie.as_str())]).collect();
        let pressed = house.page("POST", "/send-test", &headers, b"");
        let home = format!("{path}/");
        assert_eq!(
            (pressed.status, pressed.header("location")),
            (303, Some(home.as_str())),
            "{house} {origin}"
        );
        let home = format!("{path}/login");
        let fresh = house.page("POST", "/logout", &headers, b"");
        assert_eq!((fresh.status, fresh.header("location")), (303, Some(home.as_str())), "{house} {origin}");
        let again = house.page("POST", "/login", &headers, password.as_bytes());
        cookies.push(again.header("set-cookie").unwrap().split(';').next().unwrap().to_owned());
    }
    let bearer = format!("Bearer {PASSWORD}");
    assert_eq!(
        house.page("GET", "/api/v1/deliveries", &[("Authorization", &bearer)], b"").status,
        200,
        "{house}"
    );
    cookies.remove(0)
}

fn a_row_is_live(house: &House, cookie: &str) {
    let mut stream = Connection::open_from(ALLOWED, house.proxy.inspect);
    let host = format!("{INSPECT}:{}", house.proxy.inspect.port());
    let target = format!("{}/api/v1/deliveries/stream", house.path);
    stream.write(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes());
    while stream.line().unwrap_or_else(|| panic!("{house}: the stream ended")) != ": connected" {}
    let started = Instant::now();
    assert_eq!(
        house.signed(ALLOWED, "/webhook/anywhere", &[], login("live").as_bytes()).status,
        200,
        "{house}"
    );
    while !stream.line().unwrap_or_else(|| panic!("{house}: the stream ended")).contains("\"live\"") {}
    assert!(started.elapsed() < LIVE, "{house}: {:?}", started.elapsed());
}
