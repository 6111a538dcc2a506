//! `tagohook [serve]`: starts everything, prints the addresses, and runs until it is stopped.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use super::arguments::Globals;
use super::{environment, output, read_configuration};
use crate::app::{self, Callbacks, Ended, Ports, Running, ServiceManager};
use crate::catalog::Catalog;
use crate::config::{Config, DataDir, Options};
use crate::domain::{Clock as _, Credential, Secret, Source};
use crate::send::signed_curl;
use crate::telemetry::{LogFormat, Logging, Metrics, SystemClock, start_logging};

/// The exit code after a second Ctrl-C, as in shells.
const INTERRUPTED: u8 = 130;

/// Runs the server. The first start creates secrets only after configuration, schemas and ports are checked. A failed
/// start therefore leaves nothing behind.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let options = globals.options();
    let before = read_configuration(&Options { tolerate_unmade: true, ..options.clone() })?;
    let data_dir = Arc::new(DataDir::take(&options.data_dir(&environment()))?);
    app::read_catalog(&before)?;
    let ports = Ports::listen(&before)?;
    let made = data_dir.make_secrets()?;
    let config = read_configuration(&options)?;
    let format = if config.log.json { LogFormat::Json } else { LogFormat::Text };
    let metrics = Arc::new(Metrics::default());
    let logging = Logging {
        level: config.log.level.clone(),
        format,
        collector: config.telemetry.otlp_endpoint.clone(),
    };
    let _log = start_logging(&logging, crate::http::NOISY_LIBRARY, metrics.workers());
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
    let reread = || read_configuration(&options).map_err(|faults| faults.to_string());
    let started = |running: &Running| {
        running.publish_addresses(Arc::clone(&data_dir))?;
        app::keep_rules(&data_dir, &config);
        greet(welcome(&config, &made, running));
        Ok(())
    };
    let manager = ServiceManager::of(&environment());
    let callbacks = Callbacks { started, reread };
    let ran = app::run(&config, ports, Arc::new(SystemClock), metrics, manager, callbacks);
    data_dir.remove_addresses();
    Ok(match ran? {
        Ended::Cleanly => ExitCode::SUCCESS,
        Ended::AtOnce => ExitCode::from(INTERRUPTED),
    })
}

/// Prints the welcome in the background: a full disk, a closed pipe or an unread one stops no delivery.
fn greet(welcome: String) {
    let printing = move || {
        if let Err(fault) = output::print(format_args!("{welcome}")) {
            tracing::warn!(%fault, "the welcome was not printed");
        }
    };
    // Without the thread there is no welcome.
    let _ = std::thread::Builder::new().name("welcome".to_owned()).spawn(printing);
}

/// The addresses; until the first delivery arrives, also the secrets and a command to try.
fn welcome(config: &Config, made: &[&str], running: &Running) -> String {
    let receiver = running.own_receiver();
    let shown = |url: &str| receiver.shown(url);
    let mut text = format!("tagohook {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    };
    line(format_args!("  inspector  http://{}", running.addresses.inspector));
    if let Some(url) = &config.inspector.public_url {
        line(format_args!("  public     {url}"));
    }
    for source in &config.sources {
        line(format_args!("  receiver   {}", shown(&receiver.source_url(&source.name))));
    }
    if let Some(tls) = &config.receiver.tls {
        line(format_args!("  TLS        with {}", tls.cert.display()));
    }
    line(format_args!("  anything   {}", shown(&receiver.url("webhook-test"))));
    line(format_args!("  data       {}", config.data_dir.display()));
    if made.is_empty() && !running.is_new {
        return text;
    }
    if made.is_empty() {
        line(format_args!("\nNo delivery has arrived yet."));
    } else {
        line(format_args!(
            "\nFirst start: made {} in the data directory, readable by you only.",
            made.join(", ")
        ));
    }
    for source in &config.sources {
        if let Some(said) = needs(config, source) {
            line(format_args!("  {:<10} {said}", source.name));
        }
    }
    line(format_args!(
        "The steps for TagoRUN and TagoIO, from a public address on: http://{}/connect",
        running.addresses.inspector
    ));
    let curl = config.sources.first().and_then(|source| {
        let (url, options) = (receiver.source_url(&source.name), receiver.curl_options());
        signed_curl(source, &Catalog::builtin(), (&url, &options), SystemClock.wall())
    });
    if let Some(curl) = curl {
        line(format_args!("\nTry it: this line is signed, and works when pasted.\n\n{curl}\n"));
    }
    text
}

/// What a sender to a source is given.
fn needs(config: &Config, source: &Source) -> Option<String> {
    let place = |secret: &Secret| match secret.name().strip_prefix("file:") {
        Some(file) => config.data_dir.join(file).display().to_string(),
        None => secret.name().to_owned(),
    };
    Some(match source.credentials.first() {
        Some(Credential::Bearer(token)) => {
            format!("needs the header  Authorization: Bearer <the content of {}>", place(token))
        }
        Some(Credential::ApiKey { key, header, .. }) => {
            format!("needs the header  {header}: <the content of {}>", place(key))
        }
        Some(Credential::Basic { username, .. }) => format!("needs HTTP Basic credentials of {username}"),
        None => format!("is signed with the secret in {}", place(source.signature.secrets.first()?)),
    })
}
