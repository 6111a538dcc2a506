//! Turns the layers into a checked `Config`, and collects every fault on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;
use url::Url;

use self::notices::{foreign_notice, proxy_notice, trust_notice, unused_secrets};
use super::changes::Settings;
use super::fault::{ConfigFaults, Origin};
use super::layers::{ConfigFile, Layers, Said};
use super::options::{Options, variable};
use super::secrets::SecretCheck;
use super::secrets::{SecretResolver, Secrets};
use super::types::{Config, InspectorConfig, LogConfig, PasswordHash, TelemetryConfig};
use super::values::{one_of, texts};
use super::{PublicUrl, Rate, sources, subscriptions, values};
use crate::domain::ListenAddress;

mod notices;
mod receiver;
mod sender;
mod store;

/// The longest `search_time`: the stores interrupt whatever reads for ten seconds.
const MAX_SEARCH_TIME: Duration = Duration::from_secs(5);

/// Reads and checks the whole configuration. `env` is the environment; `check_secret` validates keys for their
/// schemes.
///
/// # Errors
/// Every fault that was found, one line each.
pub fn load(
    options: &Options,
    env: &[(String, String)],
    check_secret: SecretCheck,
) -> Result<Config, ConfigFaults> {
    let mut faults = ConfigFaults::default();
    let file = options.config_file(env).and_then(|path| ConfigFile::read(&path, &mut faults));
    let layers = Layers::new(file.as_ref(), env, &mut faults);
    let data_dir = options.data_dir(env);
    let mut secrets = Secrets {
        data_dir: data_dir.clone(),
        env,
        tolerate_unmade: options.tolerate_unmade,
        take_literals: false,
        notices: Vec::new(),
    };
    let (tables, sources_file) = layers.sources(&mut faults);
    let sources = sources::read(&tables, sources_file, &mut secrets, check_secret, &mut faults);
    let own = layers.own_tables("subscription", &mut faults);
    let subscriptions = own
        .as_ref()
        .map(|(tables, file)| subscriptions::read(tables, file, &mut secrets, check_secret, &mut faults))
        .unwrap_or_default();
    let own = own.map(|(tables, _)| tables).unwrap_or_default();
    let has_flag = |section: &str| match section {
        "receiver" => options.listen.is_some(),
        "inspector" => options.inspect_listen.is_some(),
        _ => false,
    };
    let settings = Settings::of(&layers, has_flag, (&tables, &sources), &own);
    let mut read = Read { layers, env, data_dir: &data_dir, options, faults };
    let receiver = read.receiver(&mut secrets.notices);
    let inspector = read.inspector();
    let store = read.store(&mut secrets);
    let sender = read.sender(&mut secrets.notices);
    let log = read.log();
    let telemetry = read.telemetry();
    let schemas_dir = read.schemas_dir();
    if let (Some(receiver), Some(inspector)) = (&receiver, &inspector)
        && inspector.listen.port() != 0
        && receiver.listen == ListenAddress::Tcp(inspector.listen)
    {
        let what = format!("the receiver and the inspector cannot both listen on {}", inspector.listen);
        read.fault::<()>("inspector", "listen", &what);
    }
    let foreign = foreign_notice(&read.layers.foreign);
    let faults = read.faults;
    match (receiver, inspector, store, sender, log, telemetry) {
        (Some(receiver), Some(inspector), Some(store), Some(sender), Some(log), Some(telemetry))
            if faults.is_empty() =>
        {
            let mut notices = secrets.notices;
            notices.extend(proxy_notice(&receiver, &sources));
            notices.extend(trust_notice(&receiver));
            notices.extend(unused_secrets(&sources));
            notices.extend(foreign);
            let secrets = SecretResolver::new(data_dir.clone(), env);
            Ok(Config {
                data_dir,
                file: options.config.clone(),
                receiver,
                inspector,
                store,
                sender,
                log,
                telemetry,
                sources,
                subscriptions,
                secrets,
                schemas_dir,
                settings,
                notices,
            })
        }
        _ => Err(faults),
    }
}

/// The URL of a collector of traces.
fn collector(text: &str) -> Result<Url, String> {
    if !cfg!(feature = "otlp") {
        return Err(
            "this program was built without OTLP; build it with `cargo build --release --features otlp`, or \
                    leave this empty"
                .to_owned(),
        );
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("must not contain a password; OTEL_EXPORTER_OTLP_HEADERS has the credentials".to_owned())
        }
        Some(url) => Ok(url),
        None => Err("an http or https URL is expected, such as http://127.0.0.1:4318".to_owned()),
    }
}

struct Read<'a> {
    layers: Layers<'a>,
    env: &'a [(String, String)],
    data_dir: &'a Path,
    options: &'a Options,
    faults: ConfigFaults,
}

