//! `GET stats`, with the names of the specification and exact means.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::http::inspector::operations::figures::{Stats, together};
use crate::http::inspector::problem::{Problem, answer};
use crate::http::inspector::state::InspectorState;

/// The figures, in total and for each subscription.
pub async fn stats(state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let all = state.store.sender_figures().await.map_err(|fault| Problem::store_fault(&fault))?;
            let mut each: BTreeMap<String, Stats> = state
                .sender
                .subscriptions()
                .all()
                .iter()
                .map(|active| (active.compiled.id().to_owned(), Stats::default()))
                .collect();
            each.extend(all.iter().map(|figures| (figures.subscription.clone(), Stats::from(figures))));
            let overall = Stats::from(&together(&all));
            Ok(HttpResponse::Ok().json(json!({"overall": overall, "subscriptions": each})))
        }
        .await,
    )
}
