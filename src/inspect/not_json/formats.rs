//! Other formats of text: markup, forms, tables, several documents, and documents with something before or behind.

use serde::de::IgnoredAny;

use super::look::Look;
use super::scan::scan;
use crate::inspect::told::Diagnosis;

/// HTML or XML.
pub fn markup(look: &Look<'_>) -> Option<Diagnosis> {
    let said = "It looks like HTML or XML: the sender posts a page, or its template makes no JSON.";
    let is_markup = look.text.trim_start().starts_with('<');
    is_markup.then(|| Diagnosis::of("not-json-markup", "The body is HTML or XML", said))
}

/// `multipart/form-data`.
pub fn multipart(look: &Look<'_>) -> Option<Diagnosis> {
    let is_declared = media_type(look).starts_with("multipart/");
    let has_boundary =
        look.text.starts_with("--") && look.text.to_ascii_lowercase().contains("content-disposition:");
    (is_declared || has_boundary).then(|| {
        let said = "It is a multipart form, as for uploading files. | Send the JSON as the body itself (curl: --data, not \
                    --form).";
        Diagnosis::of("not-json-multipart", "The body is a multipart form", said)
    })
}

/// A form, also one that is not encoded.
pub fn form(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text.trim();
    if text.starts_with(['{', '[', '"']) {
        return None;
    }
    let is_declared = media_type(look) == "application/x-www-form-urlencoded";
    let mut pairs = text.split('&');
    let has_name = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| is_name(name.trim()));
    let is_form = pairs.clone().next().is_some_and(has_name)
        && (text.contains('&') && pairs.all(|pair| has_name(pair) || !pair.contains('='))
            || !text.contains(char::is_whitespace));
    let is_broken_form = is_declared && text.contains('=');
    if !is_form && !is_broken_form {
        return None;
    }
    let odd = text
        .char_indices()
        .find(|(_, letter)| letter.is_whitespace() || letter.is_control() || !letter.is_ascii());
    let and = match odd {
        Some((at, letter)) => {
            let shown = match letter {
                ' ' => "a blank".to_owned(),
                '\n' | '\r' => "a line break".to_owned(),
                other => format!("“{other}”"),
            };
            format!("It is not encoded either: byte {at} is {shown}.")
        }
        None => String::new(),
    };
    let said = "It looks like a form (a=b&c=d). | Set the sender's body type to JSON. In CircuitPython use json=, not data=.";
    Some(Diagnosis::of("not-json-form", "The body is a form", said).evidence(and))
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || "_-.[]%+".contains(letter);
    !name.is_empty() && name.len() <= 200 && name.chars().all(is_letter)
}

/// A whole document and zero bytes.
pub fn trailing_nul(look: &Look<'_>) -> Option<Diagnosis> {
    let kept = look.bytes.iter().rposition(|byte| *byte != 0)?.saturating_add(1);
    let count = look.bytes.len().saturating_sub(kept);
    let document = look.bytes.get(..kept)?;
    (count > 0 && serde_json::from_slice::<IgnoredAny>(document).is_ok()).then(|| {
        let what = if count == 1 { "a zero byte" } else { "zero bytes" };
        let said = format!(
            "The document is complete, then {what} from byte {kept} on: the end of a C string was sent too. | Use strlen, not \
             sizeof."
        );
        Diagnosis::of("not-json-zero-byte", "A zero byte follows the JSON", &said)
    })
}

/// Several documents, one after the other.
pub fn several_documents(look: &Look<'_>) -> Option<Diagnosis> {
    let mut stream = serde_json::Deserializer::from_str(look.text).into_iter::<IgnoredAny>();
    stream.next()?.ok()?;
    let first = stream.byte_offset();
    let rest = look.text.get(first..)?;
    if !look.text.trim_start().starts_with(['{', '[']) || !rest.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let begins = first.saturating_add(rest.len().saturating_sub(rest.trim_start().len()));
    let before = look.text.get(..begins)?;
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    let is_lines = rest.starts_with(['\n', '\r']);
    let what = if is_lines {
        "It is JSON Lines (NDJSON): one document on each line."
    } else {
        "It has several documents."
    };
    let said = format!(
        "{what} The second begins at line {line}, column {column}. | Send one document a request, or put all in an array."
    );
    Some(Diagnosis::of("not-json-several", "Several JSON documents in one body", &said))
}

