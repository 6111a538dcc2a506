//! What the system says of this process, in the names that Prometheus' own libraries use. Only Linux says it.

use std::fmt::Write as _;
use std::fs;

use rustix::process::{Resource, getrlimit};

use super::system_clock::booted_s;

/// Ticks of a second in `/proc`: part of Linux' interface, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

/// Figures of this process.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Process {
    cpu_s: f64,
    started_s: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    open_fds: usize,
}

/// The figures as OpenMetrics; nothing where the system does not say them.
pub fn process_text() -> String {
    let mut text = String::new();
    let Some(process) = read() else { return text };
    let mut add = |name: &str, kind: &str, help: &str, value: String| {
        let end = if kind == "counter" { "_total" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}.\n# TYPE {name} {kind}\n{name}{end} {value}");
    };
    add("process_cpu_seconds", "counter", "User and system CPU time", process.cpu_s.to_string());
    add("process_start_time_seconds", "gauge", "Start since 1970", process.started_s.to_string());
    add("process_resident_memory_bytes", "gauge", "Resident memory", process.resident_bytes.to_string());
    add("process_virtual_memory_bytes", "gauge", "Virtual memory", process.virtual_bytes.to_string());
    add("process_open_fds", "gauge", "Open file descriptors", process.open_fds.to_string());
    if let Some(most) = getrlimit(Resource::Nofile).current {
        add("process_max_fds", "gauge", "The most open file descriptors", most.to_string());
    }
    text
}

fn read() -> Option<Process> {
    let (stat, status) =
        (fs::read_to_string("/proc/self/stat").ok()?, fs::read_to_string("/proc/self/status").ok()?);
    let open_fds = fs::read_dir("/proc/self/fd").ok()?.count();
    of(&stat, &status, booted_s(), open_fds)
}

fn of(stat: &str, status: &str, booted_s: f64, open_fds: usize) -> Option<Process> {
    // The name of the program may have blanks and brackets.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<f64>().ok();
    let kib = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Process {
        cpu_s: (number(11)? + number(12)?) / TICKS,
        started_s: booted_s + number(19)? / TICKS,
        resident_bytes: kib("VmRSS:")?.saturating_mul(1024),
        virtual_bytes: kib("VmSize:")?.saturating_mul(1024),
        open_fds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_read_from_proc() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 150 50 0 0 20 0 9 0 1000 123 45 0";
        let status = "Name:\ta\nVmSize:\t  2048 kB\nVmRSS:\t  1024 kB\n";
        let process = of(stat, status, 1_800_000_000.0, 9).unwrap();
        let expected = Process {
            cpu_s: 2.0,
            started_s: 1_800_000_010.0,
            resident_bytes: 1_048_576,
            virtual_bytes: 2_097_152,
            open_fds: 9,
        };
        assert_eq!(process, expected);
        assert_eq!(of("", status, 0.0, 0), None);
    }
}
