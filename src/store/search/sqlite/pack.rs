//! A file of the index: one full segment, or several that were merged. It never changes.
//!
//! It begins with its segments. A directory of its entries follows, and then the entries themselves: one for each slice, one with
//! the names of the terms, and one for each term. In an entry, the packed rows of each segment lie together. So a slice is read
//! for all segments at once. Each entry has a checksum.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use super::segment::Segment;
use super::term::SLICES;

/// The first bytes of a file; a change of the format changes them.
const FORMAT: [u8; 8] = *b"search 6";
/// The format, the numbers of segments and terms, and the checksum of the segments.
const HEADER: usize = 20;
/// The number, the last id and the times of a segment.
const SEGMENT_BYTES: usize = 40;
/// The end of an entry and its checksum. The first one of a directory belongs to no entry.
const DIRECTORY_BYTES: usize = 8;
/// A segment in a file.
#[derive(Clone, Copy, Debug)]
pub struct PackedSegment {
    /// Its number.
    pub number: i64,
    /// The id of its last row: tells another log from this one.
    pub last_id: [u8; 16],
    /// Its summary.
    pub summary: Segment,
}

/// A file.
#[derive(Debug)]
pub struct Pack {
    path: PathBuf,
    file: File,
    bytes: u64,
    segments: Vec<PackedSegment>,
    entries: usize,
}

/// The entry with the names of the terms.
const NAMES: usize = SLICES;
/// The entry of the first term.
pub const TERMS: usize = NAMES + 1;

impl Pack {
    /// Opens a file; `None` if it is unfinished or of another format.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: PathBuf) -> io::Result<Option<Self>> {
        let file = File::open(&path)?;
        let bytes = file.metadata()?.len();
        let mut header = [0; HEADER];
        if path.extension().is_some() || file.read_exact_at(&mut header, 0).is_err() {
            return Ok(None);
        }
        let mut rest = header.as_slice();
        if take(&mut rest) != Some(FORMAT) {
            return Ok(None);
        }
        let [count, terms, sum] = std::array::from_fn(|_| take(&mut rest).map_or(0, u32::from_le_bytes));
        let count = usize::try_from(count).unwrap_or_default();
        let terms = usize::try_from(terms).unwrap_or_default();
        let mut packed = vec![0; count.saturating_mul(SEGMENT_BYTES)];
        file.read_exact_at(&mut packed, whole(HEADER))?;
        if crc32fast::hash(&packed) != sum {
            return Ok(None);
        }
        let mut rest = packed.as_slice();
        let segments: Vec<_> = std::iter::from_fn(|| segment(&mut rest)).collect();
        let pack = Self { path, file, bytes, segments, entries: entries_with(terms) };
        let (_, end, _) = pack.entry_at(pack.entries.saturating_sub(1))?;
        Ok((pack.entries_start().saturating_add(end) == bytes).then_some(pack))
    }

    /// Its segments, in order.
    pub fn segments(&self) -> &[PackedSegment] {
        &self.segments
    }

    /// Its size.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Deletes the file. What has it open can still read it.
    pub fn delete(&self) {
        // Where it stays, the next start finds it, and its segments in another file.
        let _ = fs::remove_file(&self.path);
    }

    /// Its terms, in order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn terms(&self) -> io::Result<Vec<Vec<u8>>> {
        let names = self.entry(NAMES)?;
        Ok(lists(&names).map(<[u8]>::to_vec).collect())
    }

    /// The entry of a slice, by its number, or of a term, from `TERMS` on.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn entry(&self, place: usize) -> io::Result<Vec<u8>> {
        let (start, end, sum) = self.entry_at(place)?;
        // Its length may be damaged.
        let length = end.checked_sub(start).filter(|_| end <= self.bytes).ok_or_else(damaged)?;
        let mut entry = vec![0; usize::try_from(length).map_err(|_| damaged())?];
        self.file.read_exact_at(&mut entry, self.entries_start().saturating_add(start))?;
        checked(entry, sum)
    }

    /// Where an entry begins and ends, and its checksum.
    fn entry_at(&self, place: usize) -> io::Result<(u64, u64, u32)> {
        let mut found = [0; 2 * DIRECTORY_BYTES];
        let at = self.directory_start().saturating_add(place.saturating_mul(DIRECTORY_BYTES));
        self.file.read_exact_at(&mut found, whole(at))?;
        let mut rest = found.as_slice();
        let [start, _, end, sum] = std::array::from_fn(|_| take(&mut rest).map_or(0, u32::from_le_bytes));
        Ok((start.into(), end.into(), sum))
    }

    const fn directory_start(&self) -> usize {
        HEADER.saturating_add(self.segments.len().saturating_mul(SEGMENT_BYTES))
    }

    fn entries_start(&self) -> u64 {
        whole(self.directory_start().saturating_add(directory_bytes(self.entries)))
    }

    /// Reads all entries, in order.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn reader(&self) -> io::Result<PackReader> {
        let mut directory = vec![0; directory_bytes(self.entries)];
        self.file.read_exact_at(&mut directory, whole(self.directory_start()))?;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.entries_start()))?;
        Ok(PackReader { file: BufReader::with_capacity(64 * 1024, file), directory, next: 0 })
    }
}

