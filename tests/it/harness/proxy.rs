//! Real reverse proxies in front of receiver and inspector, in folders of their own, on ports of their own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Nginx, Server};

/// A proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Apache,
    HAProxy,
    Caddy,
    Varnish,
}

/// How a proxy is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The smallest configuration that passes requests on.
    AsInstalled,
    /// The file in deploy/proxies/.
    Ours,
    /// The same, with the receiver on a UNIX socket.
    Socket,
    /// The same, with the PROXY protocol of this version.
    ProxyProtocol(u8),
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Nginx, Self::Apache, Self::HAProxy, Self::Caddy, Self::Varnish];

    fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "apache2",
            Self::HAProxy => "haproxy",
            Self::Caddy => "caddy",
            Self::Varnish => "varnishd",
        }
    }

    /// Whether it is there. `./test` installs it, and says so; `./test --quick` goes without.
    pub fn is_installed(self) -> bool {
        let program = self.program();
        let is_there = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"]
            .iter()
            .any(|folder| Path::new(folder).join(program).exists());
        if !is_there {
            assert!(std::env::var_os("TEST_ALL_PROXIES").is_none(), "{program} is not installed");
            // Past the test runner, which shows nothing of a test that passes.
            let _ = writeln!(std::io::stderr(), "skipped: {program} is not installed");
        }
        is_there
    }
}

/// Two ports of a proxy, and what is behind them.
struct Ports {
    hooks: SocketAddr,
    inspect: SocketAddr,
    receiver: SocketAddr,
    inspector: SocketAddr,
    socket: PathBuf,
}

/// A proxy that runs.
pub struct Proxy {
    pub hooks: SocketAddr,
    pub inspect: SocketAddr,
    child: Child,
    folder: tempfile::TempDir,
}

impl Proxy {
    /// One in front of `server`, after its own check of its configuration.
    pub fn start(kind: Kind, form: Form, server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Some workers give up root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let ports = Ports {
            hooks: Nginx::free_address(),
            inspect: Nginx::free_address(),
            receiver: server.receiver,
            inspector: server.inspector,
            socket: server.socket(),
        };
        let config = configuration(kind, form, &ports, folder.path());
        let file = folder.path().join("proxy.conf");
        std::fs::write(&file, &config).unwrap();
        let check = command(kind, true, folder.path(), &ports).output().unwrap();
        let told = String::from_utf8_lossy(&check.stderr).into_owned();
        assert!(check.status.success(), "{kind:?} {form:?}: {told}\n{config}");
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = command(kind, false, folder.path(), &ports);
        let child =
            command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        let mut proxy = Self { hooks: ports.hooks, inspect: ports.inspect, child, folder };
        let until = Instant::now() + Duration::from_secs(30);
        while [proxy.hooks, proxy.inspect].into_iter().any(|port| TcpStream::connect(port).is_err()) {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "{kind:?} does not start: {}", proxy.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        proxy
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its workers end with it.
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(10);
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that checks the configuration, or runs it in the foreground.
fn command(kind: Kind, is_check: bool, folder: &Path, ports: &Ports) -> Command {
    let mut command = Command::new(kind.program());
    let file = folder.join("proxy.conf");
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder);
    match kind {
        Kind::Nginx => {
            command
                .args(is_check.then_some("-t"))
                .arg("-e")
                .arg(folder.join("error.log"))
                .arg("-c")
                .arg(file);
        }
        Kind::Apache => {
            command.arg(if is_check { "-t" } else { "-DFOREGROUND" }).arg("-f").arg(file);
        }
        Kind::HAProxy => {
            command.arg(if is_check { "-c" } else { "-db" }).arg("-f").arg(file);
        }
        Kind::Caddy => {
            command.arg(if is_check { "validate" } else { "run" });
            command.args(["--adapter", "caddyfile", "--config"]).arg(file);
        }
        Kind::Varnish => {
            command.args(["-j", "none", "-n"]).arg(folder.join(if is_check { "check" } else { "run" }));
            command.arg("-f").arg(file);
            if is_check {
                command.arg("-C");
            } else {
                command.args(["-F", "-T", "none", "-s", "malloc,16m"]);
                command.args(["-a", &format!("hooks={}", ports.hooks)]);
                command.args(["-a", &format!("inspect={}", ports.inspect)]);
            }
        }
    }
    command
}

/// The configuration, with the ports of this test in place of those that are documented.
fn configuration(kind: Kind, form: Form, ports: &Ports, folder: &Path) -> String {
    let sites = match form {
        Form::AsInstalled => as_installed(kind, ports),
        Form::Ours | Form::Socket | Form::ProxyProtocol(_) => ours(kind, form, ports),
    };
    let folder = folder.display();
    match kind {
        Kind::Nginx => format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n\
             http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n\
             fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{sites}\n}}\n"
        ),
        Kind::Apache => {
            let mut text = format!(
                "ServerName localhost\nServerRoot {folder}\nPidFile {folder}/pid\nErrorLog {folder}/error.log\n\
                 Mutex file:{folder} default\nUser www-data\nGroup www-data\nListen {}\nListen {}\n",
                ports.hooks, ports.inspect
            );
            for module in ["mpm_event", "authz_core", "proxy", "proxy_http", "headers"] {
                let file = format!("/usr/lib/apache2/modules/mod_{module}.so");
                writeln!(text, "LoadModule {module}_module {file}").unwrap();
            }
            text + &sites
        }
        Kind::Caddy => format!("{{\n\tadmin off\n}}\n{sites}"),
        Kind::HAProxy | Kind::Varnish => sites,
    }
}

