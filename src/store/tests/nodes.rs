//! Several nodes on one log in PostgreSQL. Only with `TAGOHOOK_TEST_POSTGRES`.

use std::collections::HashMap;

use futures_util::future::join_all;
use tokio_postgres::{Client, NoTls};

use super::*;

/// Two nodes on one database, with one clock; `None` on SQLite.
pub async fn two() -> Option<[Case; 2]> {
    let first = open().await;
    let Place::Postgres(place) = &first.options.place else { return None };
    let mut place = place.clone();
    place.node = "two".to_owned();
    let options = StoreOptions { place: Place::Postgres(place), ..first.options.clone() };
    let second = Case {
        store: Store::open(options.clone()).await.unwrap(),
        clock: Arc::<ManualClock>::clone(&first.clock),
        folder: tempfile::tempdir().unwrap(),
        options,
    };
    Some([first, second])
}

/// Another connection to the database of a node.
pub async fn client(case: &Case) -> Client {
    let Place::Postgres(place) = &case.options.place else { panic!("it is in PostgreSQL") };
    let (client, connection) = place.config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Ends connections to the database whose last statement begins like this.
async fn end(client: &Client, statement: &str) -> usize {
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND ltrim(query, E' \\n') LIKE '{statement}%'"
    );
    client.query(&sql, &[]).await.unwrap().len()
}

