//! What can be checked without the running instance: configuration, data directory, disk, ports.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;
use crate::app::Ports;
use crate::cli::arguments::Globals;
use crate::cli::{configuration_without_secrets, environment};
use crate::config::{Config, read_addresses};
use crate::domain::{counted, shown_size};

/// Files that only their owner may read.
const SECRETS: [&str; 3] = ["signing-secret", "tagoio-token", "store-key"];
/// Less free space than this is a problem.
const LEAST_FREE: u64 = 256 * 1024 * 1024;

/// Looks at the configuration and the machine.
pub fn look(globals: &Globals) -> Vec<Finding> {
    let data_dir = globals.options().data_dir(&environment());
    let mut found = Vec::new();
    let config = match configuration_without_secrets(globals) {
        Ok(config) => {
            let sources: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
            let of =
                config.file.as_ref().map_or("the defaults".to_owned(), |file| file.display().to_string());
            found.push(Finding::well("configuration", format!("{of}: sources {}", sources.join(", "))));
            // Those about the mode of a secret are found below, by its file.
            let notices = config.notices.iter().filter(|notice| !notice.contains("chmod 600"));
            let todo = "`tagohook default-config` documents each option";
            found.extend(notices.map(|notice| Finding::notice("configuration", notice.clone(), todo)));
            Some(config)
        }
        Err(faults) => {
            let lines = faults.to_string();
            let fault = |line: &str| {
                Finding::bad("configuration", line, "correct it; `tagohook check-config` checks it again")
            };
            found.extend(lines.lines().map(fault));
            None
        }
    };
    found.extend(directory(&data_dir));
    found.extend(disk(&data_dir, config.as_ref()));
    if read_addresses(&data_dir).is_none()
        && let Some(config) = &config
    {
        found.push(ports(config));
    }
    found
}

fn directory(data_dir: &Path) -> Vec<Finding> {
    let shown = data_dir.display();
    if !data_dir.exists() {
        let todo = "`tagohook` makes it at its first start; or give the right one with --data-dir";
        return vec![Finding::notice("data directory", format!("{shown} does not exist"), todo)];
    }
    if access(data_dir, Access::WRITE_OK).is_err() {
        let todo = format!("run as its owner, or: chown -R \"$USER\" {shown}");
        return vec![Finding::bad("data directory", format!("{shown} cannot be written"), todo)];
    }
    let mut found = vec![Finding::well("data directory", shown.to_string())];
    for name in SECRETS {
        let path = data_dir.join(name);
        let mode = fs::metadata(&path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            let todo = format!("chmod 600 {}", path.display());
            found.push(Finding::bad("secrets", format!("others can read {}", path.display()), todo));
        }
    }
    found
}

fn disk(data_dir: &Path, config: Option<&Config>) -> Option<Finding> {
    let place = data_dir.ancestors().find(|place| place.exists())?;
    let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
    let space = statvfs(place).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let shown = |bytes: u64| shown_size(usize::try_from(bytes).unwrap_or(usize::MAX));
    let told = format!("{} free", shown(free));
    let most = config.map_or(0, |config| config.store.max_size);
    if free < LEAST_FREE {
        let todo = "free some space, or run `tagohook prune`; below 0 every delivery is answered 503";
        return Some(Finding::bad("disk", told, todo));
    }
    let used = fs::metadata(data_dir.join("tagohook.db")).map_or(0, |file| file.len());
    if free.saturating_add(used) < most {
        let todo = format!("the store may grow to {}: lower store.max_size, or free some space", shown(most));
        return Some(Finding::notice("disk", told, todo));
    }
    Some(Finding::well("disk", told))
}

/// Whether the ports could be opened by a start.
fn ports(config: &Config) -> Finding {
    let (receiver, inspector) = (&config.receiver.listen, &config.inspector.listen);
    match Ports::listen(config) {
        Ok(ports) => {
            drop(ports);
            Finding::well("ports", format!("{receiver} and {inspector} are free"))
        }
        Err(fault) => {
            let todo = "end the other program, or choose another port with --listen or --inspect-listen";
            Finding::bad("ports", format!("{fault:#}"), todo)
        }
    }
}

/// `1 endpoint`, `2 endpoints`.
pub fn endpoints(count: usize) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), "endpoint")
}
