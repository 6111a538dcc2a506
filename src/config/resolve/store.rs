//! `[store]`

use super::Read;
use crate::config::fault::Origin;
use crate::config::postgres_url::{PostgresUrl, REFERENCE, Roots, TlsMode};
use crate::config::secrets::Secrets;
use crate::config::types::{StoreConfig, StorePlace};

/// The bounds of `queue`.
const QUEUE: std::ops::RangeInclusive<i64> = 1..=1_000_000;
/// The longest name of a node.
const MAX_NODE: usize = 63;

impl Read<'_> {
    pub(super) fn store(&mut self, secrets: &mut Secrets<'_>) -> Option<StoreConfig> {
        let section = "store";
        let place = self.place(secrets);
        let node = self.node();
        let keep_deliveries = self.duration(section, "keep_deliveries");
        let keep_rejected = self.duration(section, "keep_rejected");
        let keep_captured = self.whole(section, "keep_captured", 0..=i64::MAX);
        let keep_event_ids = self.duration(section, "keep_event_ids");
        let keep_messages = self.duration(section, "keep_messages");
        let keep_dead_letters = self.duration(section, "keep_dead_letters");
        let max_size = self.size(section, "max_size");
        let max_refused = self.size(section, "max_refused");
        let queue = self.whole(section, "queue", QUEUE);
        Some(StoreConfig {
            place: place?,
            node: node?,
            keep_deliveries: keep_deliveries?,
            keep_rejected: keep_rejected?,
            keep_captured: keep_captured?,
            keep_event_ids: keep_event_ids?,
            keep_messages: keep_messages?,
            keep_dead_letters: keep_dead_letters?,
            max_size: max_size?,
            max_refused: max_refused?,
            queue: usize::try_from(queue?).ok()?,
        })
    }

    fn place(&mut self, secrets: &mut Secrets<'_>) -> Option<StorePlace> {
        let url = self.text("store", "url")?;
        let password = self.text("store", "password")?;
        let is_reference = url.starts_with("file:") || url.starts_with("env:");
        let url = match is_reference.then(|| secrets.resolve(&url)) {
            Some(Ok(secret)) => String::from_utf8_lossy(secret.expose()).trim().to_owned(),
            Some(Err(what)) => return self.fault("store", "url", &what),
            None => url,
        };
        if PostgresUrl::is_named_by(&url) {
            let is_clear = !is_reference && self.is_in_file("url");
            return self.database(&url, is_clear, &password, secrets);
        }
        if !password.is_empty() {
            return self.fault("store", "password", "is for a postgres:// URL only; remove it");
        }
        match url.strip_prefix("sqlite:") {
            Some("") => Some(StorePlace::Sqlite(self.data_dir.join("tagohook.db"))),
            Some(path) => Some(StorePlace::Sqlite(self.data_dir.join(path))),
            None => {
                // A misspelt URL may contain a password.
                let scheme = url.split_once(':').map_or(url.as_str(), |(scheme, _)| scheme);
                let what = if is_reference { "its content".to_owned() } else { format!("\"{scheme}:\"") };
                self.fault(
                    "store",
                    "url",
                    &format!("{what} is not a store; use \"sqlite:\", \"sqlite:PATH\" or \"postgres://USER@HOST/DATABASE\""),
                )
            }
        }
    }

    /// `is_clear`: whether others may read the URL.
    fn database(
        &mut self,
        url: &str,
        is_clear: bool,
        password: &str,
        secrets: &mut Secrets<'_>,
    ) -> Option<StorePlace> {
        let mut database = match PostgresUrl::read(url, self.data_dir) {
            Ok(database) => database,
            Err(what) => return self.fault("store", "url", &what),
        };
        if is_clear && database.password.is_some() {
            return self.fault("store", "url", &format!("contains a password; {REFERENCE}"));
        }
        if let Roots::File(path) = &database.roots
            && !matches!(database.tls, TlsMode::Disable | TlsMode::Prefer)
            && let Err(fault) = std::fs::File::open(path)
        {
            let what = format!("sslrootcert: {} cannot be read: {fault}", path.display());
            return self.fault("store", "url", &what);
        }
        if !password.is_empty() {
            if database.password.is_some() {
                return self.fault(
                    "store",
                    "password",
                    "store.url contains a password too; remove one of them",
                );
            }
            match secrets.resolve(password) {
                Ok(secret) => database.password = Some(secret),
                Err(what) => return self.fault("store", "password", &what),
            }
        }
        Some(StorePlace::Postgres(Box::new(database)))
    }

    fn is_in_file(&self, key: &str) -> bool {
        matches!(self.layers.value("store", key).map(|said| said.origin), Some(Origin::File(..)))
    }

    /// The outer `None` is a fault, the inner one means that the name is made from the host's.
    fn node(&mut self) -> Option<Option<String>> {
        self.read("store", "node", |value| match value.as_str() {
            Some("") => Ok(None),
            Some(name) if is_node(name) => Ok(Some(name.to_owned())),
            _ => Err(format!("a name of 1 to {MAX_NODE} letters, digits, \".\", \"_\" and \"-\"")),
        })
    }
}

