//! Reads `src/` and fails where files import each other in a circle: each can then only be understood with all others.

use std::collections::{BTreeMap, BTreeSet};

use crate::architecture::{Source, sources};
use crate::imports::{House, Module, Uses};

/// What can be reached from a module over what it uses.
fn reached<'u, 't>(uses: &'u Uses<'t>, from: &'u Module<'t>) -> BTreeSet<&'u Module<'t>> {
    let mut reached = BTreeSet::new();
    let mut left = vec![from];
    while let Some(at) = left.pop() {
        left.extend(uses.get(at).into_iter().flatten().filter(|next| reached.insert(*next)));
    }
    reached
}

/// The files that can be reached from themselves, in their circles.
fn circles(uses: Uses<'_>) -> BTreeSet<BTreeSet<String>> {
    let reached: BTreeMap<_, _> = uses.keys().map(|at| (at, reached(&uses, at))).collect();
    let meets =
        |one: &Module<'_>, other: &Module<'_>| reached.get(one).is_some_and(|all| all.contains(other));
    let circle = |at: &Module<'_>| {
        let others = reached.keys().filter(|other| meets(at, other) && meets(other, at));
        others.map(|other| other.join("/")).collect()
    };
    reached.keys().filter(|at| meets(at, at)).map(|at| circle(at)).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    let found = circles(House::of(&sources).uses());
    assert!(found.is_empty(), "{found:#?}");
}

/// Circles of files that are made up: paths and their code.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let source = |(path, code): &(&str, &str)| Source {
        path: path.into(),
        room: String::new(),
        code: format!("\n{code}"),
        lines: 0,
    };
    let sources: Vec<Source> = files.iter().map(source).collect();
    let found = circles(House::of(&sources).uses());
    found.into_iter().map(|circle| circle.into_iter().collect()).collect()
}

#[test]
fn a_circle_is_seen_through_re_exports_and_named_modules() {
    let files = [
        ("a/mod.rs", "mod b;\nmod c;\npub use b::{B, other as more};\npub use c::C;"),
        ("a/b.rs", "use super::c;\npub fn other() { c::make() }"),
        ("a/c.rs", "use std::fmt;\nuse crate::a::{more,\n    C as Mine};"),
        ("d.rs", "use crate::a::{B, C};\nfn d() -> super::a::B { crate::e::e() }"),
        ("e.rs", "pub fn e() {}"),
    ];
    assert_eq!(circles_of(&files), [["a/b", "a/c"]]);
}

#[test]
fn a_circle_of_a_file_and_its_child_is_seen() {
    let child = ("a/child.rs", "use super::Kind;\npub fn run(kind: Kind) {}");
    let called = ("a.rs", "mod child;\npub struct Kind;\nfn a() { child::run(Kind) }");
    assert_eq!(circles_of(&[called, child]), [["a", "a/child"]]);
    let handed_on = ("a.rs", "mod child;\npub use child::run;\npub struct Kind;");
    assert_eq!(circles_of(&[handed_on, child]), Vec::<Vec<String>>::new());
    let handed_on_and_called =
        ("a.rs", "mod child;\npub use child::run;\npub struct Kind;\nfn a() { run(Kind) }");
    assert_eq!(circles_of(&[handed_on_and_called, child]), [["a", "a/child"]]);
}

#[test]
fn a_circle_through_a_function_that_is_named_as_its_file_is_seen() {
    let files = [
        ("a/mod.rs", "mod told;\nmod user;\npub use told::told;"),
        ("a/told.rs", "use super::user::User;\npub fn told(user: User) {}"),
        ("a/user.rs", "use crate::a::told;\npub struct User;\nfn tell() { told(User) }"),
    ];
    assert_eq!(circles_of(&files), [["a/told", "a/user"]]);
}
