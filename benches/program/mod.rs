//! The real program as a process of its own, on a data directory of its own; its log goes to a file.

#![allow(dead_code, reason = "each bench is a crate of its own, and needs some of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The signing secret of its first source.
pub const SECRET: &str = "a-signing-secret-of-the-bench-0123456789";

/// What is measured: the program that Cargo built for the benches, or the one at `BENCH_PROGRAM`.
pub fn own() -> PathBuf {
    let built = || env!("CARGO_BIN_EXE_tagohook").into();
    std::env::var_os("BENCH_PROGRAM").map_or_else(built, PathBuf::from)
}

/// The running program; it ends with this value.
pub struct Program {
    child: Child,
    data: PathBuf,
    addresses: serde_json::Value,
}

impl Program {
    /// Starts it in `folder` and waits until it accepts connections.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, None)
    }

    /// Starts it with a configuration.
    pub fn start_with(folder: &Path, config: Option<&Path>) -> Self {
        Self::start_build(&own(), folder, config)
    }

    /// Starts the `build` of it that is given.
    pub fn start_build(build: &Path, folder: &Path, config: Option<&Path>) -> Self {
        Self::start_command(Command::new(build), folder, config)
    }

    /// Starts it by a command to which its arguments are added.
    pub fn start_command(mut command: Command, folder: &Path, config: Option<&Path>) -> Self {
        let data = folder.join("data");
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("signing-secret"), SECRET).unwrap();
        // Of a run that was killed.
        let _ = fs::remove_file(data.join("addresses.json"));
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = command
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
        wait_for(|| TcpStream::connect(program.address("receiver")).ok());
        program
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
    }

    /// The address of `receiver` or `inspector`.
    pub fn address(&self, listener: &str) -> SocketAddr {
        self.addresses[listener].as_str().unwrap().parse().unwrap()
    }

    /// Its store, opened beside it.
    pub fn store(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data.join("tagohook.db")).unwrap()
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time of its threads, by their names; the longest first.
    pub fn threads(&self) -> Vec<(String, Duration)> {
        let mut sums = BTreeMap::<String, Duration>::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap() {
            let thread = thread.unwrap().path();
            let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
            *sums.entry(name.trim().to_owned()).or_default() += used(&thread.join("stat").to_string_lossy());
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        sums
    }

    /// The accepted deliveries in its store.
    pub fn accepted(&self) -> u64 {
        self.count("SELECT count(*) FROM deliveries WHERE verdict = 0")
    }

    /// All deliveries in its store.
    pub fn rows(&self) -> u64 {
        self.count("SELECT count(*) FROM deliveries")
    }

    /// The positions of its oldest and of its newest delivery.
    pub fn positions(&self) -> (u64, u64) {
        let position = |which| self.count(&format!("SELECT {which}(seq) FROM deliveries"));
        (position("min"), position("max"))
    }

    fn count(&self, sql: &str) -> u64 {
        self.store().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
    }

    /// A figure of its metrics.
    pub fn figure(&self, name: &str) -> f64 {
        let metrics = self.get("/metrics");
        let line =
            metrics.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.and_then(|line| line.rsplit(' ').next()).and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// The body that its inspector answers with.
    pub fn get(&self, path: &str) -> String {
        self.ask("GET", path, "")
    }

    /// Sends JSON to its API.
    pub fn post(&self, path: &str, json: &serde_json::Value) -> String {
        self.ask("POST", path, &json.to_string())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address("inspector")).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
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

/// The processor time that a process has used.
pub fn cpu(process: u32) -> Duration {
    used(&format!("/proc/{process}/stat"))
}

/// Waits until a process uses next to no processor time, for a minute at most.
pub fn wait_for_rest(process: u32) {
    assert!(rests(process, 240), "process {process} does not come to rest");
}

/// Whether a process uses next to no processor time in one of so many quarters of a second.
pub fn rests(process: u32, looks: u32) -> bool {
    const LOOK: Duration = Duration::from_millis(250);
    let works = || {
        let before = cpu(process);
        std::thread::sleep(LOOK);
        cpu(process) - before > LOOK / 20
    };
    (0..looks).any(|_| !works())
}

/// What a line of proc(5) says of a process or a thread.
fn used(stat: &str) -> Duration {
    let stat = fs::read_to_string(stat).unwrap_or_default();
    // Behind the name, which may contain blanks: the 12th and 13th are user and system time in hundredths.
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// Looks until there is something to see.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it does not start");
        std::thread::sleep(Duration::from_millis(1));
    }
}
