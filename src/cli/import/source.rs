//! The deliveries in a file, the oldest first: lines of JSON, or the entries of an HTTP archive.

use std::io::{self, BufRead, Seek, SeekFrom};

use anyhow::Context as _;
use serde_json::Value;
use serde_json::value::RawValue;

use super::archive;
use super::found::{Found, Numbered};
use crate::cli::fault::Fault;
use crate::domain::Timestamp;

/// The longest line, in bytes: what a request to the instance can carry.
const MAX_LINE: usize = 31 * 1024 * 1024;

/// A file that can be read twice.
pub trait Input: BufRead + Seek {}

impl<T: BufRead + Seek> Input for T {}

/// The deliveries in a file.
pub struct Deliveries {
    kind: Kind,
    /// What is left, the next one last: its number, and where its line begins.
    left: Vec<(usize, u64)>,
}

enum Kind {
    /// Each line is read when it is its turn: an export may be larger than the memory.
    Lines(Box<dyn Input>),
    /// The entries, and the source of requests to no source.
    Archive(Vec<Value>, Option<String>),
}

impl Deliveries {
    /// Looks through the file. `source` is for an archive of another tool.
    ///
    /// # Errors
    /// When it cannot be read, or is in another format.
    pub fn of(mut input: Box<dyn Input>, source: Option<&str>) -> anyhow::Result<Self> {
        let begin = input.fill_buf().context("the file cannot be read")?;
        if let Some(cure) = other_format(begin) {
            return Err(Fault::usage(cure));
        }
        let start = String::from_utf8_lossy(begin).into_owned();
        let start = start.trim_start_matches('\u{feff}').trim_start();
        if start.starts_with("id,received_at,") {
            return Err(Fault::usage("CSV has no headers and no bodies: export with --as jsonl or --as har"));
        }
        let is_archive = start.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with("\"log\""));
        let (kind, left) = if is_archive {
            let entries = archive::entries(&mut input)?;
            let left = (1..=entries.len()).map(|number| (number, 0)).collect();
            (Kind::Archive(entries, source.map(str::to_owned)), left)
        } else {
            let left = lines(&mut input).context("the file cannot be read")?;
            (Kind::Lines(input), left)
        };
        let mut deliveries = Self { kind, left };
        if !deliveries.is_newest_first()? {
            deliveries.left.reverse();
        }
        Ok(deliveries)
    }

    /// How many are left.
    pub const fn len(&self) -> usize {
        self.left.len()
    }

    /// What the numbers count.
    pub const fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Lines(_) => "line",
            Kind::Archive(..) => "entry",
        }
    }

    /// The next one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self) -> io::Result<Option<Numbered>> {
        let Some((number, at)) = self.left.pop() else { return Ok(None) };
        Ok(Some(Numbered { number, found: self.found(number, at)? }))
    }

    fn found(&mut self, number: usize, at: u64) -> io::Result<Found> {
        match &mut self.kind {
            Kind::Lines(input) => Ok(of_line(&line(input, at)?)),
            Kind::Archive(entries, source) => {
                let entry = number.checked_sub(1).and_then(|at| entries.get(at)).unwrap_or(&Value::Null);
                Ok(archive::found(entry, source.as_deref()))
            }
        }
    }

    /// Whether the first one that can be read is newer than the last one, as in an export of ours.
    fn is_newest_first(&mut self) -> io::Result<bool> {
        let mut ends = [None, None];
        for (end, place) in ends.iter_mut().zip([self.left.first().copied(), self.left.last().copied()]) {
            let Some((number, at)) = place else { continue };
            if let Found::Delivery(text) = self.found(number, at)? {
                let delivery: Value = serde_json::from_str(&text).unwrap_or_default();
                let received_at = delivery.get("received_at").and_then(Value::as_str);
                *end = received_at.and_then(Timestamp::parse_rfc3339);
            }
        }
        Ok(matches!(ends, [Some(first), Some(last)] if first > last))
    }
}

/// What to do with a file that only has to be converted.
fn other_format(begin: &[u8]) -> Option<&'static str> {
    match begin {
        [0x1f, 0x8b, ..] => Some("the file is compressed with gzip: unpack it first"),
        [b'P', b'K', 3, 4, ..] => Some("the file is a zip archive: unpack it first"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(
            "the file is UTF-16, as PowerShell writes it: export with --output FILE, or convert it to UTF-8",
        ),
        _ => None,
    }
}

/// The lines that are not blank: number and place.
fn lines(input: &mut dyn Input) -> io::Result<Vec<(usize, u64)>> {
    let (mut found, mut at) = (Vec::new(), 0_u64);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = input.read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        if !line.trim_ascii().is_empty() {
            found.push((number, at));
        }
        at = at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok(found)
}

fn line(input: &mut dyn Input, at: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.seek(SeekFrom::Start(at))?;
    input.read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The delivery of a line, unchanged.
fn of_line(line: &[u8]) -> Found {
    let broken = |why: &str| Found::Broken(why.to_owned());
    if line.len() > MAX_LINE {
        return broken("longer than 31 MiB");
    }
    let Ok(text) = std::str::from_utf8(line) else { return broken("not UTF-8") };
    let text = text.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if text.starts_with('{') => Found::Delivery(text.to_owned()),
        Ok(_) => broken("not a JSON object"),
        Err(fault) => {
            Found::Broken(format!("invalid JSON at column {}; the line may be cut off", fault.column()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(text: &str) -> Vec<(usize, Option<String>)> {
        let mut deliveries = Deliveries::of(Box::new(Cursor::new(text.as_bytes().to_vec())), None).unwrap();
        let mut read = Vec::new();
        while let Some(Numbered { number, found }) = deliveries.next().unwrap() {
            let text = match found {
                Found::Delivery(text) => Some(text),
                Found::Skipped | Found::Broken(_) => None,
            };
            read.push((number, text));
        }
        read
    }

    #[test]
    fn an_export_is_read_from_its_end_and_another_file_from_its_start() {
        let line = |time: &str| format!(r#"{{"received_at":"2026-03-0{time}T00:00:00Z"}}"#);
        let (one, two) = (line("1"), line("2"));
        let export = format!("\u{feff}{two}\r\n\n{{broken\n{one}");
        assert_eq!(read(&export), [(4, Some(one.clone())), (3, None), (1, Some(two.clone()))]);
        let other = format!("{one}\n{two}\n[1]\n");
        assert_eq!(read(&other), [(1, Some(one)), (2, Some(two)), (3, None)]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn csv_is_wrong_usage() {
        let csv = Cursor::new(b"\xef\xbb\xbfid,received_at,source\r\n".to_vec());
        assert!(Deliveries::of(Box::new(csv), None).is_err());
    }
}
