//! Reads the terms of a delivery.

use super::term::{self, Field, Hashed, Kind};
use crate::domain::DeliveryRow;
use crate::store::search::text::{folded, folded_body};

/// The terms of a delivery.
pub struct RowTerms {
    /// The slices of what is hashed, each once.
    pub slices: Vec<(Hashed, Vec<u16>)>,
    /// The terms of its other fields; a term may occur twice.
    pub values: Vec<Vec<u8>>,
}

/// Reads terms. Its marks are reused from row to row, and are few enough to stay in the processor's cache.
pub struct Builder {
    marks: Vec<u64>,
}

impl Builder {
    pub fn new() -> Self {
        let most = Hashed::ALL.into_iter().map(Hashed::slices).max().unwrap_or_default();
        Self { marks: vec![0; most.div_ceil(64)] }
    }

    /// The terms of a row.
    pub fn terms(&mut self, row: &DeliveryRow, headers: &[u8], body: &[u8]) -> RowTerms {
        self.mark(Hashed::Body.trigrams(&folded_body(body)));
        let in_body = self.marked();
        let named = [&row.event_type, &row.event_name, &row.event_id, &row.entity];
        for text in named.into_iter().flatten().chain([&row.path, &row.source]) {
            self.mark(Hashed::Head.trigrams(&folded(text.as_bytes())));
        }
        self.mark(Hashed::Head.trigrams(&folded(headers)));
        let in_head = self.marked();
        for (field, value) in [(Field::EventId, &row.event_id), (Field::Entity, &row.entity)] {
            self.mark(value.iter().flat_map(|value| field.slices(value.as_bytes())));
        }
        self.mark(term::ranges(row.client_ip).flat_map(|range| Field::Address.slices(&range)));
        for line in headers.split(|byte| *byte == b'\n') {
            if let Some(name) = memchr::memchr(b':', line).and_then(|end| line.get(..end)) {
                self.mark(Field::HeaderName.slices(&name.to_ascii_lowercase()));
            }
        }
        let slices = vec![(Hashed::Body, in_body), (Hashed::Head, in_head), (Hashed::Value, self.marked())];
        RowTerms { slices, values: values(row) }
    }

    fn mark(&mut self, slices: impl Iterator<Item = u16>) {
        for slice in slices {
            if let Some(word) = self.marks.get_mut(usize::from(slice / 64)) {
                *word |= 1 << (slice % 64);
            }
        }
    }

    /// The marked slices, ascending; afterwards none is marked.
    fn marked(&mut self) -> Vec<u16> {
        let mut slices = Vec::new();
        for (at, word) in (0_u16..).zip(&mut self.marks) {
            let mut left = std::mem::take(word);
            while left != 0 {
                let bit = u16::try_from(left.trailing_zeros()).unwrap_or_default();
                slices.push(at.saturating_mul(64).saturating_add(bit));
                left &= left.wrapping_sub(1);
            }
        }
        slices
    }
}

fn values(row: &DeliveryRow) -> Vec<Vec<u8>> {
    let fields = [
        (Kind::Source, Some(&row.source)),
        (Kind::Method, Some(&row.method)),
        (Kind::EventType, row.event_type.as_ref()),
        (Kind::EventType, row.event_name.as_ref()),
    ];
    let mut values: Vec<Vec<u8>> =
        fields.into_iter().filter_map(|(kind, value)| Some(kind.value(value?.as_bytes()).0)).collect();
    values.extend([term::verdict(row.verdict), term::status(row.status)]);
    values.extend(row.reason.map(term::reason));
    values
}