/// Reads the entries of a file in order.
pub struct PackReader {
    file: BufReader<File>,
    directory: Vec<u8>,
    /// Where the directory continues.
    next: usize,
}

impl PackReader {
    /// Appends the next entry to `entry`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn next(&mut self, entry: &mut Vec<u8>) -> io::Result<()> {
        let mut rest = self.directory.get(self.next..).unwrap_or_default();
        let [start, _, end, sum] = std::array::from_fn(|_| take(&mut rest).map_or(0, u32::from_le_bytes));
        self.next = self.next.saturating_add(DIRECTORY_BYTES);
        let length = end.checked_sub(start).and_then(|length| usize::try_from(length).ok());
        let mut read = vec![0; length.ok_or_else(damaged)?];
        self.file.read_exact(&mut read)?;
        entry.extend(checked(read, sum)?);
        Ok(())
    }
}

/// Appends a list of bytes to an entry.
pub fn append(entry: &mut Vec<u8>, list: &[u8]) {
    entry.extend(u16::try_from(list.len()).unwrap_or_default().to_le_bytes());
    entry.extend(list);
}

/// The lists of an entry.
pub fn lists(entry: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = entry;
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_le_bytes(take(&mut rest)?));
        let (list, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(list)
    })
}

/// What cannot be what was written.
pub fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn checked(entry: Vec<u8>, sum: u32) -> io::Result<Vec<u8>> {
    if crc32fast::hash(&entry) == sum { Ok(entry) } else { Err(damaged()) }
}

pub const fn entries_with(terms: usize) -> usize {
    TERMS.saturating_add(terms)
}

pub const fn directory_bytes(entries: usize) -> usize {
    entries.saturating_add(1).saturating_mul(DIRECTORY_BYTES)
}

/// The start of a file of these segments.
pub fn header(segments: &[PackedSegment], terms: usize) -> io::Result<Vec<u8>> {
    let count = |length: usize| u32::try_from(length).map_err(|_| damaged());
    let packed: Vec<u8> = segments.iter().flat_map(packed).collect();
    let mut header = FORMAT.to_vec();
    for number in [count(segments.len())?, count(terms)?, crc32fast::hash(&packed)] {
        header.extend(number.to_le_bytes());
    }
    header.extend(packed);
    Ok(header)
}

fn packed(segment: &PackedSegment) -> impl Iterator<Item = u8> + use<> {
    let numbers = [segment.number, segment.summary.earliest, segment.summary.latest].map(i64::to_le_bytes);
    segment.last_id.into_iter().chain(numbers.into_iter().flatten())
}

fn segment(rest: &mut &[u8]) -> Option<PackedSegment> {
    let last_id = take(rest)?;
    let [number, earliest, latest] = [take(rest)?, take(rest)?, take(rest)?].map(i64::from_le_bytes);
    Some(PackedSegment { number, last_id, summary: Segment { earliest, latest } })
}

/// Takes `N` bytes off the front.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

pub fn whole(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