/// InfluxDB's line protocol: `measurement,tag=value field=21.5 1795878000`.
pub fn line_protocol(look: &Look<'_>) -> Option<Diagnosis> {
    let line = look.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    let mut parts = line.split(' ');
    let (series, fields, time) = (parts.next()?, parts.next()?, parts.next());
    let has_fields =
        fields.split(',').all(|field| field.split_once('=').is_some_and(|(name, _)| is_name(name)));
    let is_time =
        time.is_none_or(|time| time.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()));
    let is_series = series.split(',').next().is_some_and(is_name);
    (is_series && has_fields && is_time && parts.next().is_none()).then(|| {
        let said = "It is InfluxDB's line protocol. | Send JSON: in Telegraf set data_format = \"json\" for outputs.http.";
        Diagnosis::of("not-json-line-protocol", "The body is InfluxDB line protocol", said)
    })
}

/// Values with commas or semicolons between, the same number on each line.
pub fn csv(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text.trim();
    if text.starts_with(['{', '[', '"']) && !text.starts_with("\"") || text.contains(['{', '[']) {
        return None;
    }
    let mark = [';', '\t', ',']
        .into_iter()
        .find(|mark| text.lines().next().is_some_and(|line| line.contains(*mark)))?;
    let count = |line: &str| line.matches(mark).count();
    let first = count(text.lines().next()?);
    let is_table = text.lines().all(|line| count(line) == first);
    let is_short = text.lines().next()?.split(mark).all(|cell| cell.trim().len() <= 60);
    (is_table && is_short).then(|| {
        let columns = first.saturating_add(1);
        let said = format!(
            "It looks like CSV with {columns} columns. | Send an object that names each value: {{\"temperature\": 21.5}}."
        );
        Diagnosis::of("not-json-csv", "The body is CSV", &said)
    })
}

/// A whole document with something behind it.
pub fn trailing_text(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text;
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    stream.next()?.ok()?;
    let end = stream.byte_offset();
    let rest = text.get(end..)?.trim();
    let shown: String =
        rest.chars().take(20).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    // A bar between blanks is where a step begins.
    let shown = shown.replace(" | ", "|");
    (!rest.is_empty()).then(|| {
        let said = format!(
            "The document is complete at byte {end}, but “{shown}” follows. | Send nothing after the last bracket."
        );
        Diagnosis::of("not-json-trailing-text", "Text follows the JSON", &said)
    })
}

/// Text that does not begin like JSON at all.
pub fn unquoted_text(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text.trim();
    let first = text.chars().next()?;
    if first.is_ascii_digit() && text.contains([',', '.']) && !text.contains(char::is_alphabetic) {
        let said =
            "It is a bare number or several. | Send an object that names the value: {\"value\": 21.5}.";
        return Some(Diagnosis::of("not-json-number", "The body is a bare number", said));
    }
    (!"{[\"".contains(first) && first.is_alphabetic() && !text.contains(['{', '['])).then(|| {
        let said = "It is plain text. | Send an object, as {\"event\": \"status\", \"message\": \"…\"}.";
        Diagnosis::of("not-json-text", "The body is plain text", said)
    })
}

/// A document that is not closed.
pub fn cut(look: &Look<'_>) -> Option<Diagnosis> {
    let is_json = look.text.trim_start().starts_with(['{', '[']);
    let closing = scan(look.text).closing.filter(|closing| is_json && !closing.is_empty())?;
    let open = match closing.trim_start_matches('"').len() {
        1 => "1 bracket is".to_owned(),
        count => format!("{count} brackets are"),
    };
    let said = format!("{open} still open at its end: it was cut on its way.");
    Some(Diagnosis::of("not-json-cut", "The JSON ends too early", &said))
}

fn media_type(look: &Look<'_>) -> String {
    let value =
        String::from_utf8_lossy(look.headers.get("content-type").unwrap_or_default()).to_ascii_lowercase();
    value.split(';').next().unwrap_or_default().trim().to_owned()
}
