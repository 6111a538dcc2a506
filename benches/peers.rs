//! How fast others receive the same deliveries: Express with better-sqlite3, and Debian's package `webhook` (adnanh/webhook); beside
//! them our program and a bare server.
//!
//! All check the same signature. Express stores each delivery with an INSERT of its own that is on disk before the answer, as
//! ours does for many at once; `webhook` stores nothing, and its hook names no command that exists, so that no time goes into starting
//! processes. The scripts are in `benches/peers/`. Node's packages go to Cargo's folder for temporary files, and stay there.
//!
//! Each is driven in a closed loop and at a steady rate, one after the other, in several rounds; the table shows medians.
//! `-- --json FILE` writes them with the machine and all versions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod bare;
mod load;
mod machine;
mod program;
mod rounds;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bare::Bare;
use clap::Parser;
use load::{Load, Plan, Requests as _};
use program::{Program, SECRET, wait_for};
use rounds::{Rounds, Server, Table};
use serde_json::{Value, json};

const LOADS: [Load; 3] = [Load::Closed(64), Load::Closed(256), Load::Steady(5_000)];

#[derive(Parser)]
struct Arguments {
    /// The number of rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The length of a round.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Write the results to this file, too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Serve as the bare server, and write the address to this file.
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,
    /// Cargo says this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.bare {
        return bare::serve(file);
    }
    need_webhook();
    let modules = install_modules();
    let folder = tempfile::tempdir().unwrap();
    let ours = Program::start(folder.path());
    let (express, webhook) = (Peer::express(&modules, folder.path()), Peer::webhook());
    let bare = Bare::start(folder.path());
    let servers = [
        Server::of("tagohook", &[&ours]),
        Server::new("Express + better-sqlite3", express.address, express.child.id()),
        Server::new("adnanh/webhook", webhook.address, webhook.child.id()),
        Server::new("bare", bare.address, bare.id()),
    ];
    let about = json!({"machine": machine::machine(), "versions": versions(&modules)});
    println!("{about:#}");
    check_that_wrong_signatures_are_refused(&[ours.address("receiver"), express.address, webhook.address]);
    let rounds = Rounds { number: arguments.rounds, time: Duration::from_secs(arguments.seconds) };
    let mut plan = Plan::random(SECRET);
    let mut tables = Vec::new();
    for load in LOADS {
        let table = rounds.measure(&servers, &mut plan, load);
        table.print("bare");
        tables.push(table);
    }
    check_that_all_are_stored(&tables, &ours, folder.path());
    if let Some(file) = arguments.json {
        let result = json!({
            "at": jiff::Timestamp::now().to_string(),
            "machine": about["machine"], "versions": about["versions"],
            "rounds": arguments.rounds, "seconds_a_round": arguments.seconds,
            "results": tables.iter().map(Table::json).collect::<Vec<_>>(),
        });
        fs::write(file, format!("{result:#}\n")).unwrap();
    }
}

/// Installs Debian's package, if this may be done without a question.
fn need_webhook() {
    if machine::output("webhook", &["-version"]).is_some() {
        return;
    }
    assert!(
        rustix::process::geteuid().is_root(),
        "the program webhook is missing; install it: sudo apt-get install webhook"
    );
    println!("installing webhook");
    for arguments in [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends", "webhook"]]
    {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        assert!(command.status().unwrap().success(), "apt-get {arguments:?}");
    }
}

/// Installs the packages of npm where they are missing or of another version; their folder.
fn install_modules() -> PathBuf {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    fs::create_dir_all(&folder).unwrap();
    let read = |folder: &Path| fs::read(folder.join("package-lock.json")).unwrap_or_default();
    fs::copy(scripts.join("express.mjs"), folder.join("express.mjs")).unwrap();
    if read(&scripts) != read(&folder) {
        println!(
            "installing Express and better-sqlite3; where the latter must be compiled, this takes minutes"
        );
        fs::copy(scripts.join("package.json"), folder.join("package.json")).unwrap();
        let lock = folder.join("package-lock.json");
        fs::copy(scripts.join("package-lock.json"), &lock).unwrap();
        let done = Command::new("npm")
            .args(["ci", "--silent", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .status()
            .expect("npm runs");
        if !done.success() {
            fs::remove_file(lock).unwrap();
            panic!("npm ci: {done}");
        }
    }
    folder
}

fn versions(modules: &Path) -> Value {
    let module = |name: &str| -> Option<Value> {
        let text = fs::read(modules.join("node_modules").join(name).join("package.json")).ok()?;
        Some(serde_json::from_slice::<Value>(&text).ok()?["version"].clone())
    };
    json!({
        "tagohook": machine::output(&program::own().to_string_lossy(), &["--version"]),
        "commit": machine::output("git", &["describe", "--always", "--dirty"]),
        "node": machine::output("node", &["--version"]),
        "express": module("express"),
        "better-sqlite3": module("better-sqlite3"),
        "webhook": machine::output("webhook", &["-version"]),
    })
}

/// A program of others; it ends with this value.
struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Peer {
    fn express(modules: &Path, folder: &Path) -> Self {
        let mut child = Command::new("node")
            .arg(modules.join("express.mjs"))
            .arg(folder.join("express.db"))
            .envs([("SECRET", SECRET), ("NODE_ENV", "production")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.trim().parse().expect("a port")));
        Self { child, address }
    }

    fn webhook() -> Self {
        // It takes a port only, so another program might take it first.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("webhook")
            .args(["-hooks", concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/hooks.json"), "-template"])
            .args(["-urlprefix", "webhook", "-ip", "127.0.0.1", "-port", &address.port().to_string()])
            .env("SECRET", SECRET)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(|| TcpStream::connect(address).ok());
        Self { child, address }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `webhook` answers 500 to them, the others 401.
fn check_that_wrong_signatures_are_refused(servers: &[SocketAddr]) {
    let request = Plan::random("another-secret-0123456789").request();
    for server in servers {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.write_all(&request).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert!(["HTTP/1.1 401", "HTTP/1.1 500"].iter().any(|known| known.as_bytes() == status), "{server}");
    }
}

fn check_that_all_are_stored(tables: &[Table], ours: &Program, folder: &Path) {
    let answered = |at: usize| tables.iter().map(|table| table.rows[at].answered).sum::<u64>();
    let express = rusqlite::Connection::open(folder.join("express.db")).unwrap();
    let stored: i64 = express.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap();
    assert_eq!(answered(0), ours.accepted(), "every acknowledged delivery is a row of ours");
    assert_eq!(answered(1), stored.unsigned_abs(), "every acknowledged delivery is a row of Express");
}
