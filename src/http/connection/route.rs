//! The receiver's routes. Repeated and trailing slashes are tolerated.

use std::borrow::Cow;

/// A route of the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/webhook/{source}[/anything]`; the empty name is the default source.
    Webhook(String),
    /// `/webhook-test[/anything]`.
    Test,
    /// `/healthz`.
    Healthz,
    /// `/readyz`.
    Readyz,
    /// Another path.
    Nothing,
}

impl Route {
    /// The route of a path.
    pub fn of(path: &str) -> Self {
        let path = single_slashes(path);
        let mut segments = path.split('/').skip(1);
        let first = segments.next().unwrap_or_default();
        let rest = segments.next();
        match (first, rest) {
            ("healthz", None | Some("")) => Self::Healthz,
            ("readyz", None | Some("")) => Self::Readyz,
            ("webhook-test", _) => Self::Test,
            ("webhook", source) => {
                let source = percent_encoding::percent_decode_str(source.unwrap_or_default());
                Self::Webhook(source.decode_utf8_lossy().into_owned())
            }
            _ => Self::Nothing,
        }
    }
}

/// The path with repeated slashes collapsed.
fn single_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut single = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter != '/' || !single.ends_with('/') {
            single.push(letter);
        }
    }
    Cow::Owned(single)
}

/// The largest distance between a word and the intended one.
const NEAR: usize = 2;

/// The route that a path without a route was probably meant for, if one is similar. `sources` are the known names, the
/// default one first.
pub fn meant<'s>(path: &str, sources: impl Iterator<Item = &'s str> + Clone) -> Option<String> {
    let single = single_slashes(path);
    let segments: Vec<String> =
        single.split('/').filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    let near = |word: &str, known: &str| strsim::levenshtein(word, known) <= NEAR.min(known.len() / 3);
    let at = |known: &str| segments.iter().position(|word| near(word, known));
    if at("webhook-test").is_some() {
        return Some("/webhook-test".to_owned());
    }
    let source_after = |at: usize| {
        let word = segments.get(at)?;
        sources.clone().find(|known| near(word, &known.to_ascii_lowercase()))
    };
    let found = ["webhook", "webhooks", "hook", "hooks"].into_iter().find_map(at);
    let source = match found {
        Some(at) => source_after(at.saturating_add(1)).or_else(|| sources.clone().next()),
        // Without the first segment, the path may still name a source.
        None => (0..segments.len()).find_map(source_after),
    };
    source.map(|source| format!("/webhook/{source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_slash_and_one_at_the_end_are_read_as_meant() {
        let tagorun = Route::Webhook("tagorun".to_owned());
        for path in [
            "/webhook/tagorun",
            "//webhook/tagorun",
            "/webhook//tagorun",
            "/webhook/tagorun/",
            "///webhook///tagorun///a//b",
            "/webhook/t%61gorun",
        ] {
            assert_eq!(Route::of(path), tagorun, "{path}");
        }
        for path in ["/webhook", "/webhook/", "//webhook//"] {
            assert_eq!(Route::of(path), Route::Webhook(String::new()), "{path}");
        }
        for path in ["/webhook-test", "/webhook-test/", "//webhook-test/a", "/webhook-test//a"] {
            assert_eq!(Route::of(path), Route::Test, "{path}");
        }
        assert_eq!([Route::of("/healthz/"), Route::of("//readyz")], [Route::Healthz, Route::Readyz]);
        for path in
            ["/", "", "/webhok/tagorun", "/Webhook/tagorun", "/webhooks", "/healthz/x", "webhook/tagorun"]
        {
            assert_eq!(Route::of(path), Route::Nothing, "{path}");
        }
    }

    #[test]
    fn a_slip_names_the_route_that_was_meant() {
        let sources = || ["tagorun", "github"].into_iter();
        for (path, route) in [
            ("/webhok/tagorun", "/webhook/tagorun"),
            ("/Webhook/TagoRUN", "/webhook/tagorun"),
            ("/webhooks/github/push", "/webhook/github"),
            ("/hooks/other", "/webhook/tagorun"),
            ("/api/webhook/github", "/webhook/github"),
            ("/tagorun", "/webhook/tagorun"),
            ("/githib", "/webhook/github"),
            ("/webhook_test", "/webhook-test"),
        ] {
            assert_eq!(meant(path, sources()).as_deref(), Some(route), "{path}");
        }
        for path in ["/", "/wp-login.php", "/favicon.ico", "/admin/config", ""] {
            assert_eq!(meant(path, sources()), None, "{path}");
        }
    }
}
