//! The examples of `docs/verify`: each language checks what the program signs and forwards.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{Server, Sink};

const LANGUAGES: [&[&str]; 5] = [
    &["node", "verify.mjs"],
    &["python3", "verify.py"],
    &["php", "verify.php"],
    &["ruby", "verify.rb"],
    &["java", "-XX:TieredStopAtLevel=1", "Verify.java"],
];

fn check(command: &[&str], secret: &str, signature: &str, body: &[u8]) -> (bool, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify");
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .args([secret, signature])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|fault| panic!("{}: {fault}", command[0]));
    child.stdin.take().unwrap().write_all(body).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.stderr.is_empty(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    (done.status.success(), String::from_utf8(done.stdout).unwrap())
}

#[test]
fn every_language_accepts_what_is_forwarded_and_refuses_what_was_changed() {
    let server = Server::start();
    let sink = Sink::start();
    let secret = "a secret for the endpoint";
    server.subscribe(&json!({
        "name": "s", "url": sink.url("/"), "events": ["*"],
        "signature": {"scheme": "tagorun", "secrets": [secret]},
    }));
    server.publish(
        &json!({"event": "made.up", "id": "1", "data": {"room": "Küche ☕ \u{1f980}", "big": 1.0e-7}}),
    );
    let request = sink.wait_for(1).remove(0);
    let signature = request.header("x-tagorun-signature").to_owned();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{secret}\n")).unwrap();
    let file = file.path().to_str().unwrap();

    let digest = signature.trim_start_matches("sha256=");
    let mut changed = request.body.clone();
    changed.push(b'\n');
    let rewritten = serde_json::to_vec_pretty(&request.json()).unwrap();
    let cut = &digest[..63];
    for command in LANGUAGES {
        let accepts = |signature: &str, body: &[u8]| {
            let (is_right, said) = check(command, file, signature, body);
            assert_eq!(said, if is_right { "valid\n" } else { "invalid\n" }, "{command:?}");
            is_right
        };
        assert!(accepts(&signature, &request.body), "{command:?}");
        assert!(accepts(&format!(" sha256={} ", digest.to_uppercase()), &request.body), "{command:?}");
        for (signature, body) in
            [(digest, &changed), (digest, &rewritten), (cut, &request.body), ("", &request.body)]
        {
            assert!(!accepts(signature, body), "{command:?} {signature}");
        }
    }
}
