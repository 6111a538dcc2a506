//! TLS on the receiver: as curl, openssl and a raw client meet it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::harness::{SECRET, Server, Setup, exchange, hmac_hex, signed_request, until};

const TLS: &str = "[receiver]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n";

/// Makes `NAME.pem` and `NAME.key`, an authority's own certificate for localhost.
fn certificate(folder: &Path, name: &str) {
    fs::create_dir_all(folder).unwrap();
    let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
    let config = format!(
        "[req]\ndistinguished_name = dn\nx509_extensions = own\nprompt = no\n[dn]\nCN = {name}\n\
         [own]\nsubjectAltName = DNS:localhost, IP:127.0.0.1\nbasicConstraints = CA:FALSE\n"
    );
    fs::write(folder.join("openssl.cnf"), config).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]);
    openssl.args(["-config", "openssl.cnf", "-keyout", &key, "-out", &cert]).current_dir(folder);
    assert!(openssl.output().unwrap().status.success());
    fs::set_permissions(folder.join(key), fs::Permissions::from_mode(0o600)).unwrap();
}

/// Puts the pair in place, as certbot does: each file at once.
fn install(data: &Path, name: &str) {
    for (from, to) in [(format!("{name}.pem"), "cert.pem"), (format!("{name}.key"), "key.pem")] {
        let draft = data.join(format!("{to}.new"));
        fs::copy(data.join(from), &draft).unwrap();
        fs::rename(draft, data.join(to)).unwrap();
    }
}

fn prepared(config: &str) -> Setup {
    let setup = Setup::new(config);
    certificate(&setup.data_dir(), "first");
    install(&setup.data_dir(), "first");
    setup
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A raw connection inside TLS; the server must present this certificate.
fn open(address: SocketAddr, certificate: &Path) -> Result<Stream, String> {
    over(TcpStream::connect(address).unwrap(), certificate)
}

fn over(stream: TcpStream, certificate: &Path) -> Result<Stream, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream);
    stream.conn.complete_io(&mut stream.sock).map_err(|fault| fault.to_string())?;
    Ok(stream)
}

/// One answer on a connection that is kept.
fn answer(stream: &mut Stream) -> (u16, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), String::from_utf8(body).unwrap())
}

fn curl(server: &Server, arguments: &[&str], target: &str) -> Output {
    let url = format!("https://localhost:{}{target}", server.receiver.port());
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-m", "20", "--resolve", &format!("localhost:{}:127.0.0.1", server.receiver.port())]);
    curl.arg("--cacert").arg(server.data_dir().join("cert.pem")).args(arguments).arg(url).output().unwrap()
}

fn s_client(server: &Server, arguments: &[&str]) -> Output {
    let address = format!("127.0.0.1:{}", server.receiver.port());
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &address]).args(arguments).stdin(std::process::Stdio::null());
    client.output().unwrap()
}

