//! The receiver's public address, as the last check that succeeded found it: a file in the data directory.

use std::path::Path;
use std::{fs, io};

use url::Url;

use super::data_dir::write_private;

const FILE: &str = "public-address";

/// The address that was kept; `None` if there is none or it is not a web address.
#[must_use]
pub fn read_public_address(data_dir: &Path) -> Option<Url> {
    let url = Url::parse(fs::read_to_string(data_dir.join(FILE)).ok()?.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Keeps the address, or forgets it.
///
/// # Errors
/// When the file cannot be written or removed.
pub fn keep_public_address(data_dir: &Path, address: Option<&Url>) -> io::Result<()> {
    match address {
        Some(url) => write_private(data_dir, FILE, format!("{url}\n").as_bytes()),
        None => match fs::remove_file(data_dir.join(FILE)) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_and_forgotten_and_what_is_none_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let kept = || read_public_address(folder.path());
        assert_eq!(kept(), None);
        let url = Url::parse("https://hooks.example.com/a/").unwrap();
        keep_public_address(folder.path(), Some(&url)).unwrap();
        assert_eq!(kept(), Some(url));
        keep_public_address(folder.path(), None).unwrap();
        keep_public_address(folder.path(), None).unwrap();
        assert_eq!(kept(), None);
        fs::write(folder.path().join(FILE), "javascript:alert(1)").unwrap();
        assert_eq!(kept(), None);
    }
}
