//! Reads `src/` as a graph: which file uses what of which other file.

use std::collections::{BTreeMap, BTreeSet};

use crate::architecture::Source;

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

/// The code without its `use` and `mod` lines.
fn body(code: &str) -> String {
    let is_line = |item: &&str| {
        let words: Vec<&str> = item.split_whitespace().take(2).collect();
        words.iter().any(|word| matches!(*word, "use" | "mod"))
    };
    code.split(';').filter(|item| !is_line(item)).collect::<Vec<_>>().join(";")
}

/// `["send", "engine", "lane"]`.
pub type Module<'t> = Vec<&'t str>;
pub type Uses<'t> = BTreeMap<Module<'t>, BTreeSet<Module<'t>>>;

/// The files by their modules, and what each hands on.
pub struct House<'t> {
    files: BTreeMap<Module<'t>, &'t Source>,
    exports: BTreeMap<Module<'t>, Vec<Import<'t>>>,
}

/// Where a path leads: to a module, or to something that is written in one.
enum Home<'t> {
    Module(Module<'t>),
    ItemOf(Module<'t>),
}

impl<'t> House<'t> {
    pub fn of(sources: &'t [Source]) -> Self {
        let parts = |source: &'t Source| {
            let path = source.path.to_str().unwrap().trim_end_matches(".rs").trim_end_matches("/mod");
            (path.split('/').collect::<Vec<_>>(), source)
        };
        let files: BTreeMap<_, _> =
            sources.iter().map(parts).filter(|(module, _)| !module.contains(&"tests")).collect();
        let hands_on = |code: &'t str| {
            let words = ["pub use ", "pub(crate) use ", "pub(super) use "];
            words.into_iter().flat_map(|word| trees(code, word, &[])).collect()
        };
        let exports = files.iter().map(|(at, source)| (at.clone(), hands_on(&source.code))).collect();
        Self { files, exports }
    }

    /// Where `path` leads, as seen from `module`; a re-export is followed to the file.
    fn home(&self, module: &[&'t str], path: &[&'t str]) -> Option<Home<'t>> {
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
            let export = self.exports(&at).iter().find(|export| export.name == *word);
            if *word == "super" {
                at.pop();
            } else if let Some(export) = export {
                // The function of a file that has its name is found before the file.
                let home = self.home(&at, &[&export.path, &rest[depth + 1..]].concat());
                return home.or(Some(Home::ItemOf(at)));
            } else if self.files.contains_key(&deeper) {
                at = deeper;
            } else {
                return Some(Home::ItemOf(at));
            }
        }
        self.files.contains_key(&at).then_some(Home::Module(at))
    }

    fn exports(&self, module: &[&'t str]) -> &[Import<'t>] {
        self.exports.get(module).map_or(&[], Vec::as_slice)
    }

    /// The modules whose files a module uses. What it only hands on it does not use.
    fn used_by(&self, module: &[&'t str], source: &'t Source) -> BTreeSet<Module<'t>> {
        let code = &source.code;
        let mut imports = trees(code, "crate::", &["crate"]);
        imports.extend(trees(code, "super::", &["super"]));
        imports.extend(trees(code, "self::", &["self"]));
        imports.extend(code.split("\nuse ").skip(1).flat_map(|text| {
            let mut found = Vec::new();
            read_tree(text, &[], &mut found);
            found
        }));
        let children = self.files.keys().filter_map(|known| known.strip_prefix(module)?.first());
        for child in children.collect::<BTreeSet<_>>() {
            imports.extend(trees(code, &format!("{child}::"), &[child]));
        }
        let body = body(code);
        let names: BTreeSet<&str> = body.split(|letter| !is_word(letter)).collect();
        let exports = self.exports(module);
        let is_only_handed_on = |import: &Import<'_>| {
            let export = exports.iter().find(|export| export.path.ends_with(&import.path));
            export.is_some_and(|export| !names.contains(export.name))
        };
        imports.retain(|import| !is_only_handed_on(import));
        let mut used = BTreeSet::new();
        for import in imports {
            match self.home(module, &import.path) {
                Some(Home::ItemOf(home)) => used.extend([home]),
                // A module that is named is used by what is taken from it.
                Some(Home::Module(_)) => {
                    let taken = trees(code, &format!("{}::", import.name), &import.path);
                    used.extend(taken.iter().filter_map(|taken| match self.home(module, &taken.path)? {
                        Home::Module(home) | Home::ItemOf(home) => Some(home),
                    }));
                }
                None => {}
            }
        }
        used.retain(|used| used != module);
        used
    }

    /// What each file uses.
    pub fn uses(&self) -> Uses<'t> {
        self.files.iter().map(|(at, source)| (at.clone(), self.used_by(at, source))).collect()
    }
}
