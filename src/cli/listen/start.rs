//! Where listening begins: what the command line asks for, and what an earlier run kept.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::history::{self, Span};
use super::keeper::Journal;
use super::lanes::Job;
use super::position::Position;
use super::signer::Signer;
use super::target::{Target, Wish};
use crate::cli::arguments::Globals;
use crate::cli::environment;
use crate::cli::fault::Fault;
use crate::cli::inspector::Api;
use crate::cli::live::Live;
use crate::cli::output::complain;
use crate::cli::query::query_of;
use crate::config::{SecretResolver, read_addresses};
use crate::domain::ListenAddress;

/// The longest name.
const MAX_NAME: usize = 64;

/// The filter of the API: accepted deliveries that the search finds.
pub fn filter(query: &[String]) -> String {
    format!("&verdict=accepted{}", query_of(query))
}

/// The target that the command line asks for.
///
/// # Errors
/// `Fault::Usage`.
pub async fn target(globals: &Globals, api: &Api, wish: Wish, sign: Option<&str>) -> anyhow::Result<Target> {
    if let (Some(url), Some(data_dir)) = (wish.url(), api.data_dir()) {
        refuse_own_receiver(url, data_dir)?;
    }
    let env = environment();
    let signer = match sign {
        Some(reference) => {
            let secrets = SecretResolver::new(globals.options().data_dir(&env), &env);
            Some(Signer::find(api, &secrets, reference).await?)
        }
        None => None,
    };
    Target::of(wish, signer).await
}

/// Each delivery that is forwarded to the receiver would arrive again.
fn refuse_own_receiver(url: &url::Url, data_dir: &Path) -> anyhow::Result<()> {
    let Some(ListenAddress::Tcp(own)) = read_addresses(data_dir).map(|addresses| addresses.receiver) else {
        return Ok(());
    };
    let is_port = url.port_or_known_default() == Some(own.port());
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback() || own.ip() == ip,
        Some(url::Host::Ipv6(ip)) => ip.is_loopback() || own.ip() == ip,
        None => false,
    };
    if is_port && is_here {
        return Err(Fault::usage(format!(
            "--forward-to {url} is the receiver of this instance: each delivery would arrive again"
        )));
    }
    Ok(())
}

/// What `--name` says.
///
/// # Errors
/// `Fault::Usage`.
pub fn read_name(name: &str) -> anyhow::Result<&str> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > MAX_NAME || name.starts_with('.') || !name.chars().all(is_letter) {
        return Err(Fault::usage(format!(
            "--name {name:?}: expected 1 to {MAX_NAME} letters, digits, '-', '_' and '.', as my-app"
        )));
    }
    Ok(name)
}

/// The file of `--name`: next to the store of a local instance, otherwise in the user's state directory.
///
/// # Errors
/// When it cannot be used.
pub fn journal(api: &Api, name: &str) -> anyhow::Result<Journal> {
    let folder = match api.data_dir() {
        Some(data_dir) => data_dir.join("listen"),
        None => state_folder(&environment())?.join(hex::encode(Sha256::digest(api.base().as_str()))),
    };
    Journal::open(&folder, name)
}

fn state_folder(env: &[(String, String)]) -> anyhow::Result<PathBuf> {
    let variable = |wanted: &str| {
        env.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value)
    };
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = variable("HOME").map(|home| Path::new(home).join(".local/state"));
    let folder = state.or(home).context("--name needs HOME or XDG_STATE_HOME, to keep the position there")?;
    Ok(folder.join("tagohook/listen"))
}

/// Where listening begins.
pub struct Start {
    /// Deliveries from before the stream.
    pub jobs: Vec<Job>,
    /// Where the stream begins.
    pub at: i64,
    /// The file, if the position is kept.
    pub journal: Option<Journal>,
    /// What is done already.
    pub is_done: (Position, HashSet<String>),
}

impl Start {
    /// Finds it.
    ///
    /// # Errors
    /// When the instance does not answer or refuses, or the position cannot be kept.
    pub async fn find(
        api: &Api,
        filter: &str,
        since: Option<&str>,
        mut journal: Option<Journal>,
    ) -> anyhow::Result<Self> {
        let kept = journal.as_ref().map(|journal| journal.kept().clone()).unwrap_or_default();
        let done: HashSet<String> = kept.done.iter().map(|(_, id)| id.clone()).collect();
        // The first event says where the stream begins, and whether that is where it was asked to begin.
        let mut live = Live::new(api, filter.to_owned(), kept.position.map(|position| position.to_string()));
        let (at, is_reset) = live.first_position().await?;
        let (after, from) = match (kept.position, kept.since.clone(), since) {
            (Some(position), ..) if !is_reset => {
                return Ok(Self {
                    jobs: Vec::new(),
                    at: position,
                    journal,
                    is_done: (Position::new(position), done),
                });
            }
            (Some(position), ..) if position <= at => (position, None),
            (Some(position), ..) => {
                complain(format_args!(
                    "position {position} is not in the log of this instance: it has another store. Continuing from now"
                ));
                (at, None)
            }
            (None, Some(since), _) => (0, Some(since)),
            (None, None, Some(since)) => {
                begin(&mut journal, Some(since))?;
                (0, Some(since.to_owned()))
            }
            (None, None, None) => (at, None),
        };
        let span = Span { filter, after, through: at, from: from.as_deref() };
        let jobs = if after < at { history::read(api, span).await? } else { Vec::new() };
        let mut position = Position::new(after);
        let jobs: Vec<Job> = jobs.into_iter().filter(|job| !done.contains(&job.id)).collect();
        jobs.iter().for_each(|job| position.open(job.seq));
        position.reached(at);
        if after == at {
            begin(&mut journal, None)?;
            // It is written down with the first note.
            position = Position::new(at.saturating_sub(1));
            position.reached(at);
        }
        Ok(Self { jobs, at, journal, is_done: (position, done) })
    }
}

fn begin(journal: &mut Option<Journal>, since: Option<&str>) -> anyhow::Result<()> {
    match journal {
        Some(journal) => journal.begin(since).context("the position cannot be kept"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_has_only_accepted_deliveries() {
        assert_eq!(filter(&[]), "&verdict=accepted");
        assert_eq!(filter(&["a:b".to_owned(), "c".to_owned()]), "&verdict=accepted&q=a%3Ab%20c");
    }

    #[test]
    fn the_state_folder_is_where_the_system_has_such_files() {
        let env = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let home = env("HOME", "/home/a");
        assert_eq!(
            state_folder(std::slice::from_ref(&home)).unwrap(),
            Path::new("/home/a/.local/state/tagohook/listen")
        );
        assert_eq!(
            state_folder(&[home, env("XDG_STATE_HOME", "/s")]).unwrap(),
            Path::new("/s/tagohook/listen")
        );
        assert!(state_folder(&[]).is_err());
    }
}
