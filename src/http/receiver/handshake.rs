//! Answers platforms' handshake questions: first the required action, then the row, then the response.

use std::fs;

use super::no_delivery::Sender;
use super::respond;
use super::state::{ReceiverState, Rules};
use crate::config::keep_secret;
use crate::domain::{Decision, Delivery, Entry, Gate, HandshakeRule, Outcome, Reason, Secret};
use crate::http::connection::caller::Caller;
use crate::receive::handshake::{FollowUp, Reply};
use crate::telemetry::NotKept;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

impl ReceiverState {
    /// Performs the action that a platform's question requires, stores the question as a delivery, and answers it.
    pub(super) async fn shake_hands(
        &self,
        rules: &Rules,
        mut entry: Entry,
        mut reply: Reply,
        caller: Option<&Caller>,
    ) -> HttpResponse {
        let client = entry.delivery.client.ip;
        if !rules.refused_rate.allows(client) {
            let Delivery { method, path, .. } = &entry.delivery;
            let sender = Sender { client, method, target: path };
            let retry = rules.refused_rate.retry_after_s();
            return self.over_rate(&sender, NotKept::RefusedRate, "refused_rate", retry);
        }
        let rule = rules.receiver.source(&entry.delivery.source).and_then(|source| source.handshake.clone());
        match (reply.follow_up.take(), rule) {
            (Some(FollowUp::Open(link)), _) => {
                let note = match self.links.open(&link).await {
                    Ok((status @ 200..=299, _)) => {
                        format!("the link was opened and answered {status}: confirmed")
                    }
                    Ok((status, _)) => {
                        format!("the link was opened and answered {status}: not confirmed; {link}")
                    }
                    Err(why) => format!("the link was not opened ({why}); open it to confirm: {link}"),
                };
                add_note(&mut entry, note);
                self.answer_question(entry, reply, caller).await
            }
            (Some(FollowUp::Keep(secret)), Some(rule)) => {
                self.take_secret(entry, reply, (&rule, secret), caller).await
            }
            _ => self.answer_question(entry, reply, caller).await,
        }
    }

    /// Stores the handed-over secret and the row, then responds. Of concurrent requests, exactly one succeeds.
    async fn take_secret(
        &self,
        mut entry: Entry,
        reply: Reply,
        (rule, secret): (&HandshakeRule, Secret),
        caller: Option<&Caller>,
    ) -> HttpResponse {
        match keep_secret(&rule.handed.file, secret.expose()) {
            Ok(true) => {}
            Ok(false) => {
                entry.decision = Decision::Reject(Reason::HandshakeRefused);
                for check in entry.checks.iter_mut().filter(|check| check.gate == Gate::Payload) {
                    check.outcome = Outcome::Fail;
                    check.reason = Some(Reason::HandshakeRefused);
                    check.notes = vec!["another secret was handed over at the same moment".to_owned()];
                }
                return match self.keep(entry, caller).await {
                    Err(answer) => answer,
                    Ok(_) => respond::refused(Reason::HandshakeRefused, &[]),
                };
            }
            Err(fault) => {
                tracing::error!(file = %rule.handed.file.display(), %fault, "the secret cannot be kept: answered 503");
                return respond::cannot_keep();
            }
        }
        let answer = self.answer_question(entry, reply, caller).await;
        if answer.status().is_success() {
            rule.handed.take(secret);
        } else {
            // Its platform will hand over another one.
            let _ = fs::remove_file(&rule.handed.file);
        }
        answer
    }

    async fn answer_question(&self, entry: Entry, reply: Reply, caller: Option<&Caller>) -> HttpResponse {
        match self.keep(entry, caller).await {
            Err(answer) => answer,
            Ok(_) => respond_with(reply),
        }
    }
}

fn add_note(entry: &mut Entry, note: String) {
    if let Some(check) = entry.checks.iter_mut().find(|check| check.gate == Gate::Payload) {
        check.notes.push(note);
    }
}

fn respond_with(reply: Reply) -> HttpResponse {
    let mut answer = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK));
    // The sender chose the returned text: a browser must not treat it as a page.
    answer.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if let Some((name, value)) = reply.header {
        answer.insert_header((name, value));
    }
    if reply.content_type.is_empty() {
        return answer.finish();
    }
    answer.insert_header((CONTENT_TYPE, reply.content_type)).body(reply.body)
}

/// The response for a source whose platform allows no body in it.
pub fn without_body(answer: HttpResponse) -> HttpResponse {
    answer.map_body(|head, _| {
        head.headers.remove(CONTENT_TYPE);
        BoxBody::new(())
    })
}
