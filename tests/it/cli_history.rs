//! The commands that read what happened: wait, deliveries, export, stats, doctor.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Server, Setup, login, until};

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    server.command(arguments).output().unwrap()
}

#[test]
fn wait_prints_the_first_match_as_json_or_exits_1() {
    let server = Server::start();
    server.post_signed(login("before").as_bytes());
    let began = Instant::now();
    let none = run(&server, &["wait", "type:user.login", "--timeout", "700ms"]);
    assert_eq!((none.status.code(), out(&none)), (Some(1), String::new()));
    assert!(began.elapsed() >= Duration::from_millis(700));
    assert!(err(&none).contains("no delivery matched within 700ms"), "{}", err(&none));
    let since = run(&server, &["wait", "type:user.login", "--since", "1m", "--timeout", "5s"]);
    let found: Value = serde_json::from_str(&out(&since)).unwrap();
    assert_eq!((since.status.code(), &found["event_id"]), (Some(0), &json!("before")), "{}", err(&since));
    let waiting = server
        .command(&["wait", "verdict:accepted", "id:later"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(400));
    for id in ["other", "later"] {
        server.post_signed(login(id).as_bytes());
    }
    let output = waiting.wait_with_output().unwrap();
    let found: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(found["event_id"], "later", "{}", err(&output));
    assert_eq!(found["body"], login("later"));
    for (arguments, why) in [
        (&["wait", "verdcit:accepted"][..], "verdict"),
        (&["wait", "--timeout", "soon"], "--timeout"),
        (&["wait", "--since", "then"], "--since"),
    ] {
        let wrong = run(&server, arguments);
        assert!(
            wrong.status.code() == Some(2) && err(&wrong).contains(why),
            "{arguments:?}: {}",
            err(&wrong)
        );
    }
}

#[test]
fn wait_outlasts_a_restart_of_the_instance() {
    let server = Server::start();
    let waiting =
        server.command(&["wait", "id:after"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(800));
    let server = server.stop_and_restart(None);
    server.post_signed(login("after").as_bytes());
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success() && out(&output).contains("\"after\""), "{}", err(&output));
}

#[test]
fn deliveries_are_listed_by_a_search_and_shown_with_their_cause() {
    let server = Server::start();
    for number in 0..3 {
        server.post_signed(login(&format!("e{number}")).as_bytes());
    }
    let body = b"{\"bell\":\"\x1b\"}\xff";
    let id = server.post("/webhook/tagorun", &[("X-Own", "a")], body).json()["delivery_id"]
        .as_str()
        .map(str::to_owned);
    let id = id.unwrap_or_else(|| server.deliveries("")[0]["id"].as_str().unwrap().to_owned());
    let table = out(&run(&server, &["deliveries", "list", "verdict:accepted"]));
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.starts_with("RECEIVED AT") && table.contains("user.login"), "{table}");
    let two = out(&run(&server, &["deliveries", "list", "--limit", "2", "--json"]));
    let rows: Vec<Value> = two.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["id"]), (2, &json!(id)));
    let shown = run(&server, &["deliveries", "show", &id]);
    let text = out(&shown);
    assert!(text.starts_with("401  rejected  "), "{text}");
    for part in ["Checks", "signature", "X-Own: a", "Body, 13 bytes, not text"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(run(&server, &["deliveries", "show", &id, "--raw"]).stdout, body);
    let whole: Value =
        serde_json::from_str(&out(&run(&server, &["deliveries", "show", &id, "--json"]))).unwrap();
    assert_eq!(whole["id"], json!(id));
    let missing = run(&server, &["deliveries", "show", "x"]);
    assert!(
        missing.status.code() == Some(1) && err(&missing).contains("no delivery of that id"),
        "{}",
        err(&missing)
    );
}

