//! What is shipped to run the program: its shell, its image, its release.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::{Server, Setup};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The shell scripts of a folder and the folders in it, by their first line.
fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_foreign = name.starts_with('.') && name != ".ci";
        if is_foreign || ["target", "node_modules", "data"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            scripts(&path, found);
            continue;
        }
        let begin = std::fs::read(&path).unwrap();
        let first = begin.split(|byte| *byte == b'\n').next().unwrap();
        let first = String::from_utf8_lossy(first);
        if first.starts_with("#!") && (first.ends_with("bash") || first.ends_with("/sh")) {
            found.push(path);
        }
    }
}

#[test]
fn shellcheck_accepts_every_script() {
    let mut found = Vec::new();
    scripts(root(), &mut found);
    for wanted in ["deploy/build.sh", "deploy/exercise.sh", "deploy/release.sh", "test", "tests/postgres.sh"]
    {
        assert!(found.contains(&root().join(wanted)), "{wanted} is not among {found:?}");
    }
    let told = Command::new("shellcheck").args(&found).output().expect("shellcheck, which ./test installs");
    assert!(told.status.success(), "{}", text(&told));
}

#[test]
fn health_asks_the_receiver_whether_it_can_store() {
    let mut server = Server::start();
    let asked = server.command(&["health"]).output().unwrap();
    assert_eq!(
        (asked.status.code(), text(&asked)),
        (Some(0), format!("OK: {} stores deliveries\n", server.receiver))
    );
    let remote = |url: &str| server.command(&["health", "--url", url]).output().unwrap();
    let url = format!("http://{}/", server.inspector);
    let asked = remote(&url);
    assert_eq!((asked.status.code(), text(&asked)), (Some(0), format!("OK: {url} stores deliveries\n")));
    let asked = remote(&format!("{url}elsewhere"));
    assert_eq!(asked.status.code(), Some(1));
    assert!(text(&asked).contains("HTTP 404 from something else at "), "{}", text(&asked));
    // Its process stands still: no answer, no health.
    server.signal("STOP");
    let asked = server.command(&["health"]).output().unwrap();
    server.signal("CONT");
    assert_eq!(asked.status.code(), Some(3));
    assert!(
        text(&asked).contains("does not answer") && text(&asked).lines().count() == 1,
        "{}",
        text(&asked)
    );
    assert_eq!(server.stop(), Some(0));
    let asked = server.command(&["health"]).output().unwrap();
    assert_eq!(asked.status.code(), Some(3));
    assert!(text(&asked).contains("no running tagohook found"), "{}", text(&asked));
}

#[test]
fn health_reaches_a_receiver_on_a_socket() {
    let server = Setup::new("[receiver]\n#receiver-listen\nlisten = \"unix:receiver.sock\"\n").start();
    let asked = server.command(&["health"]).output().unwrap();
    assert!(asked.status.success() && text(&asked).contains("receiver.sock"), "{}", text(&asked));
}

/// The lines of the Dockerfile that begin with `word`, in the last stage.
fn instructions(word: &str) -> Vec<String> {
    let file = std::fs::read_to_string(root().join("deploy/docker/Dockerfile")).unwrap();
    let last = file.rsplit("\nFROM ").next().unwrap().to_owned();
    last.lines().filter_map(|line| line.strip_prefix(word)).map(|rest| rest.trim().to_owned()).collect()
}

#[test]
fn the_program_accepts_what_the_image_sets_and_its_health_check_works() {
    let env: BTreeMap<String, String> = instructions("ENV")
        .iter()
        .map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
        .collect();
    assert_eq!(env["TAGOHOOK_DATA_DIR"], "/data");
    assert!(instructions("VOLUME").contains(&"/data".to_owned()), "what is kept is in a volume");
    let user = instructions("USER").remove(0);
    assert!(!user.starts_with("root") && !user.starts_with('0'), "{user}");
    let listen = env["TAGOHOOK_LISTEN"].replace(":8080", ":0");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let command: Vec<String> = serde_json::from_str(&instructions("CMD").remove(0)).unwrap();
    let entry: Vec<String> = serde_json::from_str(&instructions("ENTRYPOINT").remove(0)).unwrap();
    assert_eq!(entry, ["/usr/local/bin/tagohook"]);
    let run = |arguments: &[String]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tagohook"));
        program.args(arguments).current_dir(folder.path()).env("TAGOHOOK_DATA_DIR", &data);
        program.env("TAGOHOOK_LISTEN", &listen).env("TAGOHOOK_INSPECT_LISTEN", "127.0.0.1:0");
        program
    };
    let mut server = run(&command).stdout(std::process::Stdio::null()).spawn().unwrap();
    crate::harness::until("the start", || data.join("addresses.json").exists());
    let check = instructions("HEALTHCHECK").remove(0);
    let check: Vec<String> = serde_json::from_str(check.split_once("CMD ").unwrap().1).unwrap();
    assert_eq!(check[0], entry[0]);
    let asked = run(&check[1..]).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(asked.status.success(), "{}", text(&asked));
}

/// The list after `key: ` in a line of a YAML file; it is written as JSON.
fn list_after(file: &str, key: &str) -> Vec<String> {
    let line = file.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
    serde_json::from_str(line).unwrap()
}

