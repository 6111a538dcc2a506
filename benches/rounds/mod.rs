//! Servers driven with the same load, one after the other in several rounds, so that what the machine does meanwhile hits all of
//! them; and the table of their medians.

#![allow(dead_code, reason = "each bench is a crate of its own, and needs some of it")]

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::load::{self, Load, Requests};
use crate::program::{self, Program};

/// Who is driven: the program, several nodes of it, or something else.
pub struct Server {
    pub name: &'static str,
    addresses: Vec<SocketAddr>,
    /// The ids of its processes.
    processes: Vec<u32>,
}

impl Server {
    pub fn new(name: &'static str, address: SocketAddr, process: u32) -> Self {
        Self { name, addresses: vec![address], processes: vec![process] }
    }

    pub fn of(name: &'static str, programs: &[&Program]) -> Self {
        let addresses = programs.iter().map(|program| program.address("receiver")).collect();
        Self { name, addresses, processes: programs.iter().map(|program| program.id()).collect() }
    }

    fn cpu(&self) -> Duration {
        self.processes.iter().map(|id| program::cpu(*id)).sum()
    }
}

/// How they are measured.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    pub number: usize,
    pub time: Duration,
}

/// What a server did under a load: medians of its rounds.
pub struct Row {
    pub name: &'static str,
    /// Answers in all rounds.
    pub answered: u64,
    /// Requests answered in a second.
    pub rate: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Its processor time for each request.
    pub cpu_micros: f64,
    /// The rate of each round.
    pub rates: Vec<f64>,
}

/// What all of them did under a load.
pub struct Table {
    pub load: Load,
    pub rows: Vec<Row>,
}

impl Rounds {
    /// Drives all servers in each round, in every second one from the last to the first. What one still has to do is not
    /// done while another one is measured, unless it works on for long: a program with a long history learns from it.
    pub fn measure(self, servers: &[Server], requests: &mut impl Requests, load: Load) -> Table {
        let mut seen: Vec<Vec<Figures>> = servers.iter().map(|_| Vec::new()).collect();
        let resting = servers.iter().flat_map(|server| &server.processes);
        let resting: Vec<u32> = resting.copied().filter(|id| program::rests(*id, 60)).collect();
        for round in 0..self.number {
            let mut order: Vec<_> = servers.iter().zip(&mut seen).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for (server, seen) in order {
                resting.iter().for_each(|id| program::wait_for_rest(*id));
                seen.push(Figures::measure(server, requests, load, self.time));
            }
        }
        let rows = servers.iter().zip(seen).map(|(server, seen)| Row::new(server.name, &seen)).collect();
        Table { load, rows }
    }
}

/// What a server did in one round.
struct Figures {
    answered: u64,
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_micros: f64,
}

impl Figures {
    fn measure(server: &Server, requests: &mut impl Requests, load: Load, time: Duration) -> Self {
        let before = server.cpu();
        let mut round = load::drive(&server.addresses, requests, load, time);
        assert_eq!(round.refused, 0, "every answer must be 200");
        Self {
            answered: round.answered,
            rate: round.rate(),
            p50_ms: round.latency_ms(0.5),
            p99_ms: round.latency_ms(0.99),
            cpu_micros: (server.cpu() - before).as_secs_f64() * 1e6 / round.answered as f64,
        }
    }
}

impl Row {
    fn new(name: &'static str, rounds: &[Figures]) -> Self {
        let of = |figure: fn(&Figures) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            name,
            answered: rounds.iter().map(|round| round.answered).sum(),
            rate: of(|round| round.rate),
            p50_ms: of(|round| round.p50_ms),
            p99_ms: of(|round| round.p99_ms),
            cpu_micros: of(|round| round.cpu_micros),
            rates: rounds.iter().map(|round| round.rate).collect(),
        }
    }
}

impl Table {
    /// The row of a server.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// Prints it, with the ratio of each rate to that of `base`.
    pub fn print(&self, base: &str) {
        println!("{}", self.load);
        let base_rate = self.row(base).map_or(f64::NAN, |row| row.rate);
        for Row { name, rate, p50_ms, p99_ms, cpu_micros, .. } in &self.rows {
            println!(
                "  {name:<24} {rate:>7.0}/s  p50 {p50_ms:>8.2} ms  p99 {p99_ms:>8.2} ms  cpu {cpu_micros:>4.0} µs  {:.3} of {base}",
                rate / base_rate
            );
        }
    }

    /// The table as JSON.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "server": row.name, "per_second": row.rate, "p50_ms": row.p50_ms, "p99_ms": row.p99_ms,
                "cpu_us": row.cpu_micros, "per_second_of_each_round": row.rates,
            })
        };
        json!({"load": self.load.to_string(), "servers": self.rows.iter().map(row).collect::<Vec<_>>()})
    }
}

/// The median; of an even number, the mean of the two in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { (figures[middle - 1] + figures[middle]) / 2.0 }
}
