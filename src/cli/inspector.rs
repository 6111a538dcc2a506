//! The API of the running instance, for commands.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::arguments::{Globals, Inspector};
use super::environment;
use super::fault::Fault;
use crate::config::{CREDENTIAL_VARIABLES, read_addresses};
use crate::send::{Client, Failure, Method, Outgoing, Pieces, Response, TargetGuard};

/// The time limit for a response.
const TIMEOUT: Duration = Duration::from_secs(330);
/// The rows of a page.
const PAGE: usize = 500;
/// The most bytes in a response.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// What the API says of every request with faults. One fault needs no heading.
const GENERAL: [&str; 2] = ["The query parameters are not valid.", "The request body is not valid."];

/// A client for the API.
pub struct Api {
    client: Client,
    base: url::Url,
    /// The data directory of a local instance, which has another address after a restart on another port.
    data_dir: Option<PathBuf>,
    password: Option<String>,
}

/// Runs a command's future on a separate runtime.
pub fn run(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

impl Api {
    /// The API at `--url`, or of the instance running on the data directory.
    pub fn find(globals: &Globals, inspector: &Inspector) -> anyhow::Result<Self> {
        let env = environment();
        let data_dir = globals.options().data_dir(&env);
        let base = match &inspector.url {
            Some(url) => http_url("--url", url, "http://127.0.0.1:8081/")?,
            None => {
                local(&data_dir).ok_or_else(|| nobody_runs(&data_dir, ", or --url URL of a remote one"))?
            }
        };
        let client = Client::new(TargetGuard::new(false))?;
        let data_dir = inspector.url.is_none().then_some(data_dir);
        Ok(Self { client, base, data_dir, password: password(&env) })
    }

    /// The data directory, if the instance was found by it.
    pub fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// Where the instance is now.
    pub fn base(&self) -> url::Url {
        self.data_dir.as_deref().and_then(local).unwrap_or_else(|| self.base.clone())
    }

    /// The URL of a page, `/health`.
    pub fn page(&self, path: &str) -> String {
        format!("{}{}", self.base(), path.trim_start_matches('/'))
    }

    /// The response to `GET`.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::Get, path, Bytes::new()).await
    }

    /// The response to `GET`, with its `Date`.
    pub async fn get_dated(&self, path: &str) -> anyhow::Result<(Value, Option<String>)> {
        let answer = self.exchange(Method::Get, path, Bytes::new()).await?;
        let date = answer.headers.iter().find(|(name, _)| name == "date").map(|(_, value)| value.clone());
        Ok((serde_json::from_slice(&answer.body)?, date))
    }

    /// The bytes of the response to `GET`.
    pub async fn bytes(&self, path: &str) -> anyhow::Result<Bytes> {
        Ok(self.exchange(Method::Get, path, Bytes::new()).await?.body)
    }

    /// The rows of a list, newest first, over all its pages; `plural` is their member, such as `dead_letters`. `query`
    /// starts with `&`. At most `limit`, if given.
    pub async fn pages(&self, plural: &str, query: &str, limit: Option<usize>) -> anyhow::Result<Vec<Value>> {
        self.pages_before(String::new(), plural, query, limit).await
    }

    /// The same, of those before a position, `&before=…`.
    pub async fn pages_before(
        &self,
        mut before: String,
        plural: &str,
        query: &str,
        limit: Option<usize>,
    ) -> anyhow::Result<Vec<Value>> {
        let path = plural.replace('_', "-");
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let page = limit.map_or(PAGE, |limit| limit.saturating_sub(rows.len()).min(PAGE));
            if page == 0 {
                return Ok(rows);
            }
            let told = self.get(&format!("{path}?limit={page}{before}{query}")).await?;
            rows.extend(told.get(plural).and_then(Value::as_array).cloned().unwrap_or_default());
            match told.get("next").and_then(Value::as_str) {
                Some(next) => before = format!("&before={}", encoded(next)),
                None => return Ok(rows),
            }
        }
    }

    /// The response to `POST`.
    pub async fn post(&self, path: &str, body: Bytes) -> anyhow::Result<Value> {
        self.ask(Method::Post, path, body).await
    }

    /// The response to `POST` of what the command line asks for.
    pub async fn post_question(&self, path: &str, asked: Map<String, Value>) -> anyhow::Result<Value> {
        self.post(path, Value::Object(asked).to_string().into()).await.map_err(Fault::of_question)
    }

    /// The response to `PATCH`.
    pub async fn patch(&self, path: &str, body: Bytes) -> anyhow::Result<Value> {
        self.ask(Method::Patch, path, body).await
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
            return Err(refused(Method::Get, status, &told));
        }
        Ok(pieces)
    }

    fn unanswered(&self, failure: &Failure) -> anyhow::Error {
        Fault::unreachable(format!(
            "the inspector at {} does not answer: {}; is tagohook still running there?",
            self.base(),
            failure.detail
        ))
    }

    fn url(&self, path: &str) -> anyhow::Result<url::Url> {
        // Under the path of a proxy, if the URL has one.
        let base = self.base();
        let under = base.path().trim_end_matches('/');
        Ok(base.join(&format!("{under}/api/v1/{path}"))?)
    }

    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut headers = vec![("Content-Type".to_owned(), b"application/json".to_vec())];
        if let Some(password) = &self.password {
            headers.push(("Authorization".to_owned(), format!("Bearer {password}").into_bytes()));
        }
        headers
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Value> {
        let answer = self.exchange(method, path, body).await?;
        if answer.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer.body)?) }
    }

    async fn exchange(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Response> {
        let url = self.url(path)?;
        let request =
            Outgoing { method, url, headers: self.headers(), body, timeout: TIMEOUT, max_answer: MAX_ANSWER };
        let answer = self.client.send(request).await.result.map_err(|failure| self.unanswered(&failure))?;
        if !(200..300).contains(&answer.status) {
            return Err(refused(method, answer.status, &answer.body));
        }
        Ok(answer)
    }
}

