//! The first minutes: a start that fails leaves nothing half made, and the welcome stays until something has arrived.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::{exchange, until};

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagohook"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// A server that runs, and is killed at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program and waits for the whole welcome.
fn start(folder: &Path) -> (Running, String) {
    let printed = folder.join("out");
    let mut command = program(folder, &["--listen", "0", "--inspect-listen", ":0"]);
    let child = command.stdout(fs::File::create(&printed).unwrap()).stderr(Stdio::null()).spawn().unwrap();
    let running = Running(child);
    let text = || fs::read_to_string(&printed).unwrap();
    until("the welcome", || text().contains("  data "));
    let text = text();
    (running, text)
}

fn has_everything(welcome: &str) -> bool {
    ["Authorization: Bearer", "signing-secret", "curl -sS", "--data-binary"]
        .iter()
        .all(|part| welcome.contains(part))
}

#[test]
fn a_busy_port_is_told_in_plain_words_and_the_next_start_is_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    for (arguments, option) in [
        (["--listen", &port, "--inspect-listen", "0"], "--listen"),
        (["--listen", "0", "--inspect-listen", &port], "--inspect-listen"),
    ] {
        let output = program(folder.path(), &arguments).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!(
                "tagohook: 127.0.0.1:{port} is already in use by another program; try {option} 127.0.0.1:0, which takes any \
                 free port\n"
            )
        );
        assert!(!folder.path().join("tagohook-data/signing-secret").exists());
        assert!(!folder.path().join("tagohook-data/tagohook.db").exists());
    }
    let (_running, welcome) = start(folder.path());
    assert!(welcome.contains("First start: made signing-secret, tagoio-token, store-key"), "{welcome}");
    assert!(has_everything(&welcome), "{welcome}");
}

#[test]
fn both_on_one_port_is_told_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path(), &["--listen", "8123", "--inspect-listen", "8123"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("the receiver and the inspector cannot both listen on 127.0.0.1:8123"), "{told}");
}

#[test]
fn a_bad_configuration_at_the_first_start_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("schemas")).unwrap();
    fs::write(folder.path().join("schemas/a.json"), r#"{"type":"strng"}"#).unwrap();
    for config in ["[receiver]\nmax_bdy = 1\n", "schemas_dir = \"schemas\"\n"] {
        fs::write(folder.path().join("t.toml"), config).unwrap();
        let output = program(folder.path(), &["--config", "t.toml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        for made in ["signing-secret", "tagoio-token", "store-key", "tagohook.db"] {
            assert!(!folder.path().join("tagohook-data").join(made).exists(), "{config}: {made}");
        }
    }
}

#[test]
fn the_welcome_is_whole_until_the_first_delivery_has_arrived() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()));
    let (running, welcome) = start(folder.path());
    assert!(welcome.contains("No delivery has arrived yet.") && has_everything(&welcome), "{welcome}");
    let addresses = fs::read(folder.path().join("tagohook-data/addresses.json")).unwrap();
    let addresses: Value = serde_json::from_slice(&addresses).unwrap();
    assert!(
        addresses["receiver"].as_str().unwrap().starts_with("127.0.0.1:"),
        "a port alone is of this machine"
    );
    let receiver = addresses["receiver"].as_str().unwrap().parse().unwrap();
    assert_eq!(exchange(receiver, "POST", "/webhook-test", &[], b"{}").status, 200);
    drop(running);
    let (_running, welcome) = start(folder.path());
    assert!(!welcome.contains("curl") && !welcome.contains("First start"), "{welcome}");
}

#[test]
fn the_welcome_names_the_secrets_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[[source]]\nname = \"run\"\nsecrets = [\"env:RUN_SECRET\"]\n\
                  [[source]]\nname = \"pump\"\nsignature = \"none\"\n\
                  credentials = [{ api_key = { key = \"file:pump-key\", header = \"X-Pump\" } }]\n";
    fs::write(folder.path().join("tagohook.toml"), config).unwrap();
    fs::create_dir(folder.path().join("tagohook-data")).unwrap();
    fs::write(folder.path().join("tagohook-data/pump-key"), "a-key-of-the-pump-0123").unwrap();
    let printed = folder.path().join("out");
    let mut command =
        program(folder.path(), &["--config", "tagohook.toml", "--listen", "0", "--inspect-listen", "0"]);
    command.env("RUN_SECRET", "a-secret-of-the-run-0123456789").stderr(Stdio::null());
    let _running = Running(command.stdout(fs::File::create(&printed).unwrap()).spawn().unwrap());
    let text = || fs::read_to_string(&printed).unwrap();
    until("the welcome", || text().contains("/connect"));
    let welcome = text();
    assert!(welcome.contains("run        is signed with the secret in env:RUN_SECRET"), "{welcome}");
    assert!(welcome.contains("pump       needs the header  X-Pump: <the content of"), "{welcome}");
    assert!(!welcome.contains("a-secret-of-the-run") && !welcome.contains("a-key-of-the-pump"), "{welcome}");
}
