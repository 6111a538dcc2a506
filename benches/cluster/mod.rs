//! A PostgreSQL server with nodes of the program, and what `pgbench` gets from the same server.

#[path = "../../tests/it/harness/database.rs"]
#[allow(dead_code, reason = "tests need more of it")]
mod database;

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::program::{self, Program};
use database::Database;

/// The clients of pgbench.
const CLIENTS: usize = 64;
/// The database of pgbench: the tables of a store that no node uses.
const BENCH: &str = "bench";
/// What pgbench does in one transaction.
const SCRIPT: &str = include_str!("delivery.sql");
/// How pgbench sends its statements: as texts, which the server plans each time, or prepared.
pub const PROTOCOLS: [&str; 2] = ["simple", "prepared"];

/// The nodes and their database.
pub struct Cluster {
    pub nodes: Vec<Program>,
    database: Database,
    _folders: Vec<tempfile::TempDir>,
}

impl Cluster {
    /// Starts a server and so many nodes.
    pub fn start(count: usize) -> Self {
        let database = Database::start();
        database.sql(&format!("CREATE DATABASE {BENCH}"));
        prepare(&database);
        let (mut nodes, mut folders) = (Vec::new(), Vec::new());
        for at in 0..count {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            fs::create_dir_all(&data).unwrap();
            fs::write(data.join("store-key"), "ab".repeat(32)).unwrap();
            let config = folder.path().join("tagohook.toml");
            let url = Database::url(&[&database]);
            fs::write(&config, format!("[store]\nurl = \"{url}\"\nnode = \"node-{at}\"\n")).unwrap();
            nodes.push(Program::start_with(folder.path(), Some(&config)));
            folders.push(folder);
        }
        Self { nodes, database, _folders: folders }
    }

    /// Transactions a second of pgbench, one for each delivery, with its statements sent as one of `PROTOCOLS`.
    pub fn pgbench(&self, protocol: &str, time: Duration) -> f64 {
        self.in_bench("TRUNCATE deliveries, event_ids");
        let script = tempfile::NamedTempFile::new().unwrap();
        fs::write(script.path(), SCRIPT).unwrap();
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(script.path(), readable).unwrap();
        let out = self
            .database
            .tool("pgbench")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.database.port().to_string(),
                "-U",
                "postgres",
                "-n",
                "-j",
                "2",
                "-M",
                protocol,
                "-D",
                "count=0",
            ])
            .args(["-c", &CLIENTS.to_string(), "-T", &time.as_secs().max(1).to_string(), "-f"])
            .arg(script.path())
            .arg(BENCH)
            .output()
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = line.and_then(|line| line.split(' ').next()).and_then(|rate| rate.parse().ok());
        rate.unwrap_or_else(|| panic!("{}{text}", String::from_utf8_lossy(&out.stderr)))
    }

    /// The mean size of a row of a delivery: as a node wrote it, and as pgbench did.
    pub fn bytes_a_row(&self) -> (String, String) {
        let sql = "SELECT round(avg(pg_column_size(deliveries.*))) FROM deliveries";
        (self.database.sql(sql), self.in_bench(sql))
    }

    fn in_bench(&self, sql: &str) -> String {
        let port = self.database.port().to_string();
        let out = self
            .database
            .tool("psql")
            .args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-XAtq", "-d", BENCH, "-c", sql])
            .output()
            .unwrap();
        assert!(out.status.success(), "{sql}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
    }

    /// The accepted deliveries in the database.
    pub fn accepted(&self) -> u64 {
        self.database.sql("SELECT count(*) FROM deliveries WHERE verdict = 0").parse().unwrap()
    }
}

/// Creates the tables of the program in the database of pgbench.
fn prepare(database: &Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = Database::url(&[database]).replace("/postgres?", &format!("/{BENCH}?"));
    let status = Command::new(program::own())
        .args(["prepare-store", "--quiet", "--data-dir"])
        .arg(folder.path())
        .env("TAGOHOOK_STORE_URL", url)
        .status();
    assert!(status.unwrap().success());
}