#[test]
fn curl_delivers_over_https_and_every_byte_is_kept() {
    let server = prepared(TLS).start();
    let body = "{ \"event\" :\t\"user.login\", \"id\": \"exact\", \"timestamp\":\"2026-03-09T07:14:58.402Z\",\n \"user\":{\"id\":\"u1\",\"email\":\"a@example.com\"} }";
    let signature = format!("X-TagoRUN-Signature: {}", hmac_hex(SECRET.as_bytes(), body.as_bytes()));
    // HTTP/2 is offered, and not taken.
    let posted = curl(
        &server,
        &[
            "--http2",
            "-w",
            "%{http_code} %{http_version}",
            "-H",
            &signature,
            "-H",
            "X-ODD-case: 1",
            "-d",
            body,
        ],
        "/webhook/tagorun",
    );
    assert!(text(&posted).ends_with("200 1.1"), "{}", text(&posted));
    let delivery = server.newest();
    assert_eq!(server.raw(delivery["id"].as_str().unwrap()), body.as_bytes());
    let names: Vec<&str> =
        delivery["headers"].as_array().unwrap().iter().map(|line| line[0].as_str().unwrap()).collect();
    assert!(names.contains(&"X-ODD-case"), "as on the wire: {names:?}");
    assert_eq!(delivery["client_ip"], "127.0.0.1");
    // A megabyte, and a refusal before the body.
    let large = server.data_dir().join("large.json");
    fs::write(&large, format!("{{\"event\":\"a\",\"filler\":\"{}\"}}", "x".repeat(1_000_000))).unwrap();
    let file = format!("@{}", large.display());
    let sent = curl(&server, &["-w", " %{http_code}", "--data-binary", &file], "/webhook-test");
    assert!(text(&sent).ends_with(" 200"), "{}", text(&sent));
    assert_eq!(server.newest()["size_bytes"], fs::metadata(&large).unwrap().len());
    fs::write(&large, vec![b' '; 5 * 1024 * 1024]).unwrap();
    let sent = curl(&server, &["-w", " %{http_code}", "--data-binary", &file], "/webhook-test");
    assert!(text(&sent).contains(" 413"), "{}", text(&sent));
}

#[test]
fn only_http_1_1_in_tls_1_2_and_1_3_is_spoken() {
    let server = prepared(TLS).start();
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let told = text(&s_client(&server, &[version, "-alpn", "h2,http/1.1"]));
        assert!(told.contains("ALPN protocol: http/1.1") && told.contains(name), "{told}");
    }
    assert!(!s_client(&server, &["-alpn", "h2"]).status.success());
    assert!(!s_client(&server, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]).status.success());
    until("the reasons", || {
        let told = server.api("refusals").to_string();
        told.contains("offers no HTTP/1.1") && told.contains("no version or cipher")
    });
}

