//! Where deliveries are forwarded to: the user's app, a command, or both.

use std::process::Stdio;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::process;
use url::Url;

use super::lanes::Job;
use super::parcel::Parcel;
use super::signer::Signer;
use crate::cli::arguments::Listen;
use crate::cli::fault::Fault;
use crate::cli::inspector::http_url;
use crate::config::duration;
use crate::domain::{AttemptError, Clock as _};
use crate::inspect::replay::forwarded_url;
use crate::send::{Client, Failure, Method, Outcome, Outgoing, TargetGuard};
use crate::telemetry::SystemClock;

/// The most bytes that are kept of a response.
const MAX_ANSWER: usize = 16 * 1024;

/// What the app, or the command, answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of the app, or the exit code of the command; 128 and its signal if that ended it.
    pub status: u16,
    /// Whether it is a success: 2xx, or exit code 0.
    pub is_well: bool,
    /// How long it took.
    pub elapsed: Duration,
    /// What to add to the line, such as where a redirect points to.
    pub remark: String,
    /// The output of the command.
    pub output: String,
    /// The first bytes of the response.
    pub body: Bytes,
}

/// The targets.
pub struct Target {
    client: Client,
    url: Option<Url>,
    routes: Vec<(String, String)>,
    signer: Option<Signer>,
    exec: Option<String>,
    timeout: Duration,
}

/// What the command line asks for.
pub struct Wish {
    url: Option<Url>,
    routes: Vec<(String, String)>,
    exec: Option<String>,
    timeout: Duration,
}

impl Wish {
    /// Reads `--forward-to`, `--route`, `--exec` and `--timeout`.
    ///
    /// # Errors
    /// `Fault::Usage`.
    pub fn read(asked: &Listen) -> anyhow::Result<Self> {
        let url = asked.forward_to.as_deref();
        let url = url.map(|url| http_url("--forward-to", url, "http://localhost:3000/hook")).transpose()?;
        let routes = asked.route.iter().map(|route| read_route(route)).collect::<anyhow::Result<_>>()?;
        if asked.exec.as_deref().is_some_and(|command| command.trim().is_empty()) {
            return Err(Fault::usage("--exec names no command; expected one such as 'jq .data'"));
        }
        let timeout = duration(&asked.timeout).map_err(|why| Fault::usage(format!("--timeout: {why}")))?;
        Ok(Self { url, routes, exec: asked.exec.clone(), timeout })
    }

    /// The URL of the app.
    pub const fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }
}

impl Target {
    /// The target that is wished. A name is resolved, so that one of a forbidden address is refused before anything is sent.
    ///
    /// # Errors
    /// `Fault::Usage`.
    pub async fn of(wish: Wish, signer: Option<Signer>) -> anyhow::Result<Self> {
        let Wish { url, routes, exec, timeout } = wish;
        let guard = TargetGuard::new(false);
        if let Some(url) = &url {
            guard.check_url(url).map_err(|blocked| Fault::usage(format!("--forward-to {url}: {blocked}")))?;
            let checked = guard.check_name(url, true).await;
            checked.map_err(|blocked| Fault::usage(format!("--forward-to {url}: {blocked}")))?;
        }
        Ok(Self { client: Client::new(guard)?, url, routes, signer, exec, timeout })
    }

    /// The URL, without its path.
    pub fn shown(&self) -> String {
        self.url.as_ref().map_or_else(|| "the command".to_owned(), |url| url.origin().ascii_serialization())
    }

    /// The whole URL, or the command.
    pub fn to(&self) -> String {
        match (&self.url, &self.exec) {
            (Some(url), _) => url.to_string(),
            (None, command) => command.clone().unwrap_or_default(),
        }
    }

    /// The URL that a delivery is sent to.
    pub fn url(&self, job: &Job, parcel: &Parcel) -> Option<Url> {
        let mut url = self.url.clone()?;
        let route = self.routes.iter().find(|(pattern, _)| is_match(pattern, &job.event_type));
        if let Some((_, path)) = route {
            let (path, query) =
                path.split_once('?').map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
            url.set_path(path);
            url.set_query(query.or(url.query().map(str::to_owned).as_deref()));
        }
        Some(forwarded_url(&url, &parcel.path))
    }

