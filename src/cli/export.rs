//! `tagohook export`: the deliveries that a search finds, as JSON Lines, CSV or HAR.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::arguments::{Export, Globals};
use super::inspector::{self, Api};
use super::interrupt::Interrupts;
use super::output::{notice, written};
use super::progress::Spinner;
use super::query::query_of;
use crate::domain::shown_size;

/// Writes the export; a file appears only when it is complete.
pub fn run(globals: &Globals, asked: &Export) -> anyhow::Result<ExitCode> {
    let query = query_of(&asked.query);
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

/// A file that has its name once it is finished. A device or a pipe is written to as it is.
struct Unfinished {
    file: File,
    /// Where the file is until then, and its name. `None`: it is finished.
    draft: Option<(PathBuf, PathBuf)>,
}

impl Unfinished {
    fn create(wanted: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("{} cannot be written", wanted.display());
        match fs::metadata(wanted) {
            Ok(there) if there.is_dir() => bail!("{} is a folder; give the name of a file", wanted.display()),
            Ok(there) if !there.is_file() => {
                let file = File::options().write(true).open(wanted).with_context(cannot)?;
                return Ok(Self { file, draft: None });
            }
            _ => {}
        }
        let mut draft = wanted.as_os_str().to_owned();
        draft.push(".unfinished");
        let draft = PathBuf::from(draft);
        let file = File::create(&draft).with_context(cannot)?;
        Ok(Self { file, draft: Some((draft, wanted.to_owned())) })
    }

    fn finish(mut self) -> anyhow::Result<()> {
        if let Some((draft, wanted)) = &self.draft {
            let named = self.file.sync_all().and_then(|()| fs::rename(draft, wanted));
            named.with_context(|| format!("{} cannot be written", wanted.display()))?;
        }
        self.draft = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some((draft, _)) = &self.draft {
            // What is left is no harm.
            let _ = fs::remove_file(draft);
        }
    }
}
