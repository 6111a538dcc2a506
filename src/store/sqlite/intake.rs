//! What arrives for the writer.

use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::batch::Batch;
use super::job::Job;
use crate::store::Pruned;
use crate::store::log::queue::{Answer, Waiting};
use crate::store::log::sqlite::Packed;

/// What the writer is asked for.
pub enum Command {
    Append(Waiting<Packed>),
    Work(Box<dyn Job>),
    Prune(Answer<Pruned>),
    Ready(Answer<()>),
    Close(oneshot::Sender<()>),
}

/// The queue of the writer, while a transaction takes from it.
pub struct Intake<'a> {
    /// `None` if nothing more may be taken.
    commands: Option<&'a Receiver<Command>>,
    /// What is not done in a transaction, in its order.
    pub others: Vec<Command>,
    /// Who asked for the end.
    pub closed: Option<oneshot::Sender<()>>,
}

impl<'a> Intake<'a> {
    /// Takes from `commands`.
    pub const fn of(commands: &'a Receiver<Command>) -> Self {
        Self { commands: Some(commands), others: Vec::new(), closed: None }
    }

    /// Takes nothing.
    pub const fn ended() -> Self {
        Self { commands: None, others: Vec::new(), closed: None }
    }

    /// Moves everything that waits into `batch`, up to the size of a transaction; nothing behind a request to close.
    pub fn fill(&mut self, batch: &mut Batch) {
        while batch.has_room()
            && let Some(command) = self.commands.and_then(|commands| commands.try_recv().ok())
        {
            self.take(command, batch);
        }
    }

    /// Takes one command.
    pub fn take(&mut self, command: Command, batch: &mut Batch) {
        match command {
            Command::Append(waiting) => batch.add(waiting),
            Command::Work(job) => batch.jobs.push(job),
            Command::Close(answer) => {
                self.closed = Some(answer);
                self.commands = None;
            }
            other => self.others.push(other),
        }
    }
}
