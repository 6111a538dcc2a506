//! `hmac` of a `[[source]]`: how a sender signs that has no scheme of its own here.

use toml::{Table, Value};

use super::super::values::is_token;
use crate::domain::{DigestEncoding, HmacAlgorithm, HmacForm, SignedPart, TimePlace, suggestion};

const KEYS: [&str; 8] = ["header", "prefix", "algorithm", "encoding", "signed", "timestamp", "id", "arrays"];

/// Reads the table, as the configuration writes it: `{ header = "X-Signature" }`.
///
/// # Errors
/// What is wrong with it.
pub fn hmac_form(text: &str) -> Result<&'static HmacForm, String> {
    let table =
        toml::from_str::<Table>(&format!("hmac = {text}")).map_err(|fault| fault.message().to_owned())?;
    table.get("hmac").map_or_else(|| Err("a table is expected".to_owned()), read)
}

/// Reads the table.
pub fn read(value: &Value) -> Result<&'static HmacForm, String> {
    let example = "a table, as { header = \"X-Signature\", prefix = \"sha256=\", signed = \"{timestamp}.{body}\", timestamp = \"X-Timestamp\" }";
    let table = value.as_table().ok_or_else(|| example.to_owned())?;
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("{key}: unknown key{}", suggestion(key, KEYS.into_iter())));
    }
    let signed = template(text(table, "signed")?.unwrap_or("{body}"))?;
    let time = match text(table, "timestamp")?.unwrap_or_default() {
        "" => None,
        inside if inside.ends_with('=') => Some(TimePlace::Inside(inside.to_owned())),
        name => Some(TimePlace::Header(header("timestamp", name)?)),
    };
    let id = match text(table, "id")?.unwrap_or_default() {
        "" => None,
        name => Some(header("id", name)?),
    };
    let name = text(table, "header")?.ok_or("header is missing: the header that the signature is in")?;
    let arrays = table.get("arrays").map_or(Some(false), Value::as_bool).ok_or("arrays: true or false")?;
    let form = HmacForm {
        header: header("header", name)?,
        prefix: text(table, "prefix")?.unwrap_or_default().to_owned(),
        algorithm: algorithm(text(table, "algorithm")?.unwrap_or("sha256"))?,
        encoding: encoding(text(table, "encoding")?.unwrap_or("hex"))?,
        signed,
        time,
        id,
        arrays,
    };
    check(&form)?;
    Ok(form.known())
}