/// Sends bytes and reads what comes until the other side ends.
fn talk(mut stream: impl std::io::Read + std::io::Write, request: &[u8]) -> String {
    // The server may have answered before it has read everything.
    let _ = stream.write_all(request);
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        read.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8_lossy(&read).into_owned();
    let masked = |line: &str| {
        let changes = ["date: ", "content-length: "].iter().any(|name| line.starts_with(name));
        if changes { String::new() } else { line.split("\"delivery_id\"").next().unwrap().to_owned() }
    };
    // The order of the header lines of an answer is any.
    let mut lines: Vec<String> = text.split("\r\n").map(masked).collect();
    lines.sort();
    let lines = lines.iter().map(|line| line.split("\"timestamp\"").next().unwrap().trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_request_is_judged_and_kept_inside_tls_as_outside() {
    let (inside, outside) = (prepared(TLS).start(), Server::start());
    let signed = |id: &str| signed_request(id).replace("\r\nHost: x", "\r\nHost: x\r\nConnection: close");
    let first = signed_request("first");
    let requests: Vec<Vec<u8>> = [
        signed("one"),
        // Two in one write, and the second of them broken.
        format!("{first}{}", signed("second")),
        format!("{}GARBAGE\r\n\r\n", signed_request("third")),
        "POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n".to_owned(),
        "POST /webhook/tag orun HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "POST /webhook-test?a=%20b HTTP/1.1\r\nhOST: x\r\nX-B: 2\r\nx-a:  1 \r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n".to_owned(),
        "POST /webhook-test HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        format!("POST /webhook-test HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(200_000)),
        "POST /webhook/nobody HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        "POST /webhook/tagorun HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec();
    let certificate = inside.data_dir().join("cert.pem");
    for request in &requests {
        let plain = TcpStream::connect(outside.receiver).unwrap();
        plain.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        let (there, here) =
            (talk(plain, request), talk(open(inside.receiver, &certificate).unwrap(), request));
        assert!(here.contains("HTTP/1."), "{shown}: {here}");
        assert_eq!(here, there, "{shown}");
    }
    let kept = |server: &Server| -> Vec<(Value, Value, Value, Vec<u8>)> {
        let rows = server.all_deliveries("");
        let whole = rows.iter().map(|row| server.delivery(row["id"].as_str().unwrap()));
        whole
            .map(|one| {
                let raw = server.raw(one["id"].as_str().unwrap());
                (one["headers"].clone(), one["path"].clone(), one["verdict"].clone(), raw)
            })
            .collect()
    };
    let (here, there) = (kept(&inside), kept(&outside));
    assert!(here.len() > 5);
    assert_eq!(here, there);
    let causes = |server: &Server| -> Vec<Value> {
        let found = server.api("refusals")["refusals"].as_array().unwrap().clone();
        found.iter().map(|kind| kind["cause"].clone()).collect()
    };
    assert_eq!(causes(&inside), causes(&outside));
}

#[test]
fn a_changed_pair_is_used_and_open_connections_go_on_and_a_bad_one_changes_nothing() {
    let server = prepared(TLS).start();
    let data = server.data_dir();
    certificate(&data, "second");
    let (first, second) = (data.join("first.pem"), data.join("second.pem"));
    let mut old = open(server.receiver, &first).unwrap();
    let mut send = |id: &str| {
        old.write_all(signed_request(id).as_bytes()).unwrap();
        answer(&mut old).0
    };
    assert_eq!(send("before"), 200);
    assert!(open(server.receiver, &second).is_err());
    install(&data, "second");
    until("the second certificate", || open(server.receiver, &second).is_ok());
    assert!(open(server.receiver, &first).is_err(), "new connections see the new one only");
    assert_eq!(send("after"), 200, "the open connection was not dropped");

    // A key that does not belong to it, for good.
    fs::copy(data.join("first.key"), data.join("key.pem")).unwrap();
    until("the complaint", || server.log().contains("key.pem is not the key of the certificate"));
    assert!(server.log().contains("the old one stays in force"), "{}", server.log());
    assert!(open(server.receiver, &second).is_ok());
    let page = exchange(server.inspector, "GET", "/overview", &[], b"");
    assert!(String::from_utf8_lossy(&page.body).contains("is not the key of the certificate"));
    fs::write(data.join("cert.pem"), "nonsense").unwrap();
    until("the second complaint", || server.log().contains("contains no certificate in PEM"));
    assert!(open(server.receiver, &second).is_ok());
    install(&data, "first");
    until("the first certificate again", || open(server.receiver, &first).is_ok());
    let page = exchange(server.inspector, "GET", "/overview", &[], b"");
    assert!(!String::from_utf8_lossy(&page.body).contains("is not the key"), "and nothing is wrong any more");
    assert_eq!(send("last"), 200);
}

#[test]
fn tls_is_switched_on_and_off_by_a_reload() {
    let mut server = prepared("").start();
    let cert = server.data_dir().join("cert.pem");
    assert!(open(server.receiver, &cert).is_err());
    server.reconfigure(TLS);
    until("TLS", || open(server.receiver, &cert).is_ok());
    server.reconfigure(&TLS.replace("key.pem", "missing.pem"));
    until("the fault", || server.log().contains("not reloaded"));
    assert!(server.log().contains("missing.pem cannot be read: No such file"), "{}", server.log());
    assert!(open(server.receiver, &cert).is_ok(), "the old configuration is in force");
    server.reconfigure("");
    until("HTTP", || open(server.receiver, &cert).is_err());
}

#[test]
fn no_command_fails_while_tls_is_switched_on_and_off() {
    let mut server = prepared("").start();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let program = server.command(&["send", "user.login", "--quiet"]);
    let (name, folder) = (program.get_program().to_owned(), program.get_current_dir().map(Path::to_owned));
    let arguments: Vec<_> = program.get_args().map(std::ffi::OsStr::to_owned).collect();
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let mut sent = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let mut command = Command::new(&name);
                command.args(&arguments).current_dir(folder.as_deref().unwrap_or(Path::new(".")));
                let done = command.output().unwrap();
                assert!(done.status.success(), "{}", text(&done));
                sent += 1;
            }
            sent
        });
        for round in 0..10 {
            let is_on = round % 2 == 0;
            server.reconfigure(if is_on { TLS } else { "" });
            let cert = server.data_dir().join("cert.pem");
            until("the switch", || open(server.receiver, &cert).is_ok() == is_on);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(sending.join().unwrap() > 0);
    });
}