#[test]
fn an_export_is_whole_or_leaves_no_file() {
    let server = Server::start();
    for number in 0..3 {
        server.post_signed(login(&format!("e{number}")).as_bytes());
    }
    server.post_signed(b"not json");
    let lines = out(&run(&server, &["export", "verdict:accepted"]));
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["body"].is_string()));
    let file = server.data_dir().join("all.csv");
    let written = run(&server, &["export", "--as", "csv", "--output", file.to_str().unwrap()]);
    assert!(written.status.success() && err(&written).contains("written to"), "{}", err(&written));
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 5);
    let har: Value = serde_json::from_str(&out(&run(&server, &["export", "--as", "har", "-q"]))).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 4);
    assert_eq!(run(&server, &["export", "--as", "xml"]).status.code(), Some(2));
    // A network that breaks in the middle.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let broken = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4_096]);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n").unwrap();
    });
    let file = server.data_dir().join("broken.jsonl");
    let output = run(&server, &["export", "--url", &url, "-o", file.to_str().unwrap()]);
    broken.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("the export is not complete"), "{}", err(&output));
    let unfinished = server.data_dir().join("broken.jsonl.unfinished");
    assert!(!file.exists() && !unfinished.exists());
    // Ctrl-C in the middle: the other end says no more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let child = server.command(&["export", "--url", &url, "-o", file.to_str().unwrap()]).spawn().unwrap();
    let waiting = listener.accept().unwrap();
    until("the unfinished file", || unfinished.exists());
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert!(!file.exists() && !unfinished.exists());
    drop(waiting);
}

#[test]
fn a_filter_of_the_api_is_understood_wherever_a_search_is() {
    let server = Server::start();
    server.post_signed(login("e1").as_bytes());
    let waited = run(&server, &["wait", "event_type=user.login", "verdict:accepted", "--since", "1m"]);
    assert!(waited.status.success() && out(&waited).contains("\"e1\""), "{}", err(&waited));
    for command in ["list", "export"] {
        let arguments: &[&str] = if command == "list" { &["deliveries", "list"] } else { &["export"] };
        let found = run(&server, &[arguments, &["event_id=e1"]].concat());
        assert!(out(&found).contains("user.login"), "{command}: {}", err(&found));
        let typo = run(&server, &[arguments, &["event_typ=user.login"]].concat());
        assert!(
            typo.status.code() == Some(2) && err(&typo).contains("event_typ is not a parameter"),
            "{}",
            err(&typo)
        );
    }
}

#[test]
fn stats_say_what_arrived_and_what_was_forwarded() {
    let server = Server::start();
    let url = format!("http://{}/webhook-test", server.receiver);
    server.subscribe(&json!({"name": "endpoint", "url": url, "events": ["user.login"]}));
    server.post_signed(login("e1").as_bytes());
    server.post_signed(b"not json");
    until("the attempt", || server.api("stats")["overall"]["successful_deliveries"] == 1);
    let text = out(&run(&server, &["stats"]));
    assert!(
        text.contains("1 accepted") && text.contains("1 rejected"),
        "as soon as they are answered: {text}"
    );
    let text = out(&run(&server, &["stats", "--range", "1h"]));
    assert!(text.contains("Forwarded: 1 attempt, 1 succeeded") && text.contains("SUBSCRIPTION"), "{text}");
    let all: Value = serde_json::from_str(&out(&run(&server, &["stats", "--json"]))).unwrap();
    assert!(all["overview"]["verdicts"].is_object() && all["forwarding"]["overall"].is_object(), "{all}");
}

/// The findings of the doctor: check, state, what was found and what to do.
fn findings(output: &Output) -> Vec<[String; 4]> {
    let cell = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let row = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    let found = out(output);
    found.lines().map(|line| ["check", "state", "found", "todo"].map(|key| cell(&row(line), key))).collect()
}

