//! Paths into an event: `user.first-name`, `list.0.id`, `a\.b` for a dot in a name. They are resolved in the JSON
//! text, so that a value is returned exactly as written.

use serde_json::value::RawValue;

use super::members::step;

/// Characters that mark a text as an expression; a path contains none of them.
const OF_EXPRESSIONS: &str = "\"'`()[]{}<>=!&|?:+*/%,;^~@#$";
/// Words that are values, not paths.
const VALUES: [&str; 3] = ["true", "false", "null"];

/// A path that starts at a top-level member of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    root: String,
    below: Vec<String>,
}

impl Path {
    /// Reads a path; `None` if the text is an expression, or empty.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_other =
            |letter: char| letter.is_whitespace() || letter.is_control() || OF_EXPRESSIONS.contains(letter);
        let starts_odd = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        if text.is_empty() || starts_odd || VALUES.contains(&text) || text.contains(is_other) {
            return None;
        }
        let mut segments = vec![String::new()];
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '.' => segments.push(String::new()),
                '\\' => segments.last_mut()?.push(letters.next()?),
                other => segments.last_mut()?.push(other),
            }
        }
        if segments.iter().any(String::is_empty) {
            return None;
        }
        let root = segments.remove(0);
        Some(Self { text: text.to_owned(), root, below: segments })
    }

    /// The path as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The top-level member it begins with.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Its names and positions, the top-level member first.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.root.as_str()).chain(self.below.iter().map(String::as_str))
    }

    /// The value at the rest of the path below `value`; `None` if it is missing.
    #[must_use]
    pub fn below<'a>(&self, value: &'a RawValue) -> Option<&'a RawValue> {
        self.below.iter().try_fold(value, |value, segment| step(value, segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(json: &str, path: &str) -> Option<String> {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        let path = Path::read(&format!("root.{path}")).unwrap();
        path.below(&raw).map(|found| found.get().to_owned())
    }

    #[test]
    fn fi_02_dashes_literal_dots_indexes_and_unicode_keys() {
        let json =
            r#"{"first-name":"Ana","a.b":1,"list":[{"id":1.0},{"id":2}],"größe":3,"\u0061":4,"x":{"y":{}}}"#;
        assert_eq!(at(json, "first-name").unwrap(), "\"Ana\"");
        assert_eq!(at(json, r"a\.b").unwrap(), "1");
        assert_eq!(at(json, "list.0.id").unwrap(), "1.0");
        assert_eq!(at(json, "list.1.id").unwrap(), "2");
        assert_eq!(at(json, "größe").unwrap(), "3");
        assert_eq!(at(json, "a").unwrap(), "4");
        for missing in ["list.2.id", "list.00.id", "list.x", "x.y.z", "first-name.z", "nothing"] {
            assert_eq!(at(json, missing), None, "{missing}");
        }
    }

    #[test]
    fn s_11_names_of_other_languages_objects_are_plain_names() {
        for name in ["constructor", "__proto__", "toString", "length"] {
            assert_eq!(at("{}", name), None);
            assert_eq!(at("[1]", name), None);
        }
    }

    #[test]
    fn what_is_no_path() {
        for text in [
            "", " ", "a b", "a == b", "'x'", "42", "-a", "size(x)", "a..b", ".a", "a.", "true", "a[0]", "a\\",
        ] {
            assert_eq!(Path::read(text), None, "{text}");
        }
        assert_eq!(Path::read(" a.b ").unwrap().text(), "a.b");
    }
}
