//! `tagohook listen`: forwards accepted deliveries to an app or a command as they arrive, each at least once, and those of a
//! device in order.

mod forward;
mod history;
mod keeper;
mod lanes;
mod lines;
mod outage;
mod parcel;
mod position;
mod reports;
mod session;
mod signer;
mod start;
mod target;

use std::process::ExitCode;

use anyhow::Context as _;

use self::keeper::Keeper;
use self::lines::Lines;
use self::reports::Reports;
use self::session::{Rules, Session};
use self::start::Start;
use super::arguments::{Globals, Listen};
use super::inspector::{self, Api, http_url};
use super::interrupt::Interrupts;
use super::live::Live;
use super::output::notice;

/// Forwards until it is stopped.
pub fn run(globals: &Globals, asked: &Listen) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        if let Some(url) = &asked.forward_to {
            http_url("--forward-to", url, "http://localhost:3000/hook")?;
        }
        let api = Api::find(globals, &asked.inspector)?;
        let filter = start::filter(&asked.query);
        let target = start::target(globals, &api, asked).await?;
        let journal = start::journal(&api, asked)?;
        let mut interrupts = Interrupts::listen()?;
        let began = interrupts.or(Start::find(&api, &filter, asked, journal)).await?;
        let Start { jobs, at, journal, is_done } = began;
        notice(format_args!("forwarding to {}; Ctrl-C ends it", target.shown()));
        let live = Live::new(&api, filter.clone(), Some(at.to_string()));
        let unsent = journal.as_ref().map(|journal| journal.kept().reports.clone()).unwrap_or_default();
        let keeper = Keeper::start(journal).context("a thread cannot be started")?;
        let rules = Rules {
            concurrency: usize::try_from(asked.concurrency).unwrap_or(1),
            retries: asked.retries,
            attempts: asked.attempts,
            lines: Lines { json: asked.rows.json },
        };
        let reports = Reports::new(&api, &target.to(), asked.sign.is_some(), &unsent);
        let mut session = Session::new(&api, &target, rules, keeper, reports, (jobs, is_done));
        let ended = session.work(live, &filter, &mut interrupts).await;
        let finished = session.finish(&mut interrupts).await;
        ended.and(finished)
    })
}