#[test]
fn files_that_cannot_be_used_stop_the_start_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "other");
    let encrypted = folder.path().join("encrypted.key");
    let mut openssl = Command::new("openssl");
    openssl.args(["pkey", "-in", "other.key", "-aes256", "-passout", "pass:secret", "-out", "encrypted.key"]);
    assert!(openssl.current_dir(folder.path()).output().unwrap().status.success());
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (cert, key, said) in [
        ("cert.pem", "none.pem", "receiver.tls_key: "),
        ("cert.pem", "none.pem", "none.pem cannot be read: No such file or directory"),
        ("none.pem", "key.pem", "none.pem cannot be read"),
        ("cert.pem", "", "receiver.tls_cert: needs receiver.tls_key too"),
        ("", "key.pem", "receiver.tls_key: needs receiver.tls_cert too"),
        ("cert.pem", &path("other.key"), "other.key is not the key of the certificate in"),
        ("key.pem", "cert.pem", "are tls_cert and tls_key exchanged?"),
        ("cert.pem", "cert.pem", "are tls_cert and tls_key exchanged?"),
        ("cert.pem", &encrypted.display().to_string(), "is encrypted with a passphrase; decrypt it"),
        ("signing-secret", "key.pem", "contains no certificate in PEM"),
        ("cert.pem", "signing-secret", "contains no key in PEM"),
    ] {
        let setup = prepared(&format!("[receiver]\ntls_cert = \"{cert}\"\ntls_key = \"{key}\"\n"));
        let told = setup.command(&["serve"]).output().unwrap();
        let words = text(&told);
        assert_eq!((told.status.code(), words.lines().count()), (Some(2), 1), "{cert} {key}: {words}");
        assert!(words.contains("test.toml:") && words.contains(said), "{cert} {key}: {words}");
    }
}

#[test]
fn a_key_that_everybody_can_read_is_a_warning() {
    let setup = prepared(TLS);
    let key = setup.data_dir().join("key.pem");
    let check = || text(&setup.command(&["check-config"]).output().unwrap());
    assert!(!check().contains("tls_key"), "{}", check());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let words = check();
    assert!(words.contains("every user of this machine can read") && words.contains("chmod o-r"), "{words}");
    let server = setup.start();
    until("the warning", || server.log().contains("every user of this machine can read"));
}

/// A connection from a proxy that names the client.
fn through_proxy(server: &Server, client: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.receiver).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(format!("PROXY TCP4 {client} 192.0.2.1 40000 443\r\n").as_bytes()).unwrap();
    stream
}

#[test]
fn the_proxy_protocol_comes_before_tls_and_http_from_elsewhere_is_told_to_use_https() {
    let config = format!("{TLS}trusted_proxies = [\"127.0.0.1\"]\nproxy_protocol = true\n");
    let server = prepared(&config).start();
    let cert = server.data_dir().join("cert.pem");
    let mut stream = over(through_proxy(&server, "198.51.100.7"), &cert).unwrap();
    stream.write_all(signed_request("proxied").as_bytes()).unwrap();
    assert_eq!(answer(&mut stream).0, 200);
    assert_eq!(server.newest()["client_ip"], "198.51.100.7");

    let refused = talk(through_proxy(&server, "198.51.100.7"), signed_request("clear").as_bytes());
    assert!(
        refused.contains("HTTP/1.1 400") && refused.contains("This port speaks HTTPS. Use https://"),
        "{refused}"
    );
    assert_eq!(server.deliveries("").len(), 1, "nothing was taken");
    let told = server.api("refusals").to_string();
    assert!(told.contains("\"tls_handshake\"") && told.contains("198.51.100.7"), "{told}");
}

