//! The threads and tasks that run until the program stops. After a panic they are logged, counted, and restarted.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::{JoinHandle, park_timeout};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::runtime::{Builder, Runtime};

/// The pause before a worker restarts after a panic, at first and at most. It doubles while the worker keeps
/// panicking.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A worker that ran this long before its next panic starts with the short pause again.
const WELL: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WorkerLabels {
    worker: &'static str,
}

/// The registry of all workers; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Workers(Arc<Watch>);

#[derive(Debug, Default)]
struct Watch {
    counts: Family<WorkerLabels, Counter>,
    last: Mutex<BTreeMap<&'static str, Panicked>>,
}

/// The number of panics of a worker since the program started, and the time of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// The number of panics.
    pub times: u64,
    /// The last time.
    pub last: Instant,
}

/// A worker thread.
#[derive(Debug)]
pub struct Worker(Mutex<Option<JoinHandle<()>>>);

impl Worker {
    /// Waits until the thread has ended. It must have been asked to stop; a pause after a panic ends at once.
    pub fn join(&self) {
        if let Some(thread) = self.0.lock().take() {
            thread.thread().unpark();
            // The thread catches every panic of its work.
            let _ = thread.join();
        }
    }
}

impl Workers {
    /// Starts a thread that runs `work` until `work` returns. After a panic, `work` runs again. `nice` is the thread's
    /// niceness, as in nice(2).
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        &self,
        name: &'static str,
        nice: i32,
        mut work: impl FnMut() + Send + 'static,
    ) -> std::io::Result<Worker> {
        let workers = self.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if nice > 0 {
                // Linux applies this to the thread. If it is refused, the thread has normal priority.
                let _ = rustix::process::nice(nice);
            }
            let mut pause = PAUSE.0;
            loop {
                let began = Instant::now();
                if catch_unwind(AssertUnwindSafe(&mut work)).is_ok() {
                    return;
                }
                pause = if began.elapsed() > WELL { PAUSE.0 } else { pause };
                workers.panicked(name);
                park_timeout(pause);
                pause = pause.saturating_mul(2).min(PAUSE.1);
            }
        })?;
        Ok(Worker(Mutex::new(Some(thread))))
    }

    /// Starts a thread that runs the future of `work` in a separate runtime. After a panic, a new runtime runs a new
    /// future; the tasks of the old one end.
    ///
    /// # Errors
    /// When no runtime or no thread can be started.
    pub fn start_async<F: Future<Output = ()>>(
        &self,
        name: &'static str,
        nice: i32,
        mut work: impl FnMut() -> F + Send + 'static,
    ) -> std::io::Result<Worker> {
        let mut first = Some(runtime()?);
        self.start(name, nice, move || {
            let runtime = first.take().map_or_else(runtime, Ok);
            match runtime {
                Ok(runtime) => runtime.block_on(work()),
                // Counted and retried like a panic.
                Err(fault) => resume_unwind(Box::new(fault)),
            }
        })
    }

    /// Runs `work` without restarting it: `None` if it panicked.
    pub async fn watch<T>(&self, name: &'static str, work: impl Future<Output = T>) -> Option<T> {
        let done = AssertUnwindSafe(work).catch_unwind().await.ok();
        if done.is_none() {
            self.panicked(name);
        }
        done
    }

    /// Counts and logs a panic of the worker called `name`.
    pub fn panicked(&self, name: &'static str) {
        self.0.counts.get_or_create(&WorkerLabels { worker: name }).inc();
        let now = Instant::now();
        let mut last = self.0.last.lock();
        let panicked = last.entry(name).or_insert(Panicked { times: 0, last: now });
        *panicked = Panicked { times: panicked.times.saturating_add(1), last: now };
        let times = panicked.times;
        drop(last);
        tracing::error!(worker = name, times, "a worker stopped because of a fault in the program");
    }

    /// The workers that panicked within the last `time`.
    #[must_use]
    pub fn panicked_within(&self, time: Duration) -> Vec<(&'static str, Panicked)> {
        let last = self.0.last.lock();
        let recent = last.iter().filter(|(_, panicked)| panicked.last.elapsed() <= time);
        recent.map(|(name, panicked)| (*name, *panicked)).collect()
    }

    pub(super) fn counts(&self) -> Family<WorkerLabels, Counter> {
        self.0.counts.clone()
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_thread_that_panics_is_counted_and_continues_with_what_it_had() {
        let workers = Workers::default();
        let (give, given) = channel::<u32>();
        let (done, seen) = channel();
        let worker = workers
            .start("adder", 0, move || {
                while let Ok(number) = given.recv() {
                    assert!(number != 13, "unlucky");
                    done.send(number).unwrap();
                }
            })
            .unwrap();
        for number in [1, 13, 2, 13, 3] {
            give.send(number).unwrap();
        }
        let patience = Duration::from_secs(10);
        let all: Vec<u32> = (0..3).map(|_| seen.recv_timeout(patience).unwrap()).collect();
        assert_eq!(all, [1, 2, 3]);
        drop(give);
        worker.join();
        let panicked = workers.panicked_within(HOUR);
        assert_eq!(panicked.len(), 1);
        assert_eq!((panicked[0].0, panicked[0].1.times), ("adder", 2));
        assert_eq!(workers.counts().get_or_create(&WorkerLabels { worker: "adder" }).get(), 2);
        assert!(workers.panicked_within(Duration::ZERO).is_empty());
    }

    #[test]
    fn a_stop_does_not_wait_for_the_pause_after_a_panic() {
        let workers = Workers::default();
        let (stop, stopped) = channel::<()>();
        let worker = workers
            .start("broken", 0, move || {
                let is_stopped = stopped.recv_timeout(Duration::ZERO)
                    == Err(std::sync::mpsc::RecvTimeoutError::Disconnected);
                assert!(is_stopped, "again");
            })
            .unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        // The sixth pause takes seconds.
        while workers.panicked_within(HOUR).first().is_none_or(|(_, panicked)| panicked.times < 6) {
            assert!(Instant::now() < until);
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(stop);
        let began = Instant::now();
        worker.join();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[test]
    fn a_task_that_panics_is_counted() {
        let workers = Workers::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let fails = async { assert!(workers.panicked_within(HOUR).len() == 7, "no") };
        assert_eq!(runtime.block_on(workers.watch("run", fails)), None);
        assert_eq!(runtime.block_on(workers.watch("run", async { 7 })), Some(7));
        assert_eq!(workers.panicked_within(HOUR)[0].1.times, 1);
    }
}
