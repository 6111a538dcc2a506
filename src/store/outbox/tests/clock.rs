//! The schedule across restarts when the wall clock was set.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

impl Case {
    /// A message whose first attempt failed and that is due after `delay`.
    async fn waiting(&self, id: &str, delay: Duration) {
        self.publish(id, &["a"]).await;
        let claimed = self.claim(vec![lane("a")]).await.messages.remove(0);
        self.settle(&claimed, 500, Next::Retry(self.clock.now().plus(delay))).await;
    }

    /// A restart; both clocks then show the wall-clock time.
    pub(super) async fn restart(self, wall: Timestamp) -> Self {
        self.store.close().await;
        let clock = Arc::new(ManualClock::at(wall));
        let options = StoreOptions { clock: Arc::<ManualClock>::clone(&clock), ..self.options.clone() };
        let store = Store::open(options.clone()).await.unwrap();
        store.recover_messages(Now::at(wall), SECOND).await.unwrap();
        Self { store, clock, options, ..self }
    }

    async fn due_in(&self, after: Duration) -> usize {
        self.clock.advance(after);
        self.claim(vec![lane("a")]).await.messages.len()
    }
}

#[tokio::test]
async fn what_waits_keeps_its_time_over_a_restart_after_the_clock_was_set() {
    for set in [86_400, -3_600] {
        let case = open().await;
        case.waiting("e1", 60 * SECOND).await;
        case.clock.set_wall(set);
        let ahead = case.clock.both().wall_ahead_us();
        case.store.keep_wall_ahead(ahead).await.unwrap();
        let shown = case.only().await.next_attempt_at.unwrap();
        assert_eq!(shown, case.clock.wall().plus(60 * SECOND), "people see it by the wall clock");
        case.clock.advance(20 * SECOND);
        let case = {
            let wall = case.clock.wall();
            case.restart(wall).await
        };
        assert_eq!(case.due_in(39 * SECOND).await, 0, "{set}");
        assert_eq!(case.due_in(SECOND).await, 1, "{set}");
    }
}

#[tokio::test]
async fn where_only_the_sender_starts_again_nothing_is_moved() {
    let case = open().await;
    case.waiting("e1", 60 * SECOND).await;
    case.clock.set_wall(-3_600);
    case.store.keep_wall_ahead(case.clock.both().wall_ahead_us()).await.unwrap();
    case.store.recover_messages(case.clock.both(), SECOND).await.unwrap();
    assert_eq!(case.due_in(59 * SECOND).await, 0);
    assert_eq!(case.due_in(SECOND).await, 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_while_the_program_did_not_run_lengthens_no_delay() {
    let case = open().await;
    case.waiting("e1", 60 * SECOND).await;
    let back = case.clock.now().minus(HOUR);
    let case = case.restart(back).await;
    assert_eq!(case.due_in(59 * SECOND).await, 0);
    assert_eq!(case.due_in(SECOND).await, 1);
}

#[tokio::test]
async fn requests_of_before_count_from_now_where_the_clock_was_set_back() {
    let case = open().await;
    let rate = LaneRate { requests: 10, window: 60 * SECOND, arrival: SECOND };
    let rated = Lane { rate: Some(rate), ..lane("a") };
    case.publish("e1", &["a"]).await;
    case.publish("e2", &["a"]).await;
    assert_eq!(case.claim(vec![Lane { limit: 1, ..rated.clone() }]).await.messages.len(), 1);
    case.clock.advance(SECOND);
    assert_eq!(case.claim(vec![rated]).await.messages.len(), 1);
    let back = case.clock.now().minus(HOUR);
    let case = case.restart(back).await;
    let marks = case.store.rate_marks("a".into(), Timestamp::from_micros(0)).await.unwrap();
    assert_eq!(marks, [(back, 2)]);
}

#[tokio::test]
async fn what_failed_together_comes_back_together_after_a_restart() {
    let case = open().await;
    for at in 0..20 {
        case.publish(&format!("e{at}"), &["a"]).await;
    }
    let due = case.clock.now().plus(SECOND);
    let (first, second) = (Lane { limit: 10, ..lane("a") }, Lane { limit: 10, ..lane("a") });
    for (batch, at) in [(first, due), (second, due.plus(SECOND))] {
        for message in case.claim(vec![batch]).await.messages {
            case.settle(&message, 500, Next::Retry(at)).await;
        }
    }
    let later = case.clock.now().plus(HOUR);
    let case = case.restart(later).await;
    let claimed = case.claim(vec![lane("a")]).await.messages;
    let ids: Vec<_> = claimed.iter().map(|message| message.event.event_id.clone().unwrap()).collect();
    assert_eq!(ids, (0..10).map(|at| format!("e{at}")).collect::<Vec<_>>());
    assert_eq!(case.due_in(SECOND).await, 10, "the second batch goes at the end of the spread");
}

#[tokio::test]
async fn a_batch_that_was_too_large_keeps_its_attempt_and_its_number_of_attempts() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let first = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.settle(&first, 413, Next::Smaller(case.clock.now().minus(HOUR))).await;
    let again = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!((again.attempts, again.attempts_before), (1, 1));
    assert_eq!(case.store.message(first.id).await.unwrap().unwrap().attempts.len(), 1);
}

#[tokio::test]
async fn a_batch_is_ready_by_its_bytes_too_and_no_more_than_those_are_claimed() {
    let case = open().await;
    let each = event("e0").body.len();
    let terms = LaneBatch { size: 100, bytes: 3 * each, flush: HOUR };
    let batch = Lane { batch: Some(terms), limit: 100, ..lane("a") };
    for at in 0..5 {
        if at == 2 {
            assert!(case.claim(vec![batch.clone()]).await.messages.is_empty(), "two are not enough");
        }
        case.publish(&format!("e{at}"), &["a"]).await;
    }
    assert_eq!(case.claim(vec![batch.clone()]).await.messages.len(), 3);
    assert!(case.claim(vec![batch]).await.messages.is_empty());
}
