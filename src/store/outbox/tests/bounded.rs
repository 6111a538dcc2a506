//! The history of attempts is bounded.

use super::*;

fn rows(case: &Case, table: &str) -> i64 {
    let crate::store::Place::Sqlite(path) = &case.options.place else { panic!("asked of SQLite only") };
    let file = rusqlite::Connection::open(path).unwrap();
    file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn ui_14_attempts_dead_letters_and_ids_are_pruned_each_by_its_own_rule() {
    let case = open().await;
    for number in 0..1_200 {
        case.publish(&format!("e{number}"), &["a"]).await;
    }
    let mut number = 0;
    loop {
        let claimed = case.claim(vec![lane("a")]).await.messages;
        if claimed.is_empty() {
            break;
        }
        for message in claimed {
            number += 1;
            let next = if number % 4 == 0 { dead("HTTP 500") } else { Next::Delivered };
            case.settle(&message, if number % 4 == 0 { 500 } else { 200 }, next).await;
        }
    }
    let all = ["attempts", "messages", "dead_letters", "events"].map(|table| rows(&case, table));
    assert_eq!(all, [1_200, 1_200, 300, 1_200]);
    case.clock.advance(HOUR + Duration::from_secs(1));
    case.store.prune().await.unwrap();
    let left = ["attempts", "messages", "dead_letters"].map(|table| rows(&case, table));
    assert_eq!(left, [300, 300, 300], "what is dead waits for its own time");
    case.clock.advance(2 * HOUR);
    case.store.prune().await.unwrap();
    for table in ["attempts", "messages", "dead_letters", "events", "event_ids"] {
        assert_eq!(rows(&case, table), 0, "{table}");
    }
}
