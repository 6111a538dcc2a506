//! Access to the inspector: its password, browser sessions, and recently verified tokens.
//!
//! The password is stored as an argon2 hash. One check costs tens of milliseconds and 19 MiB. At most two checks
//! therefore run at once, outside the event loop. A wrong password keeps its place for a second, and only a few
//! callers may queue. Sessions are kept in memory: a restart requires a new login.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::domain::Timestamp;

/// The name of the session's cookie.
pub const COOKIE: &str = "tagohook_session";
/// How long a session lasts.
pub const SESSION: Duration = Duration::from_secs(12 * 3600);
/// The most concurrent password checks.
const AT_ONCE: usize = 2;
/// The most callers that wait for a check; others are rejected.
const WAITING: usize = 8;
/// How long a wrong password keeps its place.
const WRONG_PASSWORD_DELAY: Duration = Duration::from_secs(1);
/// The most sessions; a new one replaces the oldest.
const MAX_SESSIONS: usize = 1000;

type Digest = [u8; 32];

/// The result of a password check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// The password is correct.
    Right,
    /// The password is wrong.
    Wrong,
    /// Too many checks are waiting; try again.
    Busy,
}

/// Access control for the inspector.
pub struct AdminAuth {
    /// The PHC string; `None`: no password is set, and everyone who reaches the listener has access.
    hash: Option<String>,
    /// One block of SHA-256.
    key: [u8; 64],
    right_token: Mutex<Option<Digest>>,
    sessions: Mutex<HashMap<Digest, Timestamp>>,
    checking: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl AdminAuth {
    /// Access control with that argon2 hash (PHC form), or without a password.
    #[must_use]
    pub fn new(password_hash: Option<String>) -> Self {
        Self {
            hash: password_hash,
            key: rand::random(),
            right_token: Mutex::new(None),
            sessions: Mutex::default(),
            checking: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(AT_ONCE.saturating_add(WAITING))),
        }
    }

    /// Whether a password is required.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.hash.is_some()
    }

    /// Checks `password`.
    pub async fn check(&self, password: &str) -> Login {
        let Some(hash) = self.hash.clone() else { return Login::Right };
        let digest = self.digest(password);
        if self.right_token.lock().is_some_and(|right| same(right, digest)) {
            return Login::Right;
        }
        let Ok(place) = Arc::clone(&self.waiting).try_acquire_owned() else { return Login::Busy };
        let checking = Arc::clone(&self.checking);
        let password = password.to_owned();
        // A separate task keeps the places until it ends: a caller that disconnects does not free them early.
        let checked = tokio::spawn(async move {
            let _place = place;
            let _turn = checking.acquire_owned().await.ok()?;
            let is_right = tokio::task::spawn_blocking(move || verify(&hash, &password)).await.ok()?;
            if !is_right {
                tokio::time::sleep(WRONG_PASSWORD_DELAY).await;
            }
            Some(is_right)
        });
        match checked.await {
            Ok(Some(true)) => {
                *self.right_token.lock() = Some(digest);
                Login::Right
            }
            Ok(Some(false)) => Login::Wrong,
            Ok(None) | Err(_) => Login::Busy,
        }
    }

    /// Opens a session; returns the value of its cookie.
    #[must_use]
    pub fn open_session(&self, now: Timestamp) -> String {
        let id = hex::encode(rand::random::<Digest>());
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, until| *until > now);
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, until)| **until).map(|(digest, _)| *digest)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(self.digest(&id), now.plus(SESSION));
        id
    }

    /// Whether `id` is an open session.
    #[must_use]
    pub fn is_session(&self, id: &str, now: Timestamp) -> bool {
        let sessions = self.sessions.lock();
        // The key of the lookup is a keyed digest, so its time reveals nothing about other ids.
        sessions.get(&self.digest(id)).is_some_and(|until| *until > now)
    }

    /// Ends a session.
    pub fn close_session(&self, id: &str) {
        self.sessions.lock().remove(&self.digest(id));
    }

    fn digest(&self, text: &str) -> Digest {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

fn same(left: Digest, right: Digest) -> bool {
    left.ct_eq(&right).into()
}

fn verify(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordHasher as _;

    use super::*;

    fn door() -> AdminAuth {
        let params = argon2::Params::new(64, 1, 1, None).unwrap();
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        AdminAuth::new(Some(argon2.hash_password(b"correct horse").unwrap().to_string()))
    }

    #[tokio::test]
    async fn only_the_password_opens() {
        let door = door();
        assert_eq!(door.check("correct horse").await, Login::Right);
        assert_eq!(door.check("correct horse ").await, Login::Wrong);
        assert_eq!(door.check("").await, Login::Wrong);
        assert_eq!(AdminAuth::new(Some("no hash".into())).check("no hash").await, Login::Wrong);
    }

    #[tokio::test]
    async fn a_flood_of_guesses_is_turned_away_while_the_known_password_still_opens() {
        let door = door();
        assert_eq!(door.check("correct horse").await, Login::Right);
        let guesses = (0..30).map(|_| door.check("guess"));
        let seen = futures_util::future::join_all(guesses.chain([door.check("guess")])).await;
        assert!(seen.contains(&Login::Busy) && !seen.contains(&Login::Right));
        assert_eq!(seen.iter().filter(|login| **login == Login::Wrong).count(), AT_ONCE + WAITING);
        assert_eq!(door.check("correct horse").await, Login::Right);
    }

    #[test]
    fn a_session_ends_by_time_and_by_hand() {
        let door = door();
        let now = Timestamp::from_secs(1_000);
        let id = door.open_session(now);
        let last = now.plus(SESSION - Duration::from_micros(1));
        assert!(door.is_session(&id, last) && !door.is_session(&id, now.plus(SESSION)));
        assert!(!door.is_session("", now) && !door.is_session(&id.to_uppercase(), now));
        door.close_session(&id);
        assert!(!door.is_session(&id, now));
    }
}
