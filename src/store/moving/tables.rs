//! What a move takes along: every table with its columns, the same for both engines.
//!
//! Not moved: `rate_marks` (at most one window of requests is forgotten), and what follows from the rest: the totals of the
//! deliveries, the search index, and what only one engine keeps (which node took a delivery or a message).

pub use super::table::{Column, Kind, Table};
use super::table::{bytes, column, flag, number, table, text, with_large};

/// The deliveries. They come first, since other rows refer to them.
pub const DELIVERIES: &str = "deliveries";
/// Cursors and counts. They come before what is set from them.
pub const FACTS: &str = "facts";
/// Attempts to send a message.
pub const ATTEMPTS: &str = "attempts";
/// Messages that ran out of attempts.
pub const DEAD_LETTERS: &str = "dead_letters";
/// Who gets what.
pub const SUBSCRIPTIONS: &str = "subscriptions";

/// The facts that are positions.
pub const POSITION_FACTS: [&str; 4] = ["pruned_through", "fanout_cursor", "lens_cursor", "lens_since"];
/// The other facts that are moved.
pub const NUMBER_FACTS: [&str; 3] = ["lens_heard_at", "entities", "drift_left_out"];

/// The tables with a counter for new rows.
pub const COUNTED: [&str; 5] = [DELIVERIES, "events", "messages", "health_checks", "drift_types"];

