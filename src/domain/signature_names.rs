//! The headers by which senders sign: one list, for whoever must know them by their names.

/// The headers that hold a signature, of every scheme.
pub const SIGNATURE_HEADERS: [&str; 13] = [
    "x-tagorun-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "webhook-signature",
    "svix-signature",
    "stripe-signature",
    "x-slack-signature",
    "x-zm-signature",
    "twitch-eventsub-message-signature",
    "x-hook-signature",
    "x-xero-signature",
    "x-dropbox-signature",
    "x-twitter-webhooks-signature",
];
/// Their ids and times, which a signature covers.
const SIGNED: [&str; 8] = [
    "webhook-id",
    "webhook-timestamp",
    "svix-id",
    "svix-timestamp",
    "x-slack-request-timestamp",
    "x-zm-request-timestamp",
    "twitch-eventsub-message-id",
    "twitch-eventsub-message-timestamp",
];

/// Whether a header line is part of a signature.
#[must_use]
pub fn is_part_of_signature(name: &str) -> bool {
    SIGNATURE_HEADERS.iter().chain(&SIGNED).any(|known| name.eq_ignore_ascii_case(known))
}
