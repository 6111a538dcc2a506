//! Errors of the operating system in words only.

/// `text` without the operating system's error numbers: `Connection refused (os error 111)` is clear without them.
#[must_use]
pub fn without_os_numbers(text: &str) -> String {
    const MARK: &str = " (os error ";
    let mut parts = text.split(MARK);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain.push_str(rest),
            _ => {
                plain.push_str(MARK);
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_words_and_no_number_of_the_operating_system() {
        let plain = without_os_numbers("a: Connection refused (os error 111); b: No such file (os error 2)");
        assert_eq!(plain, "a: Connection refused; b: No such file");
        assert_eq!(
            without_os_numbers("(os error x) as it is (os error "),
            "(os error x) as it is (os error "
        );
    }
}
