//! Values of TagoIO's variables. Each variable is a field of its own, `/*/value[temperature]`: values of different
//! variables may be of different types.

use std::borrow::Cow;

/// The member that carries the value of a variable.
pub const VALUE: &str = "value";

/// The key under which the value of a variable is learnt.
pub fn key_of(variable: &str) -> String {
    format!("{VALUE}[{variable}]")
}

/// The pointer without the names of variables: `/*/value` of `/*/value[temperature]`.
pub fn plain(pointer: &str) -> Cow<'_, str> {
    if !pointer.contains("/value[") {
        return Cow::Borrowed(pointer);
    }
    let parts = pointer.split('/').map(|part| if is_key(part) { VALUE } else { part });
    Cow::Owned(parts.collect::<Vec<_>>().join("/"))
}

/// Whether the field is the value of one variable.
pub fn is_one(pointer: &str) -> bool {
    pointer.rsplit('/').next().is_some_and(is_key)
}

fn is_key(part: &str) -> bool {
    part.strip_prefix(VALUE).is_some_and(|name| name.starts_with('[') && name.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_variable_is_taken_off_wherever_it_is() {
        for (pointer, without) in [
            ("/*/value[temperature]", "/*/value"),
            ("/data/variables/*/value[a b]/lat", "/data/variables/*/value/lat"),
            ("/data/value", "/data/value"),
            ("/values[0]", "/values[0]"),
            ("", ""),
        ] {
            assert_eq!(plain(pointer), without);
        }
        assert!(is_one("/*/value[]") && is_one(&format!("/data/{}", key_of("t"))));
        assert!(!is_one("/*/value[t]/lat") && !is_one("/*/value") && !is_one(""));
    }
}
