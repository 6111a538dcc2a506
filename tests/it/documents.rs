//! The documents do what they say: the quick start word by word in an empty folder, and every command in any of them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use regex::Regex;

use crate::harness::{Database, Server, Sink, login};

/// Commands that are not run, and why. The unit tests of `src/cli` check that they are commands.
const NOT_RUN: [(&str, &str); 3] = [
    ("db.example", "needs a database of that name; tests/it/migrate_store.rs and postgres_start.rs run them"),
    ("--config owner.toml", "needs a PostgreSQL database; tests/it/postgres_start.rs runs it"),
    ("BENCH_", "measures for minutes"),
];
/// Commands that run until they are ended.
const FOREVER: [&str; 4] = ["tagohook\n", "tagohook --config", "tagohook listen", "tagohook tail"];
/// Commands whose answer is no here: the signature is none, and the app checks none.
const ANSWERS_NO: [&str; 2] =
    ["tagohook verify body.json", "tagohook trigger user.login --to http://localhost:3000/hook --fault"];

struct Block {
    language: String,
    code: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut found, mut current) = (Vec::new(), None);
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                current = Some(Block { language: language.into_string(), code: String::new() });
            }
            Event::Text(text) => current.iter_mut().for_each(|block| block.code.push_str(&text)),
            Event::End(TagEnd::CodeBlock) => found.extend(current.take()),
            _ => {}
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path_with_program() -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_tagohook")).parent().unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// The script that follows the quick start: the first command keeps running, each of the others writes `NUMBER.out`.
fn script_of(commands: &[&Block]) -> String {
    let (first, rest) = commands.split_first().unwrap();
    let mut script = format!(
        "set -u\nip link set lo up 2>/dev/null\n{} >0.out 2>&1 &\nserver=$!\ntrap 'kill $server; wait $server' EXIT\n\
         until curl -fs http://127.0.0.1:8080/readyz >/dev/null; do kill -0 $server || exit 9; sleep 0.05; done\n",
        first.code.trim()
    );
    for (at, block) in rest.iter().enumerate() {
        let number = at + 1;
        script.push_str(&format!(
            "{{\n{}}} >{number}.out 2>&1 || {{ echo \"command {number} failed\"; exit 1; }}\n",
            block.code
        ));
    }
    script
}

/// Whether the lines are in the output in this order; `…` is any text.
fn promised(lines: &str, output: &str) -> Result<(), String> {
    let mut rest = output.lines();
    for line in lines.lines() {
        let pattern = format!("^{}$", regex::escape(line.trim_end()).replace('…', ".*"));
        let pattern = Regex::new(&pattern).unwrap();
        if !rest.any(|found| pattern.is_match(found.trim_end())) {
            return Err(format!("{line:?} is not in the output:\n{output}"));
        }
    }
    Ok(())
}

#[test]
fn the_quick_start_does_what_it_says_word_by_word_in_an_empty_folder() {
    let text = fs::read_to_string(root().join("docs/guide/quick-start.md")).unwrap();
    let blocks = blocks(&text);
    let commands: Vec<&Block> = blocks.iter().filter(|block| block.language == "sh").collect();
    assert!(commands.len() > 6 && commands[0].code == "tagohook\n", "the commands were not found");
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().with_extension("sh");
    fs::write(&script, script_of(&commands)).unwrap();
    // Its ports are the usual ones; in a network of its own they are free.
    let has_networks =
        Command::new("unshare").args(["-rn", "ip", "link"]).output().is_ok_and(|done| done.status.success());
    let mut command = Command::new("timeout");
    command
        .arg("120")
        .args(if has_networks { &["unshare", "-rn"][..] } else { &[] })
        .arg("bash")
        .arg(&script);
    let done = command.current_dir(folder.path()).env("PATH", path_with_program()).output().unwrap();
    let output =
        |number: usize| fs::read_to_string(folder.path().join(format!("{number}.out"))).unwrap_or_default();
    let all: String = (0..commands.len()).map(|number| format!("-- {number}\n{}", output(number))).collect();
    fs::remove_file(&script).unwrap();
    assert!(done.status.success(), "{}{all}", String::from_utf8_lossy(&done.stdout));
    let (mut number, mut promises) = (0, 0);
    for block in &blocks {
        match block.language.as_str() {
            "sh" => number += 1,
            "text" => {
                promises += 1;
                promised(&block.code, &output(number - 1)).unwrap();
            }
            other => panic!("a block of the language {other:?}"),
        }
    }
    assert!(promises > 5, "{promises}");
}

