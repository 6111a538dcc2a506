//! The history of attempts is bounded.

use tokio_postgres::NoTls;

use super::*;
use crate::store::Place;

async fn rows(case: &Case, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    match &case.options.place {
        Place::Sqlite(path) => {
            rusqlite::Connection::open(path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
        }
        Place::Postgres(place) => {
            let (client, connection) = place.config.connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            client.query_one(&sql, &[]).await.unwrap().get(0)
        }
    }
}

async fn all<const N: usize>(case: &Case, tables: [&str; N]) -> [i64; N] {
    let mut counts = [0; N];
    for (count, table) in counts.iter_mut().zip(tables) {
        *count = rows(case, table).await;
    }
    counts
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
    let full = all(&case, ["attempts", "messages", "dead_letters", "events"]).await;
    assert_eq!(full, [1_200, 1_200, 300, 1_200]);
    case.clock.advance(HOUR + Duration::from_secs(1));
    case.store.prune().await.unwrap();
    let left = all(&case, ["attempts", "messages", "dead_letters"]).await;
    assert_eq!(left, [300, 300, 300], "what is dead waits for its own time");
    case.clock.advance(2 * HOUR);
    case.store.prune().await.unwrap();
    let event_ids = match case.options.place {
        Place::Sqlite(_) => "taken_event_ids",
        Place::Postgres(_) => "event_ids",
    };
    for table in ["attempts", "messages", "dead_letters", "events", event_ids] {
        assert_eq!(rows(&case, table).await, 0, "{table}");
    }
}
