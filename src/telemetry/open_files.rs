//! The number of files and connections that the system allows this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More files than this are never needed.
const ENOUGH: u64 = 65_536;
/// The assumed limit if the system has none.
const MOST: u32 = 65_536;

/// Raises the file limit as far as possible without special rights, and returns it. Shells and service managers start
/// with 1,024, whatever the machine could support.
#[must_use]
pub fn allow_many_files() -> u32 {
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if now.current.is_some_and(|current| current < wanted) {
        // If this is refused, the old limit remains.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum });
    }
    let allowed = getrlimit(Resource::Nofile).current;
    allowed.and_then(|allowed| u32::try_from(allowed).ok()).map_or(MOST, |allowed| allowed.min(MOST))
}
