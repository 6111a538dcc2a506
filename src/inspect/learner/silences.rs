//! Reports entities that are silent: the event `device.silent`, once for each silence.

use std::time::Duration;

use super::step::Learner;
use crate::domain::{Entity, SilenceAfter, Timestamp};
use crate::store::{Outage, SHORTEST_OUTAGE, StoreError};

/// Entities of one step.
const STEP: usize = 100;
/// How often the time of listening is stored.
const HEARD_EVERY: Duration = Duration::from_secs(30);

impl Learner {
    /// Reports the silences that are due, as far as arrivals are known. Returns whether there may be any at all.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn report_silences(&mut self) -> Result<bool, StoreError> {
        let rules: Vec<(String, SilenceAfter)> =
            self.sources.all().iter().map(|source| (source.name.clone(), source.silence_after)).collect();
        let is_asked = rules.iter().any(|(_, rule)| *rule != SilenceAfter::Off);
        self.listen(is_asked).await?;
        let Some(until) = self.known_until() else { return Ok(is_asked) };
        for (source, rule) in rules {
            if self.silences.computed.get(&source) != Some(&rule) {
                self.recompute(&source, rule).await?;
                self.silences.computed.insert(source, rule);
            }
        }
        while is_asked && self.report_some(until).await? {}
        Ok(is_asked)
    }

    /// Records that the program listens, and since when it did not.
    async fn listen(&mut self, is_asked: bool) -> Result<(), StoreError> {
        if !is_asked {
            self.silences.heard_at = None;
            return Ok(());
        }
        let now = self.clock.now();
        let outage = self
            .silences
            .heard_at
            .filter(|heard| heard.plus(SHORTEST_OUTAGE) < now)
            .map(|since| Outage { since, until: now });
        let is_due = self.silences.kept_at.is_none_or(|kept| kept.plus(HEARD_EVERY) <= now);
        if is_due || outage.is_some() {
            self.store.record_listening(now, outage).await?;
            self.silences.kept_at = Some(now);
        }
        self.silences.heard_at = Some(now);
        Ok(())
    }

    /// Recomputes the silences of a source that were computed with another rule.
    async fn recompute(&self, source: &str, rule: SilenceAfter) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let found =
                self.store.entities_with_other_rule(source.to_owned(), rule, after.clone(), STEP).await?;
            let Some(last) = found.last() else { return Ok(()) };
            after.clone_from(&last.entity);
            self.store.recompute_silences(found, rule, self.clock.now()).await?;
        }
    }

    /// Reports some; `true`: there may be more.
    async fn report_some(&self, until: Timestamp) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let due = self.store.due_silences(until, self.cursor, STEP).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let outages = self.store.outages().await?;
        let sources = self.sources.all();
        for entity in due {
            let rule = sources.iter().find(|source| source.name == entity.source);
            let rule = rule.map_or(SilenceAfter::Off, |source| source.silence_after);
            let Some(due) = rule.due(entity.heard_at(), entity.usual()) else {
                // Its source is gone, or has no rule any more.
                self.store.recompute_silences(vec![entity], SilenceAfter::Off, now).await?;
                continue;
            };
            let due = due.plus(deaf(&outages, entity.heard_at(), now));
            if due > until {
                self.store.postpone_silence(entity, due).await?;
            } else {
                self.report(entity).await?;
            }
        }
        Ok(true)
    }

    async fn report(&self, entity: Entity) -> Result<(), StoreError> {
        let now = self.clock.both();
        let notice = self.sender.silence_notice(&entity, now);
        let (source, id) = (entity.source.clone(), entity.entity.clone());
        if self.store.publish_silence(entity, notice, now).await? {
            tracing::info!(source, entity = id, "silent for longer than silence_after");
            self.sender.wake();
        }
        Ok(())
    }
}

/// How long nobody listened between two times.
fn deaf(outages: &[Outage], from: Timestamp, to: Timestamp) -> Duration {
    let overlap = |outage: &Outage| {
        let (since, until) = (outage.since.max(from), outage.until.min(to));
        if since < until { until.abs_diff(since) } else { Duration::ZERO }
    };
    outages.iter().map(overlap).fold(Duration::ZERO, Duration::saturating_add)
}