impl Read<'_> {
    fn inspector(&mut self) -> Option<InspectorConfig> {
        let section = "inspector";
        let flag = self.options.inspect_listen.clone();
        let listen =
            self.address(section, flag, "--inspect-listen", "TAGOHOOK_INSPECT_LISTEN", values::address);
        let password = self.password();
        let allowed_hosts = self.read(section, "allowed_hosts", |value| values::host_names(&texts(value)?));
        let public_url = self.read(section, "public_url", |value| match value.as_str() {
            Some("") => Ok(None),
            text => PublicUrl::parse(text.unwrap_or_default()).map(Some),
        });
        let search_time = self.read(section, "search_time", |value| match value.as_str() {
            Some("0s") => Ok(Duration::ZERO),
            _ => values::duration(&values::written(value)).and_then(|time| {
                if time <= MAX_SEARCH_TIME { Ok(time) } else { Err("at most 5s".to_owned()) }
            }),
        });
        let (listen, password) = (listen?, password?);
        if !listen.ip().to_canonical().is_loopback() && password.is_none() {
            let what = format!(
                "required, since inspector.listen = \"{listen}\" is not a loopback address; make a hash with \
                 `tagohook hash-password`, put it in a file and name that file here"
            );
            self.fault::<()>(section, "password_file", &what);
        }
        Some(InspectorConfig {
            listen,
            password,
            allowed_hosts: allowed_hosts?,
            public_url: public_url?,
            search_time: search_time?,
        })
    }

    /// The outer `None` is a fault, the inner one means that there is no password.
    fn password(&mut self) -> Option<Option<PasswordHash>> {
        let section = "inspector";
        let name = self.text(section, "password_file")?;
        if name.is_empty() {
            return Some(None);
        }
        let path = self.data_dir.join(name.strip_prefix("file:").unwrap_or(&name));
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().starts_with("$argon2") => {
                Some(Some(PasswordHash::new(text.trim().to_owned())))
            }
            Ok(_) => {
                let what = format!(
                    "{} does not contain an argon2 hash; `tagohook hash-password` prints one",
                    path.display()
                );
                self.fault(section, "password_file", &what)
            }
            Err(cause) => {
                self.fault(section, "password_file", &format!("{} cannot be read: {cause}", path.display()))
            }
        }
    }

    fn log(&mut self) -> Option<LogConfig> {
        let level = self.word("log", "level", &["error", "warn", "info", "debug", "trace"]);
        let format = self.word("log", "format", &["text", "json"]);
        Some(LogConfig { level: level?, json: format? == "json" })
    }

    fn telemetry(&mut self) -> Option<TelemetryConfig> {
        let otlp_endpoint = self.read("telemetry", "otlp_endpoint", |value| match value.as_str() {
            Some("") => Ok(None),
            text => collector(text.unwrap_or_default()).map(Some),
        });
        Some(TelemetryConfig { otlp_endpoint: otlp_endpoint? })
    }

    fn schemas_dir(&mut self) -> Option<PathBuf> {
        let said = self.layers.value("", "schemas_dir")?;
        let name = self.read("", "schemas_dir", |value| {
            value.as_str().map(str::to_owned).ok_or("must be a string".to_owned())
        })?;
        if name.is_empty() {
            return None;
        }
        let base = match &said.origin {
            Origin::File(path, _) => path.parent().map(Path::to_owned).unwrap_or_default(),
            _ => PathBuf::new(),
        };
        Some(base.join(name))
    }

    /// An address: flag, then its variable, then the layers.
    fn address<T>(
        &mut self,
        section: &str,
        flag: Option<String>,
        name: &'static str,
        variable_name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let said = flag.map(|text| (text, Origin::Flag(name))).or_else(|| {
            variable(self.env, variable_name).map(|text| (text, Origin::Env(variable_name.to_owned())))
        });
        let (text, origin) = match said {
            Some(said) => said,
            None => {
                let text = self.read(section, "listen", |value| match value {
                    Value::Integer(port) => Ok(port.to_string()),
                    other => other.as_str().map(str::to_owned).ok_or_else(|| values::ADDRESS.to_owned()),
                })?;
                (text, self.layers.value(section, "listen")?.origin)
            }
        };
        parse(&text).map_err(|what| self.faults.add(&origin, &format!("{section}.listen"), what)).ok()
    }

    fn read<T>(
        &mut self,
        section: &str,
        key: &str,
        convert: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let Said { value, .. } = self.layers.value(section, key)?;
        match convert(&value) {
            Ok(value) => Some(value),
            Err(what) => self.fault(section, key, &what),
        }
    }

    fn fault<T>(&mut self, section: &str, key: &str, what: &str) -> Option<T> {
        let origin = self.layers.value(section, key).map_or(Origin::Default, |said| said.origin);
        let name = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        self.faults.add(&origin, &name, what);
        None
    }

    fn text(&mut self, section: &str, key: &str) -> Option<String> {
        self.read(section, key, |value| {
            value.as_str().map(str::to_owned).ok_or_else(|| "must be a string".to_owned())
        })
    }

    fn texts(&mut self, section: &str, key: &str) -> Option<Vec<String>> {
        self.read(section, key, texts)
    }

    fn size(&mut self, section: &str, key: &str) -> Option<u64> {
        self.read(section, key, |value| match value {
            Value::Integer(bytes) => u64::try_from(*bytes).map_err(|_| "must not be negative".to_owned()),
            other => values::size(&values::written(other)),
        })
    }

    fn duration(&mut self, section: &str, key: &str) -> Option<Duration> {
        self.read(section, key, |value| values::duration(&values::written(value)))
    }

    fn rate(&mut self, section: &str, key: &str) -> Option<Rate> {
        self.read(section, key, |value| values::rate(&values::written(value)))
    }

    fn whole(&mut self, section: &str, key: &str, bounds: std::ops::RangeInclusive<i64>) -> Option<u64> {
        self.read(section, key, |value| {
            let number = value.as_integer().filter(|number| bounds.contains(number));
            let number = number.and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(|| format!("a whole number from {} to {}", bounds.start(), bounds.end()))
        })
    }

    fn flag(&mut self, section: &str, key: &str) -> Option<bool> {
        self.read(section, key, |value| value.as_bool().ok_or_else(|| "true or false".to_owned()))
    }

    fn word(&mut self, section: &str, key: &str, words: &[&str]) -> Option<String> {
        self.read(section, key, |value| one_of(value, words))
    }
}

#[cfg(test)]
mod tests;
