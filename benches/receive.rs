//! How fast we receive, beside a bare actix-web server that only reads the body and answers 200.
//!
//! All run as processes of their own and are driven by the same closed loop over keep-alive connections, one after the
//! other in several rounds, so that what the machine does meanwhile hits all of them. Ours checks the signature and the
//! schema, deduplicates, and has every delivery on disk before it answers; its log goes to a file.
//!
//! `BENCH_SECONDS` is the length of a round (default 4), `BENCH_ROUNDS` their number (default 3). `-- --against PATH` runs
//! another build of the program, at `PATH`, in the same rounds. `-- --store postgres` runs one, two and three nodes on one
//! PostgreSQL server, beside SQLite and beside what `pgbench` gets from the same server with one transaction a delivery.

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

mod cluster;
mod load;
mod program;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use cluster::Cluster;
use load::{Plan, Round};
use program::{Program, SECRET, wait_for};

const CONNECTIONS: [usize; 2] = [64, 256];
/// With a database, batches and with them the rate still grow beyond that.
const CONNECTIONS_TO_NODES: [usize; 3] = [64, 256, 512];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1))
    };
    if let Some(file) = value("--bare") {
        return bare::serve(file);
    }
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let seconds = Duration::from_secs(number("BENCH_SECONDS", 4));
    let rounds = number("BENCH_ROUNDS", 3);
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let ours = Program::start(folder.path());
    let start_ms = started.elapsed().as_secs_f64() * 1000.0;
    std::thread::sleep(Duration::from_millis(500));
    println!("start {start_ms:.0} ms, idle memory {:.1} MB", ours.memory_mb());
    match value("--store").map(String::as_str) {
        None | Some("sqlite") => beside_bare(folder.path(), &ours, value("--against"), seconds, rounds),
        Some("postgres") => on_postgres(&ours, seconds, rounds),
        Some(other) => panic!("--store {other}: sqlite or postgres"),
    }
}

fn beside_bare(folder: &Path, ours: &Program, against: Option<&String>, seconds: Duration, rounds: u64) {
    let other_folder = tempfile::tempdir().unwrap();
    let other = against.map(|build| Program::start_build(build.as_ref(), other_folder.path(), None));
    let bare = Bare::start(folder);
    let mut servers = vec![Server::of("tagohook", &[ours])];
    servers.extend(other.as_ref().map(|other| Server::of("against", &[other])));
    servers.push(Server { name: "bare", addresses: vec![bare.address], programs: Vec::new() });
    let mut plan = Plan::new(SECRET);
    let mut acknowledged = 0;
    for connections in CONNECTIONS {
        let mut runs: Vec<Run> = servers.iter().map(|_| Run::default()).collect();
        for _ in 0..rounds {
            drive(&servers, &mut runs, &mut plan, (connections, seconds));
        }
        acknowledged += runs[0].answered;
        print(connections, &servers, &mut runs);
        let rates: Vec<f64> = runs.iter().map(Run::rate).collect();
        if let [ours, .., bare] = *rates {
            println!("  ratio of tagohook to bare {:.3}", ours / bare);
        }
        if let [ours, other, _] = *rates {
            println!("  ratio of tagohook to against {:.3}", ours / other);
        }
    }
    let kept: i64 = ours
        .store()
        .query_row("SELECT count(*) FROM deliveries WHERE verdict = 0", [], |row| row.get(0))
        .unwrap();
    let kept = kept.unsigned_abs();
    println!("acknowledged {acknowledged}, rows on disk {kept}, memory {:.1} MB", ours.memory_mb());
    assert_eq!(acknowledged, kept, "every acknowledged delivery is a row");
}