#[test]
fn http_from_this_machine_is_refused_and_listed_as_a_failed_handshake() {
    let server = prepared(TLS).start();
    for request in [signed_request("clear"), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()] {
        let refused = talk(TcpStream::connect(server.receiver).unwrap(), request.as_bytes());
        assert!(
            refused.contains("HTTP/1.1 400") && refused.contains("This port speaks HTTPS. Use https://"),
            "{refused}"
        );
    }
    assert!(server.deliveries("").is_empty());
    let refusals = server.api("refusals")["refusals"].as_array().unwrap().clone();
    let listed = refusals.iter().find(|kind| kind["line"] == "POST /webhook/tagorun").unwrap();
    assert_eq!((&listed["cause"], &listed["status"]), (&Value::from("tls_handshake"), &Value::from(400)));
    assert!(listed["detail"].as_str().unwrap().contains("This port speaks HTTPS"), "{listed}");
    let metrics = exchange(server.inspector, "GET", "/metrics", &[], b"");
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("tagohook_requests_not_kept_total{cause=\"tls_handshake\"} 2"), "{metrics}");
}

#[test]
fn our_own_commands_accept_the_certificate_in_force_and_no_other() {
    let mut server = prepared(TLS).start();
    let send = |server: &Server, more: &[&str]| {
        server.command(&[&["send", "user.login"], more].concat()).output().unwrap()
    };
    assert!(send(&server, &[]).status.success());

    // A renewal with another key, and TLS that is switched off and on.
    certificate(&server.data_dir(), "second");
    install(&server.data_dir(), "second");
    let second = server.data_dir().join("second.pem");
    until("the second certificate", || open(server.receiver, &second).is_ok());
    let addresses = |server: &Server| fs::read_to_string(server.data_dir().join("addresses.json")).unwrap();
    let pin = |server: &Server| serde_json::from_str::<Value>(&addresses(server)).unwrap()["tls_pin"].clone();
    assert!(send(&server, &[]).status.success(), "the pin is known before the certificate is in force");
    let second_pin = pin(&server);
    until("the former pin to be forgotten", || !addresses(&server).contains("former_tls_pin"));
    server.reconfigure("");
    until("HTTP", || pin(&server).is_null());
    assert!(send(&server, &[]).status.success());
    let replay = |server: &Server| server.command(&["replay", "--all"]).output().unwrap();
    assert!(replay(&server).status.success(), "{}", text(&replay(&server)));
    server.reconfigure(TLS);
    until("TLS", || pin(&server) == second_pin);
    assert!(send(&server, &[]).status.success());
    let done = text(&replay(&server));
    assert!(done.contains(", 0 failed"), "{done}");
    assert!(text(&send(&server, &["--fault", "slow"])).contains("408"), "byte by byte inside TLS");
    for host in ["127.0.0.1", "localhost"] {
        let to = format!("https://{host}:{}/webhook/tagorun", server.receiver.port());
        let sent = send(&server, &["--to", &to]);
        assert!(sent.status.success(), "{to}: {}", text(&sent));
    }

    // Somebody else with another certificate, where the file says that we are.
    certificate(&server.data_dir(), "other");
    let file = server.data_dir().join("addresses.json");
    let told = fs::read_to_string(&file).unwrap();
    let other = second_pin.as_str().unwrap().replace("sha256//", "sha256//A");
    fs::write(&file, told.replace(second_pin.as_str().unwrap(), &other)).unwrap();
    let before = server.deliveries("").len();
    for arguments in [&["send", "user.login"][..], &["send", "user.login", "--fault", "slow"], &["health"]] {
        let refused = server.command(arguments).output().unwrap();
        let words = text(&refused);
        assert!(!refused.status.success(), "{words}");
        assert!(words.contains("the certificate there is not the one of this tagohook"), "{words}");
    }
    assert_eq!(server.deliveries("").len(), before);
}

