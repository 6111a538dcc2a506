//! STUB until the room is merged.
#![allow(missing_docs)]
pub struct Preset {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub subscription: &'static str,
}
pub fn presets() -> &'static [Preset] {
    &[]
}
