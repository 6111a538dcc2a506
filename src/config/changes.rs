//! What differs between two configurations, for a person who reloads one. No secret is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

use super::layers::Layers;
use crate::domain::{Credential, Secret, Source};

/// Sections whose options a reload applies. The others need a restart.
const RELOADED: [&str; 3] = ["receiver", "source", "subscription"];
/// Options of `[receiver]` that need a restart.
const AT_RESTART: [&str; 3] = ["receiver.listen", "receiver.head_timeout", "receiver.max_buffered"];
/// Options that may contain a password in a URL.
const MAY_HIDE: [&str; 2] = ["store.url", "sender.proxy"];
/// The keys of a subscription whose values are shown. The others may contain tokens or long templates.
const SHOWN: [&str; 14] = [
    "id",
    "name",
    "events",
    "enabled",
    "ordered",
    "sources",
    "timeout",
    "batch",
    "rate_limit",
    "missing",
    "filters",
    "retry_policy",
    "fallback",
    "method",
];
/// The longest value that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// The options of a configuration, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, Setting>);

/// Whether a reload applies the option of that name. The others need a restart.
pub fn is_reloaded(path: &str) -> bool {
    let section = path.split(['.', ' ']).next().unwrap_or_default();
    RELOADED.contains(&section) && !AT_RESTART.contains(&path)
}

/// An option. Its value may be hidden; two are compared by their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    digest: [u8; 32],
    shown: Option<String>,
}

/// A changed option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its name, as `receiver.max_body` or `source.tagorun.secrets`; of a secret whose content changed, its reference.
    pub path: String,
    /// The value before, as TOML; `None` if it was not set, or is hidden.
    pub from: Option<String>,
    /// The value now, likewise.
    pub to: Option<String>,
    /// Whether the values are not shown.
    pub hidden: bool,
    /// Whether the change is in force; otherwise it is in force after a restart.
    pub applied: bool,
}

impl Settings {
    /// The options of the layers, the sources and the subscriptions. `has_flag` says whether the address of a section was
    /// given on the command line: then the option counts for nothing.
    pub(super) fn of(
        layers: &Layers<'_>,
        has_flag: impl Fn(&str) -> bool,
        (sources, read): (&[Table], &[Source]),
        subscriptions: &[Table],
    ) -> Self {
        let mut settings = Self::default();
        for (section, key, value) in layers.all() {
            if key == "listen" && has_flag(&section) {
                continue;
            }
            let path = if section.is_empty() { key } else { format!("{section}.{key}") };
            let is_hidden = MAY_HIDE.contains(&path.as_str()) && may_contain_password(&value);
            settings.add(path, &value, !is_hidden);
        }
        if let Some(first) = read.first() {
            settings.add("source".to_owned(), &Value::String(first.name.clone()), true);
        }
        for (name, key, value) in entries(sources, &["name"]) {
            settings.add(format!("source.{name}.{key}"), value, true);
        }
        for (name, key, value) in entries(subscriptions, &["id", "name"]) {
            settings.add(format!("subscription.{name}.{key}"), value, SHOWN.contains(&key));
        }
        for source in read {
            source.signature.secrets.iter().for_each(|secret| settings.add_secret(&source.name, secret));
            for credential in &source.credentials {
                match credential {
                    Credential::Bearer(secret) | Credential::Basic { password: secret, .. } => {
                        settings.add_secret(&source.name, secret);
                    }
                    Credential::ApiKey { key, secret, .. } => {
                        settings.add_secret(&source.name, key);
                        secret.iter().for_each(|secret| settings.add_secret(&source.name, secret));
                    }
                }
            }
        }
        settings
    }

    fn add(&mut self, path: String, value: &Value, is_shown: bool) {
        let text = value.to_string();
        let digest = Sha256::digest(text.as_bytes()).into();
        self.0.insert(path, Setting { digest, shown: is_shown.then(|| cut(&text)) });
    }

    fn add_secret(&mut self, source: &str, secret: &Secret) {
        let digest = Sha256::digest(secret.expose()).into();
        self.0.insert(format!("source.{source} {}", secret.name()), Setting { digest, shown: None });
    }