#[test]
fn the_line_to_try_works_when_pasted_and_trusts_only_our_key() {
    let server = prepared(TLS).start();
    let page = exchange(server.inspector, "GET", "/connect?for=anything", &[], b"");
    let page = String::from_utf8(page.body).unwrap().replace("&#39;", "'").replace("&#34;", "\"");
    let line = page.lines().find(|line| line.contains("--pinnedpubkey")).unwrap();
    let line = &line[line.find("curl -sS").unwrap()..];
    let line = line.split("</code>").next().unwrap().split("</pre>").next().unwrap();
    assert!(line.contains("https://127.0.0.1:"), "{line}");
    let run = |line: &str| Command::new("sh").args(["-c", line]).output().unwrap();
    let done = run(line);
    assert!(done.status.success() && text(&done).contains("\"received\""), "{line}: {}", text(&done));
    assert!(!run(&line.replace("sha256//", "sha256//A")).status.success());
    assert_eq!(server.deliveries("").len(), 1);
}

#[test]
fn handshakes_that_fail_are_counted_with_their_reason_and_a_slow_one_ends() {
    let server = prepared(&format!("{TLS}head_timeout = \"1s\"\n")).start();
    certificate(&server.data_dir(), "second");
    assert!(open(server.receiver, &server.data_dir().join("second.pem")).is_err());
    let mut garbage = TcpStream::connect(server.receiver).unwrap();
    garbage.write_all(&[0x16, 3, 1, 0, 4, 1, 2, 3, 4]).unwrap();
    let mut slow = TcpStream::connect(server.receiver).unwrap();
    slow.write_all(&[0x16, 3, 1]).unwrap();
    let silent = TcpStream::connect(server.receiver).unwrap();
    let started = Instant::now();
    for mut stream in [slow, silent] {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.read(&mut [0; 64]).unwrap_or(0), 0, "closed without a word");
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    until("the reasons", || {
        let told = server.api("refusals").to_string();
        told.contains("does not trust the certificate") && told.contains("not finished within 1 s")
    });
    let metrics = exchange(server.inspector, "GET", "/metrics", &[], b"");
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("tagohook_requests_not_kept_total{cause=\"tls_handshake\"}"), "{metrics}");
    assert!(server.deliveries("").is_empty());
}

