//! Names the option that was meant, also for a typo in a short one.

use clap::error::{ContextKind, ContextValue};
use clap::{Command, CommandFactory as _};

use super::arguments::Arguments;
use crate::domain::nearest;

/// The line that names the option that was most likely meant; `None` if clap has named one, or none is similar.
pub fn hint(told: &clap::Error) -> Option<String> {
    if told.get(ContextKind::SuggestedArg).is_some() {
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
    fn what_clap_has_named_is_not_named_twice() {
        let told = Arguments::try_parse_from(["tagohook", "tail", "--jsn"]).unwrap_err();
        assert_eq!(hint(&told), None);
    }
}
