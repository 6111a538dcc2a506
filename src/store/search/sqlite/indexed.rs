//! The segments that have an index, and where it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::open::OpenSegment;
use super::pack::Pack;
use super::positions::block_of;
use super::segment::Segment;

/// Where the index of a segment is.
#[derive(Clone)]
pub enum Indexed {
    /// In a file, complete.
    Kept(Kept),
    /// In memory, as far as it is built.
    Open(Arc<RwLock<OpenSegment>>),
}

/// A segment whose index is in a file.
#[derive(Clone)]
pub struct Kept {
    /// The file.
    pub pack: Arc<Pack>,
    /// Its place among the segments of that file.
    pub place: usize,
    /// Its summary.
    pub segment: Segment,
}

/// The files of a block that can be merged: two or more, of all its segments. `oldest` is the first segment of the log, `filling`
/// the one that fills.
pub fn mergeable(known: &BTreeMap<i64, Indexed>, oldest: i64, filling: i64) -> Option<Vec<Arc<Pack>>> {
    let mut next = oldest;
    while next < filling {
        let block = block_of(next);
        let packs = (next..=*block.end()).map(|number| match known.get(&number) {
            Some(Indexed::Kept(kept)) => Some(Arc::clone(&kept.pack)),
            _ => None,
        });
        if let Some(mut packs) = packs.collect::<Option<Vec<_>>>() {
            packs.dedup_by(|one, other| Arc::ptr_eq(one, other));
            if packs.len() > 1 {
                return Some(packs);
            }
        }
        next = block.end().saturating_add(1);
    }
    None
}
