//! How a page of the entity list fills, and which deliveries are about an entity, whichever the engine.

use super::limits::is_shown;
use super::parts::{Part, parts};
use crate::domain::{DeliveryFilter, Device, Verdict};
use crate::store::{EntityPage, EntityPlace, EntityQuery};

/// The parts of a list from which a page is read: the number of each, and the place after which the page begins.
pub fn remaining(query: &EntityQuery) -> impl Iterator<Item = (usize, Part, Option<EntityPlace>)> {
    let begun = query.after.as_ref().map_or(0, |place| place.class);
    parts(query).into_iter().enumerate().skip(begun).map(|(number, part)| {
        let after = query.after.clone().filter(|place| place.class == number);
        (number, part, after)
    })
}

/// A page that fills.
pub struct Filling<'a> {
    query: &'a EntityQuery,
    limit: usize,
    devices: Vec<Device>,
    last: Option<EntityPlace>,
}

impl<'a> Filling<'a> {
    /// An empty page of at most `limit` devices.
    pub const fn new(query: &'a EntityQuery, limit: usize) -> Self {
        Self { query, limit, devices: Vec::new(), last: None }
    }

    /// Adds the device at a place, unless another of its entities represents it. Returns `false` if the page is full.
    pub fn add(&mut self, place: EntityPlace, device: Device) -> bool {
        if !is_shown(self.query, &device, &self.devices) {
            return true;
        }
        if self.devices.len() == self.limit {
            return false;
        }
        self.devices.push(device);
        self.last = Some(place);
        true
    }

    /// The page, if more devices follow.
    pub fn continued(self) -> EntityPage {
        EntityPage { devices: self.devices, next: self.last }
    }

    /// The page, if it is the last one.
    pub fn ended(self) -> EntityPage {
        EntityPage { devices: self.devices, next: None }
    }
}

/// The accepted deliveries about an entity.
pub fn accepted_about(source: String, entity: String) -> DeliveryFilter {
    DeliveryFilter {
        source: Some(source),
        entity: Some(entity),
        verdict: Some(Verdict::Accepted),
        ..DeliveryFilter::default()
    }
}
