//! A matrix of serialisers and payloads: each signs what it writes, the wire has other bytes, and the autopsy must say whose
//! text was signed. `tests/data/serialisers` has a small program for each language; those that are not installed are passed
//! over with a printed line.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use serde_json::Value;

use crate::harness::{SECRET, Server, Setup, hmac_hex};

/// How many of a hundred must be named.
const FLOOR: usize = 95;

/// What only one program writes, by the language that must have written it.
const LANGUAGES: [(&str, &str); 20] = [
    ("json-stringify", "js"),
    ("text-javascript", "js"),
    ("json-python", "python"),
    ("json-orjson", "python"),
    ("json-ujson", "python"),
    ("text-python", "python"),
    ("text-python-bytes", "python"),
    ("json-php", "php"),
    ("json-go", "go"),
    ("text-go", "go"),
    ("json-ruby", "ruby"),
    ("json-rails", "ruby"),
    ("text-ruby", "ruby"),
    ("json-gson", "java"),
    ("json-jackson", "java"),
    ("text-java", "java"),
    ("json-perl", "perl"),
    ("json-lua", "lua"),
    ("json-jq", "jq"),
    ("json-cjson", "c"),
];

/// What a serialiser made of a payload.
struct Made {
    by: String,
    payload: usize,
    text: Vec<u8>,
}

#[test]
fn the_serialisers_of_many_languages_are_named_by_what_was_signed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/serialisers");
    let input = fs::read(folder.join("payloads.txt")).unwrap();
    let payloads: Vec<&[u8]> = input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert_eq!(payloads.len(), 19);
    let made = all_made(&folder, &input, &payloads);
    let server = Setup::new("[receiver]\nrefused_rate = \"100000/s\"\n").start();
    let mut known = BTreeMap::new();
    let (mut named, mut different, mut unnamed) = (0, 0, Vec::new());
    for Made { by, payload, text } in &made {
        let wire = payloads[*payload];
        if text == wire {
            continue;
        }
        different += 1;
        let autopsy = known.entry((payload, text)).or_insert_with(|| autopsy(&server, wire, text));
        let Some(variant) = autopsy["variant"].as_str() else {
            unnamed.push(format!("{by}, payload {payload}"));
            continue;
        };
        named += 1;
        let sentence = autopsy["sentence"].as_str().unwrap();
        assert!(sentence.ends_with('.') && sentence.len() > 40, "{by}: {sentence}");
        let own = LANGUAGES.iter().find(|(name, _)| *name == variant);
        assert!(
            own.is_none_or(|(_, language)| by.starts_with(language)),
            "{by}, payload {payload}: {sentence}"
        );
    }
    println!("autopsy: {named} of {different} texts named; not named: {unnamed:?}");
    assert!(different > 250, "too few programs ran: {different}");
    assert!(named * 100 >= different * FLOOR, "{named} of {different}: {unnamed:?}");
}

/// Delivers the wire with the signature of the text; what the autopsy says.
fn autopsy(server: &Server, wire: &[u8], text: &[u8]) -> Value {
    let signature = hmac_hex(SECRET.as_bytes(), text);
    let answer = server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &signature)], wire);
    assert_eq!(answer.status, 401);
    server.newest()["autopsy"].clone()
}

fn all_made(folder: &Path, input: &[u8], payloads: &[&[u8]]) -> Vec<Made> {
    let jars = ["gson", "jackson-core", "jackson-databind", "jackson-annotations"];
    let jars: Vec<String> = jars.iter().map(|jar| format!("/usr/share/java/{jar}.jar")).collect();
    let build = tempfile::tempdir().unwrap();
    let c = compiled(folder, build.path());
    let programs: [(&str, Vec<&str>); 9] = [
        ("python3", vec!["python.py"]),
        ("node", vec!["node.mjs"]),
        ("php", vec!["php.php"]),
        ("ruby", vec!["ruby.rb"]),
        ("perl", vec!["perl.pl"]),
        ("go", vec!["run", "go.go"]),
        ("lua5.4", vec!["lua.lua"]),
        ("java", vec!["-cp", &jars.join(":"), "Serialisers.java"]),
        (c.to_str().unwrap(), vec![]),
    ]
    .map(|(program, arguments)| {
        (program, arguments.into_iter().map(|word| &*word.to_owned().leak()).collect())
    });
    let mut made = Vec::new();
    for (program, arguments) in &programs {
        match output(folder, program, arguments, input) {
            Some(lines) => made.extend(String::from_utf8(lines).unwrap().lines().map(read)),
            None => println!("skipped: {program} {}", arguments.join(" ")),
        }
    }
    for arguments in [vec!["-c"], vec!["-cS"], vec!["."], vec!["-S", "."], vec!["-ca"]] {
        for (payload, wire) in payloads.iter().enumerate() {
            match output(folder, "jq", &arguments, wire) {
                Some(text) => made.push(Made { by: format!("jq {}", arguments.join(" ")), payload, text }),
                None if payload == 0 => println!("skipped: jq {}", arguments.join(" ")),
                None => {}
            }
        }
    }
    made
}

/// The programs of C and C++, where their compiler and libraries are here.
fn compiled(folder: &Path, build: &Path) -> PathBuf {
    let program = build.join("serialisers");
    let source = folder.join("c.cpp");
    let compiler = Command::new("g++").arg(source).args(["-lcjson", "-o"]).arg(&program).output();
    if !compiler.is_ok_and(|made| made.status.success()) {
        println!("skipped: g++ with nlohmann-json and cJSON");
    }
    program
}

/// What a program writes for its input; `None` where it is not here or fails.
fn output(folder: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("GO111MODULE", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let out = child.wait_with_output().ok()?;
    let _ = writer.join();
    (out.status.success() && !out.stdout.is_empty()).then_some(out.stdout)
}

/// A line of a program: its name, the payload's number, and the text as base64 or hex.
fn read(line: &str) -> Made {
    let mut parts = line.split('\t');
    let mut part = || parts.next().unwrap();
    let (by, payload, text) = (part().to_owned(), part().parse().unwrap(), part());
    let text = match text.strip_prefix("hex:") {
        Some(digits) => hex::decode(digits).unwrap(),
        None => base64::engine::general_purpose::STANDARD.decode(text).unwrap(),
    };
    Made { by, payload, text }
}
