//! What tells one node of a shared store from the others.

use std::fs;
use std::io;
use std::path::Path;

use super::data_dir::keep_secret;

const FILE: &str = "node-id";
/// The longest name of a host in the name of a node.
const MAX_HOST: usize = 48;
/// The part of the id that is in a name, in letters.
const SHORT: usize = 6;

/// The id of a data directory, made at its first start with a shared store.
pub type Instance = [u8; 16];

/// The id of this data directory; made if it is missing.
///
/// # Errors
/// When it cannot be read or written.
pub fn instance(data_dir: &Path) -> io::Result<Instance> {
    let file = data_dir.join(FILE);
    if !file.exists() {
        keep_secret(&file, hex::encode(rand::random::<Instance>()).as_bytes())?;
    }
    let mut instance = Instance::default();
    hex::decode_to_slice(fs::read_to_string(&file)?.trim(), &mut instance)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "32 hex digits are expected"))?;
    Ok(instance)
}

/// The name of a node that has none: that of its host, and a part that stays the same in its data directory.
#[must_use]
pub fn name_of(instance: &Instance) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    named(&host, instance)
}

fn named(host: &str, instance: &Instance) -> String {
    let is_safe = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let host: String = host.chars().filter(is_safe).take(MAX_HOST).collect();
    let short: String = hex::encode(instance).chars().take(SHORT).collect();
    if host.is_empty() { format!("node-{short}") } else { format!("{host}-{short}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_data_directory_stays_and_a_broken_one_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let first = instance(folder.path()).unwrap();
        assert_eq!(instance(folder.path()).unwrap(), first);
        assert_ne!(instance(tempfile::tempdir().unwrap().path()).unwrap(), first);
        fs::write(folder.path().join(FILE), "x").unwrap();
        assert_eq!(instance(folder.path()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_name_is_made_of_the_host_and_the_id() {
        assert_eq!(named("web-1.example", &[0xab; 16]), "web-1.example-ababab");
        assert_eq!(named("w\u{e4}b 1", &[0; 16]), "wb1-000000");
        assert_eq!(named("\u{f6}", &[0; 16]), "node-000000");
        assert_eq!(named(&"h".repeat(200), &[0; 16]).len(), 55);
        assert!(name_of(&[0; 16]).ends_with("-000000"));
    }
}
