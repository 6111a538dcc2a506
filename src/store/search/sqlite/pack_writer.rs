//! Writes a file of the index.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::pack::{Pack, PackedSegment, append, damaged, directory_bytes, entries_with, header, whole};
use super::term::SLICES;
use crate::store::sqlite::shared::make_private;

/// After this many bytes, the file is written to the disk: a large write at once would delay those of the log.
const SYNCED: u32 = 2 * 1024 * 1024;
/// The ending of a file that is being written.
const UNFINISHED: &str = "new";

/// Writes a file. Without `finish` it stays unfinished, and the next start deletes it.
pub struct PackWriter {
    path: PathBuf,
    file: BufWriter<File>,
    /// Where the directory is in the file.
    start: usize,
    directory: Vec<u8>,
    names: Vec<u8>,
    entries: usize,
    written: usize,
    end: u32,
    synced: u32,
}

impl PackWriter {
    /// Starts a file in `folder` of these segments and terms, which are in order.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(folder: &Path, segments: &[PackedSegment], terms: &[&[u8]]) -> io::Result<Self> {
        let first = segments.first().map_or(0, |segment| segment.number);
        let path = folder.join(format!("{first}-{}.{UNFINISHED}", segments.len()));
        let file = make_private(&path)?;
        file.set_len(0)?;
        let mut file = BufWriter::with_capacity(64 * 1024, file);
        let entries = entries_with(terms.len());
        let header = header(segments, terms.len())?;
        file.write_all(&header)?;
        // Until the directory is known.
        file.write_all(&vec![0; directory_bytes(entries)])?;
        let mut names = Vec::new();
        terms.iter().for_each(|term| append(&mut names, term));
        let (start, directory) = (header.len(), vec![0; directory_bytes(0)]);
        Ok(Self { path, file, start, directory, names, entries, written: 0, end: 0, synced: 0 })
    }

    /// Writes the next entry: those of the slices first, then those of the terms.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn push(&mut self, entry: &[u8]) -> io::Result<()> {
        if self.written == SLICES {
            let names = std::mem::take(&mut self.names);
            self.append(&names)?;
        }
        self.append(entry)
    }

    fn append(&mut self, entry: &[u8]) -> io::Result<()> {
        self.file.write_all(entry)?;
        let length = u32::try_from(entry.len()).map_err(|_| damaged())?;
        self.end = self.end.checked_add(length).ok_or_else(damaged)?;
        self.directory.extend(self.end.to_le_bytes());
        self.directory.extend(crc32fast::hash(entry).to_le_bytes());
        self.written = self.written.saturating_add(1);
        if self.end.saturating_sub(self.synced) >= SYNCED {
            self.synced = self.end;
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
        }
        Ok(())
    }

    /// Writes the directory, and opens the file.
    ///
    /// # Errors
    /// If it cannot be written, or entries are missing.
    pub fn finish(mut self) -> io::Result<Pack> {
        self.file.flush()?;
        if self.written != self.entries {
            return Err(damaged());
        }
        self.file.get_ref().write_all_at(&self.directory, whole(self.start))?;
        self.file.get_ref().sync_all()?;
        let path = self.path.with_extension("");
        fs::rename(&self.path, &path)?;
        Pack::open(path)?.ok_or_else(damaged)
    }
}
