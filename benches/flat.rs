//! Whether it stays fast as it grows: the program on a long history beside one whose store was empty, in the same rounds.
//!
//! `cargo bench --bench inspect -- --make-history FOLDER --rows 10000000` makes the history that `-- --history FOLDER` names. All
//! ids are random (UUIDv4). It shows how long a start takes until the first delivery is accepted, the rates and latencies under
//! the same load, the bytes that a delivery of 400 takes on disk, and the latency at a steady rate while the oldest
//! `--remove` deliveries are removed. The history then lacks those, and has the deliveries of this run.

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
mod history;
mod load;
mod program;
mod rounds;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bare::Bare;
use clap::Parser;
use load::{Connection, Load, Plan, Prepared, Requests as _};
use program::SECRET;
use rounds::{Rounds, Server, median};

const RATE: Load = Load::Steady(5_000);
const LOADS: [Load; 3] = [Load::Closed(64), Load::Closed(256), RATE];
/// How often it is started.
const STARTS: usize = 5;
/// The time within which deliveries must be removed beside receiving.
const REMOVAL: Duration = Duration::from_secs(150);

#[derive(Parser)]
struct Arguments {
    /// The folder of the history.
    #[arg(long, required_unless_present = "bare")]
    history: Option<PathBuf>,
    /// The number of rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The length of a round.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many of the oldest deliveries are removed.
    #[arg(long, default_value_t = 1_000_000)]
    remove: u64,
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
    let (long, empty) = (arguments.history.unwrap(), tempfile::tempdir().unwrap());
    let mut plan = Plan::random(SECRET);
    start(&long, "history", &mut plan);
    start(empty.path(), "empty", &mut plan);
    let rounds = Rounds { number: arguments.rounds, time: Duration::from_secs(arguments.seconds) };
    drive(&long, empty.path(), &mut plan, rounds);
    if arguments.remove > 0 {
        remove(&long, arguments.remove, &mut plan);
    }
}

/// Prints the time from a start to the first answer 200. Each program before was killed.
fn start(folder: &Path, name: &str, plan: &mut Plan) {
    let times: Vec<f64> = (0..STARTS)
        .map(|_| {
            let request = plan.request();
            let started = Instant::now();
            let program = history::open(folder, "");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                Connection::open(program.address("receiver")).await.exchange(&request).await;
            });
            started.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    let most = times.iter().copied().fold(0.0, f64::max);
    println!("{name}: first delivery accepted {:.0} ms after the start, at most {most:.0}", median(times));
}

fn drive(long: &Path, empty: &Path, plan: &mut Plan, rounds: Rounds) {
    let (long, empty) = (history::open(long, ""), history::open(empty, ""));
    let folder = tempfile::tempdir().unwrap();
    let bare = Bare::start(folder.path());
    println!("history: {} deliveries", long.rows());
    let servers = [
        Server::of("history", &[&long]),
        Server::of("empty", &[&empty]),
        Server::new("bare", bare.address, bare.id()),
    ];
    for load in LOADS {
        rounds.measure(&servers, plan, load).print("empty");
    }
    println!("empty, with deliveries of 400 bytes by now:");
    history::grow(&empty, 0);
}

/// Removes the oldest deliveries while others come in.
fn remove(folder: &Path, deliveries: u64, plan: &mut Plan) {
    let program = history::open(folder, "");
    let sql = "SELECT seq, received_at FROM deliveries WHERE verdict = 0 ORDER BY seq LIMIT 1 OFFSET ?1";
    let row = |offset: u64| {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        program.store().query_row(sql, [offset as i64], row).unwrap()
    };
    let (last, received_at) = row(deliveries);
    drop(program);
    let prepared = Prepared::new(plan, RATE, REMOVAL);
    let age = jiff::Timestamp::now().as_microsecond() - received_at;
    let program = history::open(folder, &format!("keep_deliveries = \"{}s\"", age / 1_000_000));
    let (receiver, end) = (program.address("receiver"), prepared.end());
    let started = Instant::now();
    let (removed, mut round) = std::thread::scope(|scope| {
        let coming = scope.spawn(move || prepared.drive(&[receiver]));
        let first = "SELECT seq FROM deliveries WHERE verdict = 0 ORDER BY seq LIMIT 1";
        let store = program.store();
        let is_left = || store.query_row(first, [], |row| row.get::<_, i64>(0)).unwrap() < last;
        while is_left() && started.elapsed() < REMOVAL {
            std::thread::sleep(Duration::from_millis(200));
        }
        let removed = (!is_left()).then(|| started.elapsed().as_secs_f64());
        end.store(true, Ordering::Relaxed);
        (removed, coming.join().unwrap())
    });
    let time = removed.map_or("not in time".to_owned(), |seconds| format!("in {seconds:.0} s"));
    println!("removing {deliveries} deliveries beside {RATE}: {time}");
    println!(
        "  {:.0}/s  p50 {:.2} ms  p99 {:.2} ms",
        round.rate(),
        round.latency_ms(0.5),
        round.latency_ms(0.99)
    );
}
