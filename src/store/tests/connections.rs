//! The connection a delivery arrived on, and whether its client disconnected.

use std::time::Duration;

use super::open;
use crate::domain::{Connection, Decision};

#[tokio::test]
async fn a_delivery_keeps_its_connection_and_a_hang_up_is_noted_later() {
    let case = open().await;
    let entry = case.entry(Decision::Accept(None));
    let id = entry.delivery.id;
    let written = case.store.append(entry).await.unwrap();
    let kept = case.store.delivery(id).await.unwrap().unwrap();
    assert_eq!((kept.connection, kept.hung_up), (Connection { port: Some(51_234), deliveries: 2 }, None));
    case.store.hung_up(written.seq, Duration::from_micros(1_700)).await.unwrap();
    let kept = case.store.delivery(id).await.unwrap().unwrap();
    assert_eq!(kept.hung_up, Some(Duration::from_micros(1_700)));
}