/// The inspector of the instance that runs on a data directory.
fn local(data_dir: &Path) -> Option<url::Url> {
    let mut address = read_addresses(data_dir)?.inspector;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    url::Url::parse(&format!("http://{address}/")).ok()
}

/// The inspector's password, without the trailing newline of a secret file.
fn password(env: &[(String, String)]) -> Option<String> {
    CREDENTIAL_VARIABLES.into_iter().find_map(|wanted| {
        let (_, value) = env.iter().find(|(name, _)| name == wanted)?;
        let value = value.trim_end_matches(['\r', '\n']);
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The URL in an option; `example` shows what is expected.
///
/// # Errors
/// `Fault::Usage`, if it is not an http or https URL.
pub fn http_url(option: &str, text: &str, example: &str) -> anyhow::Result<url::Url> {
    url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Fault::usage(format!("{option} {text:?} is not an http or https URL; expected e.g. {example}"))
        })
}

/// The error if no instance is running; `more` names alternatives to its data directory.
pub fn nobody_runs(data_dir: &Path, more: &str) -> anyhow::Error {
    Fault::unreachable(format!(
        "no running tagohook found in {}. Start one with `tagohook`, or give its --data-dir{more}",
        data_dir.display()
    ))
}

/// The error of a rejected request. A question that cannot be read is wrong usage.
fn refused(method: Method, status: u16, body: &[u8]) -> anyhow::Error {
    let problem = problem(status, body);
    if status == 400 && method == Method::Get {
        Fault::usage(problem)
    } else {
        Fault::Refused(status, problem).into()
    }
}

/// The message of a rejected request, one line per fault.
fn problem(status: u16, body: &[u8]) -> String {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let no_inspector = format!("HTTP {status} from something else; is the path of --url right?");
    let detail = told.get("detail").and_then(Value::as_str).unwrap_or(&no_inspector);
    let mut lines = vec![match status {
        401 => format!("{detail} Set TAGOHOOK_PASSWORD to the password, or TAGOHOOK_TOKEN to a token."),
        _ => detail.to_owned(),
    }];
    let errors = told.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    match errors.as_slice() {
        [only] if GENERAL.contains(&detail) => fault_line(only),
        errors => {
            lines.extend(errors.iter().map(|error| format!("  {}", fault_line(error))));
            lines.join("\n")
        }
    }
}

/// What is wrong with a parameter or a member. The search is what the user typed, and has no name there.
fn fault_line(error: &Value) -> String {
    let (pointer, message) = (text(error, "pointer"), text(error, "message"));
    // A place inside a body stays a pointer.
    let name = pointer.strip_prefix('/').filter(|name| !name.contains('/')).unwrap_or(&pointer);
    let message = message.strip_prefix(&format!("{name} cannot be read: ")).unwrap_or(&message);
    if matches!(name, "" | "q") || message.starts_with(name) {
        message.to_owned()
    } else {
        format!("{name}: {message}")
    }
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