#[test]
fn the_program_accepts_what_the_examples_with_several_nodes_set() {
    let folder = tempfile::tempdir().unwrap();
    let program = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tagohook"));
        program.current_dir(folder.path());
        program
    };
    let mut hash = program();
    hash.arg("hash-password").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut hash = hash.spawn().unwrap();
    hash.stdin.take().unwrap().write_all(b"a long password\n").unwrap();
    std::fs::write(folder.path().join("inspector-password"), hash.wait_with_output().unwrap().stdout)
        .unwrap();
    for name in ["store-key", "signing-secret", "tagoio-token", "database-password", "ca.pem"] {
        std::fs::write(folder.path().join(name), "6f1d2c3b4a596877".repeat(4)).unwrap();
    }
    let here = |text: &str| {
        let folder = folder.path().to_str().unwrap();
        ["/run/secrets", "/secrets", "/config", "/data"].iter().fold(text.to_owned(), |text, path| {
            // What a longer path was replaced by is not looked at again.
            let (mark, end) = (format!("{path}/"), format!("{folder}/"));
            let text = if text == *path { folder.to_owned() } else { text };
            if text.contains(&end) { text } else { text.replace(&mark, &end) }
        })
    };
    let accepted = |arguments: Vec<String>, env: &[(String, String)]| {
        let arguments: Vec<String> = arguments.iter().map(|one| here(one)).collect();
        let told = program().args(&arguments).arg("check-config").envs(env.iter().cloned()).output().unwrap();
        assert!(told.status.success(), "{arguments:?}: {}", text(&told));
        assert!(
            text(&told).contains("receiver on 0.0.0.0:8080, inspector on 0.0.0.0:8081"),
            "{}",
            text(&told)
        );
    };

    let compose = std::fs::read_to_string(root().join("deploy/compose-postgres.yml")).unwrap();
    let env = compose.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("  TAGOHOOK_")?.split_once(": ")?;
        Some((format!("TAGOHOOK_{name}"), here(value)))
    });
    let env: Vec<_> = env.collect();
    assert_eq!(env.len(), 4);
    accepted(list_after(&compose, "command: "), &env);

    let kubernetes = std::fs::read_to_string(root().join("deploy/kubernetes/tagohook.yaml")).unwrap();
    let (_, config) = kubernetes.split_once("  tagohook.toml: |\n").unwrap();
    let (config, rest) = config.split_once("---\n").unwrap();
    let config: String = config.lines().map(|line| here(line.trim()) + "\n").collect();
    std::fs::write(folder.path().join("tagohook.toml"), config).unwrap();
    assert_eq!(list_after(rest, "args: "), ["prepare-store"]);
    let (_, node) = rest.split_once("kind: StatefulSet").unwrap();
    accepted(list_after(node, "args: "), &[]);
}

#[test]
fn the_image_is_built_from_what_the_build_needs_and_from_nothing_else() {
    let ignored = std::fs::read_to_string(root().join("deploy/docker/Dockerfile.dockerignore")).unwrap();
    let taken: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for path in &taken {
        assert!(root().join(path).exists(), "{path} is not there");
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for folder in [
        "src",
        "benches",
        "templates",
        "static",
        "config",
        "catalog",
        "Cargo.lock",
        "docs",
        "deploy",
        "examples",
        "SECURITY.md",
    ] {
        assert!(taken.contains(&folder), "{folder} is needed");
    }
    assert!(manifest.contains("[profile.dist]"), "the profile that the image is built with");
}

#[test]
fn a_release_has_the_program_its_papers_and_a_checksum_and_is_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let pack = |name: &str, more: &[&str]| {
        let mut script = Command::new(root().join("deploy/release.sh"));
        script.args(["--binary", env!("CARGO_BIN_EXE_tagohook")]).arg(folder.path().join(name)).args(more);
        script.env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap()
    };
    let packed = pack("one", &[]);
    assert!(packed.status.success(), "{}", text(&packed));
    assert!(pack("two", &[]).status.success());
    let sums = |name: &str| std::fs::read_to_string(folder.path().join(name).join("SHA256SUMS")).unwrap();
    assert_eq!(sums("one"), sums("two"));
    let check =
        Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(folder.path().join("one")).output();
    assert!(check.unwrap().status.success());
    let archive = text(&packed).lines().next().unwrap().to_owned();
    let unpacked = Command::new("tar").args(["-xzf", &archive]).current_dir(folder.path()).status().unwrap();
    assert!(unpacked.success());
    let inside = Path::new(&archive).file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz");
    let inside = folder.path().join(inside);
    for file in
        ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "docs/CLI.md", "deploy/systemd/tagohook.service"]
    {
        assert!(inside.join(file).is_file(), "{file} is missing");
    }
    let program = inside.join("tagohook");
    assert_eq!(std::fs::metadata(&program).unwrap().permissions().mode() & 0o777, 0o755);
    let version = Command::new(&program).arg("--version").output().unwrap();
    assert_eq!(text(&version), format!("tagohook {}\n", env!("CARGO_PKG_VERSION")));
    let mut check = Command::new(&program);
    check.args(["check-config", "--config", "default.toml"]).current_dir(&inside);
    let checked = check.output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked));

    let refused = Command::new(root().join("deploy/release.sh")).arg("--binry").output().unwrap();
    assert_eq!((refused.status.code(), text(&refused).lines().count()), (Some(2), 1), "{}", text(&refused));
    assert_eq!(pack("three", &["four"]).status.code(), Some(2));
}

/// What `deploy/build.sh` optimises for: it takes too long to build here.
#[test]
fn the_exercise_of_the_build_receives_sends_and_looks() {
    let folder = tempfile::tempdir().unwrap();
    let mut exercise = Command::new(root().join("deploy/exercise.sh"));
    exercise.arg(env!("CARGO_BIN_EXE_tagohook")).arg(folder.path()).arg("1");
    let done = exercise.output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
    let refused = Command::new(root().join("deploy/build.sh")).arg("--profil").output().unwrap();
    assert_eq!((refused.status.code(), text(&refused).lines().count()), (Some(2), 1), "{}", text(&refused));
}
