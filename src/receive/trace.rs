//! The trace of a delivery through the gates: one `Check` for each, whatever happens.

use std::time::Instant;

use crate::domain::{Check, Fault, Gate, Outcome, Reason};

/// What a gate has to say beside pass or fail.
#[derive(Debug, Default)]
pub struct Finding {
    /// The value seen, fit to be shown.
    pub seen: String,
    /// The rule it was held against.
    pub rule: String,
    /// Faults of the payload, each at its place.
    pub faults: Vec<Fault>,
    /// What else the operator should know.
    pub notes: Vec<String>,
}

impl Finding {
    /// `seen`, held against `rule`.
    pub fn new(seen: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { seen: seen.into(), rule: rule.into(), ..Self::default() }
    }

    /// With one more note.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// With these faults.
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// The rule holds; `value` goes on to the next gate.
    pub fn pass<T>(self, value: T) -> Gated<T> {
        Gated { finding: self, result: Ok((Outcome::Pass, value)) }
    }

    /// There is no such rule; `value` goes on to the next gate.
    pub fn skip<T>(self, value: T) -> Gated<T> {
        Gated { finding: self, result: Ok((Outcome::Skipped, value)) }
    }

    /// The rule does not hold.
    pub fn fail<T>(self, reason: Reason) -> Gated<T> {
        Gated { finding: self, result: Err(reason) }
    }
}

/// What came out of a gate.
#[derive(Debug)]
pub struct Gated<T> {
    finding: Finding,
    result: Result<(Outcome, T), Reason>,
}

impl<T> Gated<T> {
    /// Whether the rule does not hold.
    pub const fn is_refused(&self) -> bool {
        self.result.is_err()
    }

    /// With one more note.
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
    /// An empty trace; the first gate's time starts now.
    pub fn start() -> Self {
        Self { checks: Vec::with_capacity(Gate::ALL.len()), lap: Instant::now() }
    }

    /// Writes down what came out of `gate` and hands on its value, or the reason of its refusal.
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

    /// The checks of the gates that were passed or refused it.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// All seven checks: the gates that were not reached are `skipped`.
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
