//! Reads `src/` and fails where files import each other in a circle: each can then only be understood with all others.

use std::collections::{BTreeMap, BTreeSet};

use crate::architecture::{Source, sources};

/// A name that some code uses: `crate::a::b` or `super::b`, and what it is called there.
struct Import<'t> {
    path: Vec<&'t str>,
    name: &'t str,
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Reads the tree of a `use`, or a path in an expression; what is left of the text.
fn read_tree<'t>(text: &'t str, prefix: &[&'t str], found: &mut Vec<Import<'t>>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while let Some(after) = rest.trim_start().strip_prefix([',', '*']).or(Some(rest.trim_start())) {
            if after.is_empty() || after.starts_with('}') {
                return after.get(1..).unwrap_or_default();
            }
            let left = read_tree(after, prefix, found);
            rest = if left.len() < after.len() { left } else { &after[1..] };
        }
    }
    let (word, rest) = text.split_at(text.find(|letter| !is_word(letter)).unwrap_or(text.len()));
    let path = [prefix, &[word]].concat();
    if let Some(deeper) = rest.strip_prefix("::") {
        return read_tree(deeper, &path, found);
    }
    let Some(alias) = rest.strip_prefix(" as ") else {
        found.push(Import { path, name: word });
        return rest;
    };
    let (name, rest) = alias.split_at(alias.find(|letter| !is_word(letter)).unwrap_or(alias.len()));
    found.push(Import { path, name });
    rest
}

/// The trees after each `start` that is a word of its own.
fn trees<'t>(code: &'t str, start: &str, prefix: &[&'t str]) -> Vec<Import<'t>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(start) {
        if !code[..at].ends_with(|before| is_word(before) || before == ':') {
            read_tree(&code[at + start.len()..], prefix, &mut found);
        }
    }
    found
}

/// `["send", "lane"]`.
type Module<'t> = Vec<&'t str>;
type Uses<'t> = BTreeMap<Module<'t>, BTreeSet<Module<'t>>>;

/// The backend takes the words of its questions from the files that ask them: the store's one known tangle.
fn is_store_seam(module: &[&str], used: &[&str]) -> bool {
    module.starts_with(&["store", "sqlite"]) && used.starts_with(&["store"]) && used.get(1) != Some(&"sqlite")
}

/// What can be reached from a module over what it uses.
fn reached<'u, 't>(uses: &'u Uses<'t>, from: &'u Module<'t>) -> BTreeSet<&'u Module<'t>> {
    let mut reached = BTreeSet::new();
    let mut left = vec![from];
    while let Some(at) = left.pop() {
        left.extend(uses.get(at).into_iter().flatten().filter(|next| reached.insert(*next)));
    }
    reached
}

/// The files by their modules.
struct House<'t>(BTreeMap<Module<'t>, &'t Source>);

impl<'t> House<'t> {
    fn of(sources: &'t [Source]) -> Self {
        let parts = |source: &'t Source| {
            let path = source.path.to_str().unwrap().trim_end_matches(".rs").trim_end_matches("/mod");
            (path.split('/').collect::<Vec<_>>(), source)
        };
        Self(sources.iter().map(parts).filter(|(module, _)| !module.contains(&"tests")).collect())
    }

    /// The module in whose file `path` is written, as seen from `module`; a re-export is followed to it.
    fn home(&self, module: &[&'t str], path: &[&'t str]) -> Option<Module<'t>> {
        let (first, rest) = path.split_first()?;
        let mut at = module.to_vec();
        match *first {
            "crate" => at.clear(),
            "super" => drop(at.pop()),
            "self" => {}
            child => at.push(child),
        }
        for (depth, word) in rest.iter().enumerate() {
            let deeper = [&at[..], &[*word]].concat();
            if *word == "super" {
                at.pop();
            } else if self.0.contains_key(&deeper) {
                at = deeper;
            } else {
                let told = self.exports(&at).into_iter().find(|export| export.name == *word);
                let home =
                    told.and_then(|export| self.home(&at, &[&export.path, &rest[depth + 1..]].concat()));
                return home.or(Some(at));
            }
        }
        self.0.contains_key(&at).then_some(at)
    }

    /// What a module hands on.
    fn exports(&self, module: &[&'t str]) -> Vec<Import<'t>> {
        let code = self.0.get(module).map_or("", |source| &source.code);
        ["pub use ", "pub(crate) use ", "pub(super) use "]
            .into_iter()
            .flat_map(|word| trees(code, word, &[]))
            .collect()
    }

    /// The modules whose files a module uses. What it only hands on it does not use.
    fn used_by(&self, module: &[&'t str], source: &'t Source) -> BTreeSet<Module<'t>> {
        let code = &source.code;
        let mut imports = trees(code, "crate::", &["crate"]);
        imports.extend(trees(code, "super::", &["super"]));
        imports.extend(code.split("\nuse ").skip(1).flat_map(|text| {
            let mut found = Vec::new();
            read_tree(text, &[], &mut found);
            found
        }));
        let exports = self.exports(module);
        imports.retain(|import| !exports.iter().any(|export| export.path.ends_with(&import.path)));
        let mut used = BTreeSet::new();
        for import in imports {
            let Some(home) = self.home(module, &import.path) else { continue };
            // A module that is named is used by what is taken from it.
            if home.last() == import.path.last() {
                let start = format!("{}::", import.name);
                let taken = trees(code, &start, &import.path);
                used.extend(taken.iter().filter_map(|taken| self.home(module, &taken.path)));
            } else {
                used.insert(home);
            }
        }
        used.retain(|used| used != module && !is_store_seam(module, used));
        used
    }

    /// The files that can be reached from themselves, in their circles.
    fn circles(&self) -> BTreeSet<BTreeSet<String>> {
        let uses: Uses<'_> =
            self.0.iter().map(|(at, source)| (at.clone(), self.used_by(at, source))).collect();
        let reached: BTreeMap<_, _> = uses.keys().map(|at| (at, reached(&uses, at))).collect();
        let meets = |one: &Module<'t>, other: &Module<'t>| reached[one].contains(other);
        let circle = |at: &Module<'t>| {
            let others = reached.keys().filter(|other| meets(at, other) && meets(other, at));
            others.map(|other| other.join("/")).collect()
        };
        reached.keys().filter(|at| meets(at, at)).map(|at| circle(at)).collect()
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    let circles = House::of(&sources).circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_circle_is_seen_through_re_exports_and_named_modules() {
    let file = |path: &str, code: &str| Source {
        path: path.into(),
        room: String::new(),
        code: format!("\n{code}"),
        lines: 0,
    };
    let sources = [
        file("a/mod.rs", "mod b;\nmod c;\npub use b::{B, other as more};\npub use c::C;"),
        file("a/b.rs", "use super::c;\npub fn other() { c::make() }"),
        file("a/c.rs", "use std::fmt;\nuse crate::a::{more,\n    C as Mine};"),
        file("d.rs", "use crate::a::{B, C};\nfn d() -> super::a::B { crate::e::e() }"),
        file("e.rs", "pub fn e() {}"),
    ];
    let circle: BTreeSet<String> = ["a/b", "a/c"].map(str::to_owned).into();
    assert_eq!(House::of(&sources).circles(), [circle].into());
}
