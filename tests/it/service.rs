//! The program as a service of systemd: what it tells by sd_notify(3), and the unit that is shipped.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Server, Setup, login, until};

/// What systemd would read.
struct Supervisor {
    socket: UnixDatagram,
    name: String,
    _folder: tempfile::TempDir,
}

impl Supervisor {
    fn on_a_path() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self::of(socket, path.display().to_string(), folder)
    }

    fn on_an_abstract_name() -> Self {
        let name = format!("tagohook-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        Self::of(UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}"), tempfile::tempdir().unwrap())
    }

    fn of(socket: UnixDatagram, name: String, folder: tempfile::TempDir) -> Self {
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { socket, name, _folder: folder }
    }

    /// The next message, line by line.
    fn message(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).expect("a message within 30 s");
        String::from_utf8(bytes[..length].to_vec()).unwrap().lines().map(str::to_owned).collect()
    }

    /// The next message that is not one of the watchdog.
    fn state(&self) -> Vec<String> {
        loop {
            let message = self.message();
            if message != ["WATCHDOG=1"] {
                return message;
            }
        }
    }
}

fn started_for(supervisor: &Supervisor, setup: Setup) -> Server {
    let server = setup.env("NOTIFY_SOCKET", &supervisor.name).start();
    assert_eq!(supervisor.state(), ["STATUS=Opening the store"]);
    let ready = supervisor.state();
    assert_eq!(ready, ["READY=1".to_owned(), format!("STATUS=Receiving on {}", server.receiver)]);
    server
}

#[test]
fn a_supervisor_is_told_of_the_start_a_reload_and_the_stop() {
    for supervisor in [Supervisor::on_a_path(), Supervisor::on_an_abstract_name()] {
        let mut server = started_for(&supervisor, Setup::new(""));
        server.reconfigure("[receiver]\nmax_body = \"1 MiB\"\n");
        let reloading = supervisor.state();
        assert_eq!(reloading[0], "RELOADING=1");
        let micros: u64 = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        assert!((uptime - micros as f64 / 1e6).abs() < 60.0, "{micros} is not about {uptime} s");
        assert_eq!(supervisor.state()[0], "READY=1");
        server.reconfigure("[receiver]\nmax_bod = \"1 MiB\"\n");
        assert_eq!(supervisor.state()[0], "RELOADING=1");
        let ready = supervisor.state();
        assert_eq!(ready[0], "READY=1", "the old configuration is in force");
        assert!(
            ready[1].starts_with("STATUS=Configuration not reloaded:") && ready[1].contains("max_bod"),
            "{ready:?}"
        );
        assert_eq!(server.stop(), Some(0));
        assert_eq!(supervisor.state()[0], "STOPPING=1");
        assert!(!server.log().contains("service manager"), "{}", server.log());
    }
}

#[test]
fn the_watchdog_is_fed_only_while_the_writer_answers() {
    let supervisor = Supervisor::on_a_path();
    let (setup, switch) = Setup::new("").env("WATCHDOG_USEC", "900000").on_a_hanging_disk();
    let mut server = started_for(&supervisor, setup);
    for _ in 0..3 {
        assert_eq!(supervisor.message(), ["WATCHDOG=1"]);
    }
    std::fs::write(&switch, "").unwrap();
    let hung = supervisor.state();
    assert_eq!(hung, ["STATUS=The writer of the store does not answer"]);
    supervisor.socket.set_read_timeout(Some(Duration::from_millis(1_500))).unwrap();
    let silent = supervisor.socket.recv(&mut [0; 64]);
    assert!(silent.is_err(), "no message of the watchdog while the writer hangs");
    std::fs::remove_file(&switch).unwrap();
    supervisor.socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(supervisor.message(), ["WATCHDOG=1"], "the disk answers again");
    assert_eq!(supervisor.state(), [format!("STATUS=Receiving on {}", server.receiver)]);
    assert_eq!(server.post_signed(login("after").as_bytes()).status, 200);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_watchdog_of_another_process_is_left_alone() {
    let supervisor = Supervisor::on_a_path();
    let setup = Setup::new("").env("WATCHDOG_USEC", "200000").env("WATCHDOG_PID", "1");
    let mut server = started_for(&supervisor, setup);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(server.stop(), Some(0));
    assert_eq!(supervisor.message()[0], "STOPPING=1");
}

#[test]
fn a_supervisor_that_is_gone_or_does_not_read_stops_nothing() {
    let mut server = Setup::new("").env("NOTIFY_SOCKET", "/nonexistent/notify").start();
    assert_eq!(server.post_signed(login("one").as_bytes()).status, 200);
    until("the warning", || server.log().contains("NOTIFY_SOCKET cannot be used"));
    assert_eq!(server.stop(), Some(0));
    let supervisor = Supervisor::on_a_path();
    let mut server =
        Setup::new("").env("NOTIFY_SOCKET", &supervisor.name).env("WATCHDOG_USEC", "3000").start();
    let until = Instant::now() + Duration::from_secs(3);
    let mut sent = 0;
    while Instant::now() < until {
        assert_eq!(server.post_signed(login(&format!("evt-{sent}")).as_bytes()).status, 200);
        sent += 1;
    }
    assert_eq!(server.stop(), Some(0));
}

fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    // `./test` installs it; with --quick it may be missing.
    let told = Command::new(name).args(arguments).output().ok()?;
    let words = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{name} {arguments:?}: {words}");
    Some(words)
}

#[test]
fn systemd_accepts_the_unit_and_finds_it_hardened() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd/tagohook.service");
    let unit = std::fs::read_to_string(shipped).unwrap();
    // The program must exist where the unit says.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tagohook.service");
    std::fs::write(&file, unit.replace("/usr/local/bin/tagohook", env!("CARGO_BIN_EXE_tagohook"))).unwrap();
    let file = file.to_str().unwrap();
    let Some(words) = tool("systemd-analyze", &["verify", file]) else { return };
    assert_eq!(words, "", "no word about the unit");
    // Above the threshold, in tenths, the command fails.
    let words = tool("systemd-analyze", &["security", "--offline=yes", "--threshold=15", file]).unwrap();
    let score = words.lines().last().unwrap();
    assert!(score.contains("Overall exposure level for tagohook.service: 1."), "{score}");
    let guide = include_str!("../../docs/guide/operate.md");
    let figure = score.split(": ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(
        guide.contains(&format!("exposure level of {figure}")),
        "the guide names another figure than {figure}"
    );
}
