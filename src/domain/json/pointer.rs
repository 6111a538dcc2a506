//! JSON pointers (RFC 6901): `/user/a~1b`.

use serde_json::Value;

/// The pointer to the member or item `name` of the value at `above`.
#[must_use]
pub fn child(above: &str, name: &str) -> String {
    let mut pointer = above.to_owned();
    push(&mut pointer, name);
    pointer
}

/// Extends `pointer` by the member or item `name`.
pub fn push(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// The name in one token of a pointer.
#[must_use]
pub fn name(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// The names in a pointer, from the top downward.
pub fn names(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(name)
}

/// The value at `pointer`: what `Value::pointer` finds, in less time where no name is escaped.
#[must_use]
pub fn value_at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    if pointer.contains('~') {
        return value.pointer(pointer);
    }
    let Some(names) = pointer.strip_prefix('/') else { return pointer.is_empty().then_some(value) };
    names.split('/').try_fold(value, |above, name| match above {
        Value::Object(members) => members.get(name),
        other => other.pointer(&child("", name)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_found_where_the_library_finds_it() {
        let value = json!({"a": {"b": [1, {"c/d": 2, "": 3}], "~": 4}, "": {"": 5}, "01": 6});
        for pointer in [
            "",
            "/",
            "//",
            "/a",
            "/a/b",
            "/a/b/0",
            "/a/b/00",
            "/a/b/+1",
            "/a/b/-",
            "/a/b/1/c~1d",
            "/a/b/1/",
            "/a/~0",
            "/01",
            "a",
            "a/b",
            "/a/b/0/x",
            "/x",
            "/a/",
        ] {
            assert_eq!(value_at(&value, pointer), value.pointer(pointer), "{pointer}");
        }
        assert_eq!(value_at(&value, "/a/b/1/c~1d"), Some(&json!(2)));
    }

    #[test]
    fn names_come_back_as_they_were_whatever_they_hold() {
        for list in [&[][..], &["a"], &["a/b", "~1", "~0/", ""], &["0", "größe", "~"]] {
            let pointer = list.iter().fold(String::new(), |above, name| child(&above, name));
            assert_eq!(names(&pointer).collect::<Vec<_>>(), list);
        }
        assert_eq!(child("/headers", "X/~"), "/headers/X~1~0");
        assert_eq!(name("~01"), "~1");
    }
}
