//! The folder of the index. It can always be rebuilt, so any fault in it leads to a rebuild.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::indexed::{Indexed, Kept};
use super::merge::merged;
use super::open::OpenSegment;
use super::pack::{Pack, PackedSegment};
use super::pack_writer::PackWriter;
use super::positions::last_of;
use crate::store::sqlite::shared::beside;

/// The folder, shared by the searching threads and the indexer.
pub struct SearchFolder {
    path: PathBuf,
    segments: RwLock<BTreeMap<i64, Indexed>>,
    is_damaged: AtomicBool,
}

impl SearchFolder {
    /// The index next to the store at `store`. Nothing is read, and no segment is known, before `open`.
    pub fn beside(store: &Path) -> Self {
        Self {
            path: beside(store, "-search"),
            segments: RwLock::default(),
            is_damaged: AtomicBool::new(false),
        }
    }

    /// Bytes of the files, and the number of segments in them.
    pub fn size(&self) -> (u64, u64) {
        let segments = self.segments.read();
        let kept = segments.values().filter_map(|segment| match segment {
            Indexed::Kept(kept) => Some(&kept.pack),
            Indexed::Open(_) => None,
        });
        let mut packs: Vec<&Arc<Pack>> = kept.collect();
        let count = packs.len();
        packs.dedup_by(|one, other| Arc::ptr_eq(one, other));
        (packs.iter().map(|pack| pack.bytes()).sum(), u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// The segments that have an index.
    pub fn segments(&self) -> BTreeMap<i64, Indexed> {
        self.segments.read().clone()
    }

    /// Whether the index is empty.
    pub fn is_empty(&self) -> bool {
        self.segments.read().is_empty()
    }

    /// Notes that a file cannot be read, or not as it was written.
    pub fn note_damage(&self, fault: &io::Error) {
        if !self.is_damaged.swap(true, Ordering::AcqRel) {
            tracing::warn!(%fault, "the search index cannot be read; it is being rebuilt");
        }
    }

    /// Whether the index must be rebuilt.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Acquire)
    }

    /// The segment's index in memory, created if needed; `None` if it is in a file.
    pub fn opened(&self, number: i64) -> Option<Arc<RwLock<OpenSegment>>> {
        let mut segments = self.segments.write();
        let anew = || Indexed::Open(Arc::new(RwLock::new(OpenSegment::new(number))));
        match segments.entry(number).or_insert_with(anew) {
            Indexed::Open(open) => Some(Arc::clone(open)),
            Indexed::Kept(_) => None,
        }
    }

    /// Opens the files. `is_ours` tells whether a segment's last row, at that position, has that id. The index is rebuilt if it is
    /// unreadable, of another format or of another log.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn open(&self, is_ours: impl Fn(i64, [u8; 16]) -> bool) -> io::Result<()> {
        match self.open_existing(is_ours) {
            Ok(true) => Ok(()),
            Ok(false) => self.recreate(),
            Err(fault) => {
                tracing::warn!(%fault, "the search index cannot be read; it is being rebuilt");
                self.recreate()
            }
        }
    }

    fn open_existing(&self, is_ours: impl Fn(i64, [u8; 16]) -> bool) -> io::Result<bool> {
        if !self.path.is_dir() {
            return Ok(false);
        }
        let mut packs = Vec::new();
        for file in fs::read_dir(&self.path)? {
            let path = file?.path();
            match Pack::open(path.clone())? {
                Some(pack) => packs.push(Arc::new(pack)),
                None => fs::remove_file(path)?,
            }
        }
        // If merging was interrupted, a segment is also in a larger file.
        packs.sort_by_key(|pack| pack.segments().len());
        let mut segments = BTreeMap::new();
        for pack in &packs {
            if !pack.segments().iter().all(|segment| is_ours(last_of(segment.number), segment.last_id)) {
                return Ok(false);
            }
            segments.extend(kept_in(pack));
        }
        for pack in &packs {
            if !is_used(&segments, pack) {
                pack.delete();
            }
        }
        *self.segments.write() = segments;
        Ok(true)
    }

    /// Deletes the files.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn recreate(&self) -> io::Result<()> {
        self.segments.write().clear();
        // If one of these does not exist, the goal is already reached. Once the index was a database.
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(beside(&self.path, ending));
        }
        let _ = fs::remove_dir_all(&self.path);
        DirBuilder::new().mode(0o700).recursive(true).create(&self.path)?;
        self.is_damaged.store(false, Ordering::Release);
        Ok(())
    }

    /// Stores the index of a full segment, all or nothing; from then on, searches use the file. `may_continue` is called before
    /// each slice.
    ///
    /// # Errors
    /// If it cannot be written, or may not continue.
    pub fn keep(&self, open: &OpenSegment, mut may_continue: impl FnMut() -> bool) -> io::Result<()> {
        let (number, last_id, summary) = (open.number(), open.last_id(), open.segment());
        let terms: Vec<&[u8]> = open.terms().collect();
        let mut writer =
            PackWriter::create(&self.path, &[PackedSegment { number, last_id, summary }], &terms)?;
        for entry in open.entries() {
            if !may_continue() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            writer.push(&entry)?;
        }
        let pack = Arc::new(writer.finish()?);
        self.segments.write().extend(kept_in(&pack));
        Ok(())
    }

    /// Merges files into one, as `keep`.
    ///
    /// # Errors
    /// If they cannot be read, the new one cannot be written, or it may not continue.
    pub fn merge(&self, packs: &[Arc<Pack>], may_continue: impl FnMut() -> bool) -> io::Result<()> {
        let pack = Arc::new(merged(&self.path, packs, may_continue)?);
        self.segments.write().extend(kept_in(&pack));
        packs.iter().for_each(|pack| pack.delete());
        Ok(())
    }

    /// Removes a segment, and its file if that has no other one.
    pub fn forget(&self, number: i64) {
        let mut segments = self.segments.write();
        if let Some(Indexed::Kept(kept)) = segments.remove(&number)
            && !is_used(&segments, &kept.pack)
        {
            kept.pack.delete();
        }
    }
}

fn kept_in(pack: &Arc<Pack>) -> impl Iterator<Item = (i64, Indexed)> {
    pack.segments().iter().enumerate().map(|(place, segment)| {
        let kept = Kept { pack: Arc::clone(pack), place, segment: segment.summary };
        (segment.number, Indexed::Kept(kept))
    })
}

fn is_used(segments: &BTreeMap<i64, Indexed>, pack: &Arc<Pack>) -> bool {
    let is_in = |segment: &Indexed| matches!(segment, Indexed::Kept(kept) if Arc::ptr_eq(&kept.pack, pack));
    pack.segments().iter().any(|segment| segments.get(&segment.number).is_some_and(is_in))
}
