//! The instructions that a delivery costs, counted by valgrind's callgrind: a guard against slow decay, since they are the same on
//! a busy machine.
//!
//! The program runs under callgrind and takes the same deliveries one by one, over one connection; each matches a subscription, is
//! rendered by its template and sent. It does so with few deliveries and with many, and the difference is divided by the number
//! of deliveries, so that the start and the stop do not count. `-- --against COMMIT` does the same with that commit, built beside
//! this one, and prints both (docs/decisions/0053-what-is-measured-and-how.md).
//!
//! It wants a build in which these functions are not inlined: `cargo bench --profile release --bench instructions`.

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
mod machine;
mod program;
mod sink;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use load::{Connection, Plan, Requests as _};
use program::{Program, SECRET};
use serde_json::json;
use sink::Sink;

/// What is counted: its name, and the function with all that it calls. Where a function has another name than in the commit
/// compared with, both stand here.
const OPERATIONS: [(&str, &[&str]); 5] = [
    ("judge", &["tagohook::receive::receiver::Receiver::judge"]),
    ("insert", &["tagohook::store::log::sqlite::insert::Statements::insert"]),
    ("index", &["tagohook::store::search::sqlite::indexer::Work::add"]),
    ("match", &["tagohook::send::subscriptions::routing::Candidate::routing"]),
    ("render", &["tagohook::send::subscriptions::request::Payload::for_sending"]),
];
/// The whole program, as callgrind names it.
const ALL: (&str, &[&str]) = ("everything", &["PROGRAM TOTALS"]);
/// Deliveries of the two runs: multiples of 256, which is how many the search index takes at once.
const DELIVERIES: [usize; 2] = [512, 1_536];

#[derive(Parser)]
struct Arguments {
    /// A commit or tag to compare with. Without it, only this one is measured.
    #[arg(long)]
    against: Option<String>,
    /// Cargo says this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    assert!(
        machine::output("valgrind", &["--version"]).is_some(),
        "valgrind is missing; install it: sudo apt-get install valgrind"
    );
    let ours = counts(&program::own());
    let theirs = arguments.against.as_deref().map(|commit| counts(&build(commit)));
    let other = arguments.against.as_deref().unwrap_or_default();
    println!("{:<12} {:>14} {other:>14}", "instructions", "this");
    for (at, (name, _)) in OPERATIONS.iter().chain([&ALL]).enumerate() {
        let number = |count: Option<f64>| count.map_or("not found".to_owned(), |count| format!("{count:.0}"));
        let beside = theirs.as_ref().map(|theirs| number(theirs[at])).unwrap_or_default();
        let change = theirs.as_ref().and_then(|theirs| Some(ours[at]? / theirs[at]?));
        let change = change.map(|ratio| format!("{:+.1} %", (ratio - 1.0) * 100.0)).unwrap_or_default();
        println!("{name:<12} {:>14} {beside:>14} {change:>9}", number(ours[at]));
    }
}

/// The instructions of each operation and of everything, for each delivery. `None`: the function is not in this build.
fn counts(build: &Path) -> Vec<Option<f64>> {
    let [few, many] = DELIVERIES.map(|deliveries| profile(build, deliveries));
    let count = |names: &[&str]| {
        let of = |profile: &str| {
            let lines = profile.lines().filter_map(|line| line.trim().split_once(' '));
            let counts = lines
                .filter(|(_, function)| names.iter().any(|name| is_named(function, name)))
                .filter_map(|(count, _)| count.replace(',', "").parse::<f64>().ok());
            counts.reduce(|sum, count| sum + count)
        };
        Some((of(&many)? - of(&few)?) / (DELIVERIES[1] - DELIVERIES[0]) as f64)
    };
    OPERATIONS.iter().chain([&ALL]).map(|(_, names)| count(names)).collect()
}

/// Whether callgrind_annotate names this function: `(73.00%)  file:function [program]`.
fn is_named(printed: &str, name: &str) -> bool {
    let Some((_, function)) = printed.split_once(')') else { return false };
    let function = function.trim().split(" [").next().unwrap();
    function == name || function.split_once(':').is_some_and(|(_, function)| function == name)
}

/// What callgrind counts, function by function, while so many deliveries come in.
fn profile(build: &Path, deliveries: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]);
    command.arg(format!("--callgrind-out-file={}", file.display())).arg(build);
    let program = Program::start_command(command, folder.path(), None);
    let sink = Sink::start();
    program.post(
        "/api/v1/subscriptions",
        &json!({
            "name": "bench", "url": format!("http://{}/", sink.address), "events": ["user.*"],
            "filters": {"user.*": {"conditions": [{"field": "user.email", "operator": "ends_with", "value": ".example"}]}},
            "payload_template": {"text": "{{user.email}} from {{data.session_id}}", "user": "{{user}}", "at": "{{timestamp}}"},
            "signature": {"scheme": "tagorun", "secrets": [SECRET]},
        }),
    );
    let mut plan = Plan::rising(SECRET);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = Connection::open(program.address("receiver")).await;
        for _ in 0..deliveries {
            connection.exchange(&plan.request()).await;
        }
    });
    sink.take(deliveries);
    // The search index and what is learnt follow.
    std::thread::sleep(Duration::from_secs(3));
    program.stop();
    machine::output(
        "callgrind_annotate",
        &["--inclusive=yes", "--threshold=100", &file.display().to_string()],
    )
    .expect("callgrind_annotate reads what callgrind wrote")
}

/// Builds the program of a commit, in a work tree of its own.
fn build(commit: &str) -> PathBuf {
    let repository = env!("CARGO_MANIFEST_DIR");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("against");
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    let git = || {
        let mut git = Command::new("git");
        git.args(["-C", repository]);
        git
    };
    if folder.exists() {
        run(git().args(["worktree", "remove", "--force"]).arg(&folder));
    }
    run(git().args(["worktree", "add", "--quiet", "--detach"]).arg(&folder).arg(commit));
    // Its libraries are mostly ours, and built already; its program goes elsewhere.
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = temporary.join("against-target");
    run(Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--bin", "tagohook"])
        .env("CARGO_BUILD_BUILD_DIR", temporary.parent().unwrap())
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(&folder));
    run(git().args(["worktree", "remove", "--force"]).arg(&folder));
    let program = target.join("release/tagohook");
    assert!(fs::exists(&program).unwrap());
    program
}
