//! Forwards one delivery, and reads the next one of its lane in the meantime.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::time::timeout;

use super::lanes::Job;
use super::parcel::Parcel;
use super::target::{Answer, Target};
use crate::cli::fault::Fault;
use crate::cli::inspector::Api;
use crate::send::Failure;

/// How long a read may take before it is tried again.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// The result of an attempt.
pub enum Attempt {
    /// It was answered.
    Answered(Answer),
    /// It was sent, or could not be sent, and got no response.
    Unanswered(Failure),
    /// It could not be read from the instance now.
    Unread(anyhow::Error),
    /// Retention has removed it.
    Gone,
}

/// A delivery after an attempt.
pub struct Forwarded {
    /// The delivery.
    pub job: Job,
    /// The result.
    pub attempt: Attempt,
    /// The method and the path that it was sent to.
    pub sent_to: String,
    /// The next one of its lane, if it was read in the meantime.
    pub ahead: Option<(String, Parcel)>,
}

/// Forwards `job`; `read` is its parcel if it was read ahead, and `next` the id of the one behind it.
pub async fn forward(
    api: &Api,
    target: &Target,
    job: Job,
    read: Option<Parcel>,
    next: Option<String>,
) -> Forwarded {
    let parcel = match read {
        Some(parcel) => Ok(parcel),
        None => fetch(api, &job.id).await,
    };
    let parcel = match parcel {
        Ok(parcel) => parcel,
        Err(fault) => {
            let attempt = if Fault::is_missing(&fault) { Attempt::Gone } else { Attempt::Unread(fault) };
            return Forwarded { job, attempt, sent_to: String::new(), ahead: None };
        }
    };
    let place = target.url(&job, &parcel);
    let sent_to = place.map_or(String::new(), |url| format!("{} {}", parcel.method, url.path()));
    let mut ahead = None;
    let read_ahead = async {
        if let Some(id) = next
            && let Ok(parcel) = fetch(api, &id).await
        {
            ahead = Some((id, parcel));
        }
        pending::<Infallible>().await
    };
    // The result is not held up by what is read ahead.
    let delivered = tokio::select! {
        biased;
        delivered = target.deliver(&job, parcel) => delivered,
        never = read_ahead => match never {},
    };
    let attempt = match delivered {
        Ok(answer) => Attempt::Answered(answer),
        Err(failure) => Attempt::Unanswered(failure),
    };
    Forwarded { job, attempt, sent_to, ahead }
}

async fn fetch(api: &Api, id: &str) -> anyhow::Result<Parcel> {
    timeout(READ_WITHIN, Parcel::fetch(api, id))
        .await
        .unwrap_or_else(|_| Err(Fault::unreachable("the inspector did not answer in time")))
}
