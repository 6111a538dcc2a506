//! What is learnt: counted once, limited, and the same on both engines.

use std::collections::HashSet;

use tokio_postgres::NoTls;

use super::*;
use crate::domain::{DeviceState, JsonKind, OutgoingEvent, Seen, SilenceAfter};

/// The rule of the sources here.
const RULE: SilenceAfter = SilenceAfter::Time(Duration::from_secs(3_600));
/// When the first of them was seen.
const BEGIN: i64 = 1_800_000_000;

fn second(second: i64) -> Timestamp {
    Timestamp::from_secs(BEGIN + second)
}

fn seen(at: i64, event_at: Option<i64>, name: Option<&str>) -> Seen {
    Seen {
        delivery: DeliveryId::new_at(second(at)),
        received_at: second(at),
        event_at: event_at.map(second),
        event_type: Some("a".to_owned()),
        name: name.map(str::to_owned),
    }
}

fn entity(source: &str, entity: &str, seen: Vec<(i64, Seen)>) -> SeenEntity {
    SeenEntity { source: source.to_owned(), entity: entity.to_owned(), rule: RULE, seen }
}

fn field(pointer: &str, kind: JsonKind, times: u64) -> FieldLearnt {
    let mut counts = [0; 7];
    counts[kind.place()] = times;
    let first = SeenIn { delivery: DeliveryId::new_at(second(0)), at: second(0), sample: 1 };
    FieldLearnt { pointer: pointer.to_owned(), counts, firsts: vec![(kind, first)], last_seen: second(9) }
}

fn event_type(name: &str, (after, through): (i64, i64), fields: Vec<FieldLearnt>) -> TypeLearnt {
    TypeLearnt {
        source: "s".to_owned(),
        event_type: name.to_owned(),
        deliveries: 2,
        refused: 1,
        samples: 2,
        is_cut: false,
        first: SeenIn { delivery: DeliveryId::new_at(second(0)), at: second(0), sample: 1 },
        last_seen: second(through),
        through,
        after,
        fields,
    }
}

#[tokio::test]
async fn what_another_caller_counted_is_refused_and_nothing_of_the_part_is_written() {
    let case = open().await;
    let part = |types: Vec<TypeLearnt>, through: Option<i64>| Learnt {
        types,
        entities: vec![entity("s", "d", vec![(5, seen(0, None, None))])],
        moved: through.map(|through| Moved { through, left_out: 3 }),
        ..Learnt::default()
    };
    let numbers = || vec![field("/n", JsonKind::Integer, 2)];
    assert!(case.store.learn(part(vec![event_type("a", (0, 5), numbers())], None)).await.unwrap());
    let once = case.store.drift_types().await.unwrap();
    assert_eq!((once[0].deliveries, once[0].fields, once[0].through), (2, 1, 5));
    for types in [
        vec![event_type("a", (0, 7), numbers())],
        vec![event_type("b", (0, 7), numbers()), event_type("a", (4, 7), numbers())],
        vec![event_type("b", (6, 7), numbers())],
    ] {
        assert!(!case.store.learn(part(types, Some(7))).await.unwrap());
        assert_eq!(case.store.drift_types().await.unwrap(), once);
        assert_eq!(case.store.learner_state().await.unwrap().cursor, 0);
    }
    let next = vec![event_type("a", (5, 7), numbers()), event_type("b", (0, 7), Vec::new())];
    assert!(case.store.learn(part(next, Some(7))).await.unwrap());
    let types = case.store.drift_types().await.unwrap();
    assert_eq!((types[0].deliveries, types[0].samples, types[0].through), (4, 4, 7));
    let fields = case.store.drift_fields(types[0].id).await.unwrap();
    assert_eq!(fields.iter().map(DriftField::seen).collect::<Vec<_>>(), [4]);
    let state = case.store.learner_state().await.unwrap();
    assert_eq!((state.cursor, state.left_out, state.entities), (7, 3, 1));
    assert!(!case.store.learn(part(Vec::new(), Some(9))).await.unwrap(), "the cursor moved");
    let device = case.store.device("s".to_owned(), "d".to_owned()).await.unwrap().unwrap().key;
    assert_eq!(device.deliveries, 1, "each delivery counts once");
}

