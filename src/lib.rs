//! tagohook receives TagoRUN and TagoIO webhooks, decides about each one, stores every one and shows why.
//!
//! It is a program first: see the README. This crate is for Rust programs that receive such webhooks themselves and want the same
//! rules. It has five parts:
//!
//! | part | for |
//! |---|---|
//! | [`Verifier`] | checks a signature: all usual encodings, several secrets during a rotation, a tolerance for signed times |
//! | [`Signer`] | signs a body as a sender does |
//! | [`Autopsy`] | says why a signature does not match, and what to change |
//! | [`Catalogue`] | the events of TagoRUN with their JSON Schemas; validates a payload |
//! | [`EventStore`] | recognises an event that arrives twice, also after a restart |
//!
//! All of them in a row, as a handler of a web framework calls them (`examples/actix_extractor.rs` is a whole one):
//!
//! ```
//! use tagohook::{Catalogue, Claimed, EventStore, Request, Scheme, Signer, Verifier};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("events.db");
//! let secret = "a-secret-of-at-least-16-bytes";
//! let body = br#"{"id":"evt_1","event":"user.login","timestamp":"2026-03-09T07:14:58.402Z",
//!     "user":{"id":"u1","email":"a@example.com"}}"#;
//! // What a sender does:
//! let headers = Signer::new(Scheme::TAGORUN, secret)?.sign("", body);
//!
//! // What a receiver does:
//! let verifier = Verifier::new(Scheme::TAGORUN, [secret])?;
//! verifier.verify(&Request::new(headers, body))?;
//! let event = Catalogue::builtin().validate(body)?;
//! let store = EventStore::open(&file).await?;
//! let id = event.id.as_deref().ok_or("an event without an id cannot be recognised")?;
//! match store.claim("tagorun", id, body).await? {
//!     Claimed::New => println!("process {}, and answer 200", event.name),
//!     Claimed::Duplicate { .. } => println!("answer 200"),
//!     Claimed::Conflict { .. } => println!("answer 409"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The rooms of the program are private. `docs/ARCHITECTURE.md` describes them and their floors.

mod catalog;
mod certificates;
mod config;
mod domain;
mod http;
mod inspect;
mod payload;
mod receive;
mod send;
mod signing;
mod store;
mod telemetry;

mod app;
mod cli;
mod library;

#[doc(hidden)]
pub use cli::main as run;
pub use library::{
    Autopsy, Catalogue, Claimed, Event, EventStore, EventType, Invalid, InvalidEvent, Problem, Request,
    Scheme, SignatureError, SignatureErrorKind, Signed, Signer, StoreError, Verifier,
};
