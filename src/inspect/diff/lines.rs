//! Lines of two texts side by side, in their order.

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

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
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let (mut old, mut new) = (before.split_inclusive('\n'), after.split_inclusive('\n'));
    let mut all = Vec::new();
    let mut read = 0;
    for Hunk { before: removed, after: added } in diff.hunks() {
        let kept = (read..removed.start).len();
        all.extend(old.by_ref().take(kept).map(|text| line(LineChange::Same, text)));
        all.extend(old.by_ref().take(removed.len()).map(|text| line(LineChange::Removed, text)));
        new.by_ref().take(kept).for_each(drop);
        all.extend(new.by_ref().take(added.len()).map(|text| line(LineChange::Added, text)));
        read = removed.end;
        if all.len() > MOST {
            break;
        }
    }
    all.extend(old.map(|text| line(LineChange::Same, text)).take(MOST + 1));
    let has_more = all.len() > MOST;
    all.truncate(MOST);
    (all, has_more)
}

fn line(change: LineChange, text: &str) -> Line {
    Line { change, text: text.trim_end_matches('\n').to_owned() }
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
