//! Exact comparison of JSON numbers: no digit is lost to a machine type.

use std::cmp::Ordering;

/// A number as sign, digits and exponent: `digits` × 10^`exponent`, the digits without zeros at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Number {
    /// Reads a JSON number; `None` if the text is not a number.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let json = json.trim();
        if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        let (mantissa, power) = json.split_once(['e', 'E']).unwrap_or((json, "0"));
        let power: i64 = power.trim_start_matches('+').parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_negative = whole.starts_with('-');
        let all = format!("{}{fraction}", whole.trim_start_matches('-'));
        let digits = all.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), exponent: 0 });
        }
        let stripped = i64::try_from(digits.len().checked_sub(significant.len())?).ok()?;
        let shift = i64::try_from(fraction.len()).ok()?;
        let exponent = power.checked_sub(shift)?.checked_add(stripped)?;
        Some(Self { is_negative, digits: significant.to_owned(), exponent })
    }

    /// The power of ten above the first digit.
    fn magnitude(&self) -> i64 {
        self.exponent.saturating_add(i64::try_from(self.digits.len()).unwrap_or(i64::MAX))
    }

    fn cmp_size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Digits without zeros at the ends compare as text if they have the same magnitude.
            (false, false) => {
                self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits))
            }
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_size(other),
            (true, true) => other.cmp_size(self),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(json: &str) -> Number {
        Number::read(json).unwrap()
    }

    #[test]
    fn numbers_are_equal_however_they_are_written() {
        for (one, other) in
            [("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("0.5", "5E-1"), ("120", "1.20e+2"), ("0", "0e9")]
        {
            assert_eq!(number(one), number(other), "{one} {other}");
        }
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert!(number("123456789012345678901234567891") > number("123456789012345678901234567890"));
        for other in ["\"1\"", "true", "null", "[]", ""] {
            assert_eq!(Number::read(other), None);
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_numbers(one in -1_000_000_i64..1_000_000, other in -1_000_000_i64..1_000_000, scale in 0_u32..4) {
            let written = |whole: i64| format!("{whole}e-{scale}");
            prop_assert_eq!(number(&written(one)).cmp(&number(&written(other))), one.cmp(&other));
        }
    }
}
