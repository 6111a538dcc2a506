//! The claims of a batch in PostgreSQL are those of SQLite, which takes one after the other. Only with
//! `TAGOHOOK_TEST_POSTGRES`.

use super::*;
use crate::store::log::postgres::batch;
use crate::store::log::postgres::days::{Days, day};
use crate::store::log::prepared::Prepared;
use crate::store::postgres::Postgres;

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u8) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }

    fn key(&mut self, room: u8) -> ClaimKey {
        let number = self.below(room);
        match self.below(4) {
            0 => ClaimKey::Id(format!("id\0{number}")),
            1 => ClaimKey::Points([number; 32]),
            2 => ClaimKey::Values([number; 32]),
            _ => ClaimKey::Body([number; 32]),
        }
    }

    fn claim(&mut self, room: u8) -> Option<Claim> {
        let also = (self.below(3) == 0).then(|| self.key(room));
        let windows = [None, None, Some(Duration::from_secs(60)), Some(400 * DAY)];
        let key = self.key(room);
        let window = windows[usize::from(self.below(4))];
        (self.below(12) != 0).then_some(Claim { key, also, body_digest: [self.below(4); 32], window })
    }
}

/// The entry twice, once for each engine.
fn entry(case: &Case, dice: &mut Dice) -> [Entry; 2] {
    let claim = dice.claim(24);
    let source = ["tagorun", "b\0", "ä"][usize::from(dice.below(3))];
    // Of the four digests, two are of the same values in different bytes, and one is of no JSON.
    let body = match claim.as_ref().map(|claim| claim.body_digest[0]) {
        Some(0) => r#"{"a":1,"b":2}"#.to_owned(),
        Some(1) => r#"{ "b": 2, "a": 1 }"#.to_owned(),
        Some(2) => format!(r#"{{"a":"{}"}}"#, "x".repeat(70_000)),
        _ => "no JSON".to_owned(),
    };
    let id = DeliveryId::new_at(case.clock.now());
    [(); 2].map(|()| {
        let mut entry = case.entry(Decision::Accept(claim.clone()));
        entry.delivery.id = id;
        entry.delivery.source = source.into();
        entry.delivery.body = Bytes::from(body.clone());
        entry.delivery.headers = Headers::default();
        entry
    })
}

/// Source, key, digest, delivery, when it was received, when the claim expires.
type Taken = (String, Vec<u8>, Vec<u8>, Vec<u8>, i64, i64);

async fn taken_in_postgres(postgres: &Postgres) -> Vec<Taken> {
    use crate::store::postgres::column;
    let sql = "SELECT source, key, body_digest, delivery_id, first_received_at, expires_at FROM event_ids";
    let rows = postgres.connection().await.unwrap().rows(sql, &[]).await.unwrap();
    let read = |row| {
        let (source, key) = (column(row, "source")?, column(row, "key")?);
        let (digest, delivery) = (column(row, "body_digest")?, column(row, "delivery_id")?);
        Ok((source, key, digest, delivery, column(row, "first_received_at")?, column(row, "expires_at")?))
    };
    let mut taken: Vec<Taken> = rows.iter().map(read).collect::<Result<_, StoreError>>().unwrap();
    taken.sort_unstable();
    taken
}

fn taken_in_sqlite(case: &Case, now: i64) -> Vec<Taken> {
    let file = rusqlite::Connection::open(case.folder.path().join("t.db")).unwrap();
    let sql = "SELECT source, key, body_digest, delivery_id, first_received_at, expires_at FROM taken_event_ids \
               WHERE expires_at > ?1";
    let mut read = file.prepare(sql).unwrap();
    let rows = read.query_map([now], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    });
    let mut taken: Vec<Taken> = rows.unwrap().map(Result::unwrap).collect();
    taken.sort_unstable();
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_claims_of_a_batch_are_decided_as_if_one_came_after_the_other() {
    let place = open().await;
    let Place::Postgres(at) = &place.options.place else { return };
    // Retention must not remove what others are compared with.
    let sqlite = open_sqlite(|options| {
        options.retention.keep_deliveries = 400 * DAY;
        options.retention.keep_rejected = 400 * DAY;
    })
    .await;
    let postgres = Postgres::open(place.options.clone(), at).await.unwrap();
    let mut dice = Dice(15);
    let mut seen = [0; 3];
    for round in 0..40 {
        let mut entries = Vec::new();
        let mut expected = Vec::new();
        for _ in 0..=dice.below(40) {
            let [one, other] = entry(&sqlite, &mut dice);
            expected.push(sqlite.put(one).await);
            entries.push(Prepared::encode(other).unwrap());
        }
        Days::default().make(&postgres, [day(sqlite.clock.wall())]).await.unwrap();
        let entries: Vec<&Prepared> = entries.iter().collect();
        let (now, postgres, entries) = (sqlite.clock.now(), &postgres, &entries);
        let written = postgres
            .change(|to| async move { batch::write(&to, postgres, 0, entries, now).await })
            .await
            .unwrap();
        let found: Vec<Appended> = written.iter().map(|written| written.appended.clone()).collect();
        assert_eq!(found, expected, "round {round}");
        for appended in &found {
            match appended {
                Appended::New => seen[0] += 1,
                Appended::Duplicate { .. } => seen[1] += 1,
                Appended::Conflict { .. } => seen[2] += 1,
            }
        }
        let seqs: Vec<i64> = written.iter().map(|written| written.seq).collect();
        assert!(seqs.iter().copied().eq(seqs[0]..=seqs[seqs.len() - 1]), "they follow each other");
        let now = now.as_micros();
        let mut taken = taken_in_postgres(postgres).await;
        taken.retain(|row| row.5 > now);
        assert!(taken == taken_in_sqlite(&sqlite, now), "round {round}");
        if round % 3 == 2 {
            sqlite.clock.advance(Duration::from_secs(u64::from(dice.below(120))));
        }
        if round % 20 == 19 {
            sqlite.clock.advance(59 * DAY);
        }
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}
