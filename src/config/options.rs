//! The options of the command line that say where the configuration is.

use std::path::PathBuf;

const DEFAULT_DATA_DIR: &str = "./tagohook-data";

/// The options given on the command line.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--inspect-listen`
    pub inspect_listen: Option<String>,
    /// Whether secrets that the first start creates may still be missing.
    pub tolerate_unmade: bool,
}

impl Options {
    /// The data directory: flag, then `TAGOHOOK_DATA_DIR`, then `./tagohook-data`.
    #[must_use]
    pub fn data_dir(&self, env: &[(String, String)]) -> PathBuf {
        let said = self.data_dir.clone().or_else(|| variable(env, "TAGOHOOK_DATA_DIR").map(PathBuf::from));
        said.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_DIR))
    }

    /// The configuration file: flag, then `TAGOHOOK_CONFIG`.
    pub fn config_file(&self, env: &[(String, String)]) -> Option<PathBuf> {
        self.config.clone().or_else(|| variable(env, "TAGOHOOK_CONFIG").map(PathBuf::from))
    }
}

/// The value of a variable of the environment, unless it is empty.
pub fn variable(env: &[(String, String)], name: &str) -> Option<String> {
    env.iter()
        .find(|(variable, _)| variable == name)
        .map(|(_, value)| value.clone())
        .filter(|value| !value.is_empty())
}
