//! Reads `src/` and fails where the house is not as `docs/ARCHITECTURE.md` says.

use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::House;

/// Each room and its floor. `app`, `main`, `lib`, `cli` and `library` stand outside: they compose.
const FLOORS: [(&str, u8); 12] = [
    ("http", 5),
    ("inspect", 4),
    ("receive", 3),
    ("send", 3),
    ("store", 2),
    ("signing", 1),
    ("catalog", 1),
    ("certificates", 1),
    ("config", 1),
    ("telemetry", 1),
    ("payload", 1),
    ("domain", 0),
];
const OUTSIDE: [&str; 5] = ["app", "main", "lib", "cli", "library"];

/// The rooms of `send` and their floors.
const FLOORS_OF_SEND: [(&str, u8); 7] = [
    ("manage", 5),
    ("engine", 4),
    ("own_events", 3),
    ("state", 2),
    ("subscriptions", 1),
    ("language", 0),
    ("wire", 0),
];

/// The rooms of `http` and their floors: what both listeners share, and the two listeners.
const FLOORS_OF_HTTP: [(&str, u8); 3] = [("inspector", 2), ("receiver", 1), ("connection", 0)];

/// What is above the API and the pages of the inspector. Everything else there is below both.
const ABOVE_PAGES: [(&str, u8); 10] = [
    ("server", 6),
    ("login", 5),
    ("badge_refresh", 5),
    ("guard", 4),
    ("refusal", 3),
    ("api", 2),
    ("pages", 2),
    ("mount", 2),
    ("compress", 2),
    ("operations", 1),
];

/// The longest file, in lines.
const MAX_LINES: usize = 400;
/// A `mod.rs` is a door plate; the entry point of a room may stand there.
const MAX_DOOR_PLATE: usize = 90;

/// What only some rooms may name.
const RESERVED: [(&[&str], &[&str]); 6] = [
    (&["actix", "askama"], &["http", "app"]),
    (&["rusqlite", "refinery", "SELECT ", "INSERT INTO", "PRAGMA "], &["store"]),
    (&["std::env", "env::var"], &["config", "cli"]),
    (&["TcpListener", "TcpStream", "UdpSocket", "reqwest"], &["http", "send", "app"]),
    (&["SystemTime::now", "jiff::Timestamp::now", "Zoned::now"], &["telemetry"]),
    (&["anyhow"], &["app", "cli", "main"]),
];

pub struct Source {
    pub path: PathBuf,
    pub room: String,
    pub code: String,
    pub lines: usize,
}

pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source {
                    room: first.trim_end_matches(".rs").to_owned(),
                    lines: text.lines().count(),
                    code: without_comments(without_tests(&text)),
                    path: inside.to_owned(),
                });
            }
        }
    }
    assert!(sources.len() > 40, "src/ was not read");
    sources
}

/// Tests may lean on anything.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn floor_of(room: &str, floors: &[(&str, u8)]) -> Option<u8> {
    floors.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

fn floor(room: &str) -> Option<u8> {
    floor_of(room, &FLOORS)
}

/// The rooms that a file imports: `crate::room` and the braces of `use crate::{…}`.
fn imports(code: &str) -> Vec<String> {
    let word = |text: &str| {
        text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>()
    };
    let mut rooms = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split(';').next().unwrap();
                rooms.extend(list.split(',').map(|item| word(item.trim())));
            }
            None => rooms.push(word(rest)),
        }
    }
    rooms
}

