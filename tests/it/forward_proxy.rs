//! A proxy between the sender and its endpoints: a small real one, with CONNECT and the absolute form.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Server, Setup, Sink, until};

/// The proxy; it remembers the heads that it saw.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Answers CONNECT with that status line, and passes on what follows where it is 200.
    fn start(connect: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let heads_too = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let heads = Arc::clone(&heads_too);
                std::thread::spawn(move || serve(stream, &heads, connect));
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(client: TcpStream, heads: &Mutex<Vec<String>>, connect: &str) -> Option<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        client.read_line(&mut head).ok().filter(|count| *count > 0)?;
    }
    heads.lock().unwrap().push(head.clone());
    let mut words = head.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    if method == "CONNECT" {
        client.get_mut().write_all(format!("{connect}\r\n\r\n").as_bytes()).ok()?;
        if connect.contains(" 200 ") {
            pass_on(client, TcpStream::connect(target).ok()?);
        }
        return Some(());
    }
    let (host, path) = target.strip_prefix("http://")?.split_once('/')?;
    let mut endpoint = TcpStream::connect(host).ok()?;
    let rest = head.split_once("\r\n")?.1;
    let kept: Vec<&str> = rest
        .split_inclusive("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"))
        .collect();
    endpoint.write_all(format!("{method} /{path} HTTP/1.1\r\n{}", kept.concat()).as_bytes()).ok()?;
    pass_on(client, endpoint);
    Some(())
}

fn pass_on(client: BufReader<TcpStream>, mut endpoint: TcpStream) {
    let (mut back, mut back_to) = (endpoint.try_clone().unwrap(), client.get_ref().try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut back, &mut back_to);
        let _ = back_to.shutdown(Shutdown::Both);
    });
    let mut client = client;
    let _ = std::io::copy(&mut client, &mut endpoint);
}

fn server(config: &str, env: &[(&str, &str)]) -> Server {
    let mut setup = Setup::new(config);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        for name in [name.to_owned(), name.to_ascii_lowercase()] {
            setup = setup.env(&name, "");
        }
    }
    for (name, value) in env {
        setup = setup.env(name, value);
    }
    setup.start()
}

fn subscribe(server: &Server, url: &str) {
    server.subscribe(&json!({
        "name": "s", "url": url, "events": ["*"], "retry_policy": {"max_attempts": 1}, "timeout": 10,
    }));
}

/// What became of one event.
fn attempt(server: &Server) -> Value {
    server.publish(&json!({"event": "made.up", "id": "e1"}));
    until("the attempt", || {
        server
            .messages("")
            .iter()
            .any(|message| ["delivered", "dead"].contains(&message["status"].as_str().unwrap()))
    });
    let id = server.messages("")[0]["id"].as_str().unwrap().to_owned();
    server.api(&format!("messages/{id}"))["attempts"][0].clone()
}

fn posts(proxy: &Proxy) -> Vec<String> {
    proxy.heads().into_iter().filter(|head| !head.starts_with("HEAD ")).collect()
}

#[test]
fn an_http_endpoint_is_reached_through_the_proxy_of_the_configuration() {
    let (proxy, sink) = (Proxy::start(""), Sink::start());
    let config = format!("[sender]\nproxy = \"http://{}\"\nno_proxy = []\n", proxy.address);
    let server = server(&config, &[]);
    subscribe(&server, &sink.url("/hook?a=1"));
    assert_eq!(attempt(&server)["status"], 200);
    assert_eq!(sink.seen()[0].path, "/hook?a=1");
    let first = posts(&proxy).remove(0);
    assert!(first.starts_with(&format!("POST {} HTTP/1.1\r\n", sink.url("/hook?a=1"))), "{first}");
}

#[test]
fn the_environment_names_the_proxy_and_this_machine_is_reached_without_it() {
    let (proxy, sink) = (Proxy::start(""), Sink::start());
    let address = proxy.address.to_string();
    let server = server("", &[("HTTP_PROXY", &address), ("HTTPS_PROXY", &address)]);
    subscribe(&server, &sink.url("/"));
    assert_eq!(attempt(&server)["status"], 200);
    assert_eq!(posts(&proxy), [""; 0], "loopback targets go direct unless the configuration says otherwise");
    let server = self::server("[sender]\nno_proxy = []\n", &[("http_proxy", &address)]);
    subscribe(&server, &sink.url("/"));
    assert_eq!(attempt(&server)["status"], 200);
    assert_eq!(posts(&proxy).len(), 1);
    let excepted = [("http_proxy", address.as_str()), ("NO_PROXY", "127.0.0.1")];
    let server = self::server("[sender]\nno_proxy = []\n", &excepted);
    subscribe(&server, &sink.url("/"));
    assert_eq!(attempt(&server)["status"], 200);
    assert_eq!(posts(&proxy).len(), 1);
}

