//! Records what is done and then prints it, on a thread of its own: neither a slow disk nor a full pipe holds up
//! signals.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use anyhow::{Context as _, bail};
use tokio::sync::{mpsc, oneshot};

use super::position::{Kept, done_line, position_line, report_line, reported_line};
use super::reports::Unsent;
use crate::cli::output::{Unwritten, print};

/// The most notes that wait to be written.
const MOST_NOTES: usize = 1_024;
/// The file is written again without what is no longer needed when it is longer.
const MOST_BYTES: u64 = 1024 * 1024;

/// What is to be written down, and then printed.
#[derive(Debug, Default)]
pub struct Note {
    /// A delivery that is done, with its position.
    pub done: Option<(i64, String)>,
    /// A report that is not sent yet.
    pub report: Option<Unsent>,
    /// Reports up to this number were sent.
    pub reported: Option<u64>,
    /// Everything up to here is done.
    pub position: Option<i64>,
    /// The text to print.
    pub text: String,
}

/// The end of a keeper.
type Ended = anyhow::Result<()>;

/// The thread that keeps notes.
pub struct Keeper {
    notes: mpsc::Sender<Note>,
    /// Comes when something could not be written.
    failed: Option<oneshot::Receiver<()>>,
    ended: oneshot::Receiver<Ended>,
    thread: JoinHandle<()>,
}

/// The file of a name. It is locked while this exists.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    _lock: File,
    kept: Kept,
    bytes: u64,
}

