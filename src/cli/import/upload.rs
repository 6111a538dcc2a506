//! Gives deliveries to the running instance, many at a time, and counts what became of them.

use serde_json::{Value, json};

use super::found::{Found, Numbered};
use crate::cli::inspector::Api;
use crate::cli::output::{complain, say};

/// The most deliveries of a request, as the API has it.
const MOST: usize = 100;
/// A request with more bytes than this gets no further delivery.
const ENOUGH: usize = 1024 * 1024;

/// What became of the deliveries in a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub imported: u64,
    pub known: u64,
    pub refused: u64,
    pub skipped: u64,
}

/// The deliveries that wait to be sent.
pub struct Upload<'a> {
    api: &'a Api,
    /// What the numbers of deliveries count.
    noun: &'static str,
    is_json: bool,
    /// Number and JSON.
    waiting: Vec<(usize, String)>,
    bytes: usize,
    tally: Tally,
}

impl<'a> Upload<'a> {
    /// An upload to that instance. Refused deliveries are printed as JSON, or for people.
    pub fn new(api: &'a Api, noun: &'static str, is_json: bool) -> Self {
        Self { api, noun, is_json, waiting: Vec::new(), bytes: 0, tally: Tally::default() }
    }

    /// Takes a delivery.
    ///
    /// # Errors
    /// When the instance does not answer, or refuses the request.
    pub async fn add(&mut self, Numbered { number, found }: Numbered) -> anyhow::Result<()> {
        match found {
            Found::Skipped => self.tally.skipped = self.tally.skipped.saturating_add(1),
            Found::Broken(why) => self.refuse(number, &why)?,
            Found::Delivery(text) => {
                self.bytes = self.bytes.saturating_add(text.len());
                let is_over = self.bytes > ENOUGH && !self.waiting.is_empty();
                if is_over || self.waiting.len() >= MOST {
                    self.send().await?;
                    self.bytes = text.len();
                }
                self.waiting.push((number, text));
            }
        }
        Ok(())
    }

    /// Sends what waits; what became of all of them.
    ///
    /// # Errors
    /// As for `add`.
    pub async fn finish(mut self) -> anyhow::Result<Tally> {
        if !self.waiting.is_empty() {
            self.send().await?;
        }
        Ok(self.tally)
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let sent = std::mem::take(&mut self.waiting);
        let texts: Vec<&str> = sent.iter().map(|(_, text)| text.as_str()).collect();
        // As they are in the file: no number loses a digit.
        let body = format!("{{\"deliveries\":[{}]}}", texts.join(","));
        let told = self.api.post("deliveries/import", body.into()).await?;
        let count = |name: &str| told.get(name).and_then(Value::as_u64).unwrap_or_default();
        self.tally.imported = self.tally.imported.saturating_add(count("imported"));
        self.tally.known = self.tally.known.saturating_add(count("known"));
        for refused in told.get("refused").and_then(Value::as_array).into_iter().flatten() {
            let index = refused.get("index").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
            let number = index.and_then(|at| sent.get(at)).map_or(0, |(number, _)| *number);
            self.refuse(number, &reasons(refused))?;
        }
        Ok(())
    }

    fn refuse(&mut self, number: usize, why: &str) -> anyhow::Result<()> {
        self.tally.refused = self.tally.refused.saturating_add(1);
        if self.is_json {
            say!("{}", json!({self.noun: number, "error": why}))?;
        } else {
            complain(format_args!("{} {number}: {why}", self.noun));
        }
        Ok(())
    }
}

/// Every fault of a delivery.
fn reasons(refused: &Value) -> String {
    let errors = refused.get("errors").and_then(Value::as_array).into_iter().flatten();
    let text =
        |error: &Value, name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let said = errors.map(|error| match text(error, "pointer").trim_start_matches('/') {
        "" => text(error, "message"),
        member => format!("{member}: {}", text(error, "message")),
    });
    said.collect::<Vec<_>>().join("; ")
}
