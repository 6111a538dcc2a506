//! How fast the inspector answers over a large history, alone and beside receiving.
//!
//! The real program gets deliveries over its receiver, as a portal makes them, with random ids. Then pages and searches are
//! asked for over HTTP, each many times with other values; then the same while 5,000 deliveries a second come in, which
//! come in for a while with nobody looking too, to compare.
//!
//! `-- --history FOLDER` keeps the history in this folder and uses what is there already. `-- --make-history FOLDER` only makes it:
//! with `--rows 10000000` that took 37 minutes and 26 GB here. To look at such a history oneself, start the program with
//! `--data-dir FOLDER/data`.

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

mod history;
mod load;
mod program;

use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use history::History;
use load::Load;
use program::{Program, SECRET};
use serde_json::Value;

/// Deliveries a second beside the searches.
const RATE: u32 = 5_000;
/// How often each question is asked.
const TIMES: usize = 40;

/// What is asked: its name, and its path, where `{N}` is another number each time.
const QUESTIONS: &[(&str, &str)] = &[
    ("first page", "/"),
    ("next page", "/api/v1/deliveries?before={N}"),
    ("a delivery's page", "/deliveries/{ID}"),
    ("refused", "/api/v1/deliveries?verdict=rejected"),
    ("refused, far back", "/api/v1/deliveries?verdict=rejected&before={N}"),
    ("a type, a status", "/api/v1/deliveries?q=type:data.*+status:4xx"),
    ("a device", "/api/v1/deliveries?q=device:66f1a2b3c4d5e6f700000{X}"),
    ("an address range", "/api/v1/deliveries?q=ip:203.0.{Y}.0/28"),
    ("a rare word", "/api/v1/deliveries?q=zephyranthes"),
    ("a common word", "/api/v1/deliveries?q=body:\"co2\""),
    ("a prefix", "/api/v1/deliveries?q=body:zephyr"),
    ("two words, far back", "/api/v1/deliveries?q=boiler+calibrated&before={N}"),
    ("a number in bodies", "/api/v1/deliveries?q=\"+{N}\""),
    ("words that are nowhere", "/api/v1/deliveries?q=boilerplates+{N}"),
    ("a header, refused", "/api/v1/deliveries?q=header.user-agent:curl+verdict:rejected"),
    ("not, or", "/api/v1/deliveries?q=NOT+verdict:accepted+(überprüft+OR+offline)+-type:user.*"),
    ("no such event", "/api/v1/deliveries?event_id=evt_{N}"),
];

#[derive(Parser)]
struct Arguments {
    /// Keep the history in this folder, and use what is there.
    #[arg(long, env = "BENCH_DATA")]
    history: Option<PathBuf>,
    /// Only make a history, in this folder.
    #[arg(long, conflicts_with = "history")]
    make_history: Option<PathBuf>,
    /// The deliveries that the history has at least.
    #[arg(long, env = "BENCH_DELIVERIES", default_value_t = 1_000_000)]
    rows: u64,
    /// Cargo says this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir().unwrap();
    let kept = arguments.make_history.as_deref().or(arguments.history.as_deref());
    let folder = kept.unwrap_or(temporary.path());
    let program = history::open(folder, "");
    history::grow(&program, arguments.rows);
    if arguments.make_history.is_none() {
        ask_and_receive(&program, folder);
    }
}

fn ask_and_receive(program: &Program, folder: &Path) {
    // What the filling left to the operating system would stand before the first deliveries that are measured.
    assert!(std::process::Command::new("sync").status().unwrap().success());
    print("the disk: 64 KiB written, synced", synced(folder));
    println!("receiving {RATE} deliveries a second, nobody looking");
    let receiver = program.address("receiver");
    let mut history = History::new(SECRET);
    let mut receive = |seconds| receive(receiver, &mut history, Duration::from_secs(seconds));
    print("receiving", receive(15));
    println!("alone");
    let positions = program.positions();
    ask_all(program, positions, Duration::ZERO);
    println!("beside {RATE} deliveries a second, twenty questions a second");
    let times = std::thread::scope(|scope| {
        let coming = scope.spawn(|| receive(45));
        std::thread::sleep(Duration::from_secs(2));
        let seen = scope.spawn(|| until_seen(program.address("inspector")));
        ask_all(program, positions, Duration::from_millis(50));
        print("appears in a live page", seen.join().unwrap());
        coming.join().unwrap()
    });
    print("receiving", times);
    println!("memory {:.0} MB", program.memory_mb());
}

/// Sends deliveries at a steady rate; the times until the answers, counted from when each was due.
fn receive(receiver: SocketAddr, history: &mut History, time: Duration) -> Vec<Duration> {
    let round = load::drive(&[receiver], history, Load::Steady(RATE), time);
    round.micros.into_iter().map(|micros| Duration::from_micros(micros.into())).collect()
}

/// Asks everything, with `pause` before each question.
fn ask_all(program: &Program, (oldest, newest): (u64, u64), pause: Duration) {
    let position = |at: usize| oldest + 1 + (newest - oldest) * at as u64 / TIMES as u64;
    let ids: Vec<String> = (0..TIMES).map(|at| id(program, position(at) + 1)).collect();
    for (name, path) in QUESTIONS {
        let mut times = Vec::new();
        let mut found = 0;
        for (at, id) in ids.iter().enumerate() {
            let number = position(at);
            let path = path
                .replace("{N}", &number.to_string())
                .replace("{ID}", id)
                .replace("{X}", &format!("{:03x}", number % 4_096))
                .replace("{Y}", &(100 + number % 20).to_string())
                .replace('"', "%22")
                .replace('ü', "%C3%BC");
            std::thread::sleep(pause);
            let started = Instant::now();
            let answer = program.get(&path);
            times.push(started.elapsed());
            let json: Value = serde_json::from_str(&answer).unwrap_or_default();
            found += json["deliveries"].as_array().map_or(0, Vec::len);
        }
        print(&format!("{name} ({} rows)", found / TIMES), times);
    }
}

/// The id of the delivery before this position.
fn id(program: &Program, before: u64) -> String {
    let page = program.get(&format!("/api/v1/deliveries?limit=1&before={before}"));
    let page: Value = serde_json::from_str(&page).unwrap();
    page["deliveries"][0]["id"].as_str().unwrap().to_owned()
}

fn print(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!("  {name:<34} p50 {:>7.2} ms  p95 {:>7.2} ms  p99 {:>7.2} ms", at(0.5), at(0.95), at(0.99));
}

/// What the disk alone takes for about what one transaction beside receiving writes.
fn synced(folder: &Path) -> Vec<Duration> {
    let mut file = tempfile::tempfile_in(folder).unwrap();
    let written = [7; 64 * 1024];
    let one = |_| {
        let started = Instant::now();
        file.rewind().unwrap();
        file.write_all(&written).unwrap();
        file.sync_data().unwrap();
        started.elapsed()
    };
    (0..1_000).map(one).collect()
}

/// The time from a delivery's arrival to its row in the live stream.
fn until_seen(inspector: SocketAddr) -> Vec<Duration> {
    let mut stream = TcpStream::connect(inspector).unwrap();
    write!(stream, "GET /api/v1/deliveries/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut times = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        let Some(row) = line.strip_prefix("data: {") else { continue };
        let row: Value = serde_json::from_str(&format!("{{{row}")).unwrap();
        let Some(received) = row["received_at"].as_str() else { continue };
        let received: jiff::Timestamp = received.parse().unwrap();
        times.push(Duration::try_from(jiff::Timestamp::now().duration_since(received)).unwrap_or_default());
        if times.len() >= 20_000 {
            break;
        }
    }
    times
}
