//! The columns of what is learnt, in both engines.

/// An entity, as it is read.
pub const ENTITY: &str = r"
    source, entity, name, first_seen, last_seen, last_delivery, last_event_type, deliveries,
    newest_event_at, out_of_order, late, silent_at, habits, own_name
";

/// An entity, as it is written.
pub const SIGHTED: &str = r"
    source, entity, name, first_seen, last_seen, last_delivery, last_event_type,
    deliveries, newest_event_at, out_of_order, late, silent_at, habits,
    due_at, due_rule, through, trouble, quiet_at
";

/// How an entity that is written replaces the stored one.
pub const SIGHTED_AGAIN: &str = r"
    ON CONFLICT (source, entity) DO UPDATE SET
        name = excluded.name,
        first_seen = excluded.first_seen,
        last_seen = excluded.last_seen,
        last_delivery = excluded.last_delivery,
        last_event_type = excluded.last_event_type,
        deliveries = excluded.deliveries,
        newest_event_at = excluded.newest_event_at,
        out_of_order = excluded.out_of_order,
        late = excluded.late,
        silent_at = excluded.silent_at,
        habits = excluded.habits,
        due_at = excluded.due_at,
        due_rule = excluded.due_rule,
        through = excluded.through,
        trouble = excluded.trouble,
        quiet_at = excluded.quiet_at
";

/// An event type, as it is read.
pub const TYPE: &str = r"
    id, source, event_type, deliveries, refused, samples, fields,
    is_cut, first_seen, first_in, last_seen, through
";

/// A field of an event type.
pub const FIELD: &str = r"
    pointer, types, counts, first_seen, first_in, first_sample, last_seen,
    types_before, changed_at, changed_in
";
