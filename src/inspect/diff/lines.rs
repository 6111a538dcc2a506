//! Lines of two texts side by side, in their order.

use std::time::Duration;

use similar::{Algorithm, ChangeTag, TextDiff};

/// How long a comparison may take before it becomes coarser.
const PATIENCE: Duration = Duration::from_millis(300);
/// The most lines that are shown.
const MOST: usize = 2_000;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineChange {
    /// It is in both.
    Same,
    /// It is only in the first one.
    Removed,
    /// It is only in the second one.
    Added,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What became of it.
    pub change: LineChange,
    /// The line, without its end.
    pub text: String,
}

/// The lines of both texts, and whether there are more.
#[must_use]
pub fn lines(before: &str, after: &str) -> (Vec<Line>, bool) {
    let diff =
        TextDiff::configure().algorithm(Algorithm::Patience).timeout(PATIENCE).diff_lines(before, after);
    let mut all = diff.iter_all_changes().map(|change| Line {
        change: match change.tag() {
            ChangeTag::Equal => LineChange::Same,
            ChangeTag::Delete => LineChange::Removed,
            ChangeTag::Insert => LineChange::Added,
        },
        text: change.value().trim_end_matches('\n').to_owned(),
    });
    let shown: Vec<Line> = all.by_ref().take(MOST).collect();
    (shown, all.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_order_and_say_what_became_of_them() {
        let (shown, has_more) = lines("a: 1\nb: 2\nc: 3\n", "a: 1\nc: 3\nd: 4\n");
        let shown: Vec<(LineChange, &str)> =
            shown.iter().map(|line| (line.change, line.text.as_str())).collect();
        assert!(!has_more);
        assert_eq!(
            shown,
            [
                (LineChange::Same, "a: 1"),
                (LineChange::Removed, "b: 2"),
                (LineChange::Same, "c: 3"),
                (LineChange::Added, "d: 4"),
            ]
        );
        assert!(lines(&"x\n".repeat(3_000), "").1);
    }
}
