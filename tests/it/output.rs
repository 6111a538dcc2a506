//! Standard output and standard error that are closed, full, or that nobody reads.

use std::fs::{self, File, OpenOptions};
use std::io::{PipeWriter, Write as _, pipe};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Server, Setup, exchange, hmac_hex, login};

/// How long a stop may take when nobody reads the log.
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// A pipe whose reader has gone.
fn closed() -> PipeWriter {
    pipe().unwrap().1
}

/// What `> /dev/full` opens: each write fails as on a full disk.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// Every command that prints, with what it needs.
fn printing(server: &Server) -> Vec<Command> {
    let body = server.data_dir().join("body.json");
    fs::write(&body, login("printed")).unwrap();
    let body = body.to_str().unwrap();
    let export = server.data_dir().join("export.jsonl");
    fs::write(&export, server.command(&["export"]).output().unwrap().stdout).unwrap();
    let export = export.to_str().unwrap();
    let commands: [&[&str]; 32] = [
        &["events"],
        &["events", "user.login"],
        &["default-config"],
        &["check-config"],
        &["subscriptions", "list"],
        &["subscriptions", "test", "endpoint"],
        &["messages", "list"],
        &["dead-letters", "list"],
        &["dead-letters", "replay", "--dry-run"],
        &["replay", "--all", "--dry-run"],
        &["replay", "--all", "--detach"],
        &["send", "user.login", "--count", "3"],
        &["send", "user.login", "--publish"],
        &["sign", body],
        &["prune"],
        &["loop"],
        &["tail", "--quiet"],
        &["wait", "--since", "1h"],
        &["deliveries", "list"],
        &["deliveries", "list", "--json"],
        &["export"],
        &["stats"],
        &["tokens", "create", "unseen"],
        &["tokens", "list"],
        &["import", export, "--quiet"],
        &["reload"],
        &["health"],
        &["dead-letters", "groups"],
        &["listen", "--exec", "cat", "--since", "1h", "--quiet"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ];
    commands.iter().map(|arguments| server.command(arguments)).collect()
}

fn server_with_an_endpoint() -> Server {
    let server = Server::start();
    let url = format!("http://{}/webhook-test", server.receiver);
    server.subscribe(&json!({"name": "endpoint", "url": url, "events": ["user.logout"]}));
    server.post_signed(login("first").as_bytes());
    server
}

/// Runs a command; one that waits for deliveries gets them.
fn ended(server: &Server, mut command: Command) -> Output {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "{command:?} does not end");
        if format!("{command:?}").contains("\"tail\"") {
            server.ask("POST", "/webhook-test", &[]);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_closed_pipe_ends_every_command_quietly() {
    let server = server_with_an_endpoint();
    for mut command in printing(&server) {
        command.stdout(closed());
        let name = format!("{command:?}");
        let output = ended(&server, command);
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""), "{name}");
    }
    let left = server.api("subscriptions");
    assert_eq!(left["subscriptions"].as_array().unwrap().len(), 1, "the loop's own is gone: {left}");
    assert_eq!(server.api("tokens")["tokens"], json!([]), "nobody has seen the token");
}

#[test]
fn a_full_disk_is_one_clear_line_and_exit_1() {
    let server = server_with_an_endpoint();
    for mut command in printing(&server) {
        command.stdout(full());
        let name = format!("{command:?}");
        let output = ended(&server, command);
        let line = "tagohook: standard output cannot be written: No space left on device\n";
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(1), line), "{name}");
    }
    assert_eq!(server.api("tokens")["tokens"], json!([]), "nobody has seen the token");
}

#[test]
fn the_exit_code_of_verify_is_its_answer_also_where_nobody_reads_the_words() {
    let setup = Setup::new("");
    setup.file("body", &login("e"));
    let body = setup.data_dir().join("body");
    let verify = |line: &str| {
        let arguments = ["verify", "--header", line, body.to_str().unwrap()];
        setup.command(&arguments).stdout(closed()).output().unwrap().status.code()
    };
    let good = hmac_hex(crate::harness::SECRET.as_bytes(), login("e").as_bytes());
    assert_eq!(verify(&format!("X-TagoRUN-Signature: {good}")), Some(0));
    assert_eq!(verify("X-TagoRUN-Signature: abc"), Some(1));
}

#[test]
fn an_error_that_nobody_reads_keeps_its_exit_code() {
    let setup = Setup::new("[receiver]\nlistn = 1\n");
    for (arguments, code) in [(&["check-config"][..], 2), (&["nonsense"], 2), (&["subscriptions", "list"], 3)]
    {
        let closed = setup.command(arguments).stderr(closed()).status().unwrap();
        let full = setup.command(arguments).stderr(full()).status().unwrap();
        assert_eq!((closed.code(), full.code()), (Some(code), Some(code)), "{arguments:?}");
    }
}

/// Waits until the server of this setup listens: its receiver.
fn receiver(setup: &Setup, child: &mut Child) -> std::net::SocketAddr {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let told = fs::read(setup.data_dir().join("addresses.json")).unwrap_or_default();
        if let Ok(told) = serde_json::from_slice::<Value>(&told) {
            return told["receiver"].as_str().unwrap().parse().unwrap();
        }
        assert_eq!(child.try_wait().unwrap(), None, "the server ended");
        assert!(Instant::now() < deadline, "the server does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts a server with these streams; it must receive, and stop with exit 0.
fn receives_and_stops(name: &str, stdout: Stdio, stderr: Stdio) {
    let setup = Setup::new("[log]\nlevel = \"debug\"\n");
    let mut command = setup.command(&["serve", "--listen", "0", "--inspect-listen", ":0"]);
    let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
    let receiver = receiver(&setup, &mut child);
    for count in 0..50 {
        let body = login(&format!("evt_{count}"));
        let signature = hmac_hex(crate::harness::SECRET.as_bytes(), body.as_bytes());
        let headers = [("X-TagoRUN-Signature", signature.as_str())];
        assert_eq!(
            exchange(receiver, "POST", "/webhook/tagorun", &headers, body.as_bytes()).status,
            200,
            "{name}"
        );
    }
    assert_eq!(child.try_wait().unwrap(), None, "{name}: the server ended");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let deadline = Instant::now() + STOP_WITHIN;
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        assert!(Instant::now() < deadline, "{name}: the server does not stop");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(code, Some(0), "{name}");
}

#[test]
fn the_server_receives_and_stops_whatever_its_output_is() {
    receives_and_stops("full", full().into(), full().into());
    receives_and_stops("closed", closed().into(), closed().into());
    // A pipe takes 64 KiB; this one is full, and nobody reads it.
    let (reader, mut unread) = pipe().unwrap();
    unread.write_all(&[b'x'; 64 * 1024]).unwrap();
    receives_and_stops("unread", unread.try_clone().unwrap().into(), unread.into());
    drop(reader);
}