#[test]
fn https_goes_through_connect_and_a_refusal_of_the_proxy_says_so() {
    let endpoint = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = endpoint.local_addr().unwrap().port();
    let hello = std::thread::spawn(move || {
        let mut first = [0; 3];
        endpoint.accept().unwrap().0.read_exact(&mut first).unwrap();
        first
    });
    let proxy = Proxy::start("HTTP/1.1 200 OK");
    let config = format!("[sender]\nproxy = \"http://{}\"\nno_proxy = []\n", proxy.address);
    let tunnelled = server(&config, &[]);
    subscribe(&tunnelled, &format!("https://localhost:{port}/"));
    assert_eq!(attempt(&tunnelled)["error"], "tls", "nobody speaks TLS there");
    assert_eq!(hello.join().unwrap()[0], 0x16, "a TLS handshake came through");
    assert!(proxy.heads()[0].starts_with(&format!("CONNECT localhost:{port} ")), "{:?}", proxy.heads());
    let proxy = Proxy::start("HTTP/1.1 407 Proxy Authentication Required");
    let config = format!("[sender]\nproxy = \"http://{}\"\nno_proxy = []\n", proxy.address);
    let refused = server(&config, &[]);
    subscribe(&refused, &format!("https://localhost:{port}/"));
    let attempt = attempt(&refused);
    assert_eq!(attempt["error"], "connect", "{attempt}");
    let detail = attempt["error_detail"].as_str().unwrap();
    assert!(detail.contains("the proxy") && detail.contains("authorization required"), "{detail}");
}

#[test]
fn the_credential_of_the_proxy_goes_to_the_proxy_and_nowhere_else() {
    let (proxy, sink) = (Proxy::start(""), Sink::start());
    let url = format!("http://user:a-proxy-password@{}", proxy.address);
    let config = "[sender]\nproxy = \"env:THE_PROXY\"\nno_proxy = []\n[log]\nlevel = \"trace\"\n";
    let server = server(config, &[("THE_PROXY", &url)]);
    subscribe(&server, &sink.url("/"));
    assert_eq!(attempt(&server)["status"], 200);
    let first = posts(&proxy).remove(0).to_ascii_lowercase();
    assert!(first.contains("proxy-authorization: basic dxnlcjphlxbyb3h5lxbhc3n3b3jk"), "{first}");
    assert_eq!(sink.seen()[0].header("proxy-authorization"), "");
    assert!(!server.log().contains("a-proxy-password") && !server.log().contains("dXNlcjph"));
    let setup = Setup::new(&format!("[sender]\nproxy = \"{url}\"\n"));
    let refused = setup.command(&["check-config"]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(
        told.contains("sender.proxy") && told.contains("env:NAME") && !told.contains("a-proxy-password"),
        "{told}"
    );
}

#[test]
fn the_guard_judges_names_before_the_proxy_does_and_the_proxy_itself_only_for_what_is_never_reached() {
    let proxy = Proxy::start("HTTP/1.1 200 OK");
    let config = format!(
        "[sender]\ndeny_private = true\nproxy = \"http://localhost:{}\"\nno_proxy = []\n",
        proxy.address.port()
    );
    let guarded = server(&config, &[]);
    // A name of this machine that is not spelled localhost; it resolves through the system.
    let name = String::from_utf8(std::process::Command::new("hostname").output().unwrap().stdout).unwrap();
    let refused = guarded.tell(
        "POST",
        "subscriptions",
        &json!({"name": "x", "url": "http://10.0.0.1/", "events": ["*"]}),
    );
    assert_eq!(refused.status, 400, "a literal address is refused when it is configured");
    subscribe(&guarded, &format!("http://{}:9/", name.trim()));
    let blocked = attempt(&guarded);
    assert!(["blocked_address", "dns"].contains(&blocked["error"].as_str().unwrap()), "{blocked}");
    assert_eq!(proxy.heads(), [""; 0], "the proxy was not asked");
    for (resolves, error, heads) in [(false, json!("dns"), 0), (true, json!("connect"), 1)] {
        let proxy = Proxy::start("HTTP/1.1 403 Forbidden");
        let config = format!(
            "[sender]\ndeny_private = true\nproxy = \"http://localhost:{}\"\nproxy_resolves = {resolves}\n",
            proxy.address.port()
        );
        let server = server(&config, &[]);
        subscribe(&server, "https://nowhere.invalid/");
        assert_eq!(attempt(&server)["error"], error, "{resolves}");
        let connects =
            proxy.heads().iter().filter(|head| head.starts_with("CONNECT nowhere.invalid:443")).count();
        assert!(if heads == 0 { connects == 0 } else { connects > 0 }, "{:?}", proxy.heads());
    }
    let setup = Setup::new("[sender]\nproxy = \"http://169.254.169.254:3128\"\n");
    let ended = setup
        .command(&["serve", "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert!(!ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stderr).contains("is never reached"), "{ended:?}");
}
