//! `tagohook hash-password`: the line for `inspector.password_file`.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;

use super::output::say;

/// The minimum length of a password.
const MIN_LENGTH: usize = 8;

/// Asks for a password, or reads it from a pipe, and prints its argon2id hash.
pub fn run() -> anyhow::Result<ExitCode> {
    let password = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("Again: ")? != first {
            bail!("the two passwords differ");
        }
        first
    } else {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
        text.strip_suffix('\n')
            .map(|text| text.strip_suffix('\r').unwrap_or(text))
            .unwrap_or(&text)
            .to_owned()
    };
    if password.chars().count() < MIN_LENGTH {
        bail!("the password is too short; use at least {MIN_LENGTH} characters");
    }
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|fault| anyhow!("{fault}"))?;
    say!("{hash}")?;
    Ok(ExitCode::SUCCESS)
}
