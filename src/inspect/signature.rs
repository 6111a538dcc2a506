//! The diagnosis of a signature mismatch: the headline of each thing that a sender does differently.

use super::told::Diagnosis;
use crate::signing::diagnose::{Autopsy, Difference};

/// What differences are called whose names begin so, and what mends them where they do not say so themselves.
struct Known {
    names: &'static [&'static str],
    headline: &'static str,
    fix: &'static str,
}

const BYTES: &str = "Sign the exact bytes that are sent.";
const SECRET: &str = "Use the secret in the sender as it is configured here.";
const WRITING: &str = "Write the signature as the source expects it.";
const SCHEME: &str = "Sign as the source expects, or set the source's signature to the sender's scheme.";

/// All that are known, the particular ones before the general ones.
const KNOWN: &[Known] = &[
    Known { names: &["json-twice"], headline: "The body was encoded as JSON twice", fix: BYTES },
    Known { names: &["json-"], headline: "The body was re-formatted after signing", fix: BYTES },
    Known { names: &["curl-line-breaks"], headline: "curl -d removed the line breaks", fix: BYTES },
    Known { names: &["text-"], headline: "The sender signs another text than it sends", fix: BYTES },
    Known { names: &["relay"], headline: "A relay rewrote the JSON", fix: BYTES },
    Known {
        names: &["another-sources-secret"],
        headline: "Signed with the secret of another source",
        fix: SECRET,
    },
    Known { names: &["secret-not-set"], headline: "The sender's secret is not set", fix: SECRET },
    Known { names: &["secret-is-its-name"], headline: "Signed with the name of the secret", fix: SECRET },
    Known { names: &["secret-other-case"], headline: "The secret is in another letter case", fix: SECRET },
    Known { names: &["secret-with-newline"], headline: "The sender's secret ends with a blank", fix: SECRET },
    Known { names: &["secret-trimmed"], headline: "The configured secret has blanks around it", fix: SECRET },
    Known { names: &["secret-quoted"], headline: "The sender's secret includes its quotes", fix: SECRET },
    Known { names: &["secret-unquoted"], headline: "The configured secret includes its quotes", fix: SECRET },
    Known { names: &["secret-hashed"], headline: "The sender hashes the secret first", fix: SECRET },
    Known {
        names: &["secret-hex-encoded", "secret-base64-encoded"],
        headline: "The sender encodes the secret first",
        fix: SECRET,
    },
    Known { names: &["secret-"], headline: "The sender decodes the secret first", fix: SECRET },
    Known { names: &["whsec-"], headline: "The whsec_ secret is used differently", fix: SECRET },
    Known { names: &["body-encoded"], headline: "The sender signs the encoded body", fix: BYTES },
    Known { names: &["body-empty"], headline: "The sender signs an empty body", fix: BYTES },
    Known { names: &["body-encoded"], headline: "The sender signs the encoded body", fix: BYTES },
    Known { names: &["body-digest"], headline: "The sender signs a digest of the body", fix: BYTES },
    Known { names: &["body-cut", "member-alone"], headline: "Only part of the body was signed", fix: BYTES },
    Known { names: &["newline-"], headline: "A line break at the end differs", fix: BYTES },
    Known { names: &["blanks-removed"], headline: "Blanks around the body were not signed", fix: BYTES },
    Known {
        names: &["crlf-as-lf", "lf-as-crlf"],
        headline: "Line breaks were changed after signing",
        fix: BYTES,
    },
    Known { names: &["without-bom"], headline: "A byte order mark was not signed", fix: BYTES },
    Known { names: &["with-bom"], headline: "A byte order mark was signed, not sent", fix: BYTES },
    Known { names: &["unpacked"], headline: "The body was compressed after signing", fix: BYTES },
    Known { names: &["other-charset"], headline: "The body was re-encoded after signing", fix: BYTES },
    Known { names: &["form-decoded"], headline: "The sender signs the decoded form", fix: BYTES },
    Known {
        names: &["body-", "timestamp-body", "id-", "nonce-", "path-", "url-"],
        headline: "The sender signs other parts of the request",
        fix: SCHEME,
    },
    Known { names: &["timestamp-zone"], headline: "The sender signs local time, not UTC", fix: WRITING },
    Known {
        names: &["timestamp-stale"],
        headline: "Signature timestamp outside the tolerance",
        fix: "Check both clocks. A replayed request looks the same.",
    },
    Known { names: &["timestamp-format"], headline: "The timestamp is not whole seconds", fix: WRITING },
    Known { names: &["timestamp-other"], headline: "Another timestamp was signed than sent", fix: WRITING },
    Known { names: &["timestamp-"], headline: "The timestamp is not in seconds", fix: WRITING },
    Known { names: &["valid-now"], headline: "The signature is valid now", fix: "Replay the delivery." },
    Known { names: &["header-missing"], headline: "A signed header is missing", fix: WRITING },
    Known { names: &["parts-other"], headline: "Another id or timestamp was signed than sent", fix: WRITING },
    Known { names: &["two-header-sets"], headline: "Two sets of signature headers", fix: WRITING },
    Known { names: &["several-lines"], headline: "A signed header is there twice", fix: WRITING },
    Known { names: &["header-form"], headline: "The signature headers are malformed", fix: WRITING },
    Known { names: &["another-header"], headline: "Signed for another header or scheme", fix: SCHEME },
    Known { names: &["no-digest"], headline: "The signature header contains no digest", fix: WRITING },
    Known { names: &["hex-", "base64"], headline: "The digest is encoded differently", fix: WRITING },
    Known { names: &["prefix-"], headline: "The signature's prefix is wrong", fix: WRITING },
    Known { names: &["signature-cut"], headline: "Something cut the signature", fix: WRITING },
    Known { names: &["signature-"], headline: "The signature is written differently", fix: WRITING },
    Known {
        names: &["md5", "sha"],
        headline: "The sender uses another hash algorithm",
        fix: "Set it to HMAC-SHA256.",
    },
    Known { names: &["key-and-message-swapped"], headline: "Key and message are swapped", fix: WRITING },
    Known {
        names: &["plain-hash"],
        headline: "A plain hash instead of an HMAC",
        fix: "Sign with HMAC-SHA256 and the secret as its key.",
    },
];
/// The headline of a difference that is not in the table.
const OTHER: Known = Known { names: &[], headline: "The sender signs differently", fix: SCHEME };
/// The headline of several differences.
const SEVERAL: &str = "The sender signs differently in several ways";

