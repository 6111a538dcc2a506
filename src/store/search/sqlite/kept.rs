//! Looks slices and terms up in a file.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::folder::SearchFolder;
use super::indexed::Kept;
use super::pack::{Pack, TERMS, lists};
use super::rows::Rows;
use super::segment::Postings;

/// Lookups in a file. Each entry is read once for all of its segments.
pub struct Lookups<'f> {
    folder: &'f SearchFolder,
    pack: Arc<Pack>,
    /// Entries by their place; `None`: it cannot be read.
    entries: RefCell<HashMap<usize, Option<Vec<u8>>>>,
    terms: OnceCell<Option<Vec<Vec<u8>>>>,
}

impl<'f> Lookups<'f> {
    /// Nothing is read yet.
    pub fn of(folder: &'f SearchFolder, pack: &Arc<Pack>) -> Self {
        Self { folder, pack: Arc::clone(pack), entries: RefCell::default(), terms: OnceCell::new() }
    }

    /// Whether they are in the file of `kept`.
    pub fn are_in(&self, kept: &Kept) -> bool {
        Arc::ptr_eq(&self.pack, &kept.pack)
    }

    /// Lookups in the segment at this place of the file.
    pub const fn segment(&self, place: usize) -> KeptSegment<'_> {
        KeptSegment { lookups: self, place }
    }

    fn rows(&self, entry: usize, place: usize) -> Rows {
        let mut entries = self.entries.borrow_mut();
        let read = entries.entry(entry).or_insert_with(|| self.readable(self.pack.entry(entry)));
        // An unreadable set may contain any row.
        match read.as_deref().and_then(|entry| lists(entry).nth(place)) {
            Some([]) => Rows::none(),
            Some(packed) => Rows::unpack(packed).unwrap_or_else(Rows::all),
            None => Rows::all(),
        }
    }

    /// The places of the terms in a range; `None` if they cannot be read.
    fn places(&self, range: &RangeInclusive<Vec<u8>>) -> Option<impl Iterator<Item = usize>> {
        let terms = self.terms.get_or_init(|| self.readable(self.pack.terms())).as_ref()?;
        let first = terms.partition_point(|term| term < range.start());
        let count = terms.iter().skip(first).take_while(|term| *term <= range.end()).count();
        Some(first..first.saturating_add(count))
    }

    fn readable<T>(&self, read: io::Result<T>) -> Option<T> {
        read.inspect_err(|fault| self.folder.note_damage(fault)).ok()
    }
}

/// A segment whose index is in a file.
pub struct KeptSegment<'l> {
    lookups: &'l Lookups<'l>,
    place: usize,
}

impl Postings for KeptSegment<'_> {
    fn slice(&self, slice: u16) -> Rows {
        self.lookups.rows(slice.into(), self.place)
    }

    fn term(&self, term: &[u8]) -> Rows {
        self.range(&(term.to_vec()..=term.to_vec()))
    }

    fn range(&self, range: &RangeInclusive<Vec<u8>>) -> Rows {
        let Some(places) = self.lookups.places(range) else { return Rows::all() };
        let mut found = Rows::none();
        for place in places {
            found.unite(&self.lookups.rows(TERMS.saturating_add(place), self.place));
        }
        found
    }
}
