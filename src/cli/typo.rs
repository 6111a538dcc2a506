//! Names the option that was meant, also for a typo in a short one.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};

use super::arguments::Arguments;
use crate::domain::{distance, nearest};

/// The line that names the option that was most likely meant; `None` if clap has named one, or none is similar.
pub fn hint(told: &clap::Error) -> Option<String> {
    if told.kind() != ErrorKind::UnknownArgument || told.get(ContextKind::SuggestedArg).is_some() {
        return None;
    }
    let Some(ContextValue::String(unknown)) = told.get(ContextKind::InvalidArg) else { return None };
    let name = unknown.strip_prefix("--")?.split('=').next()?;
    let mut program = Arguments::command();
    program.build();
    let options = options(&program, std::env::args().skip(1));
    let meant = nearest(name, options.iter().map(String::as_str))?;
    Some(format!("did you mean --{meant}?"))
}

/// Removes the suggestions of clap that cannot be what was meant, such as `--inspector` for `--since`.
pub fn forget_far(told: &mut clap::Error) {
    let kinds = [
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
    ];
    for (typed, suggested) in kinds {
        let Some(ContextValue::String(typed)) = told.get(typed).cloned() else { continue };
        let known = match told.remove(suggested) {
            Some(ContextValue::String(known)) => vec![known],
            Some(ContextValue::Strings(known)) => known,
            _ => continue,
        };
        let meant: Vec<String> = known.into_iter().filter(|known| near(&typed, known)).collect();
        match <[String; 1]>::try_from(meant) {
            Ok([one]) => told.insert(suggested, ContextValue::String(one)),
            Err(meant) if meant.is_empty() => None,
            Err(meant) => told.insert(suggested, ContextValue::Strings(meant)),
        };
    }
}

/// Whether half of the letters are right, or one is the beginning of the other.
fn near(typed: &str, known: &str) -> bool {
    let [typed, known] = [typed, known].map(|word| word.trim_start_matches('-'));
    known.starts_with(typed)
        || typed.starts_with(known)
        || distance(typed, known) <= typed.chars().count() / 2
}

/// The options of the command that `words` name.
fn options(program: &Command, words: impl Iterator<Item = String>) -> Vec<String> {
    let mut command = program;
    for word in words {
        if let Some(below) = command.find_subcommand(&word) {
            command = below;
        }
    }
    command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_options_are_those_of_the_command_that_is_named() {
        let mut program = Arguments::command();
        program.build();
        let of = |words: &[&str]| options(&program, words.iter().map(|word| (*word).to_owned()));
        assert!(of(&["tail", "--x"]).contains(&"json".to_owned()));
        assert!(!of(&["sign", "--x"]).contains(&"json".to_owned()));
        assert!(of(&["subscriptions", "list"]).contains(&"url".to_owned()));
    }

    #[test]
    fn only_a_suggestion_that_may_be_meant_is_shown() {
        let shown = |words: &[&str]| {
            let mut told = Arguments::try_parse_from([&["tagohook"], words].concat()).unwrap_err();
            forget_far(&mut told);
            told.to_string()
        };
        for (words, meant) in
            [(&["tail", "--jsn"][..], "--json"), (&["tail", "--data"], "--data-dir"), (&["tial"], "tail")]
        {
            assert!(shown(words).contains(meant), "{}", shown(words));
        }
        assert!(!shown(&["stats", "--since"]).contains("--inspector"), "{}", shown(&["stats", "--since"]));
        assert!(!shown(&["versn"]).contains("verify"), "{}", shown(&["versn"]));
    }

    #[test]
    fn what_clap_has_named_is_not_named_twice() {
        let told = Arguments::try_parse_from(["tagohook", "tail", "--jsn"]).unwrap_err();
        assert_eq!(hint(&told), None);
    }

    #[test]
    fn a_wrong_value_of_a_right_option_is_no_typo() {
        for words in
            [["listen", "--exec", "cat", "--concurrency", "65"], ["send", "user.login", "x", "--count", "0"]]
        {
            let told = Arguments::try_parse_from(["tagohook"].iter().chain(&words)).unwrap_err();
            assert_eq!(hint(&told), None, "{told}");
        }
    }
}