#[test]
fn the_guide_to_postgresql_leads_to_a_running_program() {
    let database = Database::start();
    let url = Database::url(&[&database]);
    let server = url.split('@').nth(1).unwrap().split('/').next().unwrap();
    let text = fs::read_to_string(root().join("docs/guide/postgresql.md")).unwrap();
    let (steps, _) = text.split_once("## Tables with another owner").unwrap();
    let steps = blocks(&steps.replace("db.example:5432", server));
    let code = |language: &'static str| {
        steps.iter().filter(move |block| block.language == language).map(|block| block.code.as_str())
    };
    let folder = tempfile::tempdir().unwrap();
    for statement in code("sql").flat_map(str::lines) {
        database.sql(statement);
    }
    fs::write(folder.path().join("tagohook.toml"), code("toml").collect::<String>()).unwrap();
    let [secret, start, send] = code("sh").collect::<Vec<_>>().try_into().unwrap();
    let (check, start) = start.trim().split_once('\n').unwrap();
    let script = format!(
        "{secret}\n{check} || exit 1\n{start} >server.out 2>&1 &\nserver=$!\ntrap 'kill $server; wait $server; cat server.out' EXIT\n\
         until [ -e tagohook-data/addresses.json ]; do kill -0 $server || exit 9; sleep 0.05; done\n{}",
        send.trim().replace('\n', " && ")
    );
    let mut command = Command::new("timeout");
    command.args(["60", "bash", "-c", &script]).current_dir(folder.path()).env("PATH", path_with_program());
    command.env("TAGOHOOK_LISTEN", "127.0.0.1:0").env("TAGOHOOK_INSPECT_LISTEN", "127.0.0.1:0");
    let done = command.output().unwrap();
    let output = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{output}{}", String::from_utf8_lossy(&done.stderr));
    promised(code("text").next().unwrap(), &output).unwrap();
    assert!(!folder.path().join("tagohook-data/tagohook.db").exists(), "{output}");
}

/// The commands of our program in the documents, as a shell runs them.
fn commands() -> Vec<(PathBuf, String)> {
    let mut documents: Vec<PathBuf> =
        ["README.md", "SECURITY.md", "deploy/proxies/README.md", "examples/tagoio-analysis/README.md"]
            .map(|name| root().join(name))
            .into();
    for folder in ["docs", "docs/guide", "docs/explanations", "docs/reference", "docs/verify"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        documents.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|end| end == "md")),
        );
    }
    let own = Regex::new(r"(^|[|(] ?|[A-Z_]+=\S* )(tagohook|cargo run --release --)( |$)").unwrap();
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    for path in documents.into_iter().filter(|path| !path.ends_with("quick-start.md")) {
        for block in blocks(&fs::read_to_string(&path).unwrap()) {
            if !["", "sh"].contains(&block.language.as_str()) {
                continue;
            }
            for line in
                block.code.replace("\\\n", " ").lines().map(str::trim).filter(|line| own.is_match(line))
            {
                if !found.iter().any(|(_, known)| known == line) {
                    found.push((path.clone(), line.replace("cargo run --release --", "tagohook")));
                }
            }
        }
    }
    found
}

