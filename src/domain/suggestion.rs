//! The name that somebody may have meant.

/// ` (did you mean …?)`, where a known name is near to `name`.
#[must_use]
pub fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |known| format!(" (did you mean {known}?)"))
}

/// The known name that is nearest to `name`, where one is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known
        .map(|known| (distance(name, known), known))
        .filter(|(distance, known)| *distance <= 2.max(known.len() / 4));
    near.min().map(|(_, known)| known)
}

/// How many letters must be added, left out or changed to make one name the other.
#[must_use]
pub fn distance(one: &str, other: &str) -> usize {
    strsim::levenshtein(one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let of = |name: &str| suggestion(name, ["events", "headers", "timeout"].into_iter());
        assert_eq!(of("evnts"), " (did you mean events?)");
        assert_eq!(of("timeuot"), " (did you mean timeout?)");
        assert_eq!(of("größe"), "");
        assert_eq!(distance("größe", "grösse"), 2);
    }
}