#[test]
fn imports_go_downward_never_up_or_sideways() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(own) = floor(&source.room) else { continue };
        for room in imports(&source.code) {
            let is_own = room == source.room;
            let is_composer = OUTSIDE.contains(&room.as_str());
            if is_composer || (!is_own && floor(&room).is_some_and(|other| other >= own)) {
                wrong.push(format!("{} imports {room}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The imports between the rooms of a folder that do not go downward. Its `mod.rs` only hands on.
fn climbs(sources: &[Source], folder: &[&str], floor: impl Fn(&str) -> Option<u8>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (module, used) in House::of(sources).uses() {
        let Some([room, ..]) = module.strip_prefix(folder) else { continue };
        let own = floor(room);
        if own.is_none() {
            wrong.push(format!("{} stands on no floor", module.join("/")));
        }
        for other in used {
            let Some([other_room, ..]) = other.strip_prefix(folder) else { continue };
            if other_room != room && floor(other_room) >= own {
                wrong.push(format!("{} imports {}", module.join("/"), other.join("/")));
            }
        }
    }
    wrong
}

fn climbs_in_send(sources: &[Source]) -> Vec<String> {
    climbs(sources, &["send"], |room| floor_of(room, &FLOORS_OF_SEND))
}

#[test]
fn the_rooms_of_send_import_only_those_below() {
    let wrong = climbs_in_send(&sources());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_rooms_of_http_import_only_those_below() {
    let wrong = climbs(&sources(), &["http"], |room| floor_of(room, &FLOORS_OF_HTTP));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The imports inside the inspector that tie API and pages, or that go from what both share to one of them.
fn ties_in_inspector(sources: &[Source]) -> Vec<String> {
    let above = |room: &str| floor_of(room, &ABOVE_PAGES);
    let mut wrong = climbs(sources, &["http", "inspector"], |room| above(room).or(Some(0)));
    // What is below everything may lean on its like: no circle comes of it, another test sees to that.
    wrong.retain(|line| {
        let (from, to) = line.split_once(" imports ").unwrap();
        let room = |module: &str| module.split('/').nth(2).unwrap_or_default().to_owned();
        above(&room(from)).is_some() || above(&room(to)).is_some()
    });
    wrong
}

/// Whoever reads the one must not have to read the other.
#[test]
fn api_and_pages_import_nothing_of_each_other() {
    let sources = sources();
    let wrong = ties_in_inspector(&sources);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let uses = House::of(&sources).uses();
    for room in ["api", "pages"] {
        let own = uses.iter().filter(|(module, _)| module.starts_with(&["http", "inspector", room]));
        let asks = |used: &&Vec<&str>| used.starts_with(&["http", "inspector", "operations"]);
        assert!(own.flat_map(|(_, used)| used).filter(asks).count() > 10, "{room} was not read");
    }
}

#[test]
fn a_tie_of_api_and_pages_is_seen() {
    let file = |path: &str, code: &str| Source {
        path: path.into(),
        room: "http".to_owned(),
        code: format!("\n{code}"),
        lines: 0,
    };
    let sources = [
        file("http/mod.rs", "mod inspector;"),
        file("http/inspector/mod.rs", "mod api;\nmod hosts;\nmod operations;\nmod pages;\nmod state;"),
        file("http/inspector/api/mod.rs", "pub mod list;"),
        file("http/inspector/pages/mod.rs", "pub mod list;"),
        file("http/inspector/operations/mod.rs", "pub mod all;"),
        file("http/inspector/api/list.rs", "use crate::http::inspector::state::State;\npub fn list() {}"),
        file(
            "http/inspector/pages/list.rs",
            "use crate::http::inspector::api::list;\npub fn p() { list::list() }",
        ),
        file("http/inspector/operations/all.rs", "use crate::http::inspector::pages::list::p;"),
        file("http/inspector/state.rs", "use super::hosts::Hosts;\npub struct State(Hosts);"),
        file("http/inspector/hosts.rs", "pub struct Hosts;"),
    ];
    let seen = ties_in_inspector(&sources);
    let expected = [
        "http/inspector/operations/all imports http/inspector/pages/list",
        "http/inspector/pages/list imports http/inspector/api/list",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_climb_in_send_is_seen_through_the_door_plate() {
    let file = |path: &str, code: &str| Source {
        path: path.into(),
        room: "send".to_owned(),
        code: format!("\n{code}"),
        lines: 0,
    };
    let sources = [
        file("send/mod.rs", "mod engine;\nmod wire;\npub use engine::Lane;\npub use wire::Client;"),
        file("send/engine/mod.rs", "mod lane;\npub use lane::Lane;"),
        file("send/engine/lane.rs", "use crate::send::wire::Client;\npub struct Lane;"),
        file("send/wire/mod.rs", "mod client;\npub use client::Client;"),
        file("send/wire/client.rs", "use super::super::Lane;\npub struct Client(Lane);"),
        file("send/loose.rs", "pub fn loose() {}"),
    ];
    let seen = climbs_in_send(&sources);
    assert_eq!(seen, ["send/loose stands on no floor", "send/wire/client imports send/engine/lane"]);
}

/// The engines of the store. What is promised knows none of them, and none knows another.
const ENGINES: [&str; 2] = ["sqlite", "postgres"];
/// Who chooses the engine, or both of them for a move.
const CHOOSERS: [&[&str]; 2] = [&["store", "handle"], &["store", "moving", "open"]];

/// The imports inside `store` that cross the seam between its engines, or between a contract and an engine.
fn seams_crossed(sources: &[Source]) -> Vec<String> {
    let engine = |module: &[&str]| ENGINES.into_iter().find(|engine| module.contains(engine));
    let mut wrong = Vec::new();
    for (module, used) in House::of(sources).uses() {
        if module.first() != Some(&"store") || CHOOSERS.contains(&module.as_slice()) {
            continue;
        }
        let own = engine(&module);
        for other in used {
            if engine(&other).is_some_and(|its| own != Some(its)) {
                wrong.push(format!("{} imports {}", module.join("/"), other.join("/")));
            }
        }
    }
    wrong
}

#[test]
fn no_engine_of_the_store_imports_another_and_no_contract_imports_one() {
    let wrong = seams_crossed(&sources());
    assert!(wrong.is_empty(), "{wrong:#?}");
    let file = |path: &str, code: &str| Source {
        path: path.into(),
        room: "store".to_owned(),
        code: format!("\n{code}"),
        lines: 0,
    };
    let sources = [
        file("store/log/mod.rs", "pub mod sqlite;\npub mod postgres;\npub trait Log {}"),
        file("store/log/sqlite.rs", "use super::postgres::Row as Other;\npub struct Row;"),
        file("store/log/postgres.rs", "pub struct Row;"),
        file("store/handle.rs", "use super::log::{postgres, sqlite};"),
    ];
    let seen = seams_crossed(&sources);
    assert_eq!(seen, ["store/log/sqlite imports store/log/postgres"]);
}

#[test]
fn every_room_has_a_floor() {
    for source in sources() {
        let is_known = floor(&source.room).is_some() || OUTSIDE.contains(&source.room.as_str());
        assert!(is_known, "{} stands on no floor", source.path.display());
    }
}

#[test]
fn what_belongs_to_one_floor_stays_there() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (words, rooms) in RESERVED {
            let seen = words.iter().find(|word| source.code.contains(**word));
            if let Some(word) = seen
                && !rooms.contains(&source.room.as_str())
            {
                wrong.push(format!("{} names {word}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_domain_reads_no_clock_and_is_not_async() {
    for source in sources().iter().filter(|source| source.room == "domain") {
        for word in ["::now(", "async fn", ".await", "std::fs", "std::net::Tcp", "tokio"] {
            assert!(!source.code.contains(word), "{} names {word}", source.path.display());
        }
    }
}

#[test]
fn a_file_has_one_subject_and_a_door_plate_is_short() {
    for source in sources() {
        assert!(source.lines <= MAX_LINES, "{} has {} lines", source.path.display(), source.lines);
        if source.path.ends_with("mod.rs") {
            assert!(source.lines <= MAX_DOOR_PLATE, "{} is no door plate", source.path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources() {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&source.path)).unwrap();
        assert!(text.starts_with("//!"), "{} does not start with //!", source.path.display());
    }
}

/// The ids of `docs/CASES.md` that a test's name may begin with: `SIG-17` is cited as `sig_17_`.
#[test]
fn every_case_that_a_test_cites_is_in_the_list_of_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("docs/CASES.md")).unwrap();
    let known: Vec<String> = list
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|id| id.contains('-') && id.ends_with(|last: char| last.is_ascii_digit()))
        .map(|id| format!("{}_", id.to_lowercase().replace('-', "_")))
        .collect();
    assert!(known.len() > 90, "docs/CASES.md was not read");
    let groups: Vec<&str> = known.iter().filter_map(|id| id.split('_').next()).collect();
    let mut unknown = Vec::new();
    for folder in ["src", "tests/it"] {
        for text in files_below(&root.join(folder)) {
            for name in text.split("fn ").skip(1).map(|rest| rest.split('(').next().unwrap()) {
                let mut parts = name.split('_');
                let (group, number) = (parts.next().unwrap(), parts.next().unwrap_or_default());
                let cites = groups.contains(&group) && number.len() == 2 && number.parse::<u8>().is_ok();
                if cites && !known.iter().any(|id| name.starts_with(id.as_str())) {
                    unknown.push(name.to_owned());
                }
            }
        }
    }
    assert!(unknown.is_empty(), "not in docs/CASES.md: {unknown:#?}");
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(&path).unwrap());
        }
    }
    texts
}
