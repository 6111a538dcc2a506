//! The endpoint of events, and which events are sent.

use url::{ParseError, Url};

/// Checks that `text` is a URL that can be sent to; the error says what is allowed.
pub fn check(text: &str) -> Result<(), String> {
    // Parsers drop some of these silently: the displayed URL would not be the one that is used.
    if let Some(odd) = text.trim().chars().find(|letter| letter.is_control()) {
        return Err(format!("contains the character U+{:04X}; remove it", u32::from(odd)));
    }
    let url = Url::parse(text.trim()).map_err(|fault| {
        let what = match fault {
            ParseError::RelativeUrlWithoutBase => "not a full URL".to_owned(),
            other => other.to_string(),
        };
        format!("{what}; an http or https URL, as \"https://api.example.com/webhook\"")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{}: is not sent to; http or https", url.scheme()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("has no host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "contains a user name or password; write \"auth\": {\"basic\": {\"username\": …, \"password\": …}}"
                .to_owned(),
        );
    }
    if url.fragment().is_some() {
        return Err("contains a fragment (#…), which is never sent; remove it".to_owned());
    }
    Ok(())
}

/// Checks that `event` is an event name or a pattern.
pub fn check_event(event: &str, longest: usize) -> Result<(), String> {
    let stars = event.matches('*').count();
    let is_pattern = event == "*" || (stars == 1 && event.ends_with(".*") && event.len() > 2);
    if event.trim().is_empty() || event.len() > longest || event.contains('\0') {
        Err(format!("a name of 1 to {longest} bytes"))
    } else if stars > 0 && !is_pattern {
        Err(format!("{event:?} is not a pattern; use \"*\", or a prefix such as \"user.*\""))
    } else {
        Ok(())
    }
}
