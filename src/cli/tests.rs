//! `docs/CLI.md` names every variable of the environment, and every command in the documents is one.

use clap::Parser as _;

use super::arguments::Arguments;
use crate::config::{CREDENTIAL_VARIABLES, FLAG_VARIABLES};

const DOCUMENT: &str = include_str!("../../docs/CLI.md");

#[test]
fn the_document_names_every_variable() {
    let section = DOCUMENT.split_once("\n## Environment\n").unwrap().1.split("\n## ").next().unwrap();
    for variable in FLAG_VARIABLES.into_iter().chain(CREDENTIAL_VARIABLES) {
        assert!(section.contains(variable), "{variable}");
    }
}
