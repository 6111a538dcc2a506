//! How fast we receive, beside a bare actix-web server that only reads the body and answers 200.
//!
//! Both run as processes of their own and are driven by the same closed loop over keep-alive connections, one after the
//! other in several rounds, so that what the machine does meanwhile hits both. Ours checks the signature and the schema,
//! deduplicates, and has every delivery on disk before it answers; its log goes to a file.
//!
//! `BENCH_SECONDS` is the length of a round (default 4), `BENCH_ROUNDS` their number (default 3). `-- --against PATH` runs
//! another build of the program, at `PATH`, in the same rounds.

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

mod load;
mod program;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use load::{Plan, Round};
use program::{Program, SECRET, wait_for};

const CONNECTIONS: [usize; 2] = [64, 256];

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
    let other_folder = tempfile::tempdir().unwrap();
    let other =
        value("--against").map(|build| Program::start_build(build.as_ref(), other_folder.path(), None));
    let bare = Bare::start(folder.path());
    let mut servers = vec![Server::of("tagohook", &ours)];
    servers.extend(other.as_ref().map(|other| Server::of("against", other)));
    servers.push(Server { name: "bare", address: bare.address, program: None });
    let mut plan = Plan::new(SECRET);
    let mut acknowledged = 0;
    for connections in CONNECTIONS {
        let mut runs: Vec<Run> = servers.iter().map(|_| Run::default()).collect();
        for _ in 0..rounds {
            for (server, run) in servers.iter().zip(&mut runs) {
                let before = server.cpu();
                run.add(load::drive(server.address, &mut plan, connections, seconds));
                run.cpu += server.cpu() - before;
            }
        }
        acknowledged += runs[0].answered;
        print(connections, &servers, &mut runs);
    }
    let kept: i64 = ours
        .store()
        .query_row("SELECT count(*) FROM deliveries WHERE verdict = 0", [], |row| row.get(0))
        .unwrap();
    let kept = kept.unsigned_abs();
    println!("acknowledged {acknowledged}, rows on disk {kept}, memory {:.1} MB", ours.memory_mb());
    assert_eq!(acknowledged, kept, "every acknowledged delivery is a row");
}

/// Who is driven.
struct Server<'a> {
    name: &'static str,
    address: SocketAddr,
    program: Option<&'a Program>,
}

impl<'a> Server<'a> {
    fn of(name: &'static str, program: &'a Program) -> Self {
        Self { name, address: program.address("receiver"), program: Some(program) }
    }

    fn cpu(&self) -> Duration {
        self.program.map(Program::cpu).unwrap_or_default()
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
        let cpu = if server.program.is_some() {
            format!(", {:.0} µs of processor time each", run.cpu.as_secs_f64() * 1e6 / run.answered as f64)
        } else {
            String::new()
        };
        println!("  {:<9} {rate:>7.0}/s p50 {p50:.2} ms p99 {p99:.2} ms{cpu}", server.name);
    }
    let bare = runs[runs.len() - 1].rate();
    for (server, run) in servers.iter().zip(&*runs).filter(|(server, _)| server.name != "bare") {
        println!("  ratio of {} to bare {:.3}", server.name, run.rate() / bare);
    }
    if let [ours, other, _] = runs {
        println!("  ratio of tagohook to against {:.3}", ours.rate() / other.rate());
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
