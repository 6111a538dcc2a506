//! JSON pointers (RFC 6901): `/user/a~1b`.

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

#[cfg(test)]
mod tests {
    use super::*;

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
