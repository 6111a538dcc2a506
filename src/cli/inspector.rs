//! The API of the running instance, for commands.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use serde_json::Value;

use super::arguments::{Globals, Inspector};
use super::environment;
use super::output::{Unwritten, say};
use crate::config::{CREDENTIAL_VARIABLES, read_addresses};
use crate::send::{Client, Failure, Method, Outgoing, Pieces, TargetGuard};

/// The time limit for a response.
const TIMEOUT: Duration = Duration::from_secs(330);
/// The most bytes in a response.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// A client for the API.
pub struct Api {
    client: Client,
    base: url::Url,
    password: Option<String>,
}

/// Runs a command's future on a separate runtime.
pub fn run(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

impl Api {
    /// The API at `--inspector`, or of the instance running on the data directory.
    pub fn find(globals: &Globals, inspector: &Inspector) -> anyhow::Result<Self> {
        let env = environment();
        let data_dir = globals.options().data_dir(&env);
        let base = match (&inspector.inspector, read_addresses(&data_dir)) {
            (Some(url), _) => url.clone(),
            (None, Some(addresses)) => {
                let mut address = addresses.inspector;
                if address.ip().is_unspecified() {
                    address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
                }
                format!("http://{address}/")
            }
            (None, None) => bail!("{}", nobody_runs(&data_dir, " or --inspector URL")),
        };
        let base = url::Url::parse(&base).with_context(|| {
            format!("--inspector {base:?} is not a URL; expected e.g. http://127.0.0.1:8081/")
        })?;
        Ok(Self { client: Client::new(TargetGuard::new(false))?, base, password: password(&env) })
    }

    /// The response to `GET`.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::Get, path, Bytes::new()).await
    }

    /// The response to `POST`.
    pub async fn post(&self, path: &str, body: Bytes) -> anyhow::Result<Value> {
        self.ask(Method::Post, path, body).await
    }

    /// The response to `DELETE`.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::Delete, path, Bytes::new()).await
    }

    /// An endless response.
    pub async fn stream(&self, path: &str) -> anyhow::Result<Pieces> {
        let (status, mut pieces) = self
            .client
            .stream(self.url(path)?, self.headers())
            .await
            .map_err(|failure| self.unanswered(&failure))?;
        if status != 200 {
            let told = pieces.next().await.unwrap_or_default();
            bail!("{}", problem(status, &told));
        }
        Ok(pieces)
    }

    fn unanswered(&self, failure: &Failure) -> anyhow::Error {
        anyhow!(
            "the inspector at {} does not answer: {}; is tagohook still running there?",
            self.base,
            failure.detail
        )
    }

    fn url(&self, path: &str) -> anyhow::Result<url::Url> {
        // Under the path of a proxy, if the URL has one.
        let under = self.base.path().trim_end_matches('/');
        Ok(self.base.join(&format!("{under}/api/v1/{path}"))?)
    }

    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut headers = vec![("Content-Type".to_owned(), b"application/json".to_vec())];
        if let Some(password) = &self.password {
            headers.push(("Authorization".to_owned(), format!("Bearer {password}").into_bytes()));
        }
        headers
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Value> {
        let url = self.url(path)?;
        let request =
            Outgoing { method, url, headers: self.headers(), body, timeout: TIMEOUT, max_answer: MAX_ANSWER };
        let answer = self.client.send(request).await.result.map_err(|failure| self.unanswered(&failure))?;
        if !(200..300).contains(&answer.status) {
            bail!("{}", problem(answer.status, &answer.body));
        }
        if answer.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer.body)?) }
    }
}

/// The inspector's password, without the trailing newline of a secret file.
fn password(env: &[(String, String)]) -> Option<String> {
    CREDENTIAL_VARIABLES.into_iter().find_map(|wanted| {
        let (_, value) = env.iter().find(|(name, _)| name == wanted)?;
        let value = value.trim_end_matches(['\r', '\n']);
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The error if no instance is running; `more` names alternatives to its data directory.
pub fn nobody_runs(data_dir: &Path, more: &str) -> String {
    format!(
        "no running tagohook found in {}. Start one with `tagohook`, or give its --data-dir{more}",
        data_dir.display()
    )
}

/// The message of a rejected request, one line per fault.
fn problem(status: u16, body: &[u8]) -> String {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let no_inspector = format!("HTTP {status} from something else; is the path of --inspector right?");
    let detail = told.get("detail").and_then(Value::as_str).unwrap_or(&no_inspector);
    let mut lines = vec![match status {
        401 => format!("{detail} Set TAGOHOOK_PASSWORD to the inspector's password."),
        _ => detail.to_owned(),
    }];
    let errors = told.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    lines.extend(
        errors.iter().map(|error| format!("  {}: {}", text(error, "pointer"), text(error, "message"))),
    );
    lines.join("\n")
}

/// A member as text; `-` if it is missing. The text cannot control the terminal.
pub fn text(object: &Value, key: &str) -> String {
    let text = match object.get(key) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// `text` encoded for a path or query.
pub fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Prints rows under a heading, each column as wide as its widest value.
///
/// # Errors
/// `Unwritten`.
pub fn print_table(heading: &[&str], rows: &[Vec<String>]) -> Result<(), Unwritten> {
    let heading: Vec<String> = heading.iter().map(|&word| word.to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
    let width = |at: usize| all.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    for row in &all {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let gap = width(at).unwrap_or(0).saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(gap))
        });
        say!("{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
