//! The arguments of commands about the program itself: `doctor`, `completions`, `man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::running::{Inspector, Rows};

/// How completions are installed.
pub const COMPLETIONS: &str = "\
Examples:
  tagohook completions bash > ~/.local/share/bash-completion/completions/tagohook
  tagohook completions zsh > ~/.zfunc/_tagohook      with fpath=(~/.zfunc $fpath) before compinit in ~/.zshrc
  tagohook completions fish > ~/.config/fish/completions/tagohook.fish";

/// How pages are read and installed.
pub const MAN: &str = "\
Examples:
  tagohook man | man -l -
  tagohook man subscriptions add | man -l -
  tagohook man --output ~/.local/share/man/man1";

/// `tagohook doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub rows: Rows,
    #[command(flatten)]
    pub inspector: Inspector,
}

/// `tagohook completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// The shells with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// `tagohook man`
#[derive(Debug, Args)]
pub struct Man {
    /// The command [default: the whole program]
    pub command: Vec<String>,
    /// Write the page of every command to this folder
    #[arg(long, short, value_name = "DIR", conflicts_with = "command")]
    pub output: Option<PathBuf>,
}
