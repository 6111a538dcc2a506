//! Secrets by reference: `file:NAME` or `env:NAME`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::data_dir::MADE_FILES;
use crate::domain::{Scheme, Secret};

const HINT: &str = "write \"file:NAME\" (a file, relative to the data directory) or \"env:NAME\"";

/// Returns why a secret is not a valid key for a scheme.
pub type SecretCheck = fn(Scheme, &Secret) -> Result<(), String>;

/// Resolves references to secrets.
pub struct Secrets<'a> {
    /// The base directory of `file:`.
    pub data_dir: PathBuf,
    /// The variables for `env:`.
    pub env: &'a [(String, String)],
    /// Whether a file that the first start creates may be missing.
    pub tolerate_unmade: bool,
    /// Whether a text without a reference is the secret itself.
    pub take_literals: bool,
    /// Notices to log.
    pub notices: Vec<String>,
}

impl Secrets<'_> {
    /// The secret that `reference` names; the error never repeats a literal.
    pub fn resolve(&mut self, reference: &str) -> Result<Secret, String> {
        if reference.contains("base64(") {
            return Err(
                "base64( is a placeholder of the document: write credentials = [{ basic = { username = \
                        \"NAME\", password = \"env:NAME\" } }], the encoding is done here"
                    .to_owned(),
            );
        }
        let bytes = if let Some(name) = reference.strip_prefix("file:") {
            self.read_file(name)?
        } else if let Some(name) = reference.strip_prefix("env:") {
            self.read_variable(name)?
        } else if self.take_literals && !reference.is_empty() {
            return Ok(Secret::new("the drafted secret", reference.as_bytes()));
        } else {
            return Err(format!("secrets are not written into the configuration; {HINT}"));
        };
        if bytes.is_empty() {
            return Err(format!("{reference} is empty"));
        }
        Ok(Secret::new(reference, bytes))
    }

    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.data_dir.join(name);
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(_) if self.tolerate_unmade && !path.exists() && MADE_FILES.contains(&name) => {
                return Ok(b"made by the first start".to_vec());
            }
            Err(_) if !path.exists() && MADE_FILES.contains(&name) => {
                return Err(format!(
                    "{} does not exist. The first start of tagohook makes it; start it once, or give its --data-dir",
                    path.display()
                ));
            }
            Err(fault) => return Err(format!("{} cannot be read: {fault}", path.display())),
        };
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
            self.notices.push(format!("file:{name}: one newline at the end is left out"));
        }
        let mode = fs::metadata(&path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            self.notices.push(format!(
                "file:{name}: others than its owner can read it; chmod 600 {}",
                path.display()
            ));
        }
        Ok(bytes)
    }

    fn read_variable(&self, name: &str) -> Result<Vec<u8>, String> {
        let found = self.env.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.clone().into_bytes()).ok_or_else(|| format!("env:{name} is not set"))
    }
}

/// Resolves secret references after the start, as `Secrets` does at the start.
#[derive(Clone)]
pub struct SecretResolver {
    data_dir: PathBuf,
    env: Vec<(String, String)>,
}

impl SecretResolver {
    /// A resolver for this data directory and environment.
    #[must_use]
    pub fn new(data_dir: PathBuf, env: &[(String, String)]) -> Self {
        Self { data_dir, env: env.to_vec() }
    }

    /// The secret that `reference` names.
    ///
    /// # Errors
    /// When there is none, as one sentence that repeats no literal.
    pub fn resolve(&self, reference: &str) -> Result<Secret, String> {
        self.secrets(false).resolve(reference)
    }

    /// Runs `read` with secrets that may also be literals.
    pub(super) fn with_literals<T>(&self, read: impl FnOnce(&mut Secrets<'_>) -> T) -> T {
        read(&mut self.secrets(true))
    }

    fn secrets(&self, take_literals: bool) -> Secrets<'_> {
        let data_dir = self.data_dir.clone();
        Secrets { data_dir, env: &self.env, tolerate_unmade: false, take_literals, notices: Vec::new() }
    }
}

impl std::fmt::Debug for SecretResolver {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SecretResolver")
    }
}