fn finding(all: &[[String; 4]], check: &str) -> [String; 4] {
    all.iter().find(|one| one[0] == check).unwrap_or_else(|| panic!("no {check}: {all:?}")).clone()
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let server = Server::start();
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(server.data_dir().join(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    ["signing-secret", "tagoio-token"].into_iter().for_each(|name| mode(name, 0o600));
    server.post("/webhook-test/probe", &[], b"{}");
    let well = run(&server, &["doctor"]);
    assert_eq!(well.status.code(), Some(0), "{}{}", out(&well), err(&well));
    assert!(out(&well).contains("ok       configuration"), "{}", out(&well));
    assert!(!out(&well).contains("webhook-test"), "the test URL is not a source: {}", out(&well));
    server.subscribe(&json!({"name": "gone", "url": "http://127.0.0.1:9/", "events": ["user.login"]}));
    server.post("/webhook/tagoio", &[("X-Forwarded-For", "203.0.113.7")], b"[]");
    mode("signing-secret", 0o644);
    let mut ill = run(&server, &["doctor", "--json"]);
    until("the endpoint's check and the counts", || {
        ill = run(&server, &["doctor", "--json"]);
        let all = findings(&ill);
        ["endpoints", "TagoIO source"].iter().all(|check| finding(&all, check)[1] == "problem")
    });
    assert_eq!(ill.status.code(), Some(1));
    let all = findings(&ill);
    for (check, state, found, todo) in [
        ("clock", "ok", "the same", ""),
        ("inspector", "ok", "answers", ""),
        ("receiver", "ok", "is ready", ""),
        (
            "proxies",
            "notice",
            "127.0.0.1 sends X-Forwarded-For",
            "receiver.trusted_proxies = [\"127.0.0.1\"]",
        ),
        ("public address", "notice", "not checked", "/connect"),
        ("TagoIO source", "problem", "refused all 1 deliveries", "tagohook deliveries list source:tagoio"),
        ("endpoints", "problem", "http://127.0.0.1:9/ is unreachable", "tagohook subscriptions test"),
        ("secrets", "problem", "others can read", "chmod 600"),
    ] {
        let one = finding(&all, check);
        assert!(one[1] == state && one[2].contains(found) && one[3].contains(todo), "{check}: {one:?}");
    }
    let remote = run(&server, &["doctor", "--json", "--url", &format!("http://{}/", server.inspector)]);
    let all = findings(&remote);
    assert!(all.iter().all(|one| one[0] != "disk") && finding(&all, "inspector")[1] == "ok", "{all:?}");
}

#[test]
fn without_an_instance_the_doctor_looks_at_the_machine_and_exits_3() {
    let setup = Setup::new("[receiver]\nlisten = \"127.0.0.1:0\"\n[inspector]\nlisten = \"127.0.0.1:0\"\n");
    let output = setup.command(&["doctor", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    let all = findings(&output);
    assert_eq!(
        (&*finding(&all, "ports")[1], &*finding(&all, "disk")[1] != "problem"),
        ("ok", true),
        "{all:?}"
    );
    assert!(finding(&all, "instance")[3].contains("start it"), "{all:?}");
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!("[receiver]\nlisten = \"{}\"\nmax_bdy = 1\n", busy.local_addr().unwrap());
    let faulty = Setup::new(&config).command(&["doctor", "--json"]).output().unwrap();
    let one = finding(&findings(&faulty), "configuration");
    assert!(one[1] == "problem" && one[2].contains("did you mean max_body?"), "{one:?}");
    let config = config.replace("max_bdy = 1\n", "");
    let taken = Setup::new(&config).command(&["doctor", "--json"]).output().unwrap();
    let one = finding(&findings(&taken), "ports");
    assert!(one[1] == "problem" && one[3].contains("--listen"), "{one:?}");
}

fn shell(program: &str, arguments: &[&str], input: &str) -> Option<Output> {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

fn completions(shell: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tagohook")).args(["completions", shell]).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    out(&output)
}

#[test]
fn completions_load_in_each_shell_and_complete_a_command() {
    let bash = format!(
        "{}\nCOMP_WORDS=(tagohook dead); COMP_CWORD=1; _tagohook tagohook dead tagohook; echo \"${{COMPREPLY[@]}}\"",
        completions("bash")
    );
    let output = shell("bash", &["--norc"], &bash).expect("bash is everywhere");
    assert_eq!((out(&output).trim(), err(&output)), ("dead-letters", String::new()));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("_tagohook"), completions("zsh")).unwrap();
    std::fs::write(folder.path().join("tagohook.fish"), completions("fish")).unwrap();
    let place = folder.path().display();
    let zsh = format!(
        "fpath=({place} $fpath); autoload -Uz compinit && compinit -u -d {place}/dump; echo $_comps[tagohook]; autoload +X _tagohook && whence -w _tagohook\n"
    );
    match shell("zsh", &["-f"], &zsh) {
        Some(output) => {
            assert_eq!(
                out(&output).lines().collect::<Vec<_>>(),
                ["_tagohook", "_tagohook: function"],
                "{}",
                err(&output)
            );
        }
        None => assert!(std::env::var_os("TEST_ALL_PROXIES").is_none(), "zsh is not installed"),
    }
    let fish = format!("source {place}/tagohook.fish; complete -C 'tagohook dead'\n");
    match shell("fish", &["--no-config"], &fish) {
        Some(output) => {
            assert!(out(&output).starts_with("dead-letters\t"), "{}{}", out(&output), err(&output))
        }
        None => assert!(std::env::var_os("TEST_ALL_PROXIES").is_none(), "fish is not installed"),
    }
    let wrong = Command::new(env!("CARGO_BIN_EXE_tagohook")).args(["completions", "bsh"]).output().unwrap();
    assert!(wrong.status.code() == Some(2) && err(&wrong).contains("bash"), "{}", err(&wrong));
}

#[test]
fn the_manual_has_a_page_for_every_command_and_each_renders() {
    let folder = tempfile::tempdir().unwrap();
    let program = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_tagohook"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let written = program(&["man", "--output", "man1"]);
    assert!(written.status.success(), "{}", err(&written));
    let pages: Vec<_> =
        std::fs::read_dir(folder.path().join("man1")).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 30, "{pages:?}");
    for page in &pages {
        match Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(page).output() {
            Ok(linted) => assert!(linted.status.success(), "{}: {}", page.display(), out(&linted)),
            Err(_) => assert!(std::env::var_os("TEST_ALL_PROXIES").is_none(), "mandoc is not installed"),
        }
    }
    let one = out(&program(&["man", "subscriptions", "add"]));
    assert!(one.contains(".TH tagohook-subscriptions-add 1") && one.contains("SYNOPSIS"), "{one}");
    let typo = program(&["man", "subscriptons"]);
    assert!(
        typo.status.code() == Some(2) && err(&typo).contains("did you mean subscriptions?"),
        "{}",
        err(&typo)
    );
}

#[test]
fn results_have_colours_on_a_terminal_unless_no_color_is_set() {
    let server = Server::start();
    let program = env!("CARGO_BIN_EXE_tagohook");
    let line = format!("{program} send user.login --data-dir {}", server.data_dir().display());
    let on_a_terminal = |name: &str, value: &str| {
        let output = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm")
            .env(name, value)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        out(&output)
    };
    let coloured = on_a_terminal("OTHER", "1");
    assert!(coloured.starts_with("\u{1b}[32m200\u{1b}[0m in "), "{coloured:?}");
    assert!(on_a_terminal("NO_COLOR", "1").starts_with("200 in "));
    assert!(out(&run(&server, &["send", "user.login"])).starts_with("200 in "), "a pipe gets plain text");
}

#[test]
fn tail_shows_what_arrived_before_it_where_that_is_asked_for() {
    // More than a page of the API.
    const EARLIER: usize = 501;
    let server = Server::start();
    assert!(run(&server, &["send", "user.login", "-q", "--count", &EARLIER.to_string()]).status.success());
    for id in ["e1", "e2", "e3"] {
        server.post_signed(login(id).as_bytes());
    }
    let mut command = server.command(&["tail", "--since", "1h", "--json", "verdict:accepted"]);
    let mut tail = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut next = || {
        let row: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
        row["event_id"].as_str().unwrap().to_owned()
    };
    (0..EARLIER).for_each(|_| assert!(next().starts_with("evt_")));
    assert_eq!([next(), next(), next()], ["e1", "e2", "e3"]);
    server.post_signed(login("e4").as_bytes());
    assert_eq!(next(), "e4");
    tail.kill().unwrap();
    let told = String::from_utf8(tail.wait_with_output().unwrap().stderr).unwrap();
    assert!(told.contains("waiting for deliveries of http://") && told.lines().count() == 1, "{told}");
}

#[test]
fn a_subscription_is_shown_disabled_and_enabled() {
    let server = Server::start();
    server.subscribe(&json!({"name": "Roof", "url": "http://127.0.0.1:9/", "events": ["user.login"]}));
    let asked = |what: &str| {
        let output = run(&server, &["subscriptions", what, "Roof"]);
        assert!(output.status.success(), "{what}: {}", err(&output));
        out(&output)
    };
    let shown = |enabled: bool| {
        let one: Value = serde_json::from_str(&asked("show")).unwrap();
        assert_eq!((&one["name"], &one["enabled"]), (&json!("Roof"), &json!(enabled)), "{one}");
    };
    shown(true);
    assert!(asked("disable").starts_with("disabled "));
    shown(false);
    assert!(asked("enable").starts_with("enabled "));
    shown(true);
}