/// Appends until the store is there again.
async fn until_appended(case: &Case, entry: impl Fn() -> Entry) -> Appended {
    let began = Instant::now();
    loop {
        match case.store.append(entry()).await {
            Ok(written) => return written.appended,
            Err(fault) => assert!(matches!(fault, StoreError::Unavailable(_)), "{fault}"),
        }
        assert!(began.elapsed() < Duration::from_secs(5), "it does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_equal_claims_at_several_nodes_at_once_exactly_one_is_new() {
    let Some(nodes) = two().await else { return };
    let also = |case: &Case, at: u8| {
        let mut entry = case.with_id(&format!("e{at}"), 1);
        let claim = Claim {
            key: ClaimKey::Points([at; 32]),
            also: Some(ClaimKey::Values([255 - at; 32])),
            body_digest: [1; 32],
            window: None,
        };
        entry.decision = Decision::Accept(Some(claim));
        entry
    };
    for round in 0..5 {
        let mut entries = Vec::new();
        for at in 0..50 {
            let place = if round % 2 == 0 { at } else { 49 - at };
            for (node, case) in nodes.iter().enumerate() {
                let turned = if node == 0 { place } else { 49 - place };
                entries.push((case, format!("id {turned}"), case.with_id(&format!("r{round}-{turned}"), 1)));
                let turned = u8::try_from(round * 50 + turned).unwrap();
                entries.push((case, format!("points {turned}"), also(case, turned)));
            }
        }
        let ids: HashMap<DeliveryId, String> =
            entries.iter().map(|(_, event, entry)| (entry.delivery.id, event.clone())).collect();
        let appended = join_all(entries.into_iter().map(|(case, event, entry)| async move {
            let id = entry.delivery.id;
            (event, id, case.put(entry).await)
        }))
        .await;
        let mut new = HashMap::new();
        for (event, id, _) in appended.iter().filter(|(_, _, appended)| is_new(appended)) {
            assert!(new.insert(event, *id).is_none(), "{event} is new twice");
        }
        assert_eq!(new.len(), 100);
        for (event, _, appended) in &appended {
            match appended {
                Appended::New => {}
                Appended::Duplicate { first, .. } => {
                    assert_eq!((&ids[first], new[event]), (event, *first));
                }
                Appended::Conflict { .. } => panic!("{event}: the bodies are equal"),
            }
        }
    }
    let totals = client(&nodes[0]).await;
    let sql = "SELECT (SELECT sum(rows)::bigint FROM delivery_totals), (SELECT sum(bytes)::bigint FROM delivery_totals),
                   count(*), sum(row_bytes)::bigint FROM deliveries";
    let row = totals.query_one(sql, &[]).await.unwrap();
    let numbers: Vec<i64> = (0..4).map(|at| row.get(at)).collect();
    assert_eq!(numbers[..2], numbers[2..]);
    assert_eq!(numbers[2], 1_000);
}

#[tokio::test]
async fn a_batch_of_duplicates_is_a_transaction_that_writes() {
    let Some([first, second]) = two().await else { return };
    let before = first.at(first.with_id("a", 1)).await;
    let database = client(&first).await;
    let position = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn";
    for _ in 0..3 {
        let duplicate = second.with_id("a", 1);
        let id = duplicate.delivery.id;
        let written = second.store.append(duplicate).await.unwrap();
        assert!(matches!(written.appended, Appended::Duplicate { .. }));
        // A transaction without a number writes nothing, and its COMMIT waits for no standby.
        assert!(written.seq / 1_024 > before / 1_024, "it has a number of its own");
        let row = database
            .query_one(
                "SELECT seq, xmin::text::bigint FROM deliveries WHERE id = $1",
                &[&id.as_bytes().as_slice()],
            )
            .await
            .unwrap();
        let (seq, number): (i64, i64) = (row.get(0), row.get(1));
        assert_eq!((seq, number), (written.seq, written.seq / 1_024), "and the row was written by it");
    }
    assert!(database.query(position, &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_a_fault_of_its_batch_and_the_next_one_is_written() {
    let Some([case, _]) = two().await else { return };
    let mut other = client(&case).await;
    let ends = client(&case).await;
    assert!(is_new(&case.put(case.with_id("a", 1)).await));

    // In the middle of a transaction, which waits for another one.
    let waits = other.transaction().await.unwrap();
    let key = [b"i".as_slice(), b"b"].concat();
    waits.execute("INSERT INTO event_ids VALUES ('tagorun', $1, '', '', 0, 0)", &[&key]).await.unwrap();
    let lost = case.store.append(case.with_id("b", 1));
    let end = async {
        while end(&ends, "SELECT first_position").await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (lost, ()) = tokio::join!(lost, end);
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    waits.rollback().await.unwrap();
    assert!(is_new(&until_appended(&case, || case.with_id("b", 1)).await));

    // All connections, again and again, under load: what was acknowledged is there once.
    let mut acknowledged = 0;
    for round in 0..5 {
        let ids: Vec<String> = (0..40).map(|at| format!("r{round}-{at}")).collect();
        let appended = join_all(ids.iter().map(|id| case.store.append(case.with_id(id, 1))));
        let (appended, _) = tokio::join!(appended, self::end(&ends, ""));
        acknowledged += appended.iter().filter(|appended| appended.is_ok()).count();
        for (id, appended) in ids.iter().zip(&appended) {
            let again = until_appended(&case, || case.with_id(id, 1)).await;
            assert!(appended.is_err() || !is_new(&again), "{id} was acknowledged");
        }
    }
    let row = ends
        .query_one(
            "SELECT count(*), count(DISTINCT event_id) FROM deliveries WHERE verdict = 0 AND event_id LIKE 'r%'",
            &[],
        )
        .await
        .unwrap();
    let (rows, events): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!((rows, events), (200, 200), "{acknowledged} acknowledged at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_sees_what_another_one_wrote_by_the_bell_and_without_it() {
    let Some([first, second]) = two().await else { return };
    let Place::Postgres(place) = &first.options.place else { return };
    let (ear, mut connection) = place.config.connect(NoTls).await.unwrap();
    let (ring, mut rung) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let tokio_postgres::AsyncMessage::Notification(_) = message {
                let _ = ring.send(());
            }
        }
    });
    ear.batch_execute("LISTEN tagohook_log").await.unwrap();
    for _ in 0..3 {
        let written = first.at(first.entry(Decision::Capture(200))).await;
        second.is_seen(written).await;
        tokio::time::timeout(Duration::from_secs(5), rung.recv()).await.unwrap().unwrap();
    }

    // Whoever listens is cut off all the time.
    let ends = client(&first).await;
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let cut_off = async {
        while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
            end(&ends, "LISTEN").await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let seen = async {
        for at in 0..8 {
            let (one, other) = if at % 2 == 0 { (&first, &second) } else { (&second, &first) };
            let written = one.at(one.entry(Decision::Capture(200))).await;
            other.is_seen(written).await;
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    tokio::join!(cut_off, seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_passes_nothing_that_an_open_transaction_may_still_write() {
    let Some([case, other]) = two().await else { return };
    let mut late = client(&case).await;
    let first = case.at(case.entry(Decision::Capture(200))).await;
    case.is_seen(first).await;
    let open = late.transaction().await.unwrap();
    let number: i64 = open.query_one("SELECT pg_current_xact_id()::text::bigint", &[]).await.unwrap().get(0);
    let second = other.at(other.entry(Decision::Capture(201))).await;
    assert!(second > number * 1_024, "it was written after the other one began");
    tokio::time::sleep(Duration::from_millis(700)).await;
    for node in [&case, &other] {
        assert_eq!(*node.store.newest().borrow(), first);
        let tail = node.store.since(&DeliveryFilter::default(), 0, 10).await.unwrap();
        assert_eq!(tail.rows.len(), 1);
        assert!(tail.through < number * 1_024);
    }
    let sql = format!(
        "INSERT INTO deliveries SELECT (d).* FROM (
             SELECT jsonb_populate_record(d, jsonb_build_object('seq', {number} * 1024, 'status', 202)) AS d
             FROM deliveries d WHERE seq = {first}) late"
    );
    open.execute(&sql, &[]).await.unwrap();
    open.commit().await.unwrap();
    for node in [&case, &other] {
        node.is_seen(second).await;
        let tail = node.store.since(&DeliveryFilter::default(), first, 10).await.unwrap();
        let statuses: Vec<u16> = tail.rows.iter().map(|row| row.status).collect();
        assert_eq!(statuses, [202, 201], "in the order of their transactions");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_follows_the_log_of_two_nodes_misses_nothing_and_sees_nothing_twice() {
    let Some([first, second]) = two().await else { return };
    let append = async |case: &Case| {
        let mut written = Vec::new();
        for _ in 0..40 {
            let batch = (0..10).map(|_| case.at(case.entry(Decision::Capture(200))));
            written.extend(join_all(batch).await);
        }
        written
    };
    let follow = async |case: &Case| {
        let (mut seen, mut cursor, mut newest) = (Vec::new(), 0, case.store.newest());
        while seen.len() < 800 {
            let tail = case.store.since(&DeliveryFilter::default(), cursor, 37).await.unwrap();
            cursor = tail.through;
            seen.extend(tail.rows.iter().map(|row| row.seq));
            if tail.rows.is_empty() {
                tokio::time::timeout(Duration::from_secs(10), newest.changed()).await.unwrap().unwrap();
            }
        }
        seen
    };
    let (mut written, more, one, other) =
        tokio::join!(append(&first), append(&second), follow(&first), follow(&second));
    written.extend(more);
    written.sort_unstable();
    assert_eq!(one, written);
    assert_eq!(other, written);
}

#[tokio::test]
async fn each_day_has_a_partition_that_is_made_ahead_and_again_if_it_is_gone() {
    let Some([case, other]) = two().await else { return };
    let database = client(&case).await;
    let partitions = async || {
        let sql = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'deliveries'::regclass ORDER BY 1";
        let rows = database.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    assert_eq!(partitions().await, ["deliveries_20270115", "deliveries_20270116"]);
    case.clock.advance(DAY);
    let (one, two) = tokio::join!(
        case.store.append(case.entry(Decision::Capture(200))),
        other.store.append(other.entry(Decision::Capture(200)))
    );
    assert!(one.is_ok() && two.is_ok());
    for (set, name) in [(40 * 86_400, "deliveries_20270225"), (-400 * 86_400, "deliveries_20260121")] {
        case.clock.set_wall(set);
        let entry = case.entry(Decision::Capture(200));
        let id = entry.delivery.id;
        case.put(entry).await;
        let sql = format!("SELECT id FROM {name}");
        let row = database.query_one(&sql, &[]).await.unwrap();
        assert_eq!(row.get::<_, &[u8]>(0), id.as_bytes());
        assert!(case.store.delivery(id).await.unwrap().is_some());
    }
    let began = Instant::now();
    while !partitions().await.contains(&"deliveries_20270117".to_owned()) {
        assert!(began.elapsed() < Duration::from_secs(5), "the next day is made ahead");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database.batch_execute("DROP TABLE deliveries_20260121").await.unwrap();
    until_appended(&case, || case.entry(Decision::Capture(200))).await;
    assert!(partitions().await.contains(&"deliveries_20260121".to_owned()));
}

/// A server that does not tell its timeline: nothing raises positions there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_whose_end_is_lost_goes_on_where_it_ends() {
    let Some([case, _other]) = two().await else { return };
    let client = client(&case).await;
    let append = async |id: &str| case.store.append(case.with_id(id, 1)).await.unwrap().seq;
    let kept = append("kept").await;
    // The next transactions have the numbers of others that are lost.
    client.batch_execute("UPDATE facts SET value = value + 1000 WHERE name = 'xid_offset'").await.unwrap();
    let lost = append("lost").await;
    let mut newest = case.store.newest();
    newest.wait_for(|at| *at >= lost).await.unwrap();
    client
        .batch_execute(
            "UPDATE facts SET value = value - 1000 WHERE name = 'xid_offset'; DELETE FROM deliveries WHERE event_id = 'lost'",
        )
        .await
        .unwrap();
    let next = append("next").await;
    assert!(kept < next && next < lost);
    let (found, through) = case.store.unfanned(kept, 10, 1 << 20).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(through < lost, "what comes below {lost} is passed over");
    assert!(case.store.since(&DeliveryFilter::default(), lost, 10).await.is_err(), "its reader starts again");
    tokio::time::timeout(Duration::from_secs(10), newest.wait_for(|at| *at == next)).await.unwrap().unwrap();
}
