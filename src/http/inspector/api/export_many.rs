//! `GET deliveries/export`: the results of a search, streamed as JSON Lines, CSV or HAR.

use std::collections::VecDeque;
use std::io;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::objects::DeliveryObject;
use super::openapi::Text;
use crate::domain::{DeliveryFilter, DeliveryId, StoredDelivery};
use crate::http::inspector::InspectorState;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, DeliveryParams, Members, Query, Word, one_of};
use crate::inspect::export::{credential_headers, csv_head, csv_line, har_document, har_entry};
use crate::store::StoreError;

/// `Format` as a request writes it.
type FormatParam = As<Format>;

/// Deliveries read at once.
const PAGE: usize = 200;
/// The placeholder for the entries of an archive.
const HAR_ENTRIES: &str = "[]";

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jsonl,
    Csv,
    Har,
}

impl Format {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "har" => Some(Self::Har),
            _ => None,
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Har => "application/json",
        }
    }

    const fn file_name(self) -> &'static str {
        match self {
            Self::Jsonl => "attachment; filename=\"deliveries.jsonl\"",
            Self::Csv => "attachment; filename=\"deliveries.csv\"",
            Self::Har => "attachment; filename=\"deliveries.har\"",
        }
    }
}

impl Word for Format {
    fn expected() -> String {
        "one of jsonl, csv, har".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        Self::from_word(text).ok_or(None)
    }

    fn schema() -> RefOr<Schema> {
        one_of(&["jsonl", "csv", "har"])
    }
}

/// The form of an export.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct ManyParams {
    /// The format; `jsonl` without it.
    #[param(inline)]
    r#as: Option<FormatParam>,
}

impl Members for ManyParams {}

/// The export, newest delivery first, without deliveries that arrive meanwhile. If the store fails, the connection is
/// closed, so an export that ends normally is complete.
pub async fn many(
    Query((params, form)): Query<(DeliveryParams, ManyParams)>,
    state: web::Data<InspectorState>,
) -> Result<Text, Problem> {
    let filter = DeliveryFilter::from(params);
    let format = form.r#as.map_or(Format::Jsonl, |As(format)| format);
    let export = Export {
        more: credential_headers(&state.sources.all()),
        base: state.receiver_base(),
        filter,
        before: None,
        page: VecDeque::new(),
        state: state.get_ref().clone(),
        format,
        part: Part::Head,
        is_first: true,
    };
    let body = stream::try_unfold(export, |mut export| async move {
        let text = export.next().await.map_err(io::Error::other)?;
        Ok::<_, io::Error>(text.map(|text| (Bytes::from(text), export)))
    });
    let answer = HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format.content_type()))
        .insert_header((CONTENT_DISPOSITION, format.file_name()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(body);
    Ok(Text(answer))
}

#[derive(Clone, Copy)]
enum Part {
    Head,
    Deliveries,
    End,
}

struct Export {
    state: InspectorState,
    format: Format,
    base: String,
    more: Vec<String>,
    filter: DeliveryFilter,
    before: Option<i64>,
    /// Deliveries found and not yet written.
    page: VecDeque<DeliveryId>,
    part: Part,
    is_first: bool,
}

impl Export {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.part {
            Part::Head => {
                self.part = Part::Deliveries;
                Ok(Some(self.head()))
            }
            Part::Deliveries => {
                while let Some(id) = self.next_id().await? {
                    // Deliveries deleted meanwhile are skipped.
                    if let Some(delivery) = self.state.store.delivery(id).await? {
                        return self.entry(delivery).await.map(Some);
                    }
                }
                self.part = Part::End;
                Ok(Some(har_frame().1).filter(|_| self.format == Format::Har))
            }
            Part::End => Ok(None),
        }
    }

    async fn next_id(&mut self) -> Result<Option<DeliveryId>, StoreError> {
        while self.page.is_empty() {
            let found =
                self.state.store.page(&self.filter, self.before, PAGE, self.state.search_time).await?;
            let last = found.rows.last().map(|row| row.seq);
            self.page.extend(found.rows.iter().map(|row| row.id));
            match found.stopped {
                Some(stopped) => self.before = Some(stopped.before),
                None => {
                    self.before = last.or(self.before);
                    break;
                }
            }
        }
        Ok(self.page.pop_front())
    }

    fn head(&self) -> Vec<u8> {
        match self.format {
            Format::Jsonl => Vec::new(),
            Format::Csv => csv_head(),
            Format::Har => har_frame().0,
        }
    }

    async fn entry(&mut self, delivery: StoredDelivery) -> Result<Vec<u8>, StoreError> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        Ok(match self.format {
            Format::Csv => csv_line(&delivery.row),
            Format::Har => {
                let entry = har_entry(&delivery, &self.base, &self.more).to_string();
                let between = if is_first { "\n" } else { ",\n" };
                [between.as_bytes(), entry.as_bytes()].concat()
            }
            Format::Jsonl => {
                let (delivery, findings) = self.state.look_into(delivery).await;
                let replays = self.state.store.replays_about(delivery.row.id).await?;
                let object = DeliveryObject::of(&delivery, &findings, &replays);
                let mut line = serde_json::to_vec(&object).unwrap_or_default();
                line.push(b'\n');
                line
            }
        })
    }
}

/// An archive before its entries, and after them.
fn har_frame() -> (Vec<u8>, Vec<u8>) {
    let whole = har_document(&[]).to_string();
    let (head, tail) = whole.split_once(HAR_ENTRIES).unwrap_or((&whole, ""));
    (format!("{head}[").into_bytes(), format!("\n]{tail}\n").into_bytes())
}