#[test]
fn every_command_in_the_documents_runs() {
    let (server, app) = (Server::start(), Sink::start());
    server.post_signed(login("evt_1").as_bytes());
    server.post("/webhook/tagorun", &[], b"{}");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for secret in ["signing-secret", "tagoio-token"] {
        fs::set_permissions(server.data_dir().join(secret), fs::Permissions::from_mode(0o600)).unwrap();
    }
    symlink(server.data_dir(), folder.path().join("tagohook-data")).unwrap();
    file("body.json", &login("evt_2"));
    file("tagohook.toml", "[log]\nlevel = \"warn\"\n");
    let hook = r#"{"event": "user.login", "webhook_url": "URL/hook", "payload": {"who": "{{user.name}}"}}"#;
    for name in ["hook.json", "slack.json"] {
        file(name, &hook.replace("URL", &app.url("")));
    }
    for place in [".zfunc/x", ".local/share/bash-completion/completions/x", ".config/fish/completions/x"] {
        file(place, "");
    }
    let here = |line: &str| {
        let inspector = format!("http://{}", server.inspector);
        line.replace("http://localhost:3000", app.url("").trim_end_matches('/'))
            .replace("http://127.0.0.1:8080", &format!("http://{}", server.receiver))
            .replace("https://hooks.example.com:8081", &inspector)
            .replace("https://hooks.example.com/", &inspector)
            .replace("thk_…", "")
            .replace("TOKEN=… ", "TOKEN= ")
            .replace("PASSWORD=… ", "PASSWORD= ")
            .replace("| man -l -", "| mandoc >/dev/null")
            .replace("tagohook wait", "(sleep 0.5; tagohook trigger user.login >/dev/null) & tagohook wait")
            .replace("jq ", if Command::new("jq").arg("--version").output().is_ok() { "jq " } else { ": " })
    };
    let (mut ran, mut wrong) = (0, Vec::new());
    for (path, line) in commands() {
        if NOT_RUN.iter().any(|(part, _)| line.contains(part)) {
            continue;
        }
        ran += 1;
        let own = line.find("tagohook").map_or("", |at| &line[at..]);
        let starts = |known: &&str| format!("{own}\n").starts_with(*known);
        let is_endless = FOREVER.iter().any(&starts);
        let is_server = line == "tagohook" || line.starts_with("tagohook --config");
        let mut command = Command::new("timeout");
        command.args([
            if is_endless { "2" } else { "60" },
            "bash",
            "-c",
            &format!("set -o pipefail; {}", here(&line)),
        ]);
        command.current_dir(folder.path()).env("PATH", path_with_program()).env("HOME", folder.path());
        if is_server {
            let own =
                [("LISTEN", "127.0.0.1:0"), ("INSPECT_LISTEN", "127.0.0.1:0"), ("DATA_DIR", "own-data")];
            command.envs(own.map(|(name, value)| (format!("TAGOHOOK_{name}"), value)));
        }
        let done = run(command);
        let expected = if is_endless { 124 } else { i32::from(ANSWERS_NO.iter().any(starts)) };
        if done.status.code() != Some(expected) {
            wrong.push(format!(
                "{}: {line}\n{:?}\n{}{}",
                path.display(),
                done.status.code(),
                String::from_utf8_lossy(&done.stdout),
                String::from_utf8_lossy(&done.stderr)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {ran}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ran > 35, "{ran}");
}

/// Runs a command that may ask for a password.
fn run(mut command: Command) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Most of them read nothing.
    let _ = child.stdin.take().unwrap().write_all(b"correct horse battery\n");
    child.wait_with_output().unwrap()
}

fn markdown_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            markdown_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The unit tests of the pages under `/docs` also look for the headings.
#[test]
fn every_link_between_files_leads_to_one() {
    let mut documents = Vec::new();
    for folder in ["docs", "deploy", "examples"] {
        markdown_below(&root().join(folder), &mut documents);
    }
    let at_the_root = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    documents.extend(at_the_root.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in documents {
        let text = fs::read_to_string(&path).unwrap();
        for event in Parser::new(&text) {
            let (Event::Start(Tag::Link { dest_url, .. }) | Event::Start(Tag::Image { dest_url, .. })) =
                event
            else {
                continue;
            };
            let file = dest_url.split('#').next().unwrap();
            if file.is_empty() || file.contains(':') {
                continue;
            }
            seen += 1;
            if !path.parent().unwrap().join(file).exists() {
                wrong.push(format!("{}: {dest_url}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 100, "{seen}");
}
