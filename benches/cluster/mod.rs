//! A PostgreSQL server with nodes of the program, and what `pgbench` gets from the same server.

#[path = "../../tests/it/harness/database.rs"]
#[allow(dead_code, reason = "tests need more of it")]
mod database;

use std::fs;
use std::time::Duration;

use crate::program::Program;
use database::Database;

/// The clients of pgbench.
const CLIENTS: usize = 64;
/// What pgbench does in one transaction: the two inserts that a delivery needs, with as many bytes.
const TABLES: &str = "CREATE SCHEMA bench;
    CREATE TABLE bench.event_ids (source TEXT, key TEXT, digest BYTEA NOT NULL, PRIMARY KEY (source, key));
    CREATE TABLE bench.deliveries (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT, headers BYTEA, body BYTEA)";
const SCRIPT: &str = "BEGIN;\n\
    INSERT INTO bench.event_ids VALUES ('tagorun', gen_random_uuid()::text, sha256('a'));\n\
    INSERT INTO bench.deliveries (key, headers, body) VALUES ('k', convert_to(repeat('h', 200), 'UTF8'), convert_to(repeat('b', 400), 'UTF8'));\n\
    COMMIT;\n";

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
        database.sql(TABLES);
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

    /// Transactions a second of pgbench, one for each delivery.
    pub fn pgbench(&self, time: Duration) -> f64 {
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
            ])
            .args(["-c", &CLIENTS.to_string(), "-T", &time.as_secs().max(1).to_string(), "-f"])
            .arg(script.path())
            .arg("postgres")
            .output()
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = line.and_then(|line| line.split(' ').next()).and_then(|rate| rate.parse().ok());
        rate.unwrap_or_else(|| panic!("{}{text}", String::from_utf8_lossy(&out.stderr)))
    }

    /// The accepted deliveries in the database.
    pub fn accepted(&self) -> u64 {
        self.database.sql("SELECT count(*) FROM deliveries WHERE verdict = 0").parse().unwrap()
    }
}
