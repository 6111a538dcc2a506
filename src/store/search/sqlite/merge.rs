//! Merges files of the index: a search reads one file of many segments in the time of one of a single segment.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::pack::{Pack, PackReader, PackedSegment, append};
use super::pack_writer::PackWriter;
use super::term::SLICES;

/// One file in `folder` of the segments of `packs`, which are in order. `may_continue` is called before each slice.
///
/// # Errors
/// If they cannot be read, the new one cannot be written, or it may not continue.
pub fn merged(
    folder: &Path,
    packs: &[Arc<Pack>],
    mut may_continue: impl FnMut() -> bool,
) -> io::Result<Pack> {
    let segments: Vec<PackedSegment> = packs.iter().flat_map(|pack| pack.segments()).copied().collect();
    let mut sources = packs.iter().map(|pack| Source::of(pack)).collect::<io::Result<Vec<_>>>()?;
    let names = packs.iter().map(|pack| pack.terms()).collect::<io::Result<Vec<_>>>()?;
    let terms: BTreeSet<&[u8]> = names.iter().flatten().map(Vec::as_slice).collect();
    let terms: Vec<&[u8]> = terms.into_iter().collect();
    let mut writer = PackWriter::create(folder, &segments, &terms)?;
    let mut entry = Vec::new();
    for _ in 0..SLICES {
        if !may_continue() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        entry.clear();
        for source in &mut sources {
            source.reader.next(&mut entry)?;
        }
        writer.push(&entry)?;
    }
    for source in &mut sources {
        // The names of its terms.
        source.reader.next(&mut Vec::new())?;
    }
    let mut names: Vec<_> = names.iter().map(|names| names.iter().map(Vec::as_slice).peekable()).collect();
    for term in terms {
        entry.clear();
        for (source, names) in sources.iter_mut().zip(&mut names) {
            match names.next_if_eq(&term) {
                Some(_) => source.reader.next(&mut entry)?,
                None => (0..source.segments).for_each(|_| append(&mut entry, &[])),
            }
        }
        writer.push(&entry)?;
    }
    writer.finish()
}

struct Source {
    reader: PackReader,
    segments: usize,
}

impl Source {
    fn of(pack: &Pack) -> io::Result<Self> {
        Ok(Self { reader: pack.reader()?, segments: pack.segments().len() })
    }
}
