//! A pgbouncer between nodes and a server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Database;
use super::database::free_port;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pgbouncer with few connections to the server, so that all clients share them; it ends with this value.
pub struct Bouncer {
    mode: &'static str,
    port: u16,
    file: PathBuf,
    child: Child,
}

impl Bouncer {
    /// One in front of `database`; `None` where it is not installed.
    pub fn start(database: &Database, mode: &'static str, size: usize) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            assert!(std::env::var_os("TEST_ALL_PROXIES").is_none(), "pgbouncer is not installed");
            return None;
        }
        let (port, file) = (free_port(), database.folder().join("pgbouncer.ini"));
        let log = fs::File::create(database.folder().join("pgbouncer.log")).unwrap();
        configure(&file, database, mode, size, port);
        let mut child = database.tool(PROGRAM);
        let child = child.arg(&file).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "pgbouncer does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Self { mode, port, file, child })
    }

    /// The `store.url` of nodes behind it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Sends it a signal: USR1 is PAUSE, USR2 is RESUME. Its clients keep their connections while it pauses.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// From now on it connects to this server.
    pub fn switch_to(&self, database: &Database, size: usize) {
        configure(&self.file, database, self.mode, size, self.port);
        self.signal("HUP");
    }
}

fn configure(file: &Path, database: &Database, mode: &str, size: usize, port: u16) {
    let text = format!(
        "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n\
         server_login_retry = 0.2\n",
        database.port()
    );
    fs::write(file, text).unwrap();
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
