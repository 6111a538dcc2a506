//! `tagohook export`: the deliveries that a search finds, as JSON Lines, CSV or HAR.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::arguments::{Export, Globals};
use super::inspector::{self, Api, encoded};
use super::interrupt::Interrupts;
use super::output::{notice, written};
use super::progress::Spinner;
use crate::domain::shown_size;

/// Writes the export; a file appears only when it is complete.
pub fn run(globals: &Globals, asked: &Export) -> anyhow::Result<ExitCode> {
    let search = asked.query.join(" ");
    let search = search.trim();
    let query = if search.is_empty() { String::new() } else { format!("&q={}", encoded(search)) };
    let path = format!("deliveries/export?as={}{query}", asked.format);
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        match asked.output.as_deref().filter(|file| *file != Path::new("-")) {
            None => {
                copy(&api, &path, &mut Out).await?;
            }
            Some(file) => {
                // A signal does not end the process at once: the unfinished file is removed first.
                let mut interrupts = Interrupts::listen()?;
                let mut unfinished = Unfinished::create(file)?;
                let bytes = interrupts.or(copy(&api, &path, &mut unfinished.file)).await?;
                unfinished.finish()?;
                notice(format_args!("{} written to {}", shown_size(bytes), file.display()));
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Standard output, without a buffer of its own.
struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }
}

/// Copies the response, and counts its bytes. A connection that broke is an error: the export is not complete.
async fn copy(api: &Api, path: &str, out: &mut impl Write) -> anyhow::Result<usize> {
    let mut pieces = api.stream(path).await?;
    let mut bytes = 0_usize;
    let mut spinner = Spinner::new("exporting");
    loop {
        match pieces.whole().await {
            Ok(Some(piece)) => {
                written(out.write_all(&piece))?;
                bytes = bytes.saturating_add(piece.len());
                spinner.show(&shown_size(bytes));
            }
            Ok(None) => break,
            Err(failure) => bail!(
                "the connection broke after {}; the export is not complete: {failure}",
                shown_size(bytes)
            ),
        }
    }
    written(out.flush())?;
    Ok(bytes)
}

/// A file that is removed unless it is finished.
struct Unfinished {
    file: File,
    path: PathBuf,
    wanted: PathBuf,
    is_finished: bool,
}

impl Unfinished {
    fn create(wanted: &Path) -> anyhow::Result<Self> {
        let mut path = wanted.as_os_str().to_owned();
        path.push(".unfinished");
        let path = PathBuf::from(path);
        let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { file, path, wanted: wanted.to_owned(), is_finished: false })
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.file.sync_all().and_then(|()| fs::rename(&self.path, &self.wanted))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            // What is left is no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}
