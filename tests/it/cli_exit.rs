//! Exit codes, rows as JSON Lines, and what a newcomer's mistakes are answered with.

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, login};

fn program(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_tagohook")).args(arguments).current_dir(folder.path()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every command that talks to the running instance, with what it needs.
pub const TALKING: [&[&str]; 16] = [
    &["tail"],
    &["listen", "--exec", "cat"],
    &["wait"],
    &["deliveries", "list"],
    &["deliveries", "show", "x"],
    &["export"],
    &["stats"],
    &["replay", "--all"],
    &["loop"],
    &["subscriptions", "list"],
    &["subscriptions", "remove", "x"],
    &["messages", "list"],
    &["messages", "cancel", "--all"],
    &["dead-letters", "list"],
    &["dead-letters", "groups"],
    &["send", "user.login", "--publish"],
];

#[test]
fn without_a_running_program_every_command_that_talks_to_it_exits_3_with_one_line() {
    for arguments in TALKING {
        let output = program(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", err(&output));
        let told = err(&output);
        assert!(
            told.contains("no running tagohook found in ./tagohook-data. Start one with `tagohook`")
                && told.lines().count() == 1,
            "{arguments:?}: {told}"
        );
    }
}

#[test]
fn a_remote_url_where_nobody_listens_is_exit_3_and_one_that_is_no_url_exit_2() {
    for arguments in TALKING.iter().filter(|arguments| arguments[0] != "loop") {
        for option in ["--url", "--inspector"] {
            let output = program(&[arguments, &[option, "http://127.0.0.1:1/"][..]].concat());
            assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", err(&output));
            assert!(err(&output).contains("the inspector at http://127.0.0.1:1/ does not answer"));
        }
        let output = program(&[arguments, &["--url", "127.0.0.1:8081"][..]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert!(
            err(&output).contains("--url \"127.0.0.1:8081\" is not an http or https URL"),
            "{}",
            err(&output)
        );
    }
    let nobody = program(&["send", "user.login", "--to", "http://127.0.0.1:1/x"]);
    assert_eq!(nobody.status.code(), Some(2), "the data directory has no secret: {}", err(&nobody));
    let setup = Setup::new("");
    let nobody = setup.command(&["send", "user.login", "--to", "http://127.0.0.1:1/x"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(3), "{}", err(&nobody));
}

#[test]
fn a_missing_or_wrong_token_is_exit_1_and_says_which_variable_to_set() {
    let setup = Setup::new("[inspector]\npassword_file = \"hash\"\n");
    let hash = std::process::Command::new("sh")
        .args([
            "-c",
            &format!("echo correct horse battery | {} hash-password", env!("CARGO_BIN_EXE_tagohook")),
        ])
        .output()
        .unwrap();
    setup.file("hash", &out(&hash));
    let server = setup.start();
    let url = format!("http://{}/", server.inspector);
    let list = |token: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagohook"));
        command.args(["subscriptions", "list", "--json", "--url", &url]);
        command.envs(token.map(|token| ("TAGOHOOK_TOKEN", token)));
        command.output().unwrap()
    };
    for token in [None, Some("wrong")] {
        let output = list(token);
        assert_eq!(output.status.code(), Some(1), "{token:?}");
        assert!(err(&output).contains("TAGOHOOK_TOKEN"), "{token:?}: {}", err(&output));
    }
    let output = list(Some("correct horse battery"));
    assert_eq!((output.status.code(), out(&output)), (Some(0), String::new()), "{}", err(&output));
}

#[test]
fn a_typo_is_exit_2_and_names_the_nearest_right_word() {
    for (arguments, meant) in [
        (&["taill"][..], "tail"),
        (&["subscriptions", "lst"], "list"),
        (&["messages", "list", "--subscripton", "x"], "--subscription"),
        (&["tail", "--jsn"], "--json"),
        (&["replay", "--all", "--signature", "frsh"], "fresh"),
        (&["events", "user.logn"], "user.login"),
        (&["tail", "--ulr", "http://127.0.0.1:1/"], "--url"),
    ] {
        let output = program(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(meant), "{arguments:?}: {}", err(&output));
    }
    let server = Server::start();
    for (arguments, meant) in [
        (&["tail", "verdcit=accepted"][..], "verdict"),
        (&["replay", "verdcit:accepted"], "verdict"),
        (&["verify", "--header", "no colon"], "expected 'Name: value'"),
        (&["replay", "--all", "--to", "example.com"], "http or https URL"),
    ] {
        let output = server.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(meant), "{arguments:?}: {}", err(&output));
    }
    let output = server.command(&["dead-letters", "replay"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
}

#[test]
fn what_is_wrong_with_a_command_line_is_said_before_an_instance_is_looked_for() {
    let app = ["listen", "--forward-to", "http://localhost:3000/"];
    let trigger = ["trigger", "user.login"];
    for (command, more, meant) in [
        (&["trigger"][..], &["user.logn"][..], "did you mean user.login?"),
        (&["trigger", "--publish"], &["user.logn"], "did you mean user.login?"),
        (&trigger, &["--source", "tagorn"], "did you mean tagorun?"),
        (&trigger, &["--rate", "5/x"], "--rate"),
        (&trigger, &["--header", "x"], "expected 'Name: value'"),
        (&trigger, &["--set", "x"], "expected PATH=VALUE"),
        (&trigger, &["--publish", "--set", "id.x=1"], "has no members"),
        (&app, &["--since", "3x"], "expected a duration"),
        (&app, &["--timeout", "3x"], "--timeout"),
        (&app, &["--route", "data.*"], "expected EVENT=/PATH"),
        (&app, &["--name", "a/b"], "--name \"a/b\": expected 1 to 64 letters"),
        (&["listen", "--exec", " "], &[], "--exec names no command"),
        (&["doctor"], &["--url", "localhost"], "--url \"localhost\" is not an http or https URL"),
        (&["replay"], &[], "give a search"),
        (&["messages", "list"], &["--status", "pendig"], "pending"),
        (&["messages", "cancel"], &[], "choose messages"),
        (&["dead-letters", "replay"], &[], "give ids"),
        (&["dead-letters", "discard"], &["x", "--all"], "give ids"),
    ] {
        let output = program(&[command, more].concat());
        assert_eq!(output.status.code(), Some(2), "{command:?} {more:?}: {}", err(&output));
        assert!(err(&output).contains(meant), "{command:?} {more:?}: {}", err(&output));
    }
}

#[test]
fn rows_are_json_lines_with_json_and_a_plain_table_in_a_pipe() {
    let server = Server::start();
    let names = ["Roof", "屋上のセンサー"];
    for name in names {
        server.subscribe(&json!({"name": name, "url": "http://127.0.0.1:9/", "events": ["user.login"]}));
    }
    server.post_signed(login("e1").as_bytes());
    crate::harness::until("two messages", || server.messages("").len() == 2);
    for (arguments, key) in [
        (["subscriptions", "list"], "name"),
        (["messages", "list"], "event_type"),
        (["dead-letters", "list"], "id"),
    ] {
        let rows = server.command(&[arguments[0], arguments[1], "--json"]).output().unwrap();
        assert!(rows.status.success(), "{}", err(&rows));
        let count = if arguments[0] == "dead-letters" { 0 } else { 2 };
        assert_eq!(out(&rows).lines().count(), count, "{}", out(&rows));
        for line in out(&rows).lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            assert!(row[key].is_string(), "{line}");
        }
    }
    let table = out(&server.command(&["subscriptions", "list"]).output().unwrap());
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(!table.contains('\u{1b}') && lines.iter().all(|line| !line.ends_with(' ')), "{table:?}");
    // A wide letter takes two columns of a terminal.
    let column = |line: &str, word: &str| {
        let before = &line[..line.find(word).unwrap()];
        before.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum::<usize>()
    };
    for line in &lines[1..] {
        assert_eq!(column(line, "user.login"), column(lines[0], "EVENTS"), "{table}");
    }
    let events = out(&program(&["events", "--json"]));
    assert_eq!(events.lines().count(), 35);
    let one: Value = serde_json::from_str(&out(&program(&["events", "user.login", "--json"]))).unwrap();
    assert_eq!((&one["name"], one["schema"].is_object()), (&json!("user.login"), true));
}

#[test]
fn a_triggered_fault_is_exit_0_where_the_receiver_noticed_it() {
    let secret = "a-key-of-the-sender-0123456789abcd";
    let config = "[receiver]\nbody_timeout = \"1s\"\nmax_body = \"64 KiB\"\n\
                  [[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nsignature = \"tagorun\"\n\
                  [[source]]\nname = \"std\"\nsecrets = [\"env:STD\"]\nsignature = \"standard-webhooks\"\n\
                  [[source]]\nname = \"open\"\nsignature = \"none\"\n";
    let server = Setup::new(config).env("STD", secret).start();
    let trigger = |arguments: &[&str]| {
        server.command(&[&["trigger", "user.login"], arguments].concat()).output().unwrap()
    };
    for (fault, status, reason) in [
        ("bad-signature", "401", Some("signature_mismatch")),
        ("reencoded", "401", Some("signature_mismatch")),
        ("duplicate", "200", None),
        ("conflict", "409", Some("id_conflict")),
        ("huge", "413", Some("too_large")),
        ("slow", "408", Some("too_slow")),
    ] {
        let output = trigger(&["--fault", fault]);
        assert_eq!(output.status.code(), Some(0), "{fault}: {}{}", out(&output), err(&output));
        let last = out(&output).lines().last().unwrap().to_owned();
        assert!(last.starts_with(status), "{fault}: {last}");
        let newest = server.newest();
        match reason {
            Some(reason) => assert_eq!(newest["reason"], reason, "{fault}"),
            None => assert_eq!(newest["verdict"], "duplicate", "{fault}"),
        }
    }
    let stale = trigger(&["--fault", "stale", "--source", "std"]);
    assert_eq!(
        (stale.status.code(), &server.newest()["reason"]),
        (Some(0), &json!("stale")),
        "{}",
        err(&stale)
    );
    for (fault, source, why) in [
        ("stale", "tagorun", "signs no time"),
        ("reencoded", "open", "requires no signature"),
        ("bad-signature", "open", "neither a signature nor a credential"),
    ] {
        let output = trigger(&["--fault", fault, "--source", source]);
        assert_eq!(output.status.code(), Some(2), "{fault}: {}", err(&output));
        assert!(err(&output).contains(why), "{fault}: {}", err(&output));
    }
    // An app that takes everything.
    let sink = crate::harness::Sink::start();
    let output = trigger(&["--fault", "bad-signature", "--to", &sink.url("/")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("the fault was not noticed: expected 401, got 200"), "{}", err(&output));
    assert!(err(&trigger(&["--fault", "bad-signatur"])).contains("bad-signature"));
}

#[test]
fn triggered_events_keep_to_a_rate_and_are_json_lines() {
    let server = Server::start();
    let began = std::time::Instant::now();
    let output = server
        .command(&[
            "trigger",
            "data.received",
            "--set",
            "device.id=roof-1",
            "--count",
            "11",
            "--rate",
            "10/s",
            "--json",
        ])
        .output()
        .unwrap();
    assert!(output.status.success() && began.elapsed().as_millis() >= 1_000, "{}", err(&output));
    assert_eq!(out(&output).lines().count(), 11);
    for line in out(&output).lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(row["status"] == 200 && row["event_id"].is_string(), "{line}");
    }
    assert!(server.newest()["body"].as_str().unwrap().contains("roof-1"));
    let quiet = server.command(&["send", "user.login", "--count", "3", "-q"]).output().unwrap();
    assert_eq!((quiet.status.code(), out(&quiet)), (Some(0), String::new()));
    let wrong = server.command(&["trigger", "user.login", "--rate", "fast"]).output().unwrap();
    assert!(wrong.status.code() == Some(2) && err(&wrong).contains("--rate"), "{}", err(&wrong));
}

#[test]
fn a_target_that_refuses_is_exit_1_and_one_without_a_response_exit_3_with_one_line() {
    let server = Server::start();
    let send = |to: &str, more: &[&str]| {
        server.command(&[&["send", "user.login", "--to", to][..], more].concat()).output().unwrap()
    };
    let sink = Sink::scripted(|request, _| match request.path.as_str() {
        "/500" => Reply::With(500, Vec::new(), "\u{1b}]0;owned\u{7}".to_owned()),
        "/302" => Reply::With(302, vec![("Location", "/elsewhere".to_owned())], String::new()),
        "/reset" => Reply::Reset,
        _ => Reply::Status(200),
    });
    for (path, status) in [("/500", "500"), ("/302", "302")] {
        let output = send(&sink.url(path), &[]);
        assert_eq!((output.status.code(), &out(&output)[..3]), (Some(1), status), "{}", err(&output));
    }
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent_url = format!("https://{}/", silent.local_addr().unwrap());
    for (to, words) in [
        (sink.url("/reset"), "reset"),
        (format!("http://{closed}/"), "Connection refused"),
        ("http://nowhere.invalid/".to_owned(), "does not resolve"),
        (sink.url("/").replace("http:", "https:"), "(tls)"),
        (silent_url, "timed out"),
    ] {
        for slow in [&[][..], &["--fault", "slow"]] {
            let output = send(&to, slow);
            let told = err(&output);
            assert_eq!((output.status.code(), told.lines().count()), (Some(3), 1), "{to} {slow:?}: {told}");
            assert!(
                told.contains("nothing was delivered") && (told.contains(words) || !slow.is_empty()),
                "{to}: {told}"
            );
        }
    }
    for (more, words) in [
        (&["--header", "X Y: 1"][..], "cannot be sent"),
        (&["--header", "X: a\r\nY: b", "--fault", "slow"], "cannot be sent"),
        (&["--header", "X"], "expected 'Name: value'"),
        (&["--set", "x"], "expected PATH=VALUE"),
        (&["--set", "id.x=1"], "has no members"),
    ] {
        let output = send(&sink.url("/"), more);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", err(&output));
        assert!(
            err(&output).contains(words) && err(&output).lines().count() == 1,
            "{more:?}: {}",
            err(&output)
        );
    }
    let metadata = send("http://169.254.169.254/", &[]);
    assert!(
        metadata.status.code() == Some(2) && err(&metadata).contains("never reached"),
        "{}",
        err(&metadata)
    );
}

#[test]
fn ctrl_c_ends_a_request_that_hangs() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Hang);
    let send = server.command(&["send", "user.login", "--to", &sink.url("/")]);
    // A shell starts what runs in the background with SIGINT ignored, and so may these tests be started.
    let mut child = Command::new("env")
        .arg("--default-signal=INT")
        .arg(send.get_program())
        .args(send.get_args())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sink.wait_for(1);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(2), "shells show 130");
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(told, "");
}

/// Runs a command on a terminal; its output.
fn on_a_terminal(mut command: Command) -> String {
    const PTY: &str = "import pty,sys,os; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut python = Command::new("python3");
    python.args(["-c", PTY]).arg(command.get_program()).args(command.get_args());
    let folder = command.get_current_dir().map(std::path::Path::to_owned);
    python.current_dir(folder.unwrap_or_else(|| ".".into())).env("TERM", "xterm");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    let _ = command.stdin(Stdio::null());
    out(&python.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn many_events_have_a_bar_on_a_terminal_only_and_no_response_controls_it() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::With(200, Vec::new(), "\u{1b}]0;owned\u{7}\u{1b}[2J".to_owned()));
    let to = sink.url("/");
    let many = |more: &[&str]| {
        server.command(
            &[&["send", "user.login", "--count", "30", "--rate", "50/s", "--to", &to][..], more].concat(),
        )
    };
    let shown = on_a_terminal(many(&[]));
    assert!(shown.contains("] ") && shown.contains("of 30 events"), "{shown}");
    assert!(shown.contains("30 sent, 0 refused"), "{shown}");
    assert!(!shown.contains("\u{1b}]0;") && !shown.contains("\u{1b}[2J"), "{shown}");
    assert!(shown.contains("⟨ESC⟩]0;owned⟨U+0007⟩"), "{shown}");
    assert!(!on_a_terminal(many(&["-q"])).contains("of 30"));
    let piped = many(&[]).output().unwrap();
    assert!(!err(&piped).contains("of 30") && out(&piped).contains("30 sent"), "{}", err(&piped));
    assert!(out(&piped).contains("\u{1b}]0;owned"), "a pipe gets the exact bytes");
}

#[test]
fn an_export_to_a_dash_is_standard_output_and_the_loop_says_that_it_needs_a_receiver_here() {
    let server = Server::start();
    server.post_signed(login("one").as_bytes());
    let folder = tempfile::tempdir().unwrap();
    let export = server.command(&["export", "-o", "-"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(String::from_utf8(export.stdout).unwrap().lines().count(), 1);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "no file named -");
    for (place, told) in
        [(".", ". is a folder"), ("no/such/file", "no/such/file cannot be written: No such file")]
    {
        let export = server.command(&["export", "-o", place]).current_dir(folder.path()).output().unwrap();
        assert_eq!(export.status.code(), Some(1));
        assert!(err(&export).contains(told), "{}", err(&export));
    }
    // A pipe, as a device, is written to and not replaced.
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
    let export = server.command(&["export", "-o", pipe.to_str().unwrap()]).output().unwrap();
    assert_eq!(export.status.code(), Some(0), "{}", err(&export));
    assert_eq!(out(&reader.wait_with_output().unwrap()).lines().count(), 1);
    assert!(!std::fs::metadata(&pipe).unwrap().is_file());
    let url = format!("http://{}/", server.inspector);
    let round = program(&["loop", "--url", &url]);
    assert_eq!(round.status.code(), Some(2));
    assert!(String::from_utf8(round.stderr).unwrap().contains("a receiver on this machine"));
}