    /// Forwards a delivery: to the app, and if that took it, to the command.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn deliver(&self, job: &Job, parcel: Parcel) -> Result<Answer, Failure> {
        let body = parcel.body.clone();
        let answer = match self.url(job, &parcel) {
            Some(url) => Some(self.over_http(job, parcel, url).await?),
            None => None,
        };
        match (&self.exec, answer) {
            (Some(_), Some(answer)) if !answer.is_well => Ok(answer),
            (Some(command), answer) => {
                let ran = self.run(command, job, body).await?;
                Ok(match answer {
                    Some(answer) if ran.is_well => Answer { output: ran.output, ..answer },
                    Some(_) | None => ran,
                })
            }
            (None, Some(answer)) => Ok(answer),
            (None, None) => Err(Failure::new(AttemptError::Connect, "nothing to forward to")),
        }
    }

    async fn over_http(&self, job: &Job, parcel: Parcel, url: Url) -> Result<Answer, Failure> {
        let method = Method::named(&parcel.method).ok_or_else(|| {
            Failure::new(AttemptError::HeaderInvalid, format!("the method {} cannot be sent", parcel.method))
        })?;
        let headers = match &self.signer {
            Some(signer) => signer
                .signed(job, &parcel, SystemClock.wall())
                .map_err(|why| Failure::new(AttemptError::HeaderInvalid, why))?,
            None => parcel.headers,
        };
        let (timeout, max_answer) = (self.timeout, MAX_ANSWER);
        let request = Outgoing { method, url, headers, body: parcel.body, timeout, max_answer };
        let Outcome { elapsed, result } = self.client.send(request).await;
        let response = result?;
        let location = response.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value);
        let remark = match (response.status, location) {
            (300..400, Some(place)) => format!("redirects to {place}, which is not followed"),
            _ => String::new(),
        };
        let is_well = (200..300).contains(&response.status);
        let (status, body) = (response.status, response.body);
        Ok(Answer { status, is_well, elapsed, remark, output: String::new(), body })
    }

    async fn run(&self, command: &str, job: &Job, body: Bytes) -> Result<Answer, Failure> {
        let fault = |fault: std::io::Error| Failure::new(AttemptError::Connect, format!("sh: {fault}"));
        let started = Instant::now();
        let mut child = process::Command::new("sh")
            .args(["-c", command])
            .env("TAGOHOOK_DELIVERY_ID", &job.id)
            .env("TAGOHOOK_EVENT_TYPE", &job.event_type)
            .env("TAGOHOOK_EVENT_ID", &job.event_id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C waits for it, and does not end it.
            .process_group(0)
            .spawn()
            .map_err(fault)?;
        let stdin = child.stdin.take();
        let written = async move {
            if let Some(mut stdin) = stdin {
                // A command need not read its input.
                let _ = stdin.write_all(&body).await;
            }
        };
        let both = async { tokio::join!(child.wait_with_output(), written).0 };
        let output = tokio::time::timeout(self.timeout, both)
            .await
            .map_err(|_| Failure::new(AttemptError::Timeout, "the command did not end in time"))?
            .map_err(fault)?;
        Ok(Answer {
            status: exit_status(output.status),
            is_well: output.status.success(),
            elapsed: started.elapsed(),
            remark: "by the command".to_owned(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            body: output.stdout.into(),
        })
    }
}

/// The exit code as shells show it.
fn exit_status(status: std::process::ExitStatus) -> u16 {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().map(|signal| signal.saturating_add(128));
    status.code().or(signal).and_then(|code| u16::try_from(code).ok()).unwrap_or(1)
}

fn read_route(route: &str) -> anyhow::Result<(String, String)> {
    let expected = || Fault::usage(format!("--route {route:?}: expected EVENT=/PATH, as 'data.*=/data'"));
    let (pattern, path) = route.split_once('=').ok_or_else(expected)?;
    if pattern.is_empty() || !path.starts_with('/') {
        return Err(expected());
    }
    Ok((pattern.to_owned(), path.to_owned()))
}

/// `*`, `data.*` or `data.received`.
fn is_match(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => event_type.starts_with(start),
        None => pattern == event_type,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::arguments::{Arguments, Command};

    #[test]
    fn a_pattern_is_a_name_the_start_of_one_or_everything() {
        for (pattern, name, matches) in [
            ("data.*", "data.received", true),
            ("data.*", "user.login", false),
            ("*", "", true),
            ("user.login", "user.login", true),
            ("user.login", "user.logins", false),
        ] {
            assert_eq!(is_match(pattern, name), matches, "{pattern} {name}");
        }
        assert!(read_route("data.*=/data").is_ok());
        for wrong in ["data.*", "=/x", "data.*=data"] {
            assert!(read_route(wrong).unwrap_err().to_string().contains("expected EVENT=/PATH"), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_forbidden_target_is_refused_before_anything_is_sent() {
        for (url, why) in [
            ("http://169.254.169.254/latest", "is never reached"),
            ("http://[::ffff:169.254.169.254]/", "is never reached"),
            ("ftp://localhost/", "is not an http or https URL"),
            ("localhost:3000", "is not an http or https URL"),
        ] {
            let words = ["tagohook", "listen", "--forward-to", url];
            let Some(Command::Listen(asked)) = Arguments::parse_from(words).command else { panic!() };
            let refused = match Wish::read(&asked) {
                Ok(wish) => Target::of(wish, None).await.err().unwrap(),
                Err(refused) => refused,
            };
            assert!(refused.to_string().contains(why), "{url}: {refused}");
            assert!(refused.is::<Fault>());
        }
    }
}
