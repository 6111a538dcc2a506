//! The commands, as a newcomer runs them.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::harness::{Reply, Server, Setup, Sink, hmac_hex, login, until};

fn program(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_tagohook")).args(arguments).current_dir(folder.path()).output().unwrap()
}

fn piped(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn prepare_store_says_that_a_file_needs_no_preparation() {
    let prepared = program(&["prepare-store"]);
    assert_eq!(prepared.status.code(), Some(2));
    let said = err(&prepared);
    assert!(said.contains("A SQLite store needs no preparation") && said.lines().count() == 1, "{said}");
}

#[test]
fn help_names_every_command_and_a_typo_is_answered_with_the_right_word() {
    let help = out(&program(&["--help"]));
    for command in [
        "serve",
        "send",
        "sign",
        "verify",
        "events",
        "prune",
        "prepare-store",
        "hash-password",
        "check-config",
        "default-config",
    ] {
        assert!(help.contains(command), "{command}");
        assert!(program(&[command, "--help"]).status.success());
    }
    let typo = program(&["sned"]);
    assert_eq!(typo.status.code(), Some(2));
    assert!(err(&typo).contains("send"), "{}", err(&typo));
    assert_eq!(program(&["--confg", "x"]).status.code(), Some(2));
    assert!(out(&program(&["--version"])).starts_with("tagohook "));
}

#[test]
fn the_printed_default_configuration_is_a_good_one() {
    let printed = program(&["default-config"]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.toml"), &printed.stdout).unwrap();
    let check = Command::new(env!("CARGO_BIN_EXE_tagohook"))
        .args(["check-config", "--config", "t.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", err(&check));
    assert!(out(&check).contains("source tagorun: signature tagorun"));
    assert!(!folder.path().join("tagohook-data").exists(), "a check makes nothing");
}

#[test]
fn a_bad_configuration_stops_the_start_with_exit_2_and_a_line_for_each_fault() {
    let setup = Setup::new(
        "[receiver]\nmax_bdy = 1\nbody_timeout = \"never\"\n[[source]]\nname = \"s\"\nsecrets = [\"literal\"]\n",
    );
    for command in ["serve", "check-config"] {
        let output = setup.command(&[command]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = err(&output);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.contains("test.toml:2: receiver.max_bdy: unknown key (did you mean max_body?)"),
            "{text}"
        );
    }
}

#[test]
fn the_first_start_prints_a_signed_curl_line_that_works_when_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let printed = fs::File::create(folder.path().join("out")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tagohook"))
        .args(["--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stdout(printed)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let text = loop {
        let text = fs::read_to_string(folder.path().join("out")).unwrap();
        if text.contains("--data-binary") && text.ends_with("\n\n") {
            break text;
        }
        assert!(std::time::Instant::now() < until, "{text}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let curl = &text[text.find("curl -sS").unwrap()..];
    let answers = [(); 2].map(|()| out(&Command::new("sh").arg("-c").arg(curl).output().unwrap()));
    let secret = fs::read_to_string(folder.path().join("tagohook-data/signing-secret")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answers[0].contains("\"processed\"") && answers[1].contains("already_processed"), "{answers:?}");
    assert!(!text.contains(secret.trim()), "the secret is not printed");
}

#[test]
fn send_signs_an_example_or_a_file_and_says_what_came_back() {
    let server = Server::start();
    let sent = server.command(&["send", "user.login", "--count", "3"]).output().unwrap();
    assert!(sent.status.success(), "{}", err(&sent));
    assert!(out(&sent).contains("3 sent, 0 refused"));
    let sent = server
        .command(&["send", "data.received", "--source", "tagoio", "--set", "device.name=Roof"])
        .output()
        .unwrap();
    assert!(sent.status.success() && out(&sent).starts_with("200"), "{}", out(&sent));
    assert!(server.newest()["body"].as_str().unwrap().contains("\"name\":\"Roof\""));
    let refused = server.command(&["send", "user.login", "--set", "user.email=null"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(out(&refused).contains("Missing required field: user.email"));
    let own = server.data_dir().join("own.json");
    fs::write(&own, login("from a file")).unwrap();
    let sent = server.command(&["send", "user.login", "--file", own.to_str().unwrap()]).output().unwrap();
    assert!(sent.status.success());
    assert_eq!(server.newest()["event_id"], "from a file");
    let typo = server.command(&["send", "user.logn"]).output().unwrap();
    assert!(err(&typo).contains("did you mean user.login?"), "{}", err(&typo));
    let no_url = server.command(&["send", "user.login", "--to", "localhost:3000"]).output().unwrap();
    assert!(err(&no_url).contains("--to \"localhost:3000\" is not an http or https URL"), "{}", err(&no_url));
    let nobody = server.command(&["send", "user.login", "--to", "http://127.0.0.1:1/x"]).output().unwrap();
    assert!(!nobody.status.success() && err(&nobody).contains("no response from"), "{}", err(&nobody));
}

#[test]
fn send_without_a_server_says_how_to_start_one() {
    let output = program(&["send", "user.login"]);
    assert!(!output.status.success());
    assert!(
        err(&output).contains("no running tagohook found in ./tagohook-data. Start one with `tagohook`"),
        "{}",
        err(&output)
    );
}

#[test]
fn in_a_wrong_directory_a_command_says_so() {
    for command in [&["sign"][..], &["verify", "--header", "X: y"]] {
        let output = program(command);
        let told = err(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(
            told.contains("signing-secret does not exist. The first start of tagohook makes it"),
            "{told}"
        );
        assert!(!told.contains("os error"), "{told}");
    }
}

#[test]
fn subscriptions_are_added_from_what_powershell_writes() {
    let server = Server::start();
    let json = |name: &str| format!(r#"{{"name":"{name}","url":"http://127.0.0.1:9/","events":["a.b"]}}"#);
    let wide = |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(order).collect()
    };
    let files = [
        ("Büro 8", format!("\u{feff}{}", json("Büro 8")).into_bytes()),
        ("Büro 16", wide(&json("Büro 16"), u16::to_le_bytes)),
        ("Büro 61", wide(&json("Büro 61"), u16::to_be_bytes)),
    ];
    for (name, bytes) in files {
        let file = server.data_dir().join("hook.json");
        fs::write(&file, bytes).unwrap();
        let added = server.command(&["subscriptions", "add", file.to_str().unwrap()]).output().unwrap();
        assert!(added.status.success() && out(&added).contains(name), "{}{}", out(&added), err(&added));
    }
}

#[test]
fn sign_and_verify_agree_with_openssl_and_verify_says_what_is_wrong() {
    let setup = Setup::new("");
    let secret = "a-secret-for-openssl-0123456789";
    setup.file("signing-secret", secret);
    let body = login("signed");
    let signed = out(&piped(setup.command(&["sign"]), body.as_bytes()));
    assert_eq!(
        signed.trim(),
        format!("X-TagoRUN-Signature: {}", hmac_hex(secret.as_bytes(), body.as_bytes()))
    );
    let verify = |line: &str, body: &[u8]| piped(setup.command(&["verify", "--header", line]), body);
    let good = verify(signed.trim(), body.as_bytes());
    assert!(
        good.status.success() && out(&good).starts_with("valid: tagorun, signed with file:signing-secret")
    );
    let bad = verify(signed.trim(), b"another body");
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        out(&bad).contains("signature_mismatch")
            && !out(&bad).contains(&hmac_hex(secret.as_bytes(), b"another body"))
    );
    assert!(out(&verify("X-Other: 1", body.as_bytes())).contains("signature_missing"));
    assert!(out(&verify("X-TagoRUN-Signature: abc", body.as_bytes())).contains("signature_malformed"));
}

#[test]
fn events_lists_the_catalogue_and_shows_one() {
    let list = out(&program(&["events"]));
    assert_eq!(list.lines().count(), 35);
    let one = out(&program(&["events", "device_alert"]));
    assert!(one.starts_with("data.threshold: ") && one.contains("\"$schema\""));
    assert!(err(&program(&["events", "user.logn"])).contains("did you mean user.login?"));
}

#[test]
fn hash_password_makes_what_the_inspector_takes() {
    let hashed = piped(Setup::new("").command(&["hash-password"]), b"correct horse battery\n");
    assert!(hashed.status.success(), "{}", err(&hashed));
    let setup = Setup::new("[inspector]\npassword_file = \"hash\"\n");
    setup.file("hash", &out(&hashed));
    let server = setup.start();
    let ask = |headers: &[(&str, &str)]| {
        crate::harness::exchange(server.inspector, "GET", "/api/v1/deliveries", headers, b"").status
    };
    assert_eq!(ask(&[]), 401);
    assert_eq!(ask(&[("Authorization", "Bearer wrong")]), 401);
    assert_eq!(ask(&[("Authorization", "Bearer correct horse battery")]), 200);
    assert_eq!(crate::harness::exchange(server.inspector, "GET", "/", &[], b"").status, 303);
    assert!(!piped(Setup::new("").command(&["hash-password"]), b"short\n").status.success());
}

#[test]
fn prune_says_what_it_removed() {
    let server = Server::start();
    server.post_signed(login("e").as_bytes());
    let pruned = server.command(&["prune"]).output().unwrap();
    assert!(pruned.status.success() && out(&pruned).contains("removed 0 deliveries"), "{}", err(&pruned));
    assert!(!Setup::new("").command(&["prune"]).output().unwrap().status.success(), "nothing to prune");
}

#[test]
fn the_loop_and_the_senders_commands_do_what_they_say() {
    let server = Server::start();
    let round = server.command(&["loop"]).output().unwrap();
    assert!(round.status.success(), "{}{}", out(&round), err(&round));
    assert!(out(&round).contains("35 published, 0 did not arrive"), "{}", out(&round));
    assert_eq!(out(&round).matches("published, delivered, accepted").count(), 35);
    let sink = Sink::scripted(|_, before| Reply::Status(if before < 2 { 500 } else { 200 }));
    let hook = server.data_dir().join("hook.json");
    let configuration = format!(
        r#"{{"event": "user.login", "webhook_url": "{}", "payload": {{"who": "{{{{user.name}}}}"}}, "max_attempts": 1}}"#,
        sink.url("/")
    );
    fs::write(&hook, configuration).unwrap();
    let added = server.command(&["subscriptions", "add", hook.to_str().unwrap()]).output().unwrap();
    assert!(added.status.success(), "{}", err(&added));
    let listed = out(&server.command(&["subscriptions", "list"]).output().unwrap());
    assert!(listed.contains("user.login to 127.0.0.1"), "{listed}");
    let tested = server.command(&["subscriptions", "test", "user.login to 127.0.0.1"]).output().unwrap();
    assert_eq!(
        (tested.status.code(), out(&tested).starts_with("500 in ")),
        (Some(1), true),
        "{}",
        out(&tested)
    );
    let sent = server.command(&["send", "user.login", "--publish"]).output().unwrap();
    assert!(out(&sent).contains(": 1 message"), "{}", out(&sent));
    until("two dead letters", || server.dead_letters("").len() == 2);
    let letters = out(&server.command(&["dead-letters", "list"]).output().unwrap());
    assert_eq!(letters.lines().count(), 3, "{letters}");
    assert!(
        !server.command(&["dead-letters", "replay"]).output().unwrap().status.success(),
        "it must be said which"
    );
    let plan = out(&server.command(&["dead-letters", "replay", "--dry-run"]).output().unwrap());
    assert_eq!(plan.trim(), "2 dead letters would be replayed");
    let one = server.dead_letters("event_type=user.login").remove(0)["id"].as_str().unwrap().to_owned();
    assert!(server.command(&["dead-letters", "replay", &one]).output().unwrap().status.success());
    sink.wait_for(3);
    assert!(server.command(&["dead-letters", "replay", "--all"]).output().unwrap().status.success());
    sink.wait_for(4);
    until("no dead letter", || server.dead_letters("").is_empty());
}
