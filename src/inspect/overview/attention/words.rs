//! Shares and names in sentences.

use crate::domain::percent;

/// The most names in a sentence; the others are counted.
const NAMED: usize = 3;

/// `6 of 8 (75 %)`.
pub fn share_of(part: u64, whole: u64) -> String {
    format!("{part} of {whole} ({})", percent(part, whole))
}

/// `A, B and C`; `A, B, C and 2 more`.
pub fn list_of(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut told: Vec<String> = names.iter().take(NAMED).cloned().collect();
    let last = if more > 0 { Some(format!("{more} more")) } else { told.pop() };
    match (told.is_empty(), last) {
        (false, Some(last)) => format!("{} and {last}", told.join(", ")),
        (_, last) => last.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_and_many_are_counted() {
        let names = |count: usize| list_of(&["A", "B", "C", "D", "E"].map(str::to_owned)[..count]);
        assert_eq!([names(0), names(1), names(2), names(3)], ["", "A", "A and B", "A, B and C"]);
        assert_eq!(names(5), "A, B, C and 2 more");
        assert_eq!(share_of(5, 9), "5 of 9 (55.6 %)");
    }
}
