//! The client of a connection: its port, the number of deliveries on it, and whether it disconnected before a
//! response.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use crate::domain::Connection;
use crate::store::Store;

/// The client of a connection; clones share it.
#[derive(Clone)]
pub struct Caller(Rc<Parts>);

struct Parts {
    port: Option<u16>,
    deliveries: Cell<u32>,
    hung_up: Cell<Option<Instant>>,
    owed: RefCell<Option<Owed>>,
}

/// A stored delivery whose response is not written yet.
struct Owed {
    /// Its position in the log.
    seq: i64,
    /// When its head was complete.
    started: Instant,
    store: Store,
}

impl Caller {
    /// A new connection.
    pub fn new(port: Option<u16>) -> Self {
        Self(Rc::new(Parts {
            port,
            deliveries: Cell::new(0),
            hung_up: Cell::new(None),
            owed: RefCell::new(None),
        }))
    }

    /// Counts a new delivery.
    pub fn delivery(&self) -> Connection {
        let deliveries = self.0.deliveries.get().saturating_add(1);
        self.0.deliveries.set(deliveries);
        Connection { port: self.0.port, deliveries }
    }

    /// The delivery at position `seq` is in `store`, and its response follows. Its head was complete at `started`.
    pub fn owes(&self, seq: i64, started: Instant, store: &Store) {
        self.0.owed.replace(Some(Owed { seq, started, store: store.clone() }));
        self.note();
    }

    /// The response was written.
    pub fn answered(&self) {
        self.0.owed.replace(None);
    }

    /// The client closed its side of the connection, or the connection broke.
    pub fn hang_up(&self) {
        if self.0.hung_up.get().is_none() {
            self.0.hung_up.set(Some(Instant::now()));
        }
        self.note();
    }

    /// Stores that it disconnected before the response, if it did.
    fn note(&self) {
        let Some(hung_up) = self.0.hung_up.get() else { return };
        let Some(Owed { seq, started, store }) = self.0.owed.take() else { return };
        let after = hung_up.saturating_duration_since(started);
        // If this cannot be written, only the note is missing.
        actix_web::rt::spawn(async move { store.hung_up(seq, after).await });
    }
}
