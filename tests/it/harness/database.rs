//! PostgreSQL servers of a test's own: one, or a primary with a synchronous standby. As root they run as the user
//! `postgres`, since PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Settings of every server. A standby that lost its primary tries again soon (see docs/SCALING.md).
const SETTINGS: &str = "listen_addresses = '127.0.0.1'\nmax_connections = 100\nwal_retrieve_retry_interval = '200ms'\n\
                        tcp_keepalives_idle = 2\ntcp_keepalives_interval = 1\ntcp_keepalives_count = 2\n";

/// A server with its data in a folder of its own; both end with this value.
pub struct Database {
    port: u16,
    name: &'static str,
    child: Option<Child>,
    is_frozen: bool,
    folder: tempfile::TempDir,
}

impl Database {
    /// An empty server.
    pub fn start() -> Self {
        Self::started(Self::prepared("primary"))
    }

    /// One whose disk can be filled, see `fill`.
    pub fn start_on_small_disk() -> Self {
        let database = Self::prepared("primary");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/harness/full_disk.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(database.preloaded()).args([source, "-ldl"]);
        assert!(compiler.status().unwrap().success());
        Self::started(database)
    }

    fn started(mut database: Self) -> Self {
        database.run(
            "initdb",
            &["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C.UTF-8", "-N", "-D"],
        );
        database.settings(SETTINGS);
        database.go();
        database
    }

    /// A synchronous standby of this server, which waits for it from now on.
    pub fn standby(&self) -> Self {
        let mut standby = Self::prepared("standby");
        let primary = format!("host=127.0.0.1 port={} user=postgres application_name=standby", self.port);
        standby.run("pg_basebackup", &["-d", &primary, "-R", "-X", "stream", "-c", "fast", "-D"]);
        standby.settings("");
        standby.go();
        self.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        self.sql("SELECT pg_reload_conf()");
        let is_waited_for = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let until = Instant::now() + Duration::from_secs(30);
        while self.sql(is_waited_for) != "1" {
            assert!(Instant::now() < until, "the standby is not waited for: {}", standby.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        standby
    }

    /// A standby of this server that it does not wait for.
    pub fn asynchronous_standby(&self) -> Self {
        let standby = self.standby();
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''");
        self.sql("SELECT pg_reload_conf()");
        standby
    }

    /// The `store.url` of nodes that go on with whichever of these servers is the primary.
    pub fn url(servers: &[&Self]) -> String {
        let hosts: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
        format!(
            "postgres://postgres@{}/postgres?target_session_attrs=read-write&connect_timeout=2",
            hosts.join(",")
        )
    }

    /// What a statement answers: values separated by `|`, rows by line ends.
    pub fn sql(&self, statement: &str) -> String {
        let out = self
            .tool("psql")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "postgres",
                "-XAtq",
                "-c",
                statement,
            ])
            .output()
            .unwrap();
        assert!(out.status.success(), "{statement}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
    }

    /// Stops it as an administrator does who does not wait for clients, and starts it again.
    pub fn restart(&mut self) {
        self.signal("INT");
        self.child.take().unwrap().wait().unwrap();
        self.go();
    }

    /// Starts it again after it was killed.
    pub fn start_again(&mut self) {
        self.go();
    }

    /// Kills it at once, with the processes of its connections: they would finish what they have begun.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        let id = child.id();
        let connections = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        for connection in connections.split_whitespace() {
            // It may have ended by then.
            let _ = Command::new("kill").args(["-KILL", connection]).stderr(Stdio::null()).status().unwrap();
        }
    }

    /// Makes a primary of a standby.
    pub fn promote(&self) {
        assert_eq!(self.sql("SELECT pg_promote()"), "t");
    }

    /// From now on there is no room on its disk, or there is again. Only with `start_on_small_disk`.
    pub fn fill(&self, is_full: bool) {
        assert!(self.preloaded().exists());
        let file = self.folder.path().join("full");
        if is_full { fs::write(file, "").unwrap() } else { fs::remove_file(file).unwrap() }
    }

    /// Whether its process runs.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Lets it stand still: its connections stay open, and nothing is answered.
    pub fn freeze(&mut self) {
        self.is_frozen = true;
        self.signal_all("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        self.is_frozen = false;
        self.signal_all("CONT");
    }

    /// Its port on 127.0.0.1.
    #[allow(dead_code, reason = "the benchmark needs it")]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Its folder, which the server's user may write to.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn prepared(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = user() {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self { port: free_port(), name, child: None, is_frozen: false, folder }
    }

    fn preloaded(&self) -> PathBuf {
        self.folder.path().join("full_disk.so")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn settings(&self, more: &str) {
        let file = self.data().join("postgresql.conf");
        let folder = self.folder.path().display();
        let own = format!("\n{more}port = {}\nunix_socket_directories = '{folder}'\n", self.port);
        let before = fs::read_to_string(&file).unwrap();
        fs::write(file, before + &own).unwrap();
    }

    fn go(&mut self) {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let file = self.folder.path().join("log");
            let log = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
            let mut child = self.tool("postgres");
            child.arg("-D").arg(self.data()).stdout(Stdio::null()).stderr(log);
            if self.preloaded().exists() {
                child.env("LD_PRELOAD", self.preloaded()).env("FULL_DISK", self.folder.path().join("full"));
            }
            let mut child = child.spawn().unwrap();
            let port = self.port.to_string();
            let is_ready = || {
                let mut asked = self.tool("pg_isready");
                asked.args(["-q", "-h", "127.0.0.1", "-p", &port]).status().unwrap().success()
            };
            while child.try_wait().unwrap().is_none() {
                if is_ready() {
                    self.child = Some(child);
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // The processes of a server that was killed end a little later, and keep the next one out until then.
            assert!(Instant::now() < until, "the {} does not start: {}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn run(&self, tool: &str, arguments: &[&str]) {
        let out = self.tool(tool).args(arguments).arg(self.data()).output().unwrap();
        assert!(out.status.success(), "{tool}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// A program of PostgreSQL, run by the server's user.
    pub fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(programs().join(name));
        command.current_dir(self.folder.path());
        if let Some((user, group)) = user() {
            command.uid(user).gid(group);
        }
        command
    }

    fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Its process first, which starts no other one then.
    fn signal_all(&self, name: &str) {
        let Some(child) = &self.child else { return };
        let pid = child.id().to_string();
        let _ = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        let _ = Command::new("pkill").args([&format!("-{name}"), "-P", &pid]).status();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.is_frozen {
            // Processes that stand still do not notice that the first one is gone.
            self.signal_all("KILL");
        }
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that nobody listens on. It is not one of those that the system hands out: another test could be given it before
/// it is used.
pub fn free_port() -> u16 {
    loop {
        let port = rand::random_range(10_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Where the programs of PostgreSQL are: Debian has a folder for each version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest =
        versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("postgres").exists()).max();
    newest.expect("PostgreSQL is not installed: ./test installs it")
}

/// The user and group that run a server, if this process runs as root.
fn user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata(Path::new("/proc/self")).unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("there is a user postgres");
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
    Some((numbers.next().unwrap(), numbers.next().unwrap()))
}