/// What passes requests on, and nothing more.
fn as_installed(kind: Kind, ports: &Ports) -> String {
    let Ports { hooks, inspect, receiver, inspector, .. } = ports;
    let both =
        |site: &dyn Fn(&SocketAddr, &SocketAddr) -> String| site(hooks, receiver) + &site(inspect, inspector);
    match kind {
        Kind::Nginx => {
            both(&|at, to| format!("server {{ listen {at}; location / {{ proxy_pass http://{to}; }} }}\n"))
        }
        Kind::Apache => {
            both(&|at, to| format!("<VirtualHost {at}>\nProxyPass / http://{to}/\n</VirtualHost>\n"))
        }
        Kind::HAProxy => {
            let times = "timeout connect 5s\n timeout client 50s\n timeout server 50s";
            let sites =
                both(&|at, to| format!("listen port{}\n bind {at}\n server tagohook {to}\n", at.port()));
            format!("defaults\n mode http\n {times}\n{sites}")
        }
        Kind::Caddy => {
            both(&|at, to| format!("http://:{} {{\nbind {}\nreverse_proxy {to}\n}}\n", at.port(), at.ip()))
        }
        Kind::Varnish => {
            let backend = |name: &str, to: &SocketAddr| {
                format!("backend {name} {{ .host = \"{}\"; .port = \"{}\"; }}\n", to.ip(), to.port())
            };
            let choice = "if (local.socket == \"inspect\") { set req.backend_hint = inspector; }";
            let (first, second) = (backend("receiver", receiver), backend("inspector", inspector));
            format!("vcl 4.1;\n{first}{second}sub vcl_recv {{ {choice} }}\n")
        }
    }
}

/// The file in deploy/proxies/, with plain HTTP on the ports of this test.
fn ours(kind: Kind, form: Form, ports: &Ports) -> String {
    let Ports { hooks, inspect, receiver, inspector, .. } = ports;
    let (file, swaps): (&str, Vec<(&str, String)>) = match kind {
        Kind::Nginx => (
            "nginx.conf",
            vec![
                ("listen 443 ssl;", format!("listen {hooks};")),
                ("listen 443 ssl;", format!("listen {inspect};")),
            ],
        ),
        Kind::Apache => ("apache.conf", vec![("*:443", hooks.to_string()), ("*:443", inspect.to_string())]),
        Kind::HAProxy => {
            let tls = "bind :443 ssl crt /etc/haproxy/example.com.pem alpn h2,http/1.1";
            ("haproxy.cfg", vec![(tls, format!("bind {hooks}\n    bind {inspect}"))])
        }
        Kind::Caddy => {
            let site = |at: &SocketAddr| format!("http://:{} {{\n\tbind {}", at.port(), at.ip());
            let (first, second) = ("hooks.example.com {", "inspect.example.com {");
            ("Caddyfile", vec![(first, site(hooks)), (second, site(inspect))])
        }
        Kind::Varnish => (
            "varnish.vcl",
            vec![
                ("\"8080\"", format!("\"{}\"", receiver.port())),
                ("\"8081\"", format!("\"{}\"", inspector.port())),
            ],
        ),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/proxies").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let is_tls = |line: &&str| line.trim_start().to_ascii_lowercase().starts_with("ssl");
    let mut text: String =
        text.lines().filter(|line| !is_tls(line)).map(|line| format!("{line}\n")).collect();
    let behind = [("127.0.0.1:8080", receiver.to_string()), ("127.0.0.1:8081", inspector.to_string())];
    let is_by_port = kind == Kind::Varnish;
    if let Some((from, to)) = other_backend(kind, form, &ports.socket) {
        assert!(text.contains(from), "{file} has no {from}");
        text = text.replacen(from, &to, 1);
    }
    for (from, to) in swaps.into_iter().chain(behind.into_iter().filter(|_| !is_by_port)) {
        assert!(form == Form::Socket || text.contains(from), "{file} has no {from}");
        text = text.replacen(from, &to, 1);
    }
    text
}

/// What deploy/proxies/README.md says to change for a UNIX socket and for the PROXY protocol.
fn other_backend(kind: Kind, form: Form, socket: &Path) -> Option<(&'static str, String)> {
    let socket = socket.display();
    match (form, kind) {
        (Form::AsInstalled | Form::Ours, _) => None,
        (Form::Socket, Kind::Nginx) => Some(("server 127.0.0.1:8080;", format!("server unix:{socket};"))),
        (Form::Socket, Kind::Apache) => {
            Some(("http://127.0.0.1:8080/ nocanon", format!("unix:{socket}|http://localhost/ nocanon")))
        }
        (Form::Socket, Kind::HAProxy) => Some(("127.0.0.1:8080", format!("unix@{socket}"))),
        (Form::Socket, Kind::Caddy) => Some(("127.0.0.1:8080", format!("unix/{socket}"))),
        (Form::Socket, Kind::Varnish) => {
            Some((".host = \"127.0.0.1\";\n    .port = \"8080\";", format!(".path = \"{socket}\";")))
        }
        (Form::ProxyProtocol(version), Kind::HAProxy) => {
            let word = if version == 1 { "send-proxy" } else { "send-proxy-v2" };
            Some(("127.0.0.1:8080", format!("127.0.0.1:8080 {word}")))
        }
        (Form::ProxyProtocol(version), Kind::Varnish) => {
            Some((".port = \"8080\";", format!(".port = \"8080\";\n    .proxy_header = {version};")))
        }
        (Form::ProxyProtocol(_), _) => panic!("{kind:?} does not send the PROXY protocol over HTTP"),
    }
}
