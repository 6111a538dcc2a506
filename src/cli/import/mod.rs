//! `tagohook import`: deliveries of another instance, or an HTTP archive of another tool, to look at.

mod archive;
mod found;
mod source;
mod upload;

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use self::source::{Deliveries, Input};
use self::upload::{Tally, Upload};
use super::arguments::{Globals, Import};
use super::inspector::{self, Api};
use super::output::{Unwritten, answer, say};
use super::progress::Progress;

/// Imports a file, and says what became of its deliveries; exit code 1 if some were refused.
pub fn run(globals: &Globals, asked: &Import) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        let mut deliveries = Deliveries::of(open(&asked.file)?, asked.source.as_deref())?;
        let mut upload = Upload::new(&api, deliveries.noun(), asked.rows.json);
        let mut progress = Progress::new("deliveries");
        let what = asked.file.display().to_string();
        let total = deliveries.len();
        while let Some(delivery) = deliveries.next().context("the file cannot be read")? {
            upload.add(delivery).await?;
            progress.show("importing", &what, count(total.saturating_sub(deliveries.len())), count(total));
        }
        let tally = upload.finish().await?;
        progress.end();
        let exit = if tally.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        answer(tell(&tally, asked.rows.json), exit)
    })
}

/// The file. Standard input and other pipes are read to their end first.
fn open(file: &Path) -> anyhow::Result<Box<dyn Input>> {
    if file == Path::new("-") {
        return whole(io::stdin()).context("standard input cannot be read");
    }
    let opened = || -> io::Result<Box<dyn Input>> {
        let opened = File::open(file)?;
        if opened.metadata()?.is_file() { Ok(Box::new(BufReader::new(opened))) } else { whole(opened) }
    };
    opened().with_context(|| format!("{} cannot be read", file.display()))
}

fn whole(mut from: impl Read) -> io::Result<Box<dyn Input>> {
    let mut text = Vec::new();
    from.read_to_end(&mut text)?;
    Ok(Box::new(Cursor::new(text)))
}

fn count(deliveries: usize) -> u64 {
    u64::try_from(deliveries).unwrap_or(u64::MAX)
}

fn tell(tally: &Tally, is_json: bool) -> Result<(), Unwritten> {
    let Tally { imported, known, refused, skipped } = tally;
    if is_json {
        return say!(
            "{}",
            json!({"imported": imported, "known": known, "refused": refused, "skipped": skipped})
        );
    }
    let mut parts = vec![format!("{imported} imported")];
    let more = [(*known, "already there"), (*refused, "refused"), (*skipped, "without a body skipped")];
    parts.extend(
        more.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")),
    );
    say!("{}", parts.join(", "))
}