fn known(name: &str) -> &'static Known {
    let is_it = |known: &&Known| known.names.iter().any(|start| name.starts_with(start));
    KNOWN.iter().find(is_it).unwrap_or(&OTHER)
}

/// The diagnosis of one difference.
pub fn difference(difference: &Difference) -> Diagnosis {
    let known = known(difference.name);
    let told = Diagnosis::new(difference.name, known.headline, &*difference.what);
    if difference.fix.is_empty() { told.fix(known.fix) } else { told.fix(&*difference.fix) }
}

/// The diagnosis of a signature that was made with `variant`.
pub fn made_with(variant: &str, autopsy: &Autopsy) -> Diagnosis {
    let first = known(variant.split('+').next().unwrap_or_default());
    let headline = if variant.contains('+') { SEVERAL } else { first.headline };
    let told = Diagnosis::new(variant, headline, &*autopsy.cause);
    match autopsy.fixes.as_slice() {
        [] => told.fix(first.fix),
        fixes => fixes.iter().fold(told, |told, fix| told.fix(&**fix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_headline_of_a_signature_has_at_most_eight_words_and_every_difference_something_to_do() {
        for one in KNOWN.iter().chain([&OTHER]) {
            assert!(one.headline.split_whitespace().count() <= 8, "{}", one.headline);
            assert!(one.fix.ends_with('.') && !one.headline.ends_with('.'), "{}", one.headline);
        }
        assert!(SEVERAL.split_whitespace().count() <= 8);
    }

    #[test]
    fn a_name_of_the_table_is_found_by_its_own_entry() {
        for one in KNOWN {
            for name in one.names {
                assert_eq!(known(name).headline, one.headline, "{name} is hidden by an entry before it");
            }
        }
    }
}
