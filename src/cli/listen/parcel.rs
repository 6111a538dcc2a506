//! A delivery with its header lines and its exact body, as the API has it.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::cli::inspector::{Api, encoded};
use crate::domain::names_credential_header;
use crate::inspect::export::is_of_the_connection;

/// What the value of a received credential contains: its hash is kept.
const MASKED: &str = "masked-";

/// What is forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The header lines as received, without those of the connection and without credentials.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The exact bytes of the body.
    pub body: Bytes,
}

impl Parcel {
    /// Reads it from the running instance.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn fetch(api: &Api, id: &str) -> anyhow::Result<Self> {
        let told = api.get(&format!("deliveries/{}", encoded(id))).await?;
        Self::of(&told).with_context(|| format!("delivery {id} cannot be read"))
    }

    fn of(told: &Value) -> Option<Self> {
        let text = |key: &str| told.get(key).and_then(Value::as_str);
        let body = match (text("body"), text("body_base64")) {
            (Some(body), _) => Bytes::copy_from_slice(body.as_bytes()),
            (None, Some(body)) => STANDARD.decode(body).ok()?.into(),
            (None, None) => return None,
        };
        let lines = told.get("headers")?.as_array()?.iter().filter_map(Value::as_array);
        let lines: Vec<(&str, &str)> =
            lines.filter_map(|line| Some((line.first()?.as_str()?, line.get(1)?.as_str()?))).collect();
        let named = lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
        let named: Vec<&str> = named.flat_map(|(_, value)| value.split(',')).map(str::trim).collect();
        let headers = lines.iter().filter_map(|(name, value)| {
            let is_credential =
                value.starts_with(MASKED) || (names_credential_header(name) && value.contains(MASKED));
            let is_of_it =
                is_of_the_connection(name) || named.iter().any(|one| one.eq_ignore_ascii_case(name));
            (!is_of_it && !is_credential).then(|| ((*name).to_owned(), value.as_bytes().to_vec()))
        });
        Some(Self {
            method: text("method")?.to_owned(),
            path: text("path")?.to_owned(),
            headers: headers.collect(),
            body,
        })
    }

    /// The value of a header line.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bytes_are_exact_and_lines_of_the_connection_and_credentials_stay_here() {
        let told = json!({
            "method": "POST", "path": "/webhook/s?event=up", "body": null, "body_base64": "AP8=",
            "headers": [
                ["Host", "h"], ["Content-Length", "2"], ["Connection", "close, X-Hop"], ["x-hop", "1"], ["X-A", "1"], ["x-a", "2"],
                ["Authorization", "Bearer masked-0123456789abcdef-1234"], ["X-Own", "masked-0123456789abcdef"],
                ["X-TagoRUN-Signature", "ab"],
            ],
        });
        let parcel = Parcel::of(&told).unwrap();
        let names: Vec<&str> = parcel.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["X-A", "x-a", "X-TagoRUN-Signature"]);
        assert_eq!(
            (&parcel.body[..], parcel.header("x-tagorun-signature").unwrap()),
            (&[0, 255][..], "ab".into())
        );
    }
}