fn is_node(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= MAX_NODE && name.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::config::{Config, ConfigFaults, Options, StorePlace, load};

    fn read(lines: &str, env: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("t.toml", &format!("[store]\n{lines}\n"));
        write("password", "sesame\n");
        write("url", "postgres://joe:sesame@h/d\n");
        let options = Options {
            config: Some(folder.path().join("t.toml")),
            data_dir: Some(folder.path().to_owned()),
            tolerate_unmade: true,
            ..Options::default()
        };
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(&options, &env, |_, _| Ok(()))
    }

    fn fault(lines: &str, env: &[(&str, &str)]) -> String {
        let faults = read(lines, env).unwrap_err().0;
        let [fault] = &*faults else { panic!("{faults:?}") };
        assert!(!fault.contains("sesame"), "{fault}");
        fault.clone()
    }

    #[test]
    fn a_store_is_a_file_or_a_database() {
        let StorePlace::Sqlite(path) = read("url = \"sqlite:/x.db\"", &[]).unwrap().store.place else {
            panic!()
        };
        assert_eq!(path, std::path::Path::new("/x.db"));
        for bad in ["mysql:", "mysql://joe:sesame@h/d", "", "x"] {
            assert!(
                fault(&format!("url = {bad:?}"), &[]).contains("is not a store; use \"sqlite:\""),
                "{bad}"
            );
        }
        assert!(fault("url = \"postgres://joe@h:x/d\"", &[]).contains("t.toml:2: store.url: the port of h"));
    }

    #[test]
    fn a_password_is_a_reference_and_never_in_the_file() {
        let password = |lines: &str, env: &[(&str, &str)]| {
            let StorePlace::Postgres(database) = read(lines, env).unwrap().store.place else { panic!() };
            assert!(!format!("{database:?}{}", database.shown()).contains("sesame"));
            String::from_utf8(database.password.unwrap().expose().to_vec()).unwrap()
        };
        let url = "url = \"postgres://joe@h/d\"\n";
        assert_eq!(password(&format!("{url}password = \"file:password\""), &[]), "sesame");
        assert_eq!(password(&format!("{url}password = \"env:PW\""), &[("PW", "sesame")]), "sesame");
        assert_eq!(password("url = \"file:url\"", &[]), "sesame");
        assert_eq!(password("url = \"env:U\"", &[("U", "postgres://joe:sesame@h/d")]), "sesame");
        assert_eq!(password("", &[("TAGOHOOK_STORE_URL", "postgres://joe:sesame@h/d")]), "sesame");

        let clear = "url = \"postgres://joe:sesame@h/d\"";
        assert!(
            fault(clear, &[])
                .contains("store.url: contains a password; write store.password = \"file:NAME\"")
        );
        assert!(fault(&format!("{url}password = \"sesame\""), &[]).contains("write \"file:NAME\""));
        assert!(
            fault("url = \"file:url\"\npassword = \"file:password\"", &[]).contains("remove one of them")
        );
        assert!(fault("password = \"file:password\"", &[]).contains("for a postgres:// URL only"));
        assert!(fault(&format!("{url}password = \"env:NONE\""), &[]).contains("env:NONE is not set"));
        assert!(fault("url = \"env:NONE\"", &[]).contains("store.url: env:NONE is not set"));
        assert!(
            fault("url = \"env:U\"", &[("U", "sesame")]).contains("store.url: its content is not a store")
        );
    }

    #[test]
    fn a_missing_file_of_authorities_is_a_fault_where_it_is_used() {
        let url = "url = \"postgres://joe@h/d?sslrootcert=none.pem&sslmode=verify-full\"";
        assert!(fault(url, &[]).contains("none.pem cannot be read"));
        assert!(read("url = \"postgres://joe@h/d?sslrootcert=none.pem&sslmode=disable\"", &[]).is_ok());
    }

    #[test]
    fn the_name_of_a_node_has_letters_that_are_safe_everywhere() {
        let node = |name: &str| read(&format!("node = {name:?}"), &[]).map(|config| config.store.node);
        assert_eq!(node("").unwrap(), None);
        assert_eq!(node("Node_1.example-a").unwrap().as_deref(), Some("Node_1.example-a"));
        assert!(node(&"n".repeat(63)).is_ok());
        for bad in [" ", "a b", "ä", "a/b", "a\0", &"n".repeat(64)] {
            assert!(node(bad).is_err(), "{bad:?}");
        }
    }
}
