//! Sizes for people.

/// A number of bytes in the unit that suits it: `412 bytes`, `2 MiB`, `1.5 KiB`.
#[must_use]
pub fn shown_size(bytes: usize) -> String {
    let of = |unit: usize, name: &str| {
        let tenths = bytes.saturating_mul(10) / unit;
        match tenths % 10 {
            0 => format!("{} {name}", tenths / 10),
            rest => format!("{}.{rest} {name}", tenths / 10),
        }
    };
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => of(1_024, "KiB"),
        _ => of(1_048_576, "MiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_the_unit_that_suits_it_and_no_needless_zero() {
        let told = [0, 1, 412, 1_024, 1_536, 2_097_152, 2_202_010].map(shown_size);
        assert_eq!(told, ["0 bytes", "1 byte", "412 bytes", "1 KiB", "1.5 KiB", "2 MiB", "2.1 MiB"]);
    }
}