/// Every table that is moved, in the order of moving.
pub const TABLES: &[Table] = &[
    with_large(
        "body",
        table(
            DELIVERIES,
            1,
            &[
                column(Kind::Own, "seq"),
                bytes("id"),
                text("source"),
                number("received_at"),
                text("method"),
                text("path"),
                bytes("client_ip"),
                text("event_type"),
                text("event_name"),
                text("event_id"),
                text("entity"),
                number("verdict"),
                text("reason"),
                number("status"),
                number("size_bytes"),
                number("duration_us"),
                bytes("duplicate_of"),
                number("row_bytes"),
                text("unverified"),
                number("hung_up_us"),
                text("http_version"),
                bytes("peer_ip"),
                number("peer_port"),
                number("connection_deliveries"),
                text("explanation"),
                bytes("headers"),
                bytes("body"),
                text("body_end"),
                text("checks"),
                number("first_received_at"),
            ],
        ),
    ),
    table(
        "event_ids",
        2,
        &[
            text("source"),
            bytes("key"),
            bytes("body_digest"),
            bytes("delivery_id"),
            number("first_received_at"),
            number("expires_at"),
        ],
    ),
    table("delivery_marks", 1, &[column(Kind::About, "seq"), flag("is_pinned"), text("note"), text("tags")]),
    table(
        "delivery_causes",
        1,
        &[column(Kind::About, "seq"), text("source"), text("code"), text("headline")],
    ),
    table(FACTS, 1, &[text("name"), number("value"), column(Kind::Through, "place")]),
    table(
        SUBSCRIPTIONS,
        1,
        &[
            text("id"),
            number("origin"),
            text("document"),
            flag("enabled"),
            text("disabled_reason"),
            column(Kind::Through, "since_seq"),
            number("created_at"),
            number("updated_at"),
            number("parked_since"),
        ],
    ),
    with_large(
        "body",
        table(
            "events",
            1,
            &[
                number("seq"),
                text("source"),
                text("event_id"),
                text("event_type"),
                text("entity"),
                number("received_at"),
                bytes("body"),
                bytes("delivery_id"),
                text("lineage"),
                bytes("posted"),
                number("messages"),
            ],
        ),
    ),
    table(
        "messages",
        1,
        &[
            number("seq"),
            bytes("id"),
            text("subscription_id"),
            text("target_id"),
            number("event_seq"),
            text("event_id"),
            text("event_type"),
            text("entity"),
            flag("by_hand"),
            number("status"),
            number("created_at"),
            number("next_attempt_at"),
            number("lease_until"),
            number("claimed_at"),
            number("attempts"),
            number("attempts_before"),
            text("primary_error"),
            number("finished_at"),
            number("replayed_at"),
        ],
    ),
    with_large(
        "response_body",
        table(
            ATTEMPTS,
            2,
            &[
                number("message_seq"),
                number("number"),
                text("target_id"),
                number("started_at"),
                number("duration_us"),
                number("status"),
                text("error"),
                text("error_detail"),
                text("response_headers"),
                bytes("response_body"),
                flag("truncated"),
                text("missing"),
            ],
        ),
    ),
    with_large(
        "payload",
        table(
            DEAD_LETTERS,
            1,
            &[
                number("message_seq"),
                text("subscription_id"),
                text("url"),
                bytes("payload"),
                text("error"),
                text("primary_error"),
                text("fallback_error"),
                number("failed_at"),
                flag("is_reported"),
            ],
        ),
    ),
    table(
        "sender_totals",
        1,
        &[
            text("subscription_id"),
            number("attempts"),
            number("successful"),
            number("retries"),
            number("answered"),
            number("answered_us"),
            number("last_success_at"),
            number("last_failure_at"),
            text("recent"),
        ],
    ),
    table("sender_latency", 2, &[text("subscription_id"), number("bucket"), number("attempts")]),
    table(
        "health_checks",
        1,
        &[
            number("seq"),
            text("subscription_id"),
            text("status"),
            number("response_code"),
            number("response_us"),
            text("error"),
            number("checked_at"),
        ],
    ),
    with_large(
        "answer",
        table(
            "replays",
            1,
            &[
                bytes("id"),
                bytes("original"),
                text("target"),
                text("signature"),
                flag("is_edited"),
                bytes("run"),
                number("status"),
                bytes("delivery"),
                bytes("message"),
                text("error"),
                bytes("answer"),
            ],
        ),
    ),
    table(
        "replay_runs",
        1,
        &[
            bytes("id"),
            text("filter"),
            text("target"),
            text("signature"),
            flag("is_newest_first"),
            column(Kind::Real, "per_second"),
            number("concurrency"),
            flag("stops_on_error"),
            text("state"),
            text("why"),
            number("total"),
            number("done"),
            number("failed"),
            number("gone"),
        ],
    ),
    table("replay_plan", 2, &[bytes("run"), number("place"), bytes("delivery")]),
    table(
        "drift_types",
        1,
        &[
            number("id"),
            text("source"),
            text("event_type"),
            number("deliveries"),
            number("refused"),
            number("samples"),
            number("fields"),
            flag("is_cut"),
            number("first_seen"),
            bytes("first_in"),
            number("last_seen"),
            column(Kind::Learnt, "through"),
        ],
    ),
    table(
        "drift_fields",
        2,
        &[
            number("type_id"),
            text("pointer"),
            number("types"),
            text("counts"),
            number("first_seen"),
            bytes("first_in"),
            number("first_sample"),
            number("last_seen"),
            number("types_before"),
            number("changed_at"),
            bytes("changed_in"),
        ],
    ),
    table(
        "entities",
        2,
        &[
            text("source"),
            text("entity"),
            text("name"),
            number("first_seen"),
            number("last_seen"),
            bytes("last_delivery"),
            text("last_event_type"),
            number("deliveries"),
            number("newest_event_at"),
            number("out_of_order"),
            number("late"),
            number("silent_at"),
            number("due_at"),
            number("due_rule"),
            text("habits"),
            column(Kind::Learnt, "through"),
            text("own_name"),
            number("trouble"),
            number("quiet_at"),
        ],
    ),
    table("outages", 1, &[number("since"), number("until")]),
    table(
        "minutes",
        4,
        &[
            number("minute"),
            text("source"),
            number("verdict"),
            text("reason"),
            number("count"),
            text("times"),
        ],
    ),
    table("saved_searches", 1, &[text("name"), text("query")]),
    table(
        "api_tokens",
        1,
        &[
            text("id"),
            text("name"),
            number("scope"),
            bytes("digest"),
            text("tail"),
            number("created_at"),
            number("last_used_at"),
        ],
    ),
];
