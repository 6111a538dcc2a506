//! Tells systemd what the program does, by the protocol of sd_notify(3): a line of text to a datagram socket.
//!
//! Without `NOTIFY_SOCKET` in the environment nobody asks, and nothing is sent.

#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, sleep, timeout_at};

use crate::store::{Store, StoreError};

/// How long a message may wait for a supervisor that does not read.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the store is checked if no watchdog asks.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// Checks within the time of the watchdog. systemd advises two at least.
const CHECKS_PER_WATCHDOG: u32 = 3;
/// The pause before the next try if the queue of the writer is full.
const FULL_PAUSE: Duration = Duration::from_millis(100);

/// The supervisor that started the program, if it wants to be told.
#[derive(Debug, Default)]
pub struct ServiceManager {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

/// What the writer of the store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// Deliveries are stored.
    Writes,
    /// Deliveries are answered 503. A restart would not help.
    Refuses,
    /// Nothing within the time. A restart is the only cure.
    Silent,
}

impl ServiceManager {
    /// The supervisor that this environment names.
    #[must_use]
    pub fn of(environment: &[(String, String)]) -> Self {
        let variable = |name: &str| {
            let found = environment.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        let Some(name) = variable("NOTIFY_SOCKET") else { return Self::default() };
        let socket = match connect(name) {
            Ok(socket) => socket,
            Err(fault) => {
                tracing::warn!(socket = name, %fault, "NOTIFY_SOCKET cannot be used; the service manager is not told");
                return Self::default();
            }
        };
        let is_ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == process::id().to_string());
        let watchdog = variable("WATCHDOG_USEC").and_then(|micros| micros.parse().ok()).filter(|_| is_ours);
        Self {
            socket: Some(socket),
            watchdog: watchdog.filter(|micros| *micros > 0).map(Duration::from_micros),
        }
    }

    /// The start takes its time.
    pub fn starting(&self) {
        self.tell("STATUS=Opening the store");
    }

    /// Both ports accept.
    pub fn ready(&self, receiver: &str) {
        self.tell(&format!("READY=1\nSTATUS=Receiving on {receiver}"));
    }

    /// The configuration is read again. `reloaded` follows in every case.
    pub fn reloading(&self) {
        // systemd compares it with its own clock, to tell old messages from new ones.
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=Reading the configuration again"));
    }

    /// The configuration was read; the error is why the old one stays in force.
    pub fn reloaded(&self, receiver: &str, outcome: Result<(), &str>) {
        match outcome {
            Ok(()) => self.ready(receiver),
            Err(fault) => {
                let first = fault.lines().next().unwrap_or_default();
                self.tell(&format!("READY=1\nSTATUS=Configuration not reloaded: {first}"));
            }
        }
    }

    /// The program ends.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Answering the last requests");
    }

    /// Checks the store until the program ends. The watchdog is fed only while the writer of the store answers; an
    /// answer that it cannot write, as on a full disk, counts, because a restart would change nothing.
    pub async fn watch(&self, store: &Store, receiver: &str) {
        if self.socket.is_none() {
            return;
        }
        let every = self.watchdog.map_or(CHECK_EVERY, |watchdog| watchdog / CHECKS_PER_WATCHDOG);
        let mut last = Health::Writes;
        loop {
            let until = Instant::now() + every;
            let health = health(until, || store.ready()).await;
            if health != Health::Silent && self.watchdog.is_some() {
                self.tell("WATCHDOG=1");
            }
            if health != last {
                self.tell_health(health, receiver);
                last = health;
            }
            tokio::time::sleep_until(until).await;
        }
    }

    fn tell_health(&self, health: Health, receiver: &str) {
        match health {
            Health::Writes => self.tell(&format!("STATUS=Receiving on {receiver}")),
            Health::Refuses => self.tell("STATUS=The store cannot be written: deliveries are answered 503"),
            Health::Silent => {
                tracing::error!("the writer of the store does not answer; the watchdog is not fed");
                self.tell("STATUS=The writer of the store does not answer");
            }
        }
    }

    fn tell(&self, lines: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(fault) = socket.send(lines.as_bytes()) {
            tracing::warn!(%fault, "the service manager was not told: {}", lines.replace('\n', ", "));
        }
    }
}

/// Connects to `name`: a path, or an abstract name behind an `@`.
fn connect(name: &str) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let address = match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    socket.connect_addr(&address)?;
    Ok(socket)
}

/// What `ready` answers until `end`. A full queue is asked again: behind it the writer may hang, or only be busy.
async fn health<F: Future<Output = Result<(), StoreError>>>(end: Instant, ready: impl Fn() -> F) -> Health {
    loop {
        match timeout_at(end, ready()).await {
            Ok(Ok(())) => return Health::Writes,
            Ok(Err(StoreError::Full)) if Instant::now() + FULL_PAUSE < end => sleep(FULL_PAUSE).await,
            Ok(Err(StoreError::Full)) | Err(_) => return Health::Silent,
            Ok(Err(_)) => return Health::Refuses,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_writer_is_alive_while_it_answers_whatever_it_answers() {
        let end = || Instant::now() + Duration::from_millis(500);
        let unavailable = || async { Err(StoreError::Unavailable("disk full".to_owned())) };
        assert_eq!(health(end(), || async { Ok(()) }).await, Health::Writes);
        assert_eq!(health(end(), unavailable).await, Health::Refuses);
        assert_eq!(health(end(), std::future::pending).await, Health::Silent);
        assert_eq!(health(end(), || async { Err(StoreError::Full) }).await, Health::Silent);
        let tries = Cell::new(0);
        let busy = || {
            tries.set(tries.get() + 1);
            let is_full = tries.get() < 3;
            async move { if is_full { Err(StoreError::Full) } else { Ok(()) } }
        };
        assert_eq!(health(end(), busy).await, Health::Writes, "it was only busy");
    }
}
