//! How many files and connections the system lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as anybody here makes use of.
const ENOUGH: u64 = 65_536;
/// What is assumed where the system knows no limit below that.
const MOST: u32 = 65_536;

/// Asks the system for many files at once, as far as it lets the process have them without special rights, and returns
/// how many there may be. Shells and service managers begin with 1,024, whatever the machine could do.
#[must_use]
pub fn allow_many_files() -> u32 {
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if now.current.is_some_and(|current| current < wanted) {
        // What is refused is done without.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum });
    }
    let allowed = getrlimit(Resource::Nofile).current;
    allowed.and_then(|allowed| u32::try_from(allowed).ok()).map_or(MOST, |allowed| allowed.min(MOST))
}