#[test]
fn commands_replays_and_the_stop_work_with_tls() {
    let mut server = prepared(TLS).start();
    for arguments in [&["health"][..], &["send", "user.login"], &["loop"], &["replay", "--all"]] {
        let done = server.command(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", text(&done));
    }
    let cert: PathBuf = server.data_dir().join("cert.pem");
    let mut idle = open(server.receiver, &cert).unwrap();
    let mut begun = open(server.receiver, &cert).unwrap();
    let request = signed_request("under-way");
    let (head, rest) = request.split_at(request.len() - 10);
    begun.write_all(head.as_bytes()).unwrap();
    idle.write_all(signed_request("idle").as_bytes()).unwrap();
    assert_eq!(answer(&mut idle).0, 200);
    server.signal("TERM");
    until("it to stop", || server.log().contains("stopping"));
    begun.write_all(rest.as_bytes()).unwrap();
    assert_eq!(answer(&mut begun).0, 200, "what was begun is answered");
    assert_eq!(idle.read(&mut [0; 8]).unwrap(), 0, "the end of TLS, not only of the connection");
    assert_eq!(server.wait_for_end(), Some(0));
}

#[test]
fn a_crowd_that_never_finishes_its_handshake_delays_nobody_and_is_let_go() {
    let server = prepared(&format!("{TLS}head_timeout = \"3s\"\n")).start();
    let files = || fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    let before = files();
    let crowd: Vec<TcpStream> = (0..400)
        .map(|at| {
            let mut stream = TcpStream::connect(server.receiver).unwrap();
            match at % 4 {
                0 => {}
                1 => stream.write_all(&[0x16]).unwrap(),
                // The beginning of a record of 16 KiB.
                2 => stream.write_all(&[0x16, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff]).unwrap(),
                _ => stream.set_nonblocking(true).unwrap(),
            }
            stream
        })
        .collect();
    // A client hello without end: 64 KiB are the most that a message may have.
    let mut huge = TcpStream::connect(server.receiver).unwrap();
    huge.write_all(&[0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff]).unwrap();
    huge.write_all(&[0; 16380]).unwrap();
    until("the huge one to be refused", || {
        server.api("refusals").to_string().contains("or one that is too large")
    });
    // A byte every 200 ms is no progress.
    let mut dripping = TcpStream::connect(server.receiver).unwrap();
    let drip = std::thread::spawn(move || {
        let started = Instant::now();
        let bytes = [&[0x16, 3, 1, 2, 0][..], &[1; 200]].concat();
        while let Some(byte) = bytes.get(started.elapsed().as_millis() as usize / 200) {
            if dripping.write_all(&[*byte]).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        false
    });
    let cert = server.data_dir().join("cert.pem");
    for number in 0..20 {
        let mut stream = open(server.receiver, &cert).unwrap();
        stream.write_all(signed_request(&format!("amid-{number}")).as_bytes()).unwrap();
        assert_eq!(answer(&mut stream).0, 200);
    }
    assert!(drip.join().unwrap(), "the time is for the whole handshake");
    until("the crowd to be let go", || files() < before + 50);
    drop(crowd);
    assert_eq!(server.deliveries("").len(), 20);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn a_file_that_is_half_written_is_used_when_it_is_whole_and_never_before() {
    let server = prepared(TLS).start();
    let data = server.data_dir();
    certificate(&data, "second");
    let (first, second) = (data.join("first.pem"), data.join("second.pem"));
    let whole = fs::read(&second).unwrap();
    fs::copy(data.join("second.key"), data.join("key.pem")).unwrap();
    let mut file = fs::File::create(data.join("cert.pem")).unwrap();
    for piece in whole.chunks(whole.len() / 4) {
        file.write_all(piece).unwrap();
        assert!(open(server.receiver, &first).is_ok() || open(server.receiver, &second).is_ok());
        std::thread::sleep(Duration::from_millis(1_500));
    }
    until("the whole file", || open(server.receiver, &second).is_ok());
    assert!(server.command(&["send", "user.login"]).output().unwrap().status.success());
}

#[test]
fn an_exported_line_works_when_pasted_and_the_programs_say_how_the_certificate_is_trusted() {
    let server = prepared(TLS).start();
    assert!(server.command(&["send", "user.login"]).output().unwrap().status.success());
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let export = |format: &str| {
        String::from_utf8(server.api_raw(&format!("deliveries/{id}/export?as={format}")).body).unwrap()
    };
    let pipe = |program: &[&str], text: &str| {
        let mut child = Command::new(program[0])
            .args(&program[1..])
            .env("NODE_EXTRA_CA_CERTS", server.data_dir().join("cert.pem"))
            .env("SSL_CERT_FILE", server.data_dir().join("cert.pem"))
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait().unwrap().success()
    };
    let programs = [
        ("curl", &["sh"][..], "--pinnedpubkey"),
        ("node", &["node", "--input-type=module", "-"], "// NODE_EXTRA_CA_CERTS: "),
        ("python", &["python3", "-"], "# SSL_CERT_FILE: "),
    ];
    for (count, (format, program, said)) in (2..).zip(programs) {
        let text = export(format);
        assert!(text.contains(said), "{text}");
        assert!(pipe(program, &text), "{text}");
        assert_eq!(server.deliveries("").len(), count, "{format}");
    }
    assert!(export("test").contains("// NODE_EXTRA_CA_CERTS: "));
    assert!(!pipe(&["sh"], &export("curl").replace("sha256//", "sha256//A")));
}
