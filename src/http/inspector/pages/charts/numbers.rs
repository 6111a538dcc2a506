//! Numbers for people.

/// A measured number: no more digits than tell it, none of a million zeros.
#[must_use]
pub fn measured(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) { format!("{value:e}") } else { format!("{value}") }
}

/// A count as a number to draw with.
pub fn drawn(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A part of a whole, from 0 to 1; of nothing the end.
pub fn ratio(part: i64, whole: i64) -> f64 {
    const STEPS: i128 = 1_000_000;
    let steps = i128::from(part).saturating_mul(STEPS).checked_div(i128::from(whole)).unwrap_or(STEPS);
    f64::from(u32::try_from(steps.clamp(0, STEPS)).unwrap_or(0)) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_number_has_its_own_digits() {
        assert_eq!(
            [measured(23.8), measured(0.0), measured(1e300), measured(-2e-9)],
            ["23.8", "0", "1e300", "-2e-9"]
        );
    }
}
