//! Decides in the node whether a row matches.

use tokio_postgres::Row;

use super::condition::{Decision, Plan};
use crate::domain::Unverified;
use crate::store::StoreError;
use crate::store::log::encoding;
use crate::store::postgres::column;
use crate::store::search::text::{folded, folded_body, header_holds, user_in};

/// The columns that a text is searched in everywhere, in addition to headers and body.
const TEXTS: [&str; 6] = ["path", "source", "event_type", "event_name", "event_id", "entity"];

impl Plan {
    /// The columns that `decides` reads in addition to `TEXTS`, each with a comma before it.
    pub fn extra_columns(&self) -> String {
        let mut sql = String::new();
        if self.rest.is_none() {
            return sql;
        }
        sql.push_str(&format!(", ARRAY[{}]::BOOLEAN[] AS answers", self.columns.join(", ")));
        if self.reads_headers {
            sql.push_str(", d.headers");
        }
        if self.reads_body {
            sql.push_str(", d.body");
        }
        if self.reads_unverified {
            sql.push_str(", d.unverified AS own_unverified");
        }
        if self.reads_marks {
            sql.push_str(
                r",
                (SELECT m.note FROM delivery_marks m WHERE m.seq = d.seq) AS own_note,
                (SELECT m.tags FROM delivery_marks m WHERE m.seq = d.seq) AS own_tags",
            );
        }
        sql
    }

    /// Whether a row that meets `necessary` matches.
    pub fn decides(&self, row: &Row) -> Result<bool, StoreError> {
        let Some(rest) = &self.rest else { return Ok(true) };
        let answers: Vec<bool> = row.try_get("answers")?;
        Candidate { row, answers, body: None, headers: None }.decide(rest)
    }
}

/// A row that may match, with its headers and body once they were folded.
struct Candidate<'r> {
    row: &'r Row,
    answers: Vec<bool>,
    body: Option<Vec<u8>>,
    headers: Option<Vec<u8>>,
}

impl Candidate<'_> {
    fn decide(&mut self, decision: &Decision) -> Result<bool, StoreError> {
        Ok(match decision {
            Decision::All(all) => {
                for one in all {
                    if !self.decide(one)? {
                        return Ok(false);
                    }
                }
                true
            }
            Decision::Any(any) => {
                for one in any {
                    if self.decide(one)? {
                        return Ok(true);
                    }
                }
                false
            }
            Decision::Not(inner) => !self.decide(inner)?,
            Decision::Column(place) => self.answers.get(*place).copied().unwrap_or(false),
            Decision::Header(name, needle) => {
                let block: &[u8] = self.row.try_get("headers")?;
                header_holds(block, name, needle.as_deref())
            }
            Decision::Body(needle) => self.body_holds(needle)?,
            Decision::Anywhere(needle) => self.text_holds(needle)? || self.body_holds(needle)?,
            Decision::UnverifiedId(pattern) => self.unverified()?.id.is_some_and(|id| pattern.matches(&id)),
            Decision::UnverifiedDevice(pattern) => {
                self.unverified()?.device.is_some_and(|device| pattern.matches(&device))
            }
            Decision::User(pattern) => {
                user_in(self.row.try_get("body")?).is_some_and(|user| pattern.matches(&user))
            }
            Decision::Tag(pattern) => {
                let tags: Option<String> = column(self.row, "own_tags")?;
                let tags: Vec<String> =
                    tags.and_then(|tags| serde_json::from_str(&tags).ok()).unwrap_or_default();
                tags.iter().any(|tag| pattern.matches(tag))
            }
            Decision::Note(needle) => {
                let note: Option<String> = column(self.row, "own_note")?;
                note.is_some_and(|note| holds(&folded(note.as_bytes()), needle))
            }
        })
    }

    fn unverified(&self) -> Result<Unverified, StoreError> {
        let text: Option<String> = column(self.row, "own_unverified")?;
        Ok(text.as_deref().and_then(encoding::unverified).unwrap_or_default())
    }

    fn text_holds(&mut self, needle: &[u8]) -> Result<bool, StoreError> {
        for name in TEXTS {
            let text: Option<String> = column(self.row, name)?;
            if holds(&folded(text.unwrap_or_default().as_bytes()), needle) {
                return Ok(true);
            }
        }
        if self.headers.is_none() {
            self.headers = Some(folded(self.row.try_get("headers")?));
        }
        Ok(self.headers.as_deref().is_some_and(|text| holds(text, needle)))
    }

    fn body_holds(&mut self, needle: &[u8]) -> Result<bool, StoreError> {
        if self.body.is_none() {
            self.body = Some(folded_body(self.row.try_get("body")?));
        }
        Ok(self.body.as_deref().is_some_and(|text| holds(text, needle)))
    }
}

fn holds(text: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(text, needle).is_some()
}
