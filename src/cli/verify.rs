//! `tagohook verify`: checks whether a body is signed as its source requires, and says what is wrong if not.

use std::process::ExitCode;

use super::arguments::{Globals, Verify};
use super::configuration;
use super::fault::Fault;
use super::output::{Unwritten, answer, say};
use super::reading;
use super::sign::{find_source, read_body};
use crate::domain::{Clock as _, Headers};
use crate::receive::signing_secret;
use crate::signing;
use crate::signing::SignedRequest;
use crate::signing::diagnose::{Known, Suspect, diagnose};
use crate::telemetry::SystemClock;

/// Prints the result in one line, with the event that the source reads; fails if the signature is invalid. The exit
/// code is the same if the output is not read.
pub fn run(globals: &Globals, verify: &Verify) -> anyhow::Result<ExitCode> {
    let config = configuration(globals)?;
    let source = find_source(&config, verify.source.as_deref())?;
    let body = read_body(verify.file.as_deref())?;
    let mut headers = Headers::default();
    for line in &verify.header {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| Fault::usage(format!("--header {line:?}: expected 'Name: value'")))?;
        headers.push(name.trim(), value.trim().as_bytes());
    }
    let scheme = source.signature.scheme.as_str();
    let now = SystemClock.wall();
    let target = verify.path.clone().unwrap_or_else(|| format!("/webhook/{}", source.name));
    let request = SignedRequest { method: "POST", target: &target, headers: &headers, body: &body };
    match signing::verify(&source.signature, &request, now) {
        Ok(matched) => {
            let path = verify.path.clone().unwrap_or_else(|| format!("/webhook/{}", source.name));
            let read = reading::lines(&config, source, path, headers.clone(), body.clone())?;
            let print = || -> Result<(), Unwritten> {
                say!("valid: {scheme}, {matched}, {} bytes", body.len())?;
                read.iter().try_for_each(|line| say!("{line}"))
            };
            answer(print(), ExitCode::SUCCESS)
        }
        Err(fault) => {
            let path = verify.path.clone().unwrap_or_else(|| format!("/webhook/{}", source.name));
            let sent = signing_secret(source, &config.sources, &headers, &path);
            let found = diagnose(&Suspect {
                scheme: source.signature.scheme,
                tolerance: source.signature.tolerance,
                received_at: now,
                secrets: Known::of_all(&config.sources, &source.name),
                method: "POST",
                path: &path,
                headers: &headers,
                body: &body,
                mask: None,
            });
            let print = || -> Result<(), Unwritten> {
                say!("not valid ({}): {scheme}: {fault}", fault.reason().as_str())?;
                if let Some(sent) = &sent {
                    return say!("secret-sent: {}", sent.sentence);
                }
                found.map_or(Ok(()), |autopsy| {
                    let variant = autopsy.variant.map(|name| format!("{name}: ")).unwrap_or_default();
                    say!("{variant}{}", autopsy.sentence)
                })
            };
            answer(print(), ExitCode::FAILURE)
        }
    }
}
