//! The program under test, started for one test and stopped with it.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, exchange, hmac_hex};

/// The secret of the source `tagorun` in every setup.
pub const SECRET: &str = "a-signing-secret-of-the-tests-0123456789";
/// The token of the source `tagoio` in every setup.
pub const TOKEN: &str = "a-token-of-the-tests-0123456789";

/// How a server is set up.
pub struct Setup {
    folder: TempDir,
    config: String,
    env: Vec<(String, String)>,
    files: Option<u32>,
}

impl Setup {
    /// The default configuration, with `config` (TOML) over it.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Self { folder, config: config.to_owned(), env: Vec::new(), files: None };
        setup.file("signing-secret", SECRET);
        setup.file("tagoio-token", TOKEN);
        setup
    }

    /// A file in the data directory.
    pub fn file(&self, name: &str, content: &str) {
        fs::create_dir_all(self.data_dir()).unwrap();
        fs::write(self.data_dir().join(name), content).unwrap();
    }

    /// A variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How many files and connections the system lets the server have.
    pub fn files(mut self, most: u32) -> Self {
        self.files = Some(most);
        self
    }

    /// A disk whose sync does not return while the returned file exists.
    pub fn on_a_hanging_disk(self) -> (Self, PathBuf) {
        let library = self.data_dir().join("slow_sync.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/harness/slow_sync.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).args([source, "-ldl"]);
        assert!(compiler.status().unwrap().success());
        let switch = self.data_dir().join("hang");
        let setup =
            self.env("LD_PRELOAD", library.to_str().unwrap()).env("SLOW_SYNC", switch.to_str().unwrap());
        (setup, switch)
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the server and waits until it listens.
    pub fn start(self) -> Server {
        let child = self.spawn();
        Server::wait(self, child)
    }

    /// Starts the program with these arguments, whatever comes of it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let config = self.folder.path().join("test.toml");
        fs::write(&config, &self.config).unwrap();
        let program = env!("CARGO_BIN_EXE_tagohook");
        let mut command = match self.files {
            Some(most) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -n {most}; exec \"$0\" \"$@\""), program]);
                shell
            }
            None => Command::new(program),
        };
        command.args(arguments).arg("--config").arg(config).arg("--data-dir").arg(self.data_dir());
        command.envs(self.env.iter().cloned()).current_dir(self.folder.path());
        command
    }

    fn spawn(&self) -> Child {
        let listen = |name: &str, flag: &str| -> Vec<String> {
            if self.config.contains(name) {
                Vec::new()
            } else {
                vec![flag.to_owned(), "127.0.0.1:0".to_owned()]
            }
        };
        let mut command = self.command(&["serve"]);
        command
            .args(listen("#receiver-listen", "--listen"))
            .args(listen("#inspector-listen", "--inspect-listen"));
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        command.stdout(Stdio::null()).stderr(log).process_group(0);
        command.spawn().unwrap()
    }
}

/// A server that runs.
pub struct Server {
    pub receiver: SocketAddr,
    pub inspector: SocketAddr,
    setup: Setup,
    child: Child,
}

impl Server {
    /// One with the default configuration.
    pub fn start() -> Self {
        Setup::new("").start()
    }

