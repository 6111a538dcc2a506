//! The `tagohook` program.

fn main() {}
