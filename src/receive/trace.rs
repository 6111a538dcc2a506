//! The trace of a delivery through the gates: one `Check` per gate, whatever its outcome.

use std::time::Instant;

use crate::domain::{Check, Fault, Gate, Outcome, Reason};

/// A gate's report, apart from pass or fail.
#[derive(Debug, Default)]
pub struct Finding {
    /// The received value, in displayable form.
    pub seen: String,
    /// The rule it was checked against.
    pub rule: String,
    /// Faults of the payload, each at its place.
    pub faults: Vec<Fault>,
    /// Further notes for the operator.
    pub notes: Vec<String>,
}

impl Finding {
    /// A finding of `seen`, checked against `rule`.
    pub fn new(seen: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { seen: seen.into(), rule: rule.into(), ..Self::default() }
    }

    /// Adds a note.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets the faults.
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// The check passed; `value` is passed to the next gate.
    pub fn pass<T>(self, value: T) -> Gated<T> {
        Gated { finding: self, result: Ok((Outcome::Pass, value)) }
    }

    /// There is no rule; `value` is passed to the next gate.
    pub fn skip<T>(self, value: T) -> Gated<T> {
        Gated { finding: self, result: Ok((Outcome::Skipped, value)) }
    }

    /// The check failed.
    pub fn fail<T>(self, reason: Reason) -> Gated<T> {
        Gated { finding: self, result: Err(reason) }
    }
}

/// The result of a gate.
#[derive(Debug)]
pub struct Gated<T> {
    finding: Finding,
    result: Result<(Outcome, T), Reason>,
}

impl<T> Gated<T> {
    /// Whether the check failed.
    pub const fn is_refused(&self) -> bool {
        self.result.is_err()
    }

    /// Adds a note.
    pub fn noted(mut self, note: impl Into<String>) -> Self {
        self.finding.notes.push(note.into());
        self
    }
}

/// The checks so far.
#[derive(Debug)]
pub struct Trace {
    checks: Vec<Check>,
    lap: Instant,
}

impl Trace {
    /// One more note on the last check.
    pub fn note(&mut self, note: String) {
        if let Some(check) = self.checks.last_mut() {
            check.notes.push(note);
        }
    }

    /// An empty trace; the first gate's time starts now.
    pub fn start() -> Self {
        Self { checks: Vec::with_capacity(Gate::ALL.len()), lap: Instant::now() }
    }

    /// Records the result of `gate` and returns its value, or the reason for the rejection.
    pub fn gate<T>(&mut self, gate: Gate, gated: Gated<T>) -> Result<T, Reason> {
        let now = Instant::now();
        let taken = now.duration_since(self.lap);
        self.lap = now;
        let outcome = match &gated.result {
            Ok((outcome, _)) => *outcome,
            Err(_) => Outcome::Fail,
        };
        let Finding { seen, rule, faults, notes } = gated.finding;
        self.checks.push(Check {
            gate,
            outcome,
            reason: gated.result.as_ref().err().copied(),
            seen,
            rule,
            duration_us: u32::try_from(taken.as_micros()).unwrap_or(u32::MAX),
            faults,
            notes,
        });
        gated.result.map(|(_, value)| value)
    }

    /// The checks of the gates that passed or rejected the delivery.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// All seven checks: gates that were not reached are `skipped`.
    pub fn finish(mut self) -> Vec<Check> {
        for gate in Gate::ALL.into_iter().skip(self.checks.len()) {
            self.checks.push(Check {
                gate,
                outcome: Outcome::Skipped,
                reason: None,
                seen: String::new(),
                rule: "not reached".to_owned(),
                duration_us: 0,
                faults: Vec::new(),
                notes: Vec::new(),
            });
        }
        self.checks
    }
}
