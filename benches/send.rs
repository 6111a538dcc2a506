//! How fast we send, beside the bare HTTP client against the same endpoint.
//!
//! In each round the client posts signed bodies as fast as it can, from as many places as the lanes of the program have
//! (32 a subscription); then the program, a process of its own, delivers a backlog of as many messages, through one
//! subscription and through several. It renders, signs and sends each, and has the message, its attempt and its outcome
//! on disk. At last events are published at a moderate rate: how long does one take to its endpoint?
//!
//! `-- --against PATH` runs another build of the program, at `PATH`, in the same rounds.

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

mod bare_client;
mod program;
mod publisher;
mod sink;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use program::Program;
use publisher::Publisher;
use sink::Sink;

/// The subscriptions of each plan.
const SUBSCRIPTIONS: [usize; 2] = [1, 8];
/// Requests of one subscription under way at once, as the program has it.
const LANE_WIDTH: usize = 32;
/// How long events are published at the moderate rate.
const MODERATE: Duration = Duration::from_secs(4);

#[derive(Parser)]
struct Arguments {
    /// The length of a backlog.
    #[arg(long, env = "BENCH_MESSAGES", default_value_t = 20_000)]
    messages: usize,
    /// The number of rounds.
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 3)]
    rounds: usize,
    /// The moderate rate a second.
    #[arg(long, env = "BENCH_RATE", default_value_t = 500)]
    rate: usize,
    /// Another build of the program, which has the same rounds.
    #[arg(long)]
    against: Option<PathBuf>,
    /// Cargo says this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sink = Sink::start();
    let own = program::own();
    let builds = [("tagohook", Some(own.as_path())), ("against", arguments.against.as_deref())];
    let builds: Vec<_> = builds.into_iter().filter_map(|(name, build)| Some((name, build?))).collect();
    let mut plans = Vec::new();
    for count in SUBSCRIPTIONS {
        plans.extend(builds.iter().map(|(name, build)| Plan::start(name, build, count, &sink)));
    }
    let mut seen: Vec<Vec<Round>> = plans.iter().map(|_| Vec::new()).collect();
    for _ in 0..arguments.rounds {
        for (plan, rounds) in plans.iter().zip(&mut seen) {
            // What one of them still does for its last round must not slow down the next one.
            plans.iter().for_each(|plan| program::wait_for_rest(plan.program.id()));
            rounds.push(plan.round(&sink, arguments.messages));
        }
    }
    for (plan, rounds) in plans.iter().zip(&seen) {
        print(plan, rounds);
    }
    for plan in plans.iter().take(builds.len()) {
        time_to_deliver(plan, &sink, arguments.rate);
    }
}

/// One program with its subscriptions.
struct Plan {
    name: &'static str,
    subscriptions: usize,
    program: Program,
    publisher: Publisher,
    _folder: tempfile::TempDir,
}

/// What a round saw.
struct Round {
    ceiling: f64,
    delivered: f64,
    cpu_micros: f64,
}

impl Plan {
    fn start(name: &'static str, build: &Path, subscriptions: usize, sink: &Sink) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::start_build(build, folder.path(), None);
        let publisher = Publisher::new(program.address("inspector"));
        for _ in 0..subscriptions {
            publisher.subscribe(sink.address);
        }
        Self { name, subscriptions, program, publisher, _folder: folder }
    }

    fn round(&self, sink: &Sink, messages: usize) -> Round {
        let places = LANE_WIDTH * self.subscriptions;
        let elapsed = bare_client::post(sink.address, messages, places);
        assert_eq!(sink.take(messages).len(), messages);
        let ceiling = messages as f64 / elapsed.as_secs_f64();
        sink.shut();
        let published = self.publisher.fill(messages / self.subscriptions);
        let (cpu, opened) = (program::cpu(self.program.id()), Instant::now());
        sink.open();
        let made = published.len() * self.subscriptions;
        let arrivals = sink.take(made);
        let cpu = program::cpu(self.program.id()) - cpu;
        assert_eq!(arrivals.len(), made, "every message arrives once");
        // Those that waited at the shut gate had arrived before.
        let timed: Vec<Instant> = arrivals.iter().map(|(_, at)| *at).filter(|at| *at > opened).collect();
        let elapsed = timed.iter().max().unwrap().duration_since(opened);
        self.publisher.check_delivered();
        let delivered = timed.len() as f64 / elapsed.as_secs_f64();
        Round { ceiling, delivered, cpu_micros: cpu.as_micros() as f64 / timed.len() as f64 }
    }
}

fn print(plan: &Plan, rounds: &[Round]) {
    let median = |figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let (ceiling, delivered) = (median(|round| round.ceiling), median(|round| round.delivered));
    println!(
        "{} x {LANE_WIDTH} places: {:<8} {delivered:>6.0}/s, {:.1} us of processor a message, memory {:.1} MB",
        plan.subscriptions,
        plan.name,
        median(|round| round.cpu_micros),
        plan.program.memory_mb(),
    );
    println!("               bare     {ceiling:>6.0}/s");
    println!("               ratio    {:.2}", delivered / ceiling);
}

/// Publishes at a moderate rate and sees when each event arrives.
fn time_to_deliver(plan: &Plan, sink: &Sink, rate: usize) {
    let published = plan.publisher.trickle(rate, MODERATE);
    let arrived: HashMap<String, Instant> = sink.take(published.len()).into_iter().collect();
    plan.publisher.check_delivered();
    let times = |since: fn(&publisher::Published) -> Instant| {
        let mut micros: Vec<u128> = published
            .iter()
            .map(|event| arrived[&event.id].saturating_duration_since(since(event)).as_micros())
            .collect();
        micros.sort_unstable();
        let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
        format!("p50 {:.2} ms p99 {:.2} ms", at(0.5), at(0.99))
    };
    println!("{} at {rate}/s, until it arrives:", plan.name);
    println!("  from the request to publish {}", times(|event| event.asked));
    println!("  from its answer             {}", times(|event| event.answered));
}
