//! Why a command failed, where that decides its exit code.

/// A failure with an exit code of its own. Every other failure is 1: the answer is no.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The command line asks for something that is not possible.
    #[error("{0}")]
    Usage(String),
    /// The running instance, or the target, cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// The running instance refused, with this status.
    #[error("{1}")]
    Refused(u16, String),
}

impl Fault {
    /// A command line that asks for something that is not possible.
    pub fn usage(text: impl Into<String>) -> anyhow::Error {
        Self::Usage(text.into()).into()
    }

    /// The running instance, or the target, cannot be reached.
    pub fn unreachable(text: impl Into<String>) -> anyhow::Error {
        Self::Unreachable(text.into()).into()
    }

    /// The fault of a request that repeats the command line: what the instance cannot read of it is wrong usage.
    pub fn of_question(fault: anyhow::Error) -> anyhow::Error {
        match fault.downcast() {
            Ok(Self::Refused(400, problem)) => Self::usage(problem),
            Ok(other) => other.into(),
            Err(fault) => fault,
        }
    }

    /// Whether the running instance may answer the same request later: it is away, starting or stopping.
    pub fn may_pass(fault: &anyhow::Error) -> bool {
        match fault.downcast_ref() {
            Some(Self::Unreachable(_)) => true,
            Some(Self::Refused(status, _)) => *status >= 500 || *status == 429,
            Some(Self::Usage(_)) | None => false,
        }
    }

    /// Whether nothing happened in the time that was given.
    pub fn is_timeout(fault: &anyhow::Error) -> bool {
        matches!(fault.downcast_ref(), Some(Self::Refused(408, _)))
    }

    /// Whether the running instance has nothing of that id.
    pub fn is_missing(fault: &anyhow::Error) -> bool {
        matches!(fault.downcast_ref(), Some(Self::Refused(404, _)))
    }

    /// Whether the scope of the token is too small.
    pub fn is_forbidden(fault: &anyhow::Error) -> bool {
        matches!(fault.downcast_ref(), Some(Self::Refused(403, _)))
    }

    /// The exit code of the command.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(..) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }
}
