//! Ctrl-C and SIGTERM for commands that started something: it is ended, or the command says how to end it.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::complain;

/// The signals that end a command. From now on, they do not end the process automatically.
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    /// A signal that arrived but was not handled yet.
    pending: Option<Interrupted>,
}

/// The signal that ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupt,
    /// SIGTERM.
    #[error("terminated")]
    Terminate,
}

impl Interrupted {
    /// The exit code that shells expect: 128 plus the signal number.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        })
    }
}

impl Interrupts {
    /// Starts to listen for signals.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn listen() -> std::io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, pending: None })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Interrupted {
        match self.pending.take() {
            Some(signal) => signal,
            None => self.receive().await,
        }
    }

    /// Waits for a second signal, for work that should not be interrupted. After the first signal it prints a notice;
    /// that signal stays the next one.
    pub async fn twice(&mut self) -> Interrupted {
        let first = self.receive().await;
        self.pending = Some(first);
        complain("waiting for the inspector's answer; press Ctrl-C again to end at once");
        self.receive().await;
        first
    }

    async fn receive(&mut self) -> Interrupted {
        tokio::select! {
            _ = self.interrupt.recv() => Interrupted::Interrupt,
            _ = self.terminate.recv() => Interrupted::Terminate,
        }
    }

    /// The result of `work`, unless a signal arrives first.
    ///
    /// # Errors
    /// `Interrupted`, and the errors of `work`.
    pub async fn or<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            done = work => done,
            signal = self.next() => Err(signal.into()),
        }
    }
}
