//! Shared statements name their values in the order in which they appear, since SQLite numbers them so.

use crate::store::learned::statements as learned;
use crate::store::replay_runs::statements as runs;

#[test]
fn shared_statements_name_their_values_in_order() {
    let of_learned =
        [learned::POSTPONE, learned::MARK_SILENT, learned::FORGET_OUTAGES, learned::COUNT_FIELDS];
    let of_runs = [runs::FORGET_RUNS, runs::NEXT, runs::TAKE, runs::COUNT, runs::TURN];
    let made =
        [learned::entity(), learned::with_other_rule(), runs::newest_before(), runs::one(), runs::in_state()];
    for sql in of_learned.into_iter().chain(of_runs).chain(made.iter().map(String::as_str)) {
        let values =
            sql.split('$').skip(1).map(|rest| rest.chars().next().and_then(|digit| digit.to_digit(10)));
        assert!(values.eq((1..).map(Some).take(sql.matches('$').count())), "{sql}");
    }
}
