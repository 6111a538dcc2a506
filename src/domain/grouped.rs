//! Numbers for people.

/// A number with commas between its thousands: `1,130`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number of things: `1 delivery`, `1,130 messages`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    let of_vowel = ["ay", "ey", "oy", "uy"].iter().any(|end| noun.ends_with(end));
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !of_vowel => format!("{} {stem}ies", grouped(count)),
        _ => format!("{} {noun}s", grouped(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_and_things_have_their_plural() {
        assert_eq!(
            [(1, "delivery"), (0, "delivery"), (1_130, "message"), (2, "day")]
                .map(|(count, noun)| counted(count, noun)),
            ["1 delivery", "0 deliveries", "1,130 messages", "2 days"]
        );
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
