//! Numbers of rows, and lists of their places.

/// The number of parts of a list: one for each first byte of an identity.
pub(super) const PARTS: usize = 256;
/// The size of an entry of a part: four bytes of the identity, two of the place.
const ENTRY: usize = 6;
/// A row of `taken_event_ids` has the number of its run above this many bits.
const PLACE_BITS: u32 = 20;

/// The run of a row.
pub(super) const fn run_of(id: i64) -> i64 {
    id >> PLACE_BITS
}

/// The number of the first row of a run.
pub(super) const fn first_of(run: i64) -> i64 {
    run << PLACE_BITS
}

/// The number of the first part of a run's list.
pub(super) const fn first_part(run: i64) -> i64 {
    run << 8
}

/// An entry of a part: the bytes of the identity after the first one, and the row.
pub(super) fn entry(next: [u8; 4], id: i64) -> [u8; ENTRY] {
    let place = u16::try_from(id.saturating_sub(first_of(run_of(id)))).unwrap_or(u16::MAX);
    let ([a, b, c, d], [low, high]) = (next, place.to_le_bytes());
    [a, b, c, d, low, high]
}

/// The places in a part that may be those of an identity.
pub(super) fn places(part: &[u8], next: [u8; 4]) -> impl Iterator<Item = i64> {
    let (entries, _) = part.as_chunks::<ENTRY>();
    entries
        .iter()
        .filter(move |entry| entry.starts_with(&next))
        .map(|[.., low, high]| i64::from(u16::from_le_bytes([*low, *high])))
}
