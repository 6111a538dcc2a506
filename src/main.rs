//! The `tagohook` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Requests are many small allocations on several threads; this allocator is made for that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tagohook::cli::main()
}
