//! The ceiling: the HTTP client that we send with, and nothing else. The body is made and signed before the clock runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::program::SECRET;
use crate::publisher::body;

/// Posts so many bodies, `places` at once; returns how long it took.
pub fn post(sink: SocketAddr, messages: usize, places: usize) -> Duration {
    let body = bytes::Bytes::from(body("bare"));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let signature = hex::encode(mac.finalize().into_bytes());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().http1_only().no_proxy().build().unwrap();
        let url = reqwest::Url::parse(&format!("http://{sink}/")).unwrap();
        let left = Arc::new(AtomicUsize::new(messages));
        let started = Instant::now();
        let posting: Vec<_> = (0..places)
            .map(|_| {
                let (client, url, body, signature) =
                    (client.clone(), url.clone(), body.clone(), signature.clone());
                let left = Arc::clone(&left);
                tokio::spawn(async move {
                    let take_one = |left| usize::checked_sub(left, 1);
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one).is_ok() {
                        let request = client
                            .post(url.clone())
                            .header("Content-Type", "application/json")
                            .header("X-TagoRUN-Signature", &*signature)
                            .header("X-TagoRUN-Event-Id", "bare")
                            .body(body.clone());
                        let answer = request.send().await.unwrap();
                        assert_eq!(answer.status(), 200);
                        answer.bytes().await.unwrap();
                    }
                })
            })
            .collect();
        for places in posting {
            places.await.unwrap();
        }
        started.elapsed()
    })
}
