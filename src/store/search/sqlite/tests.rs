//! Files of the index, merged, damaged and left over.

use std::sync::Arc;

use super::builder::Indexable;
use super::folder::SearchFolder;
use super::indexed::{Indexed, mergeable};
use super::kept::Lookups;
use super::open::{OpenRow, OpenSegment};
use super::pack::{Pack, TERMS};
use super::positions::{SEGMENT, first_of};
use super::rows::Rows;
use super::segment::Postings as _;
use super::term;
use crate::domain::{Reason, Verdict};

/// A full segment; its refused rows differ from those of others.
fn full(number: i64) -> OpenSegment {
    let row = |place: i64| {
        let is_refused = place % (number + 2) == 0 && number != 2;
        Indexable {
            source: "tagorun".to_owned(),
            method: "POST".to_owned(),
            path: "/webhook/tagorun".to_owned(),
            client_ip: [203, 0, 113, 9].into(),
            event_type: Some(format!("type.{}", number * 10 + place % 3)),
            event_name: None,
            event_id: Some(format!("evt_{number}_{place}")),
            entity: None,
            verdict: if is_refused { Verdict::Rejected } else { Verdict::Accepted },
            reason: is_refused.then_some(Reason::SignatureMismatch),
            status: if is_refused { 401 } else { 200 },
            headers: b"Host: example\r\n".to_vec(),
            body: format!("{{\"place\":{}}}", place * 7_919).into_bytes(),
        }
    };
    let mut open = OpenSegment::new(number);
    let rows = (0..SEGMENT).step_by(5).map(|place| {
        let seq = first_of(number) + place;
        OpenRow::new(seq, [u8::try_from(number).unwrap(); 16], 1_000 * seq, &row(place))
    });
    open.add(rows.collect(), first_of(number + 1));
    open
}

/// Those of the segment, without those that it has not: a set of all its rows is kept as any.
fn same(one: Rows, other: &Rows, open: &OpenSegment) -> bool {
    let mut all = open.range(&(vec![0]..=vec![0xff]));
    all.intersect(&one);
    all == *other
}

fn agrees(folder: &SearchFolder, number: i64, open: &OpenSegment) {
    let segments = folder.segments();
    let Some(Indexed::Kept(kept)) = segments.get(&number) else { panic!("{number} is not kept") };
    let lookups = Lookups::of(folder, &kept.pack);
    let kept = lookups.segment(kept.place);
    for slice in (0..10_240).step_by(7) {
        assert!(same(kept.slice(slice), &open.slice(slice), open), "slice {slice} of {number}");
    }
    for term in [term::verdict(Verdict::Rejected), term::status(401), b"ttype.11".to_vec(), vec![0]] {
        assert!(same(kept.term(&term), &open.term(&term), open), "{term:?} of {number}");
    }
    let types = b"ttype.1".to_vec()..=b"ttype.2".to_vec();
    assert!(same(kept.range(&types), &open.range(&types), open), "types of {number}");
}

#[test]
fn a_merged_file_has_what_its_files_had() {
    let place = tempfile::tempdir().unwrap();
    let folder = SearchFolder::beside(&place.path().join("t.db"));
    folder.open(|_, _| true).unwrap();
    let opened: Vec<OpenSegment> = (0..4).map(full).collect();
    opened.iter().for_each(|open| folder.keep(open, || true).unwrap());
    (0..4).for_each(|number| agrees(&folder, number, &opened[usize::try_from(number).unwrap()]));

    let known = folder.segments();
    let packs: Vec<Arc<Pack>> = known
        .values()
        .filter_map(|segment| match segment {
            Indexed::Kept(kept) => Some(Arc::clone(&kept.pack)),
            Indexed::Open(_) => None,
        })
        .collect();
    assert!(folder.merge(&packs[..2], || false).is_err(), "it may not");
    folder.merge(&packs[..2], || true).unwrap();
    let first = mergeable(&folder.segments(), 28, 64);
    assert!(first.is_none(), "segments are missing");
    let Some(Indexed::Kept(kept)) = folder.segments().get(&1).cloned() else { panic!("it is kept") };
    folder.merge(&[kept.pack, Arc::clone(&packs[2])], || true).unwrap();
    assert_eq!(folder.size().1, 4);
    (0..4).for_each(|number| agrees(&folder, number, &opened[usize::try_from(number).unwrap()]));

    // After a restart it is the same, also where merging was interrupted before it deleted what it had merged.
    folder.keep(&opened[1], || true).unwrap();
    let again = SearchFolder::beside(&place.path().join("t.db"));
    again.open(|_, id| id[0] < 4).unwrap();
    (0..4).for_each(|number| agrees(&again, number, &opened[usize::try_from(number).unwrap()]));
    let files = || std::fs::read_dir(place.path().join("t.db-search")).unwrap().count();
    assert_eq!((again.size().1, files()), (4, 2));
    (0..3).for_each(|number| again.forget(number));
    assert_eq!((again.size().1, files()), (1, 1));
    again.open(|_, id| id[0] < 3).unwrap();
    assert_eq!((again.is_empty(), files()), (true, 0), "it is of another log");
}

#[test]
fn a_damaged_entry_is_not_read_as_one() {
    let place = tempfile::tempdir().unwrap();
    let folder = SearchFolder::beside(&place.path().join("t.db"));
    folder.open(|_, _| true).unwrap();
    folder.keep(&full(0), || true).unwrap();
    let path = place.path().join("t.db-search/0-1");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let pack = Arc::new(Pack::open(path).unwrap().unwrap());
    let last = TERMS + pack.terms().unwrap().len() - 1;
    assert!(pack.entry(0).is_ok() && pack.entry(last).is_err());
    let lookups = Lookups::of(&folder, &pack);
    assert_eq!(lookups.segment(0).range(&(vec![0]..=vec![0xff])), Rows::all());
    assert!(folder.is_damaged());
}

#[test]
fn only_full_blocks_are_merged() {
    let place = tempfile::tempdir().unwrap();
    let folder = SearchFolder::beside(&place.path().join("t.db"));
    folder.open(|_, _| true).unwrap();
    for number in 29..33 {
        folder.keep(&full(number), || true).unwrap();
    }
    let numbers = |oldest, filling| {
        let packs = mergeable(&folder.segments(), oldest, filling).unwrap_or_default();
        packs.iter().flat_map(|pack| pack.segments()).map(|segment| segment.number).collect::<Vec<_>>()
    };
    assert!(numbers(28, 33).is_empty(), "one is missing");
    assert_eq!(numbers(29, 31), [29, 30, 31]);
    assert_eq!(numbers(29, 33), [29, 30, 31]);
    assert!(numbers(31, 33).is_empty(), "one alone");
}