/// Makes the store believe that there are this many entities.
async fn pretend(case: &Case, entities: i64) {
    let sql = format!("UPDATE facts SET value = {entities} WHERE name = 'entities'");
    match &case.options.place {
        Place::Sqlite(file) => rusqlite::Connection::open(file).unwrap().execute_batch(&sql).unwrap(),
        Place::Postgres(place) => {
            let (client, connection) = place.config.connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&sql).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_entity_that_is_silent_for_longest_makes_room_for_another_one() {
    let case = open().await;
    let learn = async |entities: Vec<SeenEntity>| {
        let learnt = Learnt { entities, ..Learnt::default() };
        assert!(case.store.learn(learnt).await.unwrap());
        let page = case.store.entities(EntityQuery::default(), 9).await.unwrap();
        page.devices.into_iter().map(|device| device.key.entity).collect::<Vec<_>>()
    };
    let at = |id: &str, at: i64| entity("s", id, vec![(at, seen(at, None, None))]);
    assert_eq!(learn(vec![at("a", 2), at("b", 1), at("c", 3), at("d", 4)]).await, ["d", "c", "a", "b"]);
    pretend(&case, 499_999).await;
    assert_eq!(learn(vec![at("e", 5)]).await, ["e", "d", "c", "a", "b"]);
    assert_eq!(learn(vec![at("b", 6), at("f", 7)]).await, ["f", "b", "e", "d", "c"]);
    assert_eq!(case.store.learner_state().await.unwrap().entities, 500_000);
    assert_eq!(learn(vec![at("b", 8), at("d", 9)]).await, ["d", "b", "f", "e", "c"], "none is new");
}

/// Entities with clocks of all kinds, at three sources, some of them under ids of the whole world.
fn varied() -> Vec<SeenEntity> {
    let ids = ["d1", "D2", "Ä3", "a%b_c", "00:1B:44:11:3A:B7", "123456789012", "abcdef-123456", "x"];
    let mut all = Vec::new();
    let mut seq = 0;
    for (place, id) in ids.into_iter().enumerate() {
        for (nth, source) in ["s", "t", "S"].into_iter().enumerate() {
            let number = place * 3 + nth;
            if number % 5 == 4 {
                continue;
            }
            let begin = i64::try_from(number % 7).unwrap() * 400;
            let name = [None, Some("Pump"), Some("pÜmp x"), Some("%")][number % 4];
            let lag = [None, Some(0), Some(-20), Some(30), Some(0)][number % 5];
            let times = [1, 6, 12][number % 3];
            let sightings = (0..times).map(|time| {
                let at = begin + time * 100;
                let late = if number == 11 && time > 6 { 600 } else { 0 };
                seq += 1;
                (seq, seen(at, lag.map(|lag| at - lag - late), name))
            });
            all.push(entity(source, id, sightings.collect()));
        }
    }
    all
}

async fn every_answer(store: &Store, limit: usize) -> Vec<String> {
    let mut answers = Vec::new();
    let states = [None].into_iter().chain(DeviceState::ALL.map(Some));
    for state in states {
        for order in [EntityOrder::Recent, EntityOrder::Silence, EntityOrder::Trouble] {
            for (source, q) in [
                (None, None),
                (Some("s"), None),
                (None, Some("D")),
                (None, Some("%")),
                (Some("t"), Some("pump")),
                (None, Some("Ü")),
                (None, Some("HALL")),
                (None, Some("")),
            ] {
                for is_joined in [false, true] {
                    let mut query = EntityQuery {
                        source: source.map(str::to_owned),
                        q: q.map(str::to_owned),
                        state,
                        order,
                        is_joined,
                        now: second(3_000),
                        after: None,
                    };
                    loop {
                        let page = store.entities(query.clone(), limit).await.unwrap();
                        answers.push(format!("{query:?}: {page:?}"));
                        let Some(next) = page.next else { break };
                        query.after = Some(next);
                    }
                }
            }
        }
    }
    answers
}

async fn sorted_names(store: &Store, entities: &[SeenEntity]) -> Vec<((String, String), String)> {
    let mut asked: HashSet<_> =
        entities.iter().map(|seen| (seen.source.clone(), seen.entity.clone())).collect();
    asked.insert(("nobody".to_owned(), "123456789012".to_owned()));
    asked.insert(("nobody".to_owned(), "d1".to_owned()));
    let mut names: Vec<_> = store.entity_names(asked).await.unwrap().into_iter().collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_say_the_same_of_devices_and_types() {
    if crate::config::server_of_tests().is_none() {
        return;
    }
    let postgres = open().await;
    let file = postgres.folder.path().join("sqlite.db");
    let sqlite = open_with(|options| options.place = Place::Sqlite(file)).await;
    let entities = varied();
    let pointers = ["", "/b", "/B", "/ä", "/a\u{0}b", "/a", "/a/*"];
    let fields = |kind: JsonKind| pointers.map(|pointer| field(pointer, kind, 2)).to_vec();
    let parts = [
        Learnt { entities: entities[..12].to_vec(), is_history: true, ..Learnt::default() },
        Learnt {
            types: vec![
                event_type("B", (0, 5), fields(JsonKind::Integer)),
                event_type("a", (0, 5), fields(JsonKind::Null)),
                event_type("Ä", (0, 5), Vec::new()),
            ],
            entities: entities[6..].to_vec(),
            ..Learnt::default()
        },
        Learnt {
            types: vec![event_type("B", (5, 9), fields(JsonKind::String))],
            moved: Some(Moved { through: 9, left_out: 1 }),
            ..Learnt::default()
        },
    ];
    for case in [&sqlite, &postgres] {
        for part in parts.clone() {
            assert!(case.store.learn(part).await.unwrap());
        }
        let store = &case.store;
        for (id, name) in [("123456789012", Some("Hall 1")), ("d1", Some("Hall 2")), ("D2", None)] {
            let source = entities.iter().find(|seen| seen.entity == id).unwrap().source.clone();
            assert!(store.name_device(source, id.to_owned(), name.map(str::to_owned)).await.unwrap());
        }
        assert!(!store.name_device("s".to_owned(), "none".to_owned(), None).await.unwrap());
        for source in ["s", "t"] {
            let found =
                store.entities_with_other_rule(source.to_owned(), RULE, "A".to_owned(), 4).await.unwrap();
            store.recompute_silences(found, RULE, second(4_200)).await.unwrap();
        }
        let cursor = store.learner_state().await.unwrap().cursor;
        assert!(store.due_silences(second(4_600), cursor + 1, 3).await.unwrap().is_empty());
        let due = store.due_silences(second(4_600), cursor, 3).await.unwrap();
        assert_eq!(due.len(), 3);
        store.postpone_silence(due[0].clone(), second(9_000)).await.unwrap();
        let event = OutgoingEvent {
            source: due[1].source.clone(),
            event_id: Some("e".to_owned()),
            event_type: "device.silent".to_owned(),
            entity: Some(due[1].entity.clone()),
            received_at: second(4_600),
            body: Bytes::from_static(b"{}"),
            delivery: None,
            lineage: Vec::new(),
        };
        let now = case.clock.both();
        for is_new in [true, false] {
            let published = store.publish_silence(due[1].clone(), (event.clone(), Vec::new()), now);
            assert_eq!(published.await.unwrap(), is_new);
        }
    }
    let (sqlite, postgres) = (&sqlite.store, &postgres.store);
    for limit in [1, 4, 100] {
        let expected = every_answer(sqlite, limit).await;
        let found = every_answer(postgres, limit).await;
        assert_eq!(expected.len(), found.len(), "{limit}");
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(found, expected);
        }
    }
    let all = sqlite.due_silences(second(9_999), 0, 99).await.unwrap();
    assert_eq!(postgres.due_silences(second(9_999), 0, 99).await.unwrap(), all);
    assert!(all.len() > 5);
    for state in DeviceState::ALL {
        let query = EntityQuery { state: Some(state), now: second(3_000), ..EntityQuery::default() };
        let found = sqlite.entities(query, 9).await.unwrap().devices;
        assert!(!found.is_empty(), "there is one of each: {state:?}");
    }
    assert_eq!(postgres.entity_counts().await.unwrap(), sqlite.entity_counts().await.unwrap());
    assert_eq!(postgres.learner_state().await.unwrap(), sqlite.learner_state().await.unwrap());
    let names = sorted_names(sqlite, &entities).await;
    assert_eq!(sorted_names(postgres, &entities).await, names);
    assert!(names.contains(&(("nobody".to_owned(), "123456789012".to_owned()), "Hall 1".to_owned())));
    let types = sqlite.drift_types().await.unwrap();
    let found = postgres.drift_types().await.unwrap();
    assert_eq!(found.len(), 3);
    for (mut found, expected) in found.into_iter().zip(types) {
        let fields = sqlite.drift_fields(expected.id).await.unwrap();
        assert_eq!(postgres.drift_fields(found.id).await.unwrap(), fields);
        found.id = expected.id;
        assert_eq!(found, expected);
    }
}
