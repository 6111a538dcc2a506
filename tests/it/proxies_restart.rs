//! A restart under load behind real proxies: whatever was acknowledged is there.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::{
    Connection, Form, Kind, Nginx, Proxy, SECRET, Setup, hmac_hex, login, request_bytes, until,
};

/// How many events are acknowledged between two restarts, at least.
const BETWEEN: usize = 60;

/// Posts one event until it is acknowledged, as a sender with retries does.
fn deliver(proxy: &Proxy, id: &str, is_over: &AtomicBool) -> bool {
    let body = login(id);
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let request = request_bytes(
        "hooks.example.com",
        "POST",
        "/webhook/tagorun",
        &[("X-TagoRUN-Signature", &hex)],
        body.as_bytes(),
    );
    loop {
        let mut connection = Connection::open(proxy.hooks);
        connection.write(&request);
        match connection.answer() {
            Some(answer) if answer.status == 200 => return true,
            // A proxy without a backend, or a stop.
            Some(answer) => assert!(answer.status >= 500, "{id}: {}", answer.status),
            None => {}
        }
        if is_over.load(Ordering::Relaxed) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn proxies_restarts_under_load_lose_nothing_that_was_acknowledged() {
    let address = Nginx::free_address();
    let config = format!(
        "[receiver]\nlisten = \"{address}\" #receiver-listen\ntrusted_proxies = [\"127.0.0.1\"]\n\
         client_ip_header = \"x-forwarded-for\"\n\
         [[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n"
    );
    let server = Setup::new(&config).start();
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.is_installed()).collect();
    let both = [Form::AsInstalled, Form::Ours];
    let forms: Vec<(Kind, Form)> = kinds.into_iter().flat_map(|kind| both.map(|form| (kind, form))).collect();
    let proxies: Vec<Proxy> = forms.iter().map(|(kind, form)| Proxy::start(*kind, *form, &server)).collect();
    let acknowledged = Mutex::new(BTreeSet::new());
    let is_over = AtomicBool::new(false);
    let count = || acknowledged.lock().unwrap().len();
    let server = std::thread::scope(|scope| {
        let mut server = server;
        for ((kind, form), proxy) in forms.iter().zip(&proxies) {
            let (is_over, acknowledged) = (&is_over, &acknowledged);
            scope.spawn(move || {
                for number in 0.. {
                    let id = format!("{kind:?}-{form:?}-{number}");
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    if deliver(proxy, &id, is_over) {
                        acknowledged.lock().unwrap().insert(id);
                    }
                }
            });
        }
        for stops_cleanly in [true, false, true] {
            let target = count() + BETWEEN;
            until("events are acknowledged", || count() >= target);
            server = if stops_cleanly { server.stop_and_restart(None) } else { server.kill_and_restart() };
        }
        let target = count() + BETWEEN;
        until("events are acknowledged", || count() >= target);
        is_over.store(true, Ordering::Relaxed);
        server
    });
    let kept: BTreeSet<String> = server
        .all_deliveries("verdict=accepted")
        .iter()
        .map(|row| row["event_id"].as_str().unwrap().to_owned())
        .collect();
    let acknowledged = acknowledged.into_inner().unwrap();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
    for (kind, form) in forms {
        let own = format!("{kind:?}-{form:?}-");
        assert!(acknowledged.iter().any(|id| id.starts_with(&own)), "{own} passed nothing");
    }
}