fn on_postgres(sqlite: &Program, seconds: Duration, rounds: u64) {
    let cluster = Cluster::start(3);
    let nodes: Vec<&Program> = cluster.nodes.iter().collect();
    let servers = [
        Server::of("SQLite", &[sqlite]),
        Server::of("1 node", &nodes[..1]),
        Server::of("2 nodes", &nodes[..2]),
        Server::of("3 nodes", &nodes),
    ];
    let mut plan = Plan::new(SECRET);
    let mut acknowledged = 0;
    for connections in CONNECTIONS_TO_NODES {
        let mut runs: Vec<Run> = servers.iter().map(|_| Run::default()).collect();
        let mut pgbench = 0.0;
        for _ in 0..rounds {
            pgbench += cluster.pgbench(seconds) / rounds as f64;
            drive(&servers, &mut runs, &mut plan, (connections, seconds));
        }
        acknowledged += runs[1..].iter().map(|run| run.answered).sum::<u64>();
        print(connections, &servers, &mut runs);
        println!("  pgbench   {pgbench:>7.0}/s with 64 clients");
        for (server, run) in servers.iter().zip(&runs) {
            println!("  ratio of {} to pgbench {:.2}", server.name, run.rate() / pgbench);
        }
    }
    let kept = cluster.accepted();
    println!("acknowledged {acknowledged}, rows in the database {kept}");
    assert_eq!(acknowledged, kept, "every acknowledged delivery is a row");
}

/// Drives one server after the other.
fn drive(servers: &[Server<'_>], runs: &mut [Run], plan: &mut Plan, (connections, time): (usize, Duration)) {
    for (server, run) in servers.iter().zip(runs) {
        let before = server.cpu();
        run.add(load::drive(&server.addresses, plan, connections, time));
        run.cpu += server.cpu() - before;
    }
}

/// Who is driven: the program, several nodes of it, or something else.
struct Server<'a> {
    name: &'static str,
    addresses: Vec<SocketAddr>,
    programs: Vec<&'a Program>,
}

impl<'a> Server<'a> {
    fn of(name: &'static str, programs: &[&'a Program]) -> Self {
        let addresses = programs.iter().map(|program| program.address("receiver")).collect();
        Self { name, addresses, programs: programs.to_vec() }
    }

    fn cpu(&self) -> Duration {
        self.programs.iter().map(|program| program.cpu()).sum()
    }
}

/// The rounds of a server.
#[derive(Default)]
struct Run {
    answered: u64,
    time: Duration,
    micros: Vec<u32>,
    /// The processor time that the program used.
    cpu: Duration,
}

impl Run {
    fn add(&mut self, round: Round) {
        assert_eq!(round.refused, 0, "every answer must be 200");
        self.answered += round.answered;
        self.time += round.elapsed;
        self.micros.extend(round.micros);
    }

    fn rate(&self) -> f64 {
        self.answered as f64 / self.time.as_secs_f64()
    }
}

fn print(connections: usize, servers: &[Server<'_>], runs: &mut [Run]) {
    println!("{connections} connections");
    for (server, run) in servers.iter().zip(&mut *runs) {
        run.micros.sort_unstable();
        let at =
            |share: f64| f64::from(run.micros[((run.micros.len() - 1) as f64 * share) as usize]) / 1000.0;
        let (rate, p50, p99) = (run.rate(), at(0.5), at(0.99));
        let cpu = if server.programs.is_empty() {
            String::new()
        } else {
            format!(", {:.0} µs of processor time each", run.cpu.as_secs_f64() * 1e6 / run.answered as f64)
        };
        println!("  {:<9} {rate:>7.0}/s p50 {p50:.2} ms p99 {p99:.2} ms{cpu}", server.name);
    }
}

struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Bare {
    fn start(folder: &Path) -> Self {
        let file = folder.join("bare");
        let child = Command::new(std::env::current_exe().unwrap()).arg("--bare").arg(&file).spawn().unwrap();
        let address = wait_for(|| fs::read_to_string(&file).ok()?.parse().ok());
        Self { child, address }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ceiling: the same framework with nothing to do.
mod bare {
    use actix_web::{App, HttpResponse, HttpServer, web};

    pub fn serve(file: &str) {
        actix_web::rt::System::new().block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let server = HttpServer::new(|| App::new().default_service(web::to(answer)))
                .workers(std::thread::available_parallelism().unwrap().get())
                .listen(listener)
                .unwrap()
                .run();
            std::fs::write(file, address).unwrap();
            server.await.unwrap();
        });
    }

    async fn answer(body: web::Bytes) -> HttpResponse {
        HttpResponse::Ok().json(serde_json::json!({"status": "processed", "bytes": body.len()}))
    }
}
