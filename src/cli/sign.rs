//! `tagohook sign`: the header lines that sign a body.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use bytes::Bytes;

use super::arguments::{Globals, Sign};
use super::configuration;
use super::fault::Fault;
use super::output::say;
use crate::config::Config;
use crate::domain::{Clock as _, DeliveryId, Scheme, Source, suggestion};
use crate::signing;
use crate::telemetry::SystemClock;

/// Prints the header lines.
pub fn run(globals: &Globals, sign: &Sign) -> anyhow::Result<ExitCode> {
    let config = configuration(globals)?;
    let source = find_source(&config, sign.source.as_deref())?;
    let (Some(secret), false) = (source.signature.secrets.first(), source.signature.scheme == Scheme::None)
    else {
        bail!("source {} does not require a signature", source.name);
    };
    let body = read_body(sign.file.as_deref())?;
    let now = SystemClock.wall();
    let id = sign.id.clone().unwrap_or_else(|| format!("msg_{}", DeliveryId::new_at(now)));
    for (name, value) in signing::sign(source.signature.scheme, secret, &id, now, &body)? {
        say!("{name}: {value}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The source with that name, or the first.
pub fn find_source<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<&'a Source> {
    let Some(name) = name else {
        return config.sources.first().context("the configuration has no source");
    };
    config.sources.iter().find(|source| source.name == name).ok_or_else(|| {
        let names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
        let near = suggestion(name, names.iter().copied());
        Fault::usage(format!("unknown source {name:?}{near}; the configuration has {}", names.join(", ")))
    })
}

/// The bytes of a file, or of standard input if there is none or it is `-`.
pub fn read_body(file: Option<&Path>) -> anyhow::Result<Bytes> {
    match file.filter(|file| *file != Path::new("-")) {
        Some(file) => {
            Ok(fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?.into())
        }
        None => {
            let mut body = Vec::new();
            std::io::stdin().read_to_end(&mut body).context("standard input cannot be read")?;
            Ok(body.into())
        }
    }
}