impl Journal {
    /// Opens the file of `name` in `folder`, or makes it.
    ///
    /// # Errors
    /// When it cannot be read or written, or another process has it.
    pub fn open(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let cannot = || format!("the position {name:?} cannot be kept in {}", folder.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        let lock = File::create(folder.join(format!("{name}.lock"))).with_context(cannot)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            bail!("another `tagohook listen --name {name}` is running; give this one another name");
        }
        let path = folder.join(format!("{name}.position"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut kept = Kept::default();
        // A line without its end was not written whole.
        text.split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
            .for_each(|line| kept.read(line));
        let file = rewritten(&path, &kept.lines()).with_context(cannot)?;
        Ok(Self { path, file, _lock: lock, kept, bytes: 0 })
    }

    /// What an earlier run kept.
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Where the first run begins.
    pub fn begin(&mut self, since: Option<&str>) -> std::io::Result<()> {
        self.kept = Kept { since: since.map(str::to_owned), ..Kept::default() };
        self.file = rewritten(&self.path, &self.kept.lines())?;
        Ok(())
    }

    /// Writes notes down. They count from then on.
    fn keep(&mut self, notes: &[Note]) -> std::io::Result<()> {
        let mut lines = String::new();
        for note in notes {
            // Before its delivery counts as done.
            if let Some((number, report)) = &note.report {
                lines.push_str(&report_line(*number, report));
                self.kept.reports.insert(*number, report.clone());
            }
            if let Some(number) = note.reported {
                lines.push_str(&reported_line(number));
                self.kept.reported(number);
            }
            if let Some((seq, id)) = &note.done {
                lines.push_str(&done_line(*seq, id));
                self.kept.done.insert((*seq, id.clone()));
            }
            if let Some(seq) = note.position {
                lines.push_str(&position_line(seq));
                self.kept.move_to(seq);
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        if self.bytes > MOST_BYTES {
            self.file = rewritten(&self.path, &self.kept.lines())?;
            self.bytes = 0;
            return Ok(());
        }
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()
    }
}

/// Replaces the file at once, and opens it to add lines.
fn rewritten(path: &Path, lines: &str) -> std::io::Result<File> {
    let next = path.with_extension("next");
    let mut options = OpenOptions::new();
    let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(&next)?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    OpenOptions::new().append(true).open(path)
}

impl Keeper {
    /// Starts it. Without a journal, notes are only printed.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(journal: Option<Journal>) -> std::io::Result<Self> {
        let (notes, mut coming) = mpsc::channel(MOST_NOTES);
        let ((fail, failed), (end, ended)) = (oneshot::channel(), oneshot::channel());
        let thread = std::thread::Builder::new().name("keeper".to_owned()).spawn(move || {
            // Nobody waits for it any more if that fails.
            let _ = end.send(work(&mut coming, journal, fail));
        })?;
        Ok(Self { notes, failed: Some(failed), ended, thread })
    }

    /// Hands over a note.
    pub async fn note(&self, note: Note) {
        // It takes notes until it is finished.
        let _ = self.notes.send(note).await;
    }

    /// Waits until something cannot be written; `finish` says what. Without a fault it waits for ever.
    pub async fn failed(&mut self) {
        let has_failed = match &mut self.failed {
            Some(failed) => failed.await.is_ok(),
            None => false,
        };
        self.failed = None;
        if !has_failed {
            std::future::pending::<()>().await;
        }
    }

    /// Ends it after its last note.
    pub async fn finish(self) -> Ended {
        drop(self.notes);
        let ended = self.ended.await.unwrap_or(Ok(()));
        // It has sent its last word.
        let _ = self.thread.join();
        ended
    }
}

/// Keeps notes until there are no more. After a fault of the output they are still written down.
fn work(coming: &mut mpsc::Receiver<Note>, mut journal: Option<Journal>, fail: oneshot::Sender<()>) -> Ended {
    let mut fail = Some(fail);
    let mut unkept: Ended = Ok(());
    let mut unprinted: Result<(), Unwritten> = Ok(());
    while let Some(first) = coming.blocking_recv() {
        let mut notes = vec![first];
        while let Ok(more) = coming.try_recv() {
            notes.push(more);
        }
        if let Some(journal) = journal.as_mut().filter(|_| unkept.is_ok()) {
            unkept = journal.keep(&notes).context("the position cannot be kept");
        }
        let text: String = notes.iter().map(|note| note.text.as_str()).collect();
        if !text.is_empty() && unprinted.is_ok() && unkept.is_ok() {
            unprinted = print(format_args!("{text}"));
        }
        if (unkept.is_err() || unprinted.is_err())
            && let Some(fail) = fail.take()
        {
            // The session may have ended for another reason.
            let _ = fail.send(());
        }
    }
    unkept?;
    Ok(unprinted?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(seq: i64, id: &str) -> Note {
        Note { done: Some((seq, id.to_owned())), ..Note::default() }
    }

    #[test]
    fn what_was_kept_is_there_after_the_next_start_and_a_name_is_used_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "app").unwrap();
        journal.begin(Some("2026-03-09T07:14:58Z")).unwrap();
        journal.keep(&[done(4, "a"), done(6, "b")]).unwrap();
        let told = Journal::open(folder.path(), "app").unwrap_err().to_string();
        assert!(told.contains("another `tagohook listen --name app` is running"), "{told}");
        drop(journal);
        let mut journal = Journal::open(folder.path(), "app").unwrap();
        assert_eq!(journal.kept().since.as_deref(), Some("2026-03-09T07:14:58Z"));
        assert_eq!(journal.kept().done.len(), 2);
        journal.keep(&[Note { position: Some(5), ..Note::default() }]).unwrap();
        drop(journal);
        let kept = Journal::open(folder.path(), "app").unwrap().kept().clone();
        assert_eq!(kept.lines(), "position 5\ndone 6 b\n");
    }

    #[test]
    fn a_line_that_broke_off_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.position"), "position 120\ndone 121 a\nposition 12").unwrap();
        let journal = Journal::open(folder.path(), "app").unwrap();
        assert_eq!(journal.kept().position, Some(120));
    }

    #[test]
    fn a_long_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "app").unwrap();
        journal.bytes = MOST_BYTES;
        journal.keep(&[done(4, "a"), Note { position: Some(4), ..Note::default() }]).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("app.position")).unwrap(), "position 4\n");
    }
}
