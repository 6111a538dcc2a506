//! Finds the known name most similar to an unknown one.

/// ` (did you mean …?)`, if a known name is similar to `name`.
#[must_use]
pub fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |known| format!(" (did you mean {known}?)"))
}

/// The known name that `name` was most likely meant to be: at most a third of its letters are wrong or swapped.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = name.chars().count() / 3;
    let near = known.map(|known| (distance(name, known), known)).filter(|(distance, _)| *distance <= most);
    near.min().map(|(_, known)| known)
}

/// The number of letters to add, remove, change or swap to turn one name into the other, ignoring case.
#[must_use]
pub fn distance(one: &str, other: &str) -> usize {
    strsim::osa_distance(&one.to_lowercase(), &other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_is_really_near_is_suggested() {
        let near =
            |name: &str| nearest(name, ["id", "device", "event", "timestamp", "equals", "!"].into_iter());
        for (name, known) in [
            ("devcie", Some("device")),
            ("Device", Some("device")),
            ("evnt", Some("event")),
            ("timestmap", Some("timestamp")),
            ("x", None),
            ("", None),
            ("eq", None),
            ("dvidre", None),
        ] {
            assert_eq!(near(name), known, "{name}");
        }
        assert_eq!(suggestion("x", ["id"].into_iter()), "");
        assert_eq!(suggestion("iid", ["id"].into_iter()), " (did you mean id?)");
    }
}
