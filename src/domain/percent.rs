//! Shares for people.

/// A part of a whole, rounded: `55.6 %`. Only nothing is `0 %` and only all of it is `100 %`; of nothing it is `–`.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    let (twice, all) = (u128::from(part).saturating_mul(2_000), u128::from(whole));
    let Some(tenths) = twice.saturating_add(all).checked_div(all.saturating_mul(2)) else {
        return "–".to_owned();
    };
    match tenths {
        0 if part > 0 => "less than 0.1 %".to_owned(),
        1_000 if part < whole => "99.9 %".to_owned(),
        _ if tenths.is_multiple_of(10) => format!("{} %", tenths / 10),
        _ => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_only_nothing_and_all_are_round() {
        let shown = [(5, 9), (8, 9), (7, 9), (1, 2), (1, 8), (0, 9), (9, 9)].map(|(a, b)| percent(a, b));
        assert_eq!(shown, ["55.6 %", "88.9 %", "77.8 %", "50 %", "12.5 %", "0 %", "100 %"]);
        assert_eq!([percent(1, 100_000), percent(99_999, 100_000)], ["less than 0.1 %", "99.9 %"]);
        assert_eq!([percent(0, 0), percent(u64::MAX, u64::MAX)], ["–", "100 %"]);
    }
}
