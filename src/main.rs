//! The `tagohook` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Requests make many small allocations on several threads; this allocator is designed for that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tagohook::run()
}
