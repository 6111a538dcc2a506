//! Entries of the configuration that are renamed, left out and put back: what waits for them is neither lost nor sent
//! elsewhere.

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, exchange, until};

/// An entry; its messages are retried each second for a minute.
fn entry(keys: &str, sink: &Sink) -> String {
    format!(
        "[[subscription]]\n{keys}\nurl = \"{}\"\nevents = [\"*\"]\n\
         retry_policy = {{ max_attempts = 60, backoff = \"fixed\", base = \"1s\", jitter = false }}\n",
        sink.url("/")
    )
}

fn event(id: &str) -> Value {
    json!({"event": "made.up", "id": id, "timestamp": "2026-03-09T07:14:58Z"})
}

/// An endpoint that answers 500 until it is mended.
struct Moody {
    sink: Sink,
    is_well: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Moody {
    fn start() -> Self {
        let is_well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let asked = std::sync::Arc::clone(&is_well);
        let sink = Sink::scripted(move |_, _| {
            Reply::Status(if asked.load(std::sync::atomic::Ordering::SeqCst) { 200 } else { 500 })
        });
        Self { sink, is_well }
    }

    fn mend(&self) {
        self.is_well.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

fn page(server: &Server, path: &str) -> String {
    let answer = exchange(server.inspector, "GET", path, &[], b"");
    String::from_utf8(answer.body).unwrap()
}

fn statuses(server: &Server) -> Vec<String> {
    let rows = server.messages("");
    rows.iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect()
}

/// Publishes two events and waits until each was tried once.
fn two_waiting(server: &Server, moody: &Moody) {
    for id in ["e1", "e2"] {
        server.publish(&event(id));
    }
    moody.sink.wait_for(2);
    until("both wait", || statuses(server) == ["pending", "pending"]);
}

fn assert_parked(server: &Server, id: &str) {
    until("both are parked", || statuses(server) == ["parked", "parked"]);
    let all = server.api("subscriptions");
    let parked = &all["parked"][0];
    assert_eq!((&parked["id"], &parked["state"]), (&json!(id), &json!("missing")), "{all}");
    assert_eq!((&parked["parked_messages"], &parked["dead_letters"]), (&json!(2), &json!(0)));
    assert!(parked["cure"].as_str().unwrap().contains(&format!("id = \"{id}\"")), "{parked}");
    assert!(all["subscriptions"].as_array().unwrap().iter().all(|one| one["id"] != id));
    let stats = server.api("stats");
    assert_eq!(stats["subscriptions"][id]["parked_messages"], 2, "{stats}");
    assert_eq!(
        (&stats["overall"]["parked_messages"], &stats["overall"]["pending_messages"]),
        (&json!(2), &json!(0))
    );
    let metrics = page(server, "/metrics");
    assert!(metrics.contains(&format!("tagohook_messages_parked{{subscription=\"{id}\"}} 2")), "{metrics}");
    let shown = page(server, "/subscriptions");
    assert!(shown.contains("missing, 2 messages parked"), "{shown}");
    assert!(
        shown.contains(&format!("Subscription {id} has been missing from the configuration since")),
        "{shown}"
    );
    let overview = server.api("overview");
    assert_eq!(overview["parked_messages"], 2);
    let told = overview["attention"].as_array().unwrap().iter().map(|one| one["sentence"].as_str().unwrap());
    assert!(told.into_iter().any(|one| one.ends_with("2 messages are parked.")), "{overview}");
    let message = server.messages("status=parked").remove(0);
    assert_eq!(message["next_attempt_at"], Value::Null);
    let path = format!("messages/{}", message["id"].as_str().unwrap());
    let why = server.api(&path)["parked_because"].as_str().unwrap().to_owned();
    assert!(
        why.starts_with(&format!("Subscription {id} has been missing from the configuration since")),
        "{why}"
    );
    assert!(
        page(server, &format!("/{path}")).contains("This message is parked: neither sent nor cancelled.")
    );
    let refused = server.tell("POST", &format!("{path}/send-now"), &json!({}));
    assert_eq!(refused.status, 409);
    assert!(
        refused.json()["detail"].as_str().unwrap().contains("Put its entry back"),
        "{:?}",
        refused.json()
    );
    until("the log", || server.log().contains("neither sent nor cancelled"));
    let log = server.log();
    let line = log.lines().find(|line| line.contains("neither sent nor cancelled")).unwrap();
    assert!(line.contains(" WARN ") && line.contains("messages=2") && line.contains(id), "{line}");
}

#[test]
fn a_renamed_entry_with_an_id_keeps_its_messages() {
    let moody = Moody::start();
    let mut server = Setup::new(&entry("id = \"door\"\nname = \"Alarm\"", &moody.sink)).start();
    assert_eq!(server.api("subscriptions/door")["name"], "Alarm");
    two_waiting(&server, &moody);
    server.reconfigure(&entry("id = \"door\"\nname = \"Alarms\"", &moody.sink));
    until("it has its new name", || server.api("subscriptions/door")["name"] == "Alarms");
    assert_eq!(server.api("subscriptions")["parked"], json!([]));
    moody.mend();
    until("both arrived", || statuses(&server) == ["delivered", "delivered"]);
}

#[test]
fn a_renamed_entry_without_an_id_parks_what_waits_until_it_has_the_old_id() {
    let moody = Moody::start();
    let mut server = Setup::new(&entry("name = \"Alarm\"", &moody.sink)).start();
    two_waiting(&server, &moody);
    server.reconfigure(&entry("name = \"Alarms\"", &moody.sink));
    assert_parked(&server, "alarm");
    until("the log", || server.log().contains("Entry \"Alarms\" has the same URL."));
    moody.mend();
    server.reconfigure(&entry("id = \"alarm\"\nname = \"Alarms\"", &moody.sink));
    until("both arrived", || statuses(&server) == ["delivered", "delivered"]);
    assert_eq!(server.api("subscriptions")["parked"], json!([]), "nothing waits for it");
}

#[test]
fn an_entry_that_is_left_out_for_one_reload_goes_on_when_it_is_back() {
    let moody = Moody::start();
    let with = entry("name = \"Door\"", &moody.sink);
    let mut server = Setup::new(&with).start();
    two_waiting(&server, &moody);
    server.reconfigure("");
    assert_parked(&server, "door");
    let before = moody.sink.count();
    assert_eq!(server.publish(&event("e3")), 0, "it gets no new ones");
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(moody.sink.count(), before, "nothing is sent meanwhile");
    moody.mend();
    server.reconfigure(&with);
    until("both arrived", || statuses(&server) == ["delivered", "delivered"]);
    until("the log", || server.log().contains("its parked messages are being sent"));
}

#[test]
fn an_entry_that_is_left_out_for_one_start_goes_on_when_it_is_back_and_in_order() {
    let moody = Moody::start();
    let ordered = format!("{}ordered = true\n", entry("id = \"door\"\nname = \"Door\"", &moody.sink));
    let server = Setup::new(&ordered).start();
    for at in 1..=4 {
        server.publish(&json!({"event": "data.received", "id": format!("e{at}"), "device": {"id": "d1"}}));
    }
    moody.sink.wait_for(1);
    let server = server.kill_and_restart_with("");
    until("all are parked", || statuses(&server) == ["parked"; 4]);
    let server = server.kill_and_restart_with("");
    assert_eq!(statuses(&server), ["parked"; 4], "a second kill changes nothing");
    moody.mend();
    let server = server.kill_and_restart_with(&ordered);
    until("all arrived", || statuses(&server) == ["delivered"; 4]);
    let seen = moody.sink.seen();
    let ids: Vec<&str> = seen.iter().map(|request| request.header("x-tagorun-event-id")).collect();
    let mut order = ids.clone();
    order.dedup();
    assert_eq!(order, ["e1", "e2", "e3", "e4"], "{ids:?}");
}

#[test]
fn what_was_accepted_before_an_entry_was_left_out_is_its_own() {
    let moody = Moody::start();
    let with = entry("name = \"Door\"", &moody.sink);
    let server = Setup::new(&with).start();
    let ids: Vec<String> = (0..40).map(|at| format!("e{at}")).collect();
    for id in &ids {
        assert_eq!(server.post_signed(crate::harness::login(id).as_bytes()).status, 200);
    }
    let server = server.kill_and_restart_with("");
    assert_eq!(server.messages("status=parked").len(), 40);
    moody.mend();
    let server = server.kill_and_restart_with(&with);
    until("all arrived", || server.messages("status=delivered").len() == 40);
}

#[test]
fn parked_messages_are_cancelled_by_a_person_and_by_nobody_else() {
    let moody = Moody::start();
    let with = entry("name = \"Door\"", &moody.sink);
    let mut server = Setup::new(&with).start();
    two_waiting(&server, &moody);
    server.reconfigure("");
    until("both are parked", || statuses(&server) == ["parked", "parked"]);
    let first = server.messages("").remove(1);
    let answer =
        server.tell("POST", &format!("messages/{}/cancel", first["id"].as_str().unwrap()), &json!({}));
    assert_eq!((answer.status, &answer.json()["status"]), (202, &json!("cancelled")));
    assert_eq!(statuses(&server), ["parked", "cancelled"]);
    assert_eq!(server.tell("DELETE", "subscriptions/door", &json!({})).status, 204);
    assert_eq!(statuses(&server), ["cancelled", "cancelled"]);
    assert_eq!(server.tell("DELETE", "subscriptions/door", &json!({})).status, 404);
    moody.mend();
    server.reconfigure(&with);
    until("it is back", || server.api_raw("subscriptions/door").status == 200);
    assert_eq!(statuses(&server), ["cancelled", "cancelled"], "what was cancelled stays so");
}

#[test]
fn a_dead_letter_of_a_missing_entry_says_so_and_is_replayed_when_it_is_back() {
    let moody = Moody::start();
    let with = entry("name = \"Door\"", &moody.sink).replace("max_attempts = 60", "max_attempts = 1");
    let mut server = Setup::new(&with).start();
    server.publish(&event("e1"));
    until("the dead letter", || server.dead_letters("").len() == 1);
    let path = format!("dead-letters/{}/replay", server.dead_letters("")[0]["id"].as_str().unwrap());
    server.reconfigure("");
    until("it is gone", || server.api_raw("subscriptions/door").status == 404);
    let refused = server.tell("POST", &path, &json!({}));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(refused.status, 409, "{detail}");
    assert!(
        detail.starts_with("Subscription door has been missing from the configuration since"),
        "{detail}"
    );
    let many = server.tell("POST", "dead-letters/replay", &json!({})).json();
    assert_eq!(many["replayed"], 0);
    let warning = many["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("1 dead letter stays. Subscription door has been missing"), "{warning}");
    let missing = server.api_raw("subscriptions/door").json()["detail"].as_str().unwrap().to_owned();
    assert!(missing.contains("missing from the configuration"), "{missing}");
    moody.mend();
    server.reconfigure(&with);
    until("it is back", || server.api_raw("subscriptions/door").status == 200);
    assert_eq!(server.tell("POST", &path, &json!({})).status, 202);
    until("it arrived", || statuses(&server) == ["delivered"]);
}

#[test]
fn messages_of_a_subscription_that_cannot_be_used_any_more_are_parked_until_it_can() {
    let moody = Moody::start();
    let setup = Setup::new("");
    setup.file("ops-secret", "a-secret-of-the-endpoint-0123456789");
    let server = setup.start();
    let id = server.subscribe(&json!({
        "name": "ops", "url": moody.sink.url("/"), "events": ["*"],
        "signature": {"scheme": "tagorun", "secrets": ["file:ops-secret"]},
        "retry_policy": {"max_attempts": 60, "backoff": "fixed", "base": "1s", "jitter": false},
    }));
    two_waiting(&server, &moody);
    let file = server.data_dir().join("ops-secret");
    let secret = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut server = server.stop_and_restart(None);
    until("both are parked", || statuses(&server) == ["parked", "parked"]);
    let parked = server.api("subscriptions")["parked"][0].clone();
    assert_eq!((&parked["id"], &parked["state"]), (&json!(id), &json!("unusable")), "{parked}");
    assert!(parked["why"].as_str().unwrap().contains("/signature/secrets/0"), "{parked}");
    assert!(page(&server, "/subscriptions").contains("unusable, 2 messages parked"));
    moody.mend();
    std::fs::write(&file, secret).unwrap();
    server.reconfigure("");
    until("both arrived", || statuses(&server) == ["delivered", "delivered"]);
}

fn faults(config: &str) -> String {
    let setup = Setup::new(config);
    let output = setup.command(&["check-config"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{config}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_id_that_is_odd_or_there_twice_is_a_fault_with_its_place() {
    let sink = Sink::start();
    let long = format!("\"{}\"", "x".repeat(129));
    for odd in [
        "\"\"",
        "\" \"",
        "\"a b\"",
        "\"a/b\"",
        "\"Tür\"",
        "\"a\\nb\"",
        "\".\"",
        "\"..\"",
        "\"-a\"",
        "7",
        &long,
    ] {
        let told = faults(&entry(&format!("id = {odd}\nname = \"x\""), &sink));
        assert!(told.contains("test.toml:2: subscription \"x\".id: "), "{odd}: {told}");
    }
    for reserved in ["id = \"new\"\nname = \"x\"", "name = \"Preview\""] {
        assert!(faults(&entry(reserved, &sink)).contains("is not available as an id"), "{reserved}");
    }
    let good = Setup::new(&entry(&format!("id = \"{}\"", "x".repeat(128)), &sink));
    assert!(good.command(&["check-config"]).output().unwrap().status.success(), "128 bytes, and no name");
    let (one, other) =
        (entry("id = \"door\"\nname = \"A\"", &sink), entry("id = \"door\"\nname = \"B\"", &sink));
    let told = faults(&format!("{one}{other}"));
    assert!(
        told.contains(
            "test.toml:8: subscription \"B\".id: \"door\" is the id of subscription \"A\" too, at "
        ),
        "{told}"
    );
    assert!(told.contains("test.toml:2"), "{told}");
    let told = faults(&format!(
        "{}{}",
        entry("name = \"Front door\"", &sink),
        entry("name = \"front-door\"", &sink)
    ));
    assert!(told.contains("give one of them an id of its own"), "{told}");
}

#[test]
fn what_the_api_reports_is_no_key_of_the_configuration_and_still_makes_the_round_trip() {
    let sink = Sink::start();
    for (key, value) in [
        ("origin", "\"api\""),
        ("created_at", "\"2026-03-09T07:14:58Z\""),
        ("updated_at", "\"2026-03-09T07:14:58Z\""),
        ("disabled_reason", "\"gone\""),
        ("warnings", "[]"),
        ("stats", "{}"),
        ("health", "{}"),
    ] {
        let told = faults(&entry(&format!("name = \"x\"\n{key} = {value}"), &sink));
        assert!(told.contains(&format!("test.toml:3: subscription \"x\".{key}: unknown key")), "{told}");
    }
    let server = Server::start();
    let id = server.subscribe(&json!({"name": "x", "url": sink.url("/"), "events": ["made.up"]}));
    let mut shown = server.api(&format!("subscriptions/{id}"));
    let path = format!("subscriptions/{id}");
    assert_eq!(server.tell("PUT", &path, &shown).status, 200);
    shown["id"] = "another".into();
    let refused = server.tell("PUT", &path, &shown);
    assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (400, &json!("/id")));
    let copy = server.tell("POST", "subscriptions", &shown);
    assert_eq!(copy.status, 201);
    assert!(copy.json()["warnings"].to_string().contains("id: not used"), "{:?}", copy.json());
}

#[test]
fn a_fallback_that_is_not_there_is_told_wherever_the_subscription_is() {
    let sink = Sink::start();
    let config = format!(
        "{}fallback = \"Mial\"\n{}",
        entry("name = \"Door\"", &sink),
        entry("name = \"Mail\"", &sink)
    );
    let setup = Setup::new(&config);
    let checked = setup.command(&["check-config"]).output().unwrap();
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(
        said.contains(
            "subscription door: fallback: no entry has the id or name \"Mial\" (did you mean Mail?)"
        ),
        "{said}"
    );
    let server = setup.start();
    let warning = "fallback: there is no subscription \"Mial\" (did you mean Mail?); it is not tried";
    until("the log", || server.log().contains(warning));
    assert!(server.api("subscriptions/door")["warnings"].as_array().unwrap().contains(&json!(warning)));
    assert!(page(&server, "/subscriptions/door").contains("it is not tried"));
    let one = server.subscribe(&json!({"name": "spare", "url": sink.url("/"), "events": ["a.b"]}));
    let made = server.tell(
        "POST",
        "subscriptions",
        &json!({"name": "first", "url": sink.url("/"), "events": ["a.b"], "fallback": "spare"}),
    );
    let other = format!("subscriptions/{}", made.json()["id"].as_str().unwrap());
    let has_fallback_warning =
        || server.api(&other)["warnings"].to_string().contains("fallback: there is no subscription");
    assert!(!has_fallback_warning());
    let deleted = server.tell("DELETE", &format!("subscriptions/{one}"), &json!({}));
    assert_eq!(deleted.status, 200);
    assert_eq!(deleted.json()["warnings"], json!(["Subscription first names it as its fallback."]));
    assert!(has_fallback_warning());
}
