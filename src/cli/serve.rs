//! `tagohook [serve]`: starts everything, prints where it is, runs until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use super::arguments::Globals;
use super::{environment, read_configuration};
use crate::app::{self, Ended};
use crate::catalog::Catalog;
use crate::config::{Addresses, Config, DataDir};
use crate::domain::Clock as _;
use crate::send::{signed_curl, source_url};
use crate::telemetry::{LogFormat, SystemClock, start_logging};

/// The exit code of a program that a second Ctrl-C ended, as shells have it.
const INTERRUPTED: u8 = 130;

/// Runs the server.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let options = globals.options();
    let env = environment();
    let data_dir = DataDir::take(&options.data_dir(&env))?;
    let config = read_configuration(&options)?;
    let format = if config.log.json { LogFormat::Json } else { LogFormat::Text };
    let _log = start_logging(&config.log.level, format, crate::http::NOISY_LIBRARY);
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
    let reread = || read_configuration(&options).map_err(|faults| faults.to_string());
    let started = |addresses: app::Addresses| {
        let said = Addresses {
            receiver: addresses.receiver,
            inspector: addresses.inspector,
            pid: std::process::id(),
        };
        data_dir.write_addresses(&said)?;
        print_welcome(&config, &data_dir, addresses);
        Ok(())
    };
    let ran = app::run(&config, Arc::new(SystemClock), started, reread);
    data_dir.remove_addresses();
    Ok(match ran? {
        Ended::Cleanly => ExitCode::SUCCESS,
        Ended::AtOnce => ExitCode::from(INTERRUPTED),
    })
}

/// Where everything is; at the first start also what was made and how to try it.
fn print_welcome(config: &Config, data_dir: &DataDir, addresses: app::Addresses) {
    let receiver = addresses.receiver;
    println!("tagohook {}", env!("CARGO_PKG_VERSION"));
    println!("  inspector  http://{}", addresses.inspector);
    for source in &config.sources {
        println!("  receiver   {}", source_url(receiver, &source.name));
    }
    println!("  anything   http://{receiver}/webhook-test");
    println!("  data       {}", config.data_dir.display());
    if data_dir.made.is_empty() {
        return;
    }
    println!();
    println!("First start: made {} in the data directory, readable by you only.", data_dir.made.join(", "));
    println!(
        "In TagoRUN, use the first receiver URL (through your proxy or tunnel) and the secret in signing-secret;"
    );
    println!(
        "in a TagoIO Action, the tagoio URL and the header  Authorization: Bearer <the content of tagoio-token>."
    );
    let curl = config.sources.first().and_then(|source| {
        let url = source_url(receiver, &source.name);
        signed_curl(source, &Catalog::builtin(), &url, SystemClock.now())
    });
    if let Some(curl) = curl {
        println!("\nTry it: this line is signed, and works when pasted.\n\n{curl}\n");
    }
}
