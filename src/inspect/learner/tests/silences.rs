//! Silences: each is reported once, and never for a time in which the program did not listen.

use super::*;

#[tokio::test]
async fn a_silence_is_told_once_and_again_after_the_next_life_sign() {
    let house = house(SilenceAfter::Time(10 * MINUTE)).await;
    house.subscribe().await;
    let mut learner = house.learner().await;
    house.hear_device("d1").await;
    house.learn_all(&mut learner).await;
    for _ in 0..10 {
        house.clock.advance(Duration::from_secs(59));
        house.learn_all(&mut learner).await;
    }
    assert_eq!(house.told().await, 0, "590 s are not over 10 minutes");
    house.clock.advance(Duration::from_secs(10));
    house.learn_all(&mut learner).await;
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 1);
    let message = house.store.messages(MessageFilter::default(), None, 1).await.unwrap()[0].id;
    let event = house.store.message(message).await.unwrap().unwrap().event;
    let notice: Value = serde_json::from_slice(&event.body).unwrap();
    let catalog = Catalog::builtin();
    let known = catalog.get("device.silent").unwrap();
    assert_eq!(
        (known.check_as(known.name(), &notice), known.check_shape(&notice)),
        (Vec::new(), Vec::new()),
        "{notice}"
    );
    assert_eq!((event.entity.as_deref(), &notice["data"]["silent_for_s"]), (Some("d1"), &json!(600)));
    house.learn_all(&mut house.learner().await).await;
    assert_eq!(house.told().await, 1, "a restart tells nothing again");
    let silent = EntityQuery { state: Some(DeviceState::Silent), ..EntityQuery::default() };
    assert_eq!(house.store.entities(silent.clone(), 9).await.unwrap().devices[0].key.entity, "d1");

    house.hear_device("d1").await;
    house.learn_all(&mut learner).await;
    assert_eq!(house.store.entities(silent, 9).await.unwrap().devices, []);
    for _ in 0..11 {
        house.clock.advance(Duration::from_secs(55));
        house.learn_all(&mut learner).await;
    }
    assert_eq!(house.told().await, 2);
}

#[tokio::test]
async fn nobody_was_silent_while_nobody_listened() {
    let house = house(SilenceAfter::Time(10 * MINUTE)).await;
    house.subscribe().await;
    house.hear_device("d1").await;
    house.learn_all(&mut house.learner().await).await;
    house.clock.advance(5 * 60 * MINUTE);
    let mut learner = house.learner().await;
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 0, "five hours off are no silence");
    for _ in 0..11 {
        house.clock.advance(Duration::from_secs(54));
        house.learn_all(&mut learner).await;
    }
    assert_eq!(house.told().await, 0);
    house.clock.advance(Duration::from_secs(7));
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 1);
}

#[tokio::test]
async fn who_is_silent_when_the_rule_comes_is_known_to_be_and_nobody_is_told() {
    let house = house(SilenceAfter::Off).await;
    house.subscribe().await;
    house.hear_device("old").await;
    let mut learner = house.learner().await;
    house.learn_all(&mut learner).await;
    house.clock.advance(60 * MINUTE);
    house.hear_device("young").await;
    house.learn_all(&mut learner).await;
    house.sources.replace(vec![source(SilenceAfter::Time(10 * MINUTE))], 1 << 20);
    for _ in 0..12 {
        house.clock.advance(Duration::from_secs(59));
        house.learn_all(&mut learner).await;
    }
    assert_eq!(house.told().await, 1, "only of the one that went silent since");
    let silent = EntityQuery { state: Some(DeviceState::Silent), ..EntityQuery::default() };
    assert_eq!(house.store.entities(silent.clone(), 9).await.unwrap().devices.len(), 2);
    house.sources.replace(vec![source(SilenceAfter::Off)], 1 << 20);
    house.learn_all(&mut learner).await;
    assert_eq!(house.store.entities(silent, 9).await.unwrap().devices, []);
}

#[tokio::test]
async fn a_multiple_waits_for_a_usual_interval_and_our_own_event_is_no_life_sign() {
    let house = house(SilenceAfter::Tenths(30)).await;
    house.subscribe().await;
    let mut learner = house.learner().await;
    for _ in 0..4 {
        house.hear_device("d1").await;
        house.learn_all(&mut learner).await;
        house.clock.advance(MINUTE);
    }
    house.learn_all(&mut learner).await;
    house.clock.advance(MINUTE);
    house.hear("device.silent", Some("d1"), None, &json!({"device": {"id": "d1"}})).await;
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 0);
    house.clock.advance(Duration::from_secs(59));
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 0);
    house.clock.advance(Duration::from_secs(2));
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 1, "three minutes after the last delivery");
    let entity = house.store.device("s".to_owned(), "d1".to_owned()).await.unwrap().unwrap().key;
    assert_eq!((entity.deliveries, entity.name.as_deref()), (4, Some("Pump")));
    assert_eq!(entity.usual(), Some(MINUTE));
}

#[tokio::test]
async fn a_wall_clock_that_is_set_makes_nobody_silent_and_hides_no_silence() {
    let house = house(SilenceAfter::Time(10 * MINUTE)).await;
    house.subscribe().await;
    let mut learner = house.learner().await;
    house.hear_device("before").await;
    house.learn_all(&mut learner).await;
    for set in [86_400, -90_000] {
        house.listen(&mut learner, 4).await;
        house.clock.set_wall(set);
        house.hear_device(&format!("after {set}")).await;
        house.learn_all(&mut learner).await;
        assert_eq!(house.told().await, 0, "{set}");
    }
    house.listen(&mut learner, 2).await;
    assert_eq!(house.told().await, 1, "ten minutes after it was heard of, whatever the wall clock shows");
    house.listen(&mut learner, 4).await;
    assert_eq!(house.told().await, 2);
    house.listen(&mut learner, 4).await;
    assert_eq!(house.told().await, 3);
    let last = house.store.device("s".to_owned(), "after -90000".to_owned()).await.unwrap().unwrap().key;
    assert!(last.last_seen < Timestamp::from_secs(1_800_000_000), "people see the wall clock");
}

impl House {
    /// This many minutes pass while the program listens.
    pub(super) async fn listen(&self, learner: &mut Learner, minutes: u32) {
        for _ in 0..2 * minutes {
            self.clock.advance(MINUTE / 2);
            self.learn_all(learner).await;
        }
    }
}
