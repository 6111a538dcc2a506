//! Variables of the environment with our prefix: ours, somebody else's, and mistyped.

use std::process::Command;

use serde_json::json;

use crate::harness::{Setup, Sink};

/// What Kubernetes makes for Services of our name, and what people set in CI.
const FOREIGN: [(&str, &str); 20] = [
    ("TAGOHOOK_SERVICE_HOST", "10.96.12.7"),
    ("TAGOHOOK_SERVICE_PORT", "8080"),
    ("TAGOHOOK_SERVICE_PORT_HTTP", "8080"),
    ("TAGOHOOK_PORT", "tcp://10.96.12.7:8080"),
    ("TAGOHOOK_PORT_8080_TCP", "tcp://10.96.12.7:8080"),
    ("TAGOHOOK_PORT_8080_TCP_PROTO", "tcp"),
    ("TAGOHOOK_PORT_8080_TCP_PORT", "8080"),
    ("TAGOHOOK_PORT_8080_TCP_ADDR", "10.96.12.7"),
    ("TAGOHOOK_RECEIVER_SERVICE_HOST", "10.96.12.8"),
    ("TAGOHOOK_RECEIVER_SERVICE_PORT", "8080"),
    ("TAGOHOOK_RECEIVER_PORT", "tcp://10.96.12.8:8080"),
    ("TAGOHOOK_RECEIVER_PORT_8080_TCP_ADDR", "10.96.12.8"),
    ("TAGOHOOK_INSPECTOR_SERVICE_HOST", "10.96.12.9"),
    ("TAGOHOOK_INSPECTOR_PORT", "udp://10.96.12.9:53"),
    ("TAGOHOOK_INSPECTOR_PORT_53_UDP", "udp://10.96.12.9:53"),
    ("TAGOHOOK_VERSION", "0.1.0"),
    ("TAGOHOOK_BIN", "/usr/local/bin/tagohook"),
    ("TAGOHOOK_LOG", "/var/log/tagohook.log"),
    ("TAGOHOOK_INSPECTOR", "http://127.0.0.1:8081"),
    ("TAGOHOOK_URL", "https://hooks.example.com"),
];
const PASSWORD: &str = "correct horse battery";

#[test]
fn foreign_variables_stop_neither_the_server_nor_a_command_and_the_password_reaches_every_one() {
    let setup = Setup::new("[inspector]\npassword_file = \"hash\"\n");
    let hash = Command::new("sh")
        .args([
            "-c",
            "printf '%s\\n' \"$1\" | \"$0\" hash-password",
            env!("CARGO_BIN_EXE_tagohook"),
            PASSWORD,
        ])
        .output()
        .unwrap();
    setup.file("hash", &String::from_utf8(hash.stdout).unwrap());
    setup.file(
        "hook.json",
        &json!({"name": "n", "url": "http://127.0.0.1:9/", "events": ["a.b"]}).to_string(),
    );
    let hook = setup.data_dir().join("hook.json");
    let setup = FOREIGN.into_iter().fold(setup, |setup, (name, value)| setup.env(name, value));
    let server = setup.start();
    let sink = Sink::start();
    let url = sink.url("/");
    let log = server.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("not options of tagohook")).collect();
    let names = "TAGOHOOK_BIN, TAGOHOOK_INSPECTOR, TAGOHOOK_LOG, TAGOHOOK_URL, TAGOHOOK_VERSION;";
    assert!(told.len() == 1 && told[0].contains(names), "one warning, without the service links: {log}");

    server.ask("POST", "/webhook-test", &[]);
    let commands: [&[&str]; 9] = [
        &["events"],
        &["check-config"],
        &["prune"],
        &["send", "user.login"],
        &["send", "user.login", "--publish"],
        &["subscriptions", "add", hook.to_str().unwrap()],
        &["dead-letters", "list"],
        &["replay", "--all", "--to", &url],
        &["loop"],
    ];
    for variable in ["TAGOHOOK_PASSWORD", "TAGOHOOK_TOKEN"] {
        for arguments in commands {
            let output = server.command(arguments).env(variable, PASSWORD).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{variable}, {arguments:?}: {told}");
            assert!(!told.contains("TAGOHOOK_"), "{arguments:?}: {told}");
        }
    }
    let output = server.command(&["subscriptions", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("Set TAGOHOOK_PASSWORD to the password, or TAGOHOOK_TOKEN to a token.")
    );
}

#[test]
fn a_mistyped_option_stops_the_start_and_every_command_and_names_the_right_one() {
    for (name, meant) in [
        ("TAGOHOOK_RECEIVER_LISTN", "TAGOHOOK_RECEIVER_LISTEN"),
        ("TAGOHOOK_STORE_KEEP_DELIVRIES", "TAGOHOOK_STORE_KEEP_DELIVERIES"),
        ("TAGOHOOK_DATADIR", "TAGOHOOK_DATA_DIR"),
        ("TAGOHOOK_PASWORD", "TAGOHOOK_PASSWORD"),
    ] {
        let setup = Setup::new("").env(name, "1");
        for command in ["serve", "check-config", "events"] {
            let output = setup.command(&[command]).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{command}: {told}");
            assert_eq!(told.trim(), format!("{name}: environment: no such option (did you mean {meant}?)"));
        }
    }
}
