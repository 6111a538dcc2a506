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
    missing_docs
)]

mod load;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use load::{Plan, Round};

const SECRET: &str = "a-signing-secret-of-the-bench-0123456789";
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
    let ours = Ours::start(folder.path());
    println!("start {:.0} ms, idle memory {:.1} MB", ours.start_ms, ours.idle_mb);
    let bare = Bare::start(folder.path());
    let mut plan = Plan::new(SECRET);
    let mut acknowledged = 0;
    for connections in CONNECTIONS {
        let mut both = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (server, seen) in [(ours.receiver, 0), (bare.address, 1)] {
                let round = load::drive(server, &mut plan, connections, seconds);
                assert_eq!(round.refused, 0, "every answer must be 200");
                acknowledged += if seen == 0 { round.answered } else { 0 };
                both[seen].push(round);
            }
        }
        print(connections, &both);
    }
    let kept = ours.rows();
    println!("acknowledged {acknowledged}, rows on disk {kept}, memory {:.1} MB", memory_mb(ours.child.id()));
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

struct Ours {
    child: Child,
    receiver: SocketAddr,
    data: std::path::PathBuf,
    start_ms: f64,
    idle_mb: f64,
}

impl Ours {
    fn start(folder: &Path) -> Self {
        let data = folder.join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("signing-secret"), SECRET).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_tagohook"))
            .args(["--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let addresses: serde_json::Value =
            wait_for(|| serde_json::from_slice(&fs::read(data.join("addresses.json")).ok()?).ok());
        let receiver = addresses["receiver"].as_str().unwrap().parse().unwrap();
        wait_for(|| std::net::TcpStream::connect::<SocketAddr>(receiver).ok());
        let start_ms = started.elapsed().as_secs_f64() * 1000.0;
        std::thread::sleep(Duration::from_millis(500));
        let idle_mb = memory_mb(child.id());
        Self { child, receiver, data, start_ms, idle_mb }
    }

    fn rows(&self) -> u64 {
        let file = rusqlite::Connection::open(self.data.join("tagohook.db")).unwrap();
        file.query_row("SELECT count(*) FROM deliveries WHERE verdict = 0", [], |row| row.get::<_, i64>(0))
            .unwrap()
            .unsigned_abs()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it does not start");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn memory_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
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
