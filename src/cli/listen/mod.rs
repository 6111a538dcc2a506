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
use self::target::Wish;
use super::arguments::{Globals, Listen};
use super::inspector::{self, Api};
use super::interrupt::Interrupts;
use super::live::Live;
use super::moment::read_since;
use super::output::notice;

/// Forwards until it is stopped.
pub fn run(globals: &Globals, asked: &Listen) -> anyhow::Result<ExitCode> {
    let wish = Wish::read(asked)?;
    let since = asked.since.as_deref().map(read_since).transpose()?;
    let name = asked.name.as_deref().map(start::read_name).transpose()?;
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        let filter = start::filter(&asked.query);
        let target = start::target(globals, &api, wish, asked.sign.as_deref()).await?;
        reports::check(&api, &target.to()).await?;
        let journal = name.map(|name| start::journal(&api, name)).transpose()?;
        let mut interrupts = Interrupts::listen()?;
        let began = interrupts.or(Start::find(&api, &filter, since.as_deref(), journal)).await?;
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
