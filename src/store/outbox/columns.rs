//! The columns of the outbox that both engines read, and conditions on them.

/// The columns of a message in lists; `m` is the message, `e` its event.
pub const MESSAGE_COLUMNS: &str = r"
    m.seq, m.id, m.subscription_id, m.target_id,
    m.event_id AS message_event_id, m.event_type AS message_event_type,
    m.status, m.subscription_id IN (SELECT id FROM subscriptions WHERE parked_since IS NOT NULL) AS is_parked,
    m.created_at, m.next_attempt_at, m.attempts, m.replayed_at, e.delivery_id";

/// The columns of an event.
pub const EVENT_COLUMNS: &str = r"
    e.source, e.event_id, e.event_type, e.entity,
    e.received_at, e.body, e.delivery_id, e.lineage";

/// The columns of an attempt, without that of its number.
pub const ATTEMPT_COLUMNS: &str = r"
    target_id, started_at, duration_us,
    status, error, error_detail,
    response_headers, response_body, truncated, missing";

/// The columns of a dead letter, without those of its message.
pub const LETTER_COLUMNS: &str = "d.url, d.payload, d.error, d.primary_error, d.fallback_error, d.failed_at";

/// The condition that the subscription of a dead letter is in force.
pub const IN_FORCE: &str =
    "EXISTS (SELECT 1 FROM subscriptions s WHERE s.id = d.subscription_id AND s.parked_since IS NULL)";

/// Returns a message to its own subscription and starts a new round of attempts. The message is in order if that
/// subscription `s` is, which is a condition of the engine.
macro_rules! home {
    ($is_ordered:literal) => {
        concat!(
            r"
            target_id = subscription_id,
            attempts_before = attempts,
            primary_error = NULL,
            entity = (
                SELECT e.entity
                FROM events e
                JOIN subscriptions s ON s.id = messages.subscription_id
                WHERE e.seq = messages.event_seq
                  AND ",
            $is_ordered,
            ")"
        )
    };
}
pub(in crate::store) use home;
