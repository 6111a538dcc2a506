//! Puts the subscriptions of the store and of the configuration in force. Subscriptions that are no longer configured
//! are parked.

use std::collections::{HashMap, HashSet};

use crate::config::{SecretOrigin, shown_json, stored_json};
use crate::domain::{Subscription, SubscriptionOrigin};
use crate::send::engine::{FAN_OUT_STEP, fan_out_step};
use crate::send::state::{Sender, active};
use crate::send::subscriptions::{Compiled, OutOfForce, Parked, SubscriptionFault};
use crate::store::{StoreError, SubscriptionRecord};

impl Sender {
    /// Puts the subscriptions of the store and of the configuration in force. A subscription that is no longer
    /// configured, or is no longer usable, is kept out of force. Its waiting messages are parked.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn load(&self, configured: &[Subscription]) -> Result<(), StoreError> {
        let mut known = self.followed().lock().await;
        let records = self.store().subscriptions().await?;
        let is_start = self.subscriptions().all().is_empty();
        self.restore(&records, is_start).await?;
        self.catch_up(&mut known).await?;
        let by_id: HashMap<&str, &SubscriptionRecord> =
            records.iter().map(|record| (record.id.as_str(), record)).collect();
        for subscription in configured {
            self.configure(subscription, by_id.get(subscription.id.as_str()).copied(), is_start).await?;
        }
        let ids: HashSet<&str> = configured.iter().map(|subscription| subscription.id.as_str()).collect();
        for record in records.iter().filter(|record| record.origin == SubscriptionOrigin::Config) {
            if !ids.contains(record.id.as_str()) {
                self.park(record, OutOfForce::Missing, configured).await?;
            }
        }
        for active in self.subscriptions().all().iter().filter(|active| ids.contains(active.compiled.id())) {
            for warning in self.warnings_of(&active.compiled) {
                tracing::warn!(subscription = active.compiled.id(), "{warning}");
            }
        }
        self.wake();
        Ok(())
    }

    /// Restores the subscriptions that were in force when the program ended; at a reload, only those created through
    /// the API.
    async fn restore(&self, records: &[SubscriptionRecord], is_start: bool) -> Result<(), StoreError> {
        for record in records {
            let is_configured = record.origin == SubscriptionOrigin::Config;
            if is_configured && (!is_start || record.parked_since.is_some()) {
                continue;
            }
            match self.compiled_of(record) {
                Ok(compiled) if record.parked_since.is_some() => {
                    self.tell_back(record).await?;
                    self.keep(compiled, record.document.clone()).await.map(drop)?;
                }
                Ok(compiled) => self.subscriptions().put(active(compiled, record)),
                // The configuration defines it again, or no longer.
                Err(_) if is_configured => {}
                Err(faults) => self.set_aside(record, faults, is_start).await?,
            }
        }
        Ok(())
    }

    /// Fans out everything accepted so far by the old rules, so that an edit loses nothing.
    async fn catch_up(&self, known: &mut HashMap<String, SubscriptionRecord>) -> Result<(), StoreError> {
        let newest = *self.store().newest().borrow();
        let mut most = FAN_OUT_STEP;
        loop {
            self.follow_from(known).await?;
            let at = self.store().fanout_cursor().await?;
            if at >= newest {
                return Ok(());
            }
            let stepped = fan_out_step(self, at, most).await?;
            if !stepped.is_more {
                return Ok(());
            }
            most = stepped.next;
        }
    }

    async fn configure(
        &self,
        subscription: &Subscription,
        before: Option<&SubscriptionRecord>,
        is_start: bool,
    ) -> Result<(), StoreError> {
        let mut subscription = subscription.clone();
        let document = stored_json(&subscription, &self.parts().sealer);
        // A subscription that was disabled automatically stays disabled until its configuration entry changes.
        let is_same = before.is_some_and(|before| self.says_the_same(before, &subscription));
        if let Some(reason) = before.and_then(|before| before.disabled_reason.clone()).filter(|_| is_same) {
            subscription.enabled = false;
            subscription.disabled_reason = Some(reason);
        }
        match (Compiled::new(subscription, self.guard()), before) {
            (Ok(compiled), before) => {
                if let Some(before) = before.filter(|before| before.parked_since.is_some()) {
                    self.tell_back(before).await?;
                }
                self.keep(compiled, document).await.map(drop)
            }
            (Err(faults), Some(before)) => self.set_aside(before, faults, is_start).await,
            (Err(faults), None) => {
                tell_unusable(&faults);
                Ok(())
            }
        }
    }

    fn says_the_same(&self, before: &SubscriptionRecord, now: &Subscription) -> bool {
        let id = before.id.as_str();
        let read = self.read(SecretOrigin::Store, None, id, before.origin, &before.document);
        read.is_ok_and(|read| shown_json(&read.subscription) == shown_json(now))
    }

    /// A subscription cannot be used. At a reload it stays in force unchanged; otherwise its waiting messages are
    /// parked.
    async fn set_aside(
        &self,
        record: &SubscriptionRecord,
        faults: Vec<SubscriptionFault>,
        is_start: bool,
    ) -> Result<(), StoreError> {
        tell_unusable(&faults);
        if !is_start && self.subscriptions().get(&record.id).is_some() {
            return Ok(());
        }
        self.park(record, OutOfForce::Unusable(faults), &[]).await
    }

    async fn park(
        &self,
        record: &SubscriptionRecord,
        why: OutOfForce,
        configured: &[Subscription],
    ) -> Result<(), StoreError> {
        let id = record.id.as_str();
        // Out of force first: nothing more is claimed while the store parks its waiting messages.
        self.subscriptions().park(Parked::of(
            record,
            record.parked_since.unwrap_or_else(|| self.wall()),
            why.clone(),
        ));
        let Some(kept) = self.store().park_subscription(id.to_owned(), self.wall()).await? else {
            return Ok(());
        };
        let parked = Parked::of(record, kept.since, why);
        if kept.waiting > 0 {
            let (messages, renamed) = (kept.waiting, renamed(record, configured));
            tracing::warn!(
                subscription = id,
                messages,
                "{} Its messages are parked: neither sent nor cancelled. {}{renamed} To give them up, cancel them.",
                parked.sentence(),
                parked.cure()
            );
        } else if record.parked_since.is_none() {
            tracing::info!(subscription = id, "{} No message waits for it.", parked.sentence());
        }
        self.subscriptions().park(parked);
        Ok(())
    }

    async fn tell_back(&self, record: &SubscriptionRecord) -> Result<(), StoreError> {
        let (id, messages) = (record.id.as_str(), self.store().waiting_messages(record.id.clone()).await?);
        let since = record.parked_since.map(|since| since.to_string()).unwrap_or_default();
        tracing::info!(
            subscription = id,
            messages,
            since,
            "the subscription is active again and its parked messages are being sent; events received in between were not sent to it"
        );
        Ok(())
    }
}

/// The new entry that a missing subscription may have been renamed to.
fn renamed(record: &SubscriptionRecord, configured: &[Subscription]) -> String {
    let document: serde_json::Value = serde_json::from_str(&record.document).unwrap_or_default();
    let url = document.get("url").and_then(serde_json::Value::as_str);
    let same = configured.iter().find(|subscription| Some(subscription.url.as_str()) == url);
    same.map_or(String::new(), |same| format!(" Entry {:?} has the same URL.", same.name))
}

fn tell_unusable(faults: &[SubscriptionFault]) {
    for SubscriptionFault { pointer, message } in faults {
        tracing::error!(pointer, message, "a subscription cannot be used; it is out of force");
    }
}
