//! Numbers for people.

/// A count with its thousands apart: `1,200`.
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

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
    fn counts_have_their_thousands_apart_and_measures_their_own_digits() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [measured(23.8), measured(0.0), measured(1e300), measured(-2e-9)],
            ["23.8", "0", "1e300", "-2e-9"]
        );
    }
}
