//! The sender's and the learner's threads after a panic in the code that they call.

use super::*;
use crate::inspect::learner::RunningLearner;
use crate::send::RunningSender;

const HOUR: Duration = Duration::from_secs(3600);

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn panicked(house: &House, worker: &str) -> u64 {
    let all = house.sender.metrics().workers().panicked_within(HOUR);
    all.iter().find(|(name, _)| *name == worker).map_or(0, |(_, panicked)| panicked.times)
}

#[tokio::test]
async fn a_sender_that_panics_is_counted_and_starts_again() {
    let house = house(SilenceAfter::Off).await;
    let json = r#"{"name": "a", "url": "http://127.0.0.1:9/", "events": ["data.received"], "signature": {"scheme": "none"}}"#;
    house.sender.create(json).await.unwrap();
    *house.fragile.breaks.lock().unwrap() = Some("sender");
    let running = RunningSender::start(house.sender.clone()).unwrap();
    until("the panic is counted", async || panicked(&house, "sender") == 1).await;
    house.hear_device("d1").await;
    until("a delivery is fanned out after it", async || house.told().await == 1).await;
    running.stop().await;
    assert_eq!(panicked(&house, "sender"), 1);
}

#[tokio::test]
async fn a_learner_that_panics_is_counted_and_starts_again() {
    let house = house(SilenceAfter::Off).await;
    *house.fragile.breaks.lock().unwrap() = Some("learner");
    let (sources, clock) = (house.sources.clone(), Arc::<Fragile>::clone(&house.fragile));
    let running = RunningLearner::start(house.store.clone(), house.sender.clone(), sources, clock).unwrap();
    house.hear_device("d1").await;
    until("the panic is counted", async || panicked(&house, "learner") == 1).await;
    until("the delivery is learnt after it", async || house.store.drift_types().await.unwrap().len() == 1)
        .await;
    running.stop().await;
}
