//! Whether a delivery that was rejected would pass with today's configuration, and what its page says then.

use crate::domain::{DeliveryId, DeliveryRow, Outcome, StoredDelivery};
use crate::inspect::told::{Action, Diagnosis};

/// Today's configuration lets a rejected delivery pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassesToday {
    /// The delivery in which its event was accepted, if there is one.
    pub accepted_in: Option<DeliveryId>,
}

impl PassesToday {
    /// Replaces a fix that is in place already. The headline stays the one that lists show: it was the cause.
    #[must_use]
    pub fn diagnosis(&self, delivery: &StoredDelivery) -> Diagnosis {
        let (code, headline) = cause(&delivery.row);
        let failed = delivery.checks.iter().find(|check| check.outcome == Outcome::Fail);
        let then = match failed {
            Some(check) => format!("The {} check failed when it arrived.", check.gate.as_str()),
            None => "It was rejected when it arrived.".to_owned(),
        };
        let cause = format!("Would pass with today's configuration. {then}");
        let told = Diagnosis { passes_today: true, ..Diagnosis::new(code, headline, cause) };
        match self.accepted_in {
            Some(id) => {
                told.act("Nothing to do: its event was accepted in another delivery.", Action::Open(id))
            }
            None => told.act("Replay it.", Action::Replay),
        }
    }
}

fn cause(row: &DeliveryRow) -> (String, String) {
    match (&row.cause, row.reason) {
        (Some(cause), _) => (cause.code.clone(), cause.headline.clone()),
        (None, reason) => {
            (reason.map_or("rejected", |reason| reason.as_str()).to_owned(), row.headline().into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, Reason, Verdict};
    use crate::inspect::diagnosis::tests::stored;

    #[test]
    fn the_cause_keeps_its_name_and_the_fix_is_a_replay_or_nothing() {
        let mut delivery = stored(Verdict::Rejected, Some(Reason::SignatureMismatch));
        let told = PassesToday::default().diagnosis(&delivery);
        assert_eq!(
            (told.code.as_str(), told.headline.as_str()),
            ("signature_mismatch", "Signature mismatch")
        );
        assert!(told.cause.starts_with("Would pass with today's configuration. "), "{told:?}");
        assert_eq!(told.fixes[0].action, Some(Action::Replay));
        delivery.row.cause = Some(Cause { code: "wrong-secret".into(), headline: "Wrong secret".into() });
        let accepted = PassesToday { accepted_in: Some(delivery.row.id) }.diagnosis(&delivery);
        assert_eq!((accepted.code.as_str(), accepted.headline.as_str()), ("wrong-secret", "Wrong secret"));
        assert_eq!(accepted.fixes[0].action, Some(Action::Open(delivery.row.id)));
    }
}
