//! A future that runs to its end even if the server drops it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt as _;
use futures_util::future::{CatchUnwind, LocalBoxFuture};

/// Runs a future where it is awaited: a task of its own for each request would cost more. If this is dropped before
/// the end, as the server does when a client disconnects, the rest runs as a task.
pub struct ToTheEnd<T: 'static> {
    /// `None` once it ended.
    rest: Option<CatchUnwind<AssertUnwindSafe<LocalBoxFuture<'static, T>>>>,
    is_begun: bool,
}

impl<T: 'static> ToTheEnd<T> {
    /// Runs `future`, which is boxed first: moving it costs as much as it is long.
    pub fn new(future: impl Future<Output = T> + 'static) -> Self {
        let future: LocalBoxFuture<'static, T> = Box::pin(future);
        Self { rest: Some(AssertUnwindSafe(future).catch_unwind()), is_begun: false }
    }
}

impl<T: 'static> Future for ToTheEnd<T> {
    /// `None` after a panic.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The server looks at a new request before it passes on the body that came with it. A turn later the body is
        // there, and nothing has to be set up to wait for it.
        if !std::mem::replace(&mut self.is_begun, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let end = ready!(rest.poll_unpin(cx)).ok();
        self.rest = None;
        Poll::Ready(end)
    }
}

impl<T: 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take() {
            actix_web::rt::spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[actix_web::test]
    async fn what_is_dropped_at_any_point_runs_to_its_end() {
        for polls in 0..4 {
            let ended = Rc::new(Cell::new(false));
            let end = Rc::clone(&ended);
            let mut future = ToTheEnd::new(async move {
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                end.set(true);
                7
            });
            for _ in 0..polls {
                assert_eq!((&mut future).now_or_never(), None);
            }
            drop(future);
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            assert!(ended.get(), "dropped after {polls} polls");
        }
        assert_eq!(ToTheEnd::new(async { 7 }).await, Some(7));
    }

    #[actix_web::test]
    async fn a_panic_ends_it_and_nothing_else() {
        let nothing: Option<u8> = std::hint::black_box(None);
        assert_eq!(ToTheEnd::new(async move { nothing.unwrap() }).await, None);
    }
}
