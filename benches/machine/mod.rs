//! What a bench ran on, and what it ran: figures say little without it.

#![allow(dead_code, reason = "each bench is a crate of its own, and needs some of it")]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// The machine, as Linux describes it.
pub fn machine() -> Value {
    let line = |file: &str, name: &str, separator: char| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find(|line| line.starts_with(name))?.split_once(separator)?.1;
        Some(value.trim().trim_matches('"').to_owned())
    };
    json!({
        "processor": line("/proc/cpuinfo", "model name", ':'),
        "processors": std::thread::available_parallelism().unwrap().get(),
        "memory": line("/proc/meminfo", "MemTotal", ':'),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "system": line("/etc/os-release", "PRETTY_NAME", '='),
    })
}

/// What a command prints, without line ends around it; `None` where it does not run.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}
