//! How fast we receive, beside a bare actix-web server that only reads the body and answers 200.
//!
//! All run as processes of their own and are driven by the same load, one after the other in several rounds, so that what the
//! machine does meanwhile hits all of them. Ours checks the signature and the schema, deduplicates, and has every delivery on
//! disk before it answers; its log goes to a file.
//!
//! `-- --against PATH` runs another build of the program, at `PATH`, in the same rounds. `-- --store postgres` runs one, two and
//! three nodes on one PostgreSQL server, beside SQLite and beside what `pgbench` gets from the same server with one transaction a
//! delivery.

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
mod cluster;
mod load;
mod program;
mod rounds;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bare::Bare;
use clap::{Parser, ValueEnum};
use cluster::Cluster;
use load::{Load, Plan};
use program::{Program, SECRET};
use rounds::{Rounds, Server};

const LOADS: [Load; 4] = [Load::Closed(64), Load::Closed(256), Load::Steady(5_000), Load::Steady(15_000)];
/// With a database, batches and with them the rate still grow beyond 256 connections.
const LOADS_OF_NODES: [Load; 3] = [Load::Closed(64), Load::Closed(256), Load::Closed(512)];

#[derive(Parser)]
struct Arguments {
    /// The number of rounds.
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 3)]
    rounds: usize,
    /// The length of a round.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 4)]
    seconds: u64,
    /// Another build of the program, driven in the same rounds.
    #[arg(long)]
    against: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "sqlite")]
    store: Engine,
    /// Serve as the bare server, and write the address to this file.
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,
    /// Cargo says this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    Sqlite,
    Postgres,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.bare {
        return bare::serve(file);
    }
    let rounds = Rounds { number: arguments.rounds, time: Duration::from_secs(arguments.seconds) };
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let ours = Program::start(folder.path());
    let start_ms = started.elapsed().as_secs_f64() * 1000.0;
    std::thread::sleep(Duration::from_millis(500));
    println!("start {start_ms:.0} ms, idle memory {:.1} MB", ours.memory_mb());
    match arguments.store {
        Engine::Sqlite => beside_bare(folder.path(), &ours, arguments.against.as_deref(), rounds),
        Engine::Postgres => on_postgres(&ours, rounds),
    }
}

fn beside_bare(folder: &Path, ours: &Program, against: Option<&Path>, rounds: Rounds) {
    let other_folder = tempfile::tempdir().unwrap();
    let other = against.map(|build| Program::start_build(build, other_folder.path(), None));
    let bare = Bare::start(folder);
    let mut servers = vec![Server::of("tagohook", &[ours])];
    servers.extend(other.as_ref().map(|other| Server::of("against", &[other])));
    servers.push(Server::new("bare", bare.address, bare.id()));
    let mut plan = Plan::rising(SECRET);
    let mut acknowledged = 0;
    for load in LOADS {
        let table = rounds.measure(&servers, &mut plan, load);
        table.print("bare");
        acknowledged += table.rows[0].answered;
        if let Some(other) = table.row("against") {
            println!("  ratio of tagohook to against {:.3}", table.rows[0].rate / other.rate);
        }
    }
    let threads = ours.threads();
    let all: Duration = threads.iter().map(|(_, time)| *time).sum();
    let share = |time: Duration| format!("{:.0} %", 100.0 * time.as_secs_f64() / all.as_secs_f64());
    let shares: Vec<_> = threads.iter().map(|(name, time)| format!("{name} {}", share(*time))).collect();
    println!("processor time by thread: {}", shares.join(", "));
    let kept = ours.accepted();
    println!("acknowledged {acknowledged}, rows on disk {kept}, memory {:.1} MB", ours.memory_mb());
    assert_eq!(acknowledged, kept, "every acknowledged delivery is a row");
}

fn on_postgres(sqlite: &Program, rounds: Rounds) {
    let cluster = Cluster::start(3);
    let nodes: Vec<&Program> = cluster.nodes.iter().collect();
    let servers = [
        Server::of("SQLite", &[sqlite]),
        Server::of("1 node", &nodes[..1]),
        Server::of("2 nodes", &nodes[..2]),
        Server::of("3 nodes", &nodes),
    ];
    let mut plan = Plan::rising(SECRET);
    let mut acknowledged = 0;
    for load in LOADS_OF_NODES {
        let time = rounds.time * rounds.number as u32;
        let pgbench = cluster::PROTOCOLS.map(|protocol| (protocol, cluster.pgbench(protocol, time)));
        let table = rounds.measure(&servers, &mut plan, load);
        table.print("SQLite");
        acknowledged += table.rows[1..].iter().map(|row| row.answered).sum::<u64>();
        for (protocol, rate) in pgbench {
            println!("  pgbench, {protocol:<8} {rate:>7.0}/s with 64 clients");
        }
        for row in &table.rows {
            let [simple, prepared] = pgbench.map(|(_, rate)| row.rate / rate);
            println!("  ratio of {} to pgbench {simple:.2}, prepared {prepared:.2}", row.name);
        }
    }
    let kept = cluster.accepted();
    let (ours, of_pgbench) = cluster.bytes_a_row();
    println!("bytes a row: {ours}, of pgbench {of_pgbench}");
    println!("acknowledged {acknowledged}, rows in the database {kept}");
    assert_eq!(acknowledged, kept, "every acknowledged delivery is a row");
}
