//! How fast we receive, beside a bare actix-web server that only reads the body and answers 200.
//!
//! Both run as processes of their own and are driven by the same closed loop over keep-alive connections, one after the
//! other in several rounds, so that what the machine does meanwhile hits both. Ours checks the signature and the schema,
//! deduplicates, and has every delivery on disk before it answers; its log goes to a file.
//!
//! `BENCH_SECONDS` is the length of a round (default 4), `BENCH_ROUNDS` their number (default 3).

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
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--bare") {
        return bare::serve(&arguments.next().unwrap());
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
    let bare = Bare::start(folder.path());
    let mut plan = Plan::new(SECRET);
    let mut acknowledged = 0;
    for connections in CONNECTIONS {
        let mut both = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (server, seen) in [(ours.address("receiver"), 0), (bare.address, 1)] {
                let round = load::drive(server, &mut plan, connections, seconds);
                assert_eq!(round.refused, 0, "every answer must be 200");
                acknowledged += if seen == 0 { round.answered } else { 0 };
                both[seen].push(round);
            }
        }
        print(connections, &both);
    }
    let kept: i64 = ours
        .store()
        .query_row("SELECT count(*) FROM deliveries WHERE verdict = 0", [], |row| row.get(0))
        .unwrap();
    let kept = kept.unsigned_abs();
    println!("acknowledged {acknowledged}, rows on disk {kept}, memory {:.1} MB", ours.memory_mb());
    assert_eq!(acknowledged, kept, "every acknowledged delivery is a row");
}

fn print(connections: usize, both: &[Vec<Round>; 2]) {
    let figures = |rounds: &[Round]| {
        let answered: u64 = rounds.iter().map(|round| round.answered).sum();
        let time: f64 = rounds.iter().map(|round| round.elapsed.as_secs_f64()).sum();
        let mut times: Vec<u32> = rounds.iter().flat_map(|round| round.micros.iter().copied()).collect();
        times.sort_unstable();
        let at = |share: f64| f64::from(times[((times.len() - 1) as f64 * share) as usize]) / 1000.0;
        (answered as f64 / time, at(0.5), at(0.99))
    };
    let (ours, ours_p50, ours_p99) = figures(&both[0]);
    let (bare, bare_p50, bare_p99) = figures(&both[1]);
    println!(
        "{connections:>4} connections: tagohook {ours:>7.0}/s p50 {ours_p50:.2} ms p99 {ours_p99:.2} ms"
    );
    println!("                  bare     {bare:>7.0}/s p50 {bare_p50:.2} ms p99 {bare_p99:.2} ms");
    println!("                  ratio    {:.2}", ours / bare);
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