    fn wait(setup: Setup, mut child: Child) -> Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let addresses = fs::read(setup.data_dir().join("addresses.json")).unwrap_or_default();
            if let Ok(addresses) = serde_json::from_slice::<Value>(&addresses)
                && addresses["pid"] == child.id()
            {
                let address = |name: &str| addresses[name].as_str().unwrap().parse();
                // Over a UNIX socket there is none.
                let receiver = address("receiver").unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
                return Self { receiver, inspector: address("inspector").unwrap(), setup, child };
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", log(&setup));
            }
            assert!(Instant::now() < deadline, "the server does not start: {}", log(&setup));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Posts a body signed for the source `tagorun`.
    pub fn post_signed(&self, body: &[u8]) -> Answer {
        let signature = hmac_hex(SECRET.as_bytes(), body);
        self.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &signature)], body)
    }

    /// Posts to the receiver.
    pub fn post(&self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        exchange(self.receiver, "POST", target, headers, body)
    }

    /// Any request to the receiver.
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        exchange(self.receiver, method, target, headers, b"")
    }

    /// A GET of the inspector's API, which must succeed.
    pub fn api(&self, path: &str) -> Value {
        let answer = self.api_raw(path);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// A GET of the inspector's API.
    pub fn api_raw(&self, path: &str) -> Answer {
        exchange(self.inspector, "GET", &format!("/api/v1/{path}"), &[], b"")
    }

    /// Any request to the API with a JSON body.
    pub fn tell(&self, method: &str, path: &str, body: &Value) -> Answer {
        let text = body.to_string();
        let headers = [("Content-Type", "application/json")];
        exchange(self.inspector, method, &format!("/api/v1/{path}"), &headers, text.as_bytes())
    }

    /// Makes a subscription; its id.
    pub fn subscribe(&self, subscription: &Value) -> String {
        let answer = self.tell("POST", "subscriptions", subscription);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Publishes an event; how many messages it led to.
    pub fn publish(&self, event: &Value) -> u64 {
        let answer = self.tell("POST", "events", event);
        assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["messages"].as_u64().unwrap()
    }

    /// Messages that match a query, newest first.
    pub fn messages(&self, query: &str) -> Vec<Value> {
        self.api(&format!("messages?limit=500&{query}"))["messages"].as_array().unwrap().clone()
    }

    /// The dead letters, newest first.
    pub fn dead_letters(&self, query: &str) -> Vec<Value> {
        self.api(&format!("dead-letters?limit=500&{query}"))["dead_letters"].as_array().unwrap().clone()
    }

    /// The newest deliveries that match a query, newest first.
    pub fn deliveries(&self, query: &str) -> Vec<Value> {
        self.api(&format!("deliveries?limit=500&{query}"))["deliveries"].as_array().unwrap().clone()
    }

    /// Every delivery that matches, page by page.
    pub fn all_deliveries(&self, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut before = String::new();
        loop {
            let page = self.api(&format!("deliveries?limit=500&{query}{before}"));
            all.extend(page["deliveries"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => return all,
            }
        }
    }

    /// The whole delivery of an id.
    pub fn delivery(&self, id: &str) -> Value {
        self.api(&format!("deliveries/{id}"))
    }

    /// The newest delivery, whole.
    pub fn newest(&self) -> Value {
        let rows = self.deliveries("");
        self.delivery(rows[0]["id"].as_str().unwrap())
    }

    /// The raw body of a delivery.
    pub fn raw(&self, id: &str) -> Vec<u8> {
        let answer = self.api_raw(&format!("deliveries/{id}/raw"));
        assert_eq!(answer.status, 200);
        answer.body
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        log(&self.setup)
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.setup.data_dir()
    }

    /// A command on the same configuration and data directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.setup.command(arguments)
    }

    /// Where its receiver is, with `listen = "unix:receiver.sock"`.
    pub fn socket(&self) -> PathBuf {
        self.setup.folder.path().join("receiver.sock")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, as `kill -NAME` does.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Kills it at once and starts it again on the same files.
    pub fn kill_and_restart(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.restart()
    }

    /// Kills it at once and starts it again on the same files with another configuration.
    pub fn kill_and_restart_with(mut self, config: &str) -> Self {
        config.clone_into(&mut self.setup.config);
        self.kill_and_restart()
    }

    /// Stops it with SIGTERM; the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.wait_for_end()
    }

    /// Waits until its process ends; the exit code.
    pub fn wait_for_end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the server does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it with SIGTERM and starts it again, with another configuration where one is given.
    pub fn stop_and_restart(mut self, config: Option<&str>) -> Self {
        assert_eq!(self.stop(), Some(0));
        if let Some(config) = config {
            config.clone_into(&mut self.setup.config);
        }
        self.restart()
    }

    /// Starts it again after it was stopped.
    pub fn start_again(self) -> Self {
        self.restart()
    }

    /// Writes another configuration; SIGHUP reads it.
    pub fn reconfigure(&mut self, config: &str) {
        config.clone_into(&mut self.setup.config);
        fs::write(self.setup.folder.path().join("test.toml"), config).unwrap();
        self.signal("HUP");
    }

    fn restart(mut self) -> Self {
        let setup = std::mem::replace(
            &mut self.setup,
            Setup {
                folder: tempfile::tempdir().unwrap(),
                config: String::new(),
                env: Vec::new(),
                files: None,
            },
        );
        let child = setup.spawn();
        Self::wait(setup, child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(setup: &Setup) -> String {
    fs::read_to_string(Path::new(setup.folder.path()).join("log")).unwrap_or_default()
}
