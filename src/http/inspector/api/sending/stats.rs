//! `GET stats`, with the names of the specification and exact means.

use std::collections::BTreeMap;

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::inspector::api::openapi::Done;
use crate::http::inspector::operations::figures::{Stats, together};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;

/// Figures of attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatsObject {
    overall: Stats,
    /// By the ids of subscriptions.
    subscriptions: BTreeMap<String, Stats>,
}

/// The figures, in total and for each subscription.
pub async fn stats(state: web::Data<InspectorState>) -> Result<Done<StatsObject>, Problem> {
    let all = state.store.sender_figures().await?;
    let known = state.sender.subscriptions().all();
    let blank = known.iter().map(|active| (active.compiled.id().to_owned(), Stats::default()));
    let mut subscriptions: BTreeMap<String, Stats> = blank.collect();
    subscriptions.extend(all.iter().map(|figures| (figures.subscription.clone(), Stats::from(figures))));
    Ok(Done(StatsObject { overall: Stats::from(&together(&all)), subscriptions }))
}