    /// What is different in `new`, in the order of the names.
    #[must_use]
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        let paths: std::collections::BTreeSet<&String> = self.0.keys().chain(new.0.keys()).collect();
        let change = |path: &String| {
            let (before, now) = (self.0.get(path), new.0.get(path));
            // A reference that is new or gone is a changed option already.
            if before == now || (path.contains(' ') && (before.is_none() || now.is_none())) {
                return None;
            }
            let shown = |setting: Option<&Setting>| setting.and_then(|setting| setting.shown.clone());
            let hidden = [before, now].into_iter().flatten().any(|setting| setting.shown.is_none());
            Some(Change {
                path: path.clone(),
                from: shown(before).filter(|_| !hidden),
                to: shown(now).filter(|_| !hidden),
                hidden,
                applied: is_reloaded(path),
            })
        };
        paths.into_iter().filter_map(change).collect()
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unset = || "(not set)".to_owned();
        match self.hidden {
            true => write!(out, "{}: changed (value not shown)", self.path)?,
            false => {
                let (from, to) =
                    (self.from.clone().unwrap_or_else(unset), self.to.clone().unwrap_or_else(unset));
                write!(out, "{}: {from} -> {to}", self.path)?;
            }
        }
        if self.applied { Ok(()) } else { out.write_str(" (at the next restart)") }
    }
}

/// The keys of repeated sections, with the name of each.
fn entries<'t>(tables: &'t [Table], names: &[&str]) -> Vec<(String, &'t str, &'t Value)> {
    let mut all = Vec::new();
    for (nth, table) in tables.iter().enumerate() {
        let name = names.iter().find_map(|key| table.get(*key).and_then(Value::as_str));
        let name = name.map_or_else(|| nth.saturating_add(1).to_string(), str::to_owned);
        all.extend(table.iter().map(|(key, value)| (name.clone(), key.as_str(), value)));
    }
    all
}

fn may_contain_password(value: &Value) -> bool {
    value.as_str().is_none_or(|text| text.contains(['@', '?']))
}

fn cut(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= MAX_SHOWN {
        return text;
    }
    let start: String = text.chars().take(MAX_SHOWN).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, load};

    fn settings(text: &str, env: &[(&str, &str)]) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in
            [("signing-secret", "a-secret-of-sixteen-bytes"), ("tagoio-token", "a-token-of-it")]
        {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let config = folder.path().join("t.toml");
        std::fs::write(&config, text).unwrap();
        let options =
            Options { config: Some(config), data_dir: Some(folder.path().to_owned()), ..Options::default() };
        let env: Vec<(String, String)> =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(&options, &env, |_, _| Ok(())).unwrap().settings
    }

    fn lines(old: &Settings, new: &Settings) -> Vec<String> {
        old.changes(new).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_change_is_named_with_what_it_was_and_is_and_when_it_counts() {
        let old = settings("", &[]);
        let new =
            settings("[receiver]\nmax_body = \"1 MiB\"\nhead_timeout = \"5s\"\n[store]\nqueue = 9\n", &[]);
        assert_eq!(
            lines(&old, &new),
            [
                "receiver.head_timeout: \"10s\" -> \"5s\" (at the next restart)",
                "receiver.max_body: \"4 MiB\" -> \"1 MiB\"",
                "store.queue: 4096 -> 9 (at the next restart)",
            ]
        );
        assert_eq!(lines(&old, &old.clone()), [""; 0]);
    }

    #[test]
    fn sources_and_secrets_are_compared_and_no_secret_is_shown() {
        let source = |secret: &str| format!("[[source]]\nname = \"a\"\nsecrets = [\"env:{secret}\"]\n");
        let env = |value| [("ONE", value), ("TWO", "the-second-secret-0123")];
        let (old, new) = (
            settings(&source("ONE"), &env("the-first-secret-01234")),
            settings(&source("ONE"), &env("another-first-secret-1")),
        );
        assert_eq!(lines(&old, &new), ["source.a env:ONE: changed (value not shown)"]);
        let new = settings(&source("TWO"), &env("the-first-secret-01234"));
        assert_eq!(lines(&old, &new), ["source.a.secrets: [\"env:ONE\"] -> [\"env:TWO\"]"]);
        let both = format!("{}[[source]]\nname = \"b\"\nsignature = \"none\"\n", source("ONE"));
        let new = settings(&both, &env("the-first-secret-01234"));
        assert_eq!(
            lines(&old, &new),
            ["source.b.name: (not set) -> \"b\"", "source.b.signature: (not set) -> \"none\""]
        );
    }

    #[test]
    fn a_url_with_a_password_is_not_shown() {
        let old = settings("", &[]);
        let new = settings("", &[("TAGOHOOK_SENDER_PROXY", "http://me:hunter22@proxy.example:3128")]);
        let lines = lines(&old, &new);
        assert_eq!(lines, ["sender.proxy: changed (value not shown) (at the next restart)"]);
        let subscription = |token: &str| {
            format!(
                "[[subscription]]\nname = \"s\"\nurl = \"https://example.com/{token}\"\nevents = [\"*\"]\n"
            )
        };
        let change =
            settings(&subscription("token-1"), &[]).changes(&settings(&subscription("token-2"), &[]));
        assert_eq!(change.len(), 1);
        assert!(change[0].hidden && change[0].applied && !format!("{change:?}").contains("token-"));
    }
}