/// What is signed must cover the body, and name only what there is.
fn check(form: &HmacForm) -> Result<(), String> {
    let has = |part: &SignedPart| form.signed.contains(part);
    if !has(&SignedPart::Body) && !has(&SignedPart::Form) {
        return Err(
            "signed: needs {body} or {form}; otherwise the signature says nothing about the body".to_owned()
        );
    }
    for (part, is_given, key) in
        [(SignedPart::Time, form.time.is_some(), "timestamp"), (SignedPart::Id, form.id.is_some(), "id")]
    {
        match (has(&part), is_given) {
            (true, false) => {
                return Err(format!("signed has {}, so {key} must name its header", part.shown()));
            }
            (false, true) => {
                return Err(format!("{key} is not signed: add {} to signed, or remove {key}", part.shown()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn text<'t>(table: &'t Table, key: &str) -> Result<Option<&'t str>, String> {
    match table.get(key) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| format!("{key}: must be a string")),
    }
}

fn header(key: &str, name: &str) -> Result<String, String> {
    let is_name = !name.is_empty() && name.bytes().all(is_token);
    if is_name { Ok(name.to_owned()) } else { Err(format!("{key}: {name:?} is not a header name")) }
}

fn algorithm(name: &str) -> Result<HmacAlgorithm, String> {
    let found = HmacAlgorithm::ALL.into_iter().find(|known| known.as_str() == name);
    found.ok_or_else(|| {
        let names = HmacAlgorithm::ALL.map(HmacAlgorithm::as_str);
        format!(
            "algorithm: {name:?} is unknown{}; one of {}",
            suggestion(name, names.into_iter()),
            names.join(", ")
        )
    })
}

fn encoding(name: &str) -> Result<DigestEncoding, String> {
    let found = DigestEncoding::ALL.into_iter().find(|known| known.as_str() == name);
    found.ok_or_else(|| {
        let names = DigestEncoding::ALL.map(DigestEncoding::as_str);
        format!(
            "encoding: {name:?} is unknown{}; one of {}",
            suggestion(name, names.into_iter()),
            names.join(", ")
        )
    })
}

/// The parts of the text in `signed`.
fn template(text: &str) -> Result<Vec<SignedPart>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        let length = from.find('}').ok_or_else(|| format!("signed: a brace is not closed in {text:?}"))?;
        let (place, after) = from.split_at(length.saturating_add(1));
        let part = SignedPart::PLACES.into_iter().find(|(known, _)| *known == place);
        let (_, part) = part.ok_or_else(|| {
            let places = SignedPart::PLACES.map(|(place, _)| place);
            format!(
                "signed: {place} is unknown{}; there are {}",
                suggestion(place, places.into_iter()),
                places.join(", ")
            )
        })?;
        if !before.is_empty() {
            parts.push(SignedPart::Text(before.to_owned()));
        }
        if parts.contains(&part) {
            return Err(format!("signed: {place} is there twice"));
        }
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(SignedPart::Text(rest.to_owned()));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<String, String> {
        let table: Table = format!("hmac = {text}").parse().unwrap();
        read(&table["hmac"]).map(HmacForm::sentence)
    }

    #[test]
    fn a_form_is_read_with_its_defaults() {
        assert_eq!(told("{ header = \"X-Sig\" }").unwrap(), "X-Sig: HMAC-SHA256 of {body} in hex");
        let whole = "{ header = \"X-Sig\", algorithm = \"sha512\", encoding = \"base64url\", prefix = \"v1=\", id = \"X-Id\", \
                     timestamp = \"t=\", signed = \"v1:{id}:{timestamp}:{body}\" }";
        assert_eq!(told(whole).unwrap(), "X-Sig: HMAC-SHA512 of v1:{id}:{timestamp}:{body} in base64url");
        let table: Table = format!("hmac = {whole}").parse().unwrap();
        assert!(std::ptr::eq(read(&table["hmac"]).unwrap(), read(&table["hmac"]).unwrap()), "kept once");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_is_allowed() {
        for (text, said) in [
            ("\"sha256\"", "a table, as {"),
            ("{}", "header is missing"),
            ("{ header = \"X Sig\" }", "\"X Sig\" is not a header name"),
            ("{ heder = \"X-Sig\" }", "heder: unknown key (did you mean header?)"),
            ("{ header = \"S\", algorithm = \"sha265\" }", "did you mean sha256?"),
            ("{ header = \"S\", encoding = \"bas64\" }", "did you mean base64?"),
            ("{ header = \"S\", signed = \"{url}\" }", "needs {body} or {form}"),
            ("{ header = \"S\", signed = \"{time}.{body}\" }", "{time} is unknown"),
            ("{ header = \"S\", signed = \"{body\" }", "a brace is not closed"),
            ("{ header = \"S\", signed = \"{body}{body}\" }", "is there twice"),
            ("{ header = \"S\", signed = \"{timestamp}{body}\" }", "timestamp must name its header"),
            ("{ header = \"S\", timestamp = \"X-Time\" }", "timestamp is not signed"),
            ("{ header = \"S\", id = \"X-Id\" }", "id is not signed"),
            ("{ header = 7 }", "header: must be a string"),
        ] {
            let fault = told(text).unwrap_err();
            assert!(fault.contains(said), "{text}: {fault}");
        }
    }
}
