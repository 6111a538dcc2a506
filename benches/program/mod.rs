//! The real program as a process of its own, on a data directory of its own; its log goes to a file.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The signing secret of its first source.
pub const SECRET: &str = "a-signing-secret-of-the-bench-0123456789";

/// The running program; it ends with this value.
pub struct Program {
    child: Child,
    data: PathBuf,
    addresses: serde_json::Value,
}

impl Program {
    /// Starts it in `folder` and waits until it accepts connections.
    #[allow(dead_code, reason = "each bench is a crate of its own")]
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, None)
    }

    /// Starts it with a configuration.
    pub fn start_with(folder: &Path, config: Option<&Path>) -> Self {
        Self::start_build(Path::new(env!("CARGO_BIN_EXE_tagohook")), folder, config)
    }

    /// Starts the `build` of it that is given.
    pub fn start_build(build: &Path, folder: &Path, config: Option<&Path>) -> Self {
        let data = folder.join("data");
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("signing-secret"), SECRET).unwrap();
        // Of a run that was killed.
        let _ = fs::remove_file(data.join("addresses.json"));
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(build)
            .args(["--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .args(config.iter().flat_map(|config| [Path::new("--config"), config]))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let addresses =
            wait_for(|| serde_json::from_slice(&fs::read(data.join("addresses.json")).ok()?).ok());
        let program = Self { child, data, addresses };
        wait_for(|| std::net::TcpStream::connect(program.address("receiver")).ok());
        program
    }

    /// The address of `receiver` or `inspector`.
    pub fn address(&self, listener: &str) -> SocketAddr {
        self.addresses[listener].as_str().unwrap().parse().unwrap()
    }

    /// Its store, opened beside it.
    #[allow(dead_code, reason = "each bench is a crate of its own")]
    pub fn store(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data.join("tagohook.db")).unwrap()
    }

    /// The processor time that it has used.
    #[allow(dead_code, reason = "each bench is a crate of its own")]
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Behind the name, which may hold blanks: the 12th and 13th are user and system time in hundredths (proc(5)).
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// Its resident memory.
    pub fn memory_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until there is something to see.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it does not start");
        std::thread::sleep(Duration::from_millis(1));
    }
}
