//! The `tagohook` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tagohook::cli::main()
}
