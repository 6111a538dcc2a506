//! The parts of a `multipart/form-data` body (RFC 7578).

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;

/// The most parts that are read.
const MOST: usize = 200;

/// A part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The file name that its sender gave it.
    pub file_name: Option<String>,
    /// Its header lines.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub body: Bytes,
}

/// The parts of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Those that could be read, at most 200.
    pub parts: Vec<Part>,
    /// Why there are no more, if the body is broken or long.
    pub fault: Option<String>,
}

/// The parts of `body` by the boundary in `content_type`.
pub async fn parts(content_type: &str, body: Bytes) -> Parts {
    let mut read = Parts::default();
    let boundary = match multer::parse_boundary(content_type) {
        Ok(boundary) => boundary,
        Err(fault) => {
            read.fault = Some(fault.to_string());
            return read;
        }
    };
    let whole = stream::iter([Ok::<_, Infallible>(body)]);
    let mut fields = multer::Multipart::new(whole, boundary);
    while read.parts.len() < MOST {
        let field = match fields.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return read,
            Err(fault) => {
                read.fault = Some(fault.to_string());
                return read;
            }
        };
        let mut part = Part {
            name: field.name().unwrap_or_default().to_owned(),
            file_name: field.file_name().map(str::to_owned),
            headers: field
                .headers()
                .iter()
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: Bytes::new(),
        };
        match field.bytes().await {
            Ok(bytes) => part.body = bytes,
            Err(fault) => read.fault = Some(format!("the last part does not end: {fault}")),
        }
        read.parts.push(part);
        if read.fault.is_some() {
            return read;
        }
    }
    read.fault = Some(format!("these are the first {MOST} parts"));
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--x\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"\\\"><svg onload=..>.html\"\r\nContent-Type: text/html\r\n\r\n\
        <b>\xff\r\n--x--\r\n";

    #[tokio::test]
    async fn ui_16_parts_have_their_names_headers_and_bytes() {
        let read = parts("multipart/form-data; boundary=x", Bytes::from_static(BODY)).await;
        assert_eq!((read.parts.len(), &read.fault), (2, &None));
        assert_eq!((read.parts[0].name.as_str(), &*read.parts[0].body), ("a", &b"one"[..]));
        let file = &read.parts[1];
        assert!(file.file_name.as_deref().unwrap().contains("<svg onload=..>.html"), "{file:?}");
        assert_eq!(&*file.body, b"<b>\xff");
        assert_eq!(file.headers[1], ("content-type".to_owned(), "text/html".to_owned()));
    }

    #[tokio::test]
    async fn what_is_broken_is_said() {
        assert!(parts("multipart/form-data", Bytes::from_static(BODY)).await.fault.is_some());
        let cut = parts("multipart/form-data; boundary=x", Bytes::from_static(&BODY[..70])).await;
        assert!(cut.fault.is_some(), "{cut:?}");
        let none = parts("multipart/form-data; boundary=y", Bytes::from_static(BODY)).await;
        assert!(none.parts.is_empty() && none.fault.is_some());
        let many = [
            b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(300),
            b"--x--".to_vec(),
        ];
        let many = parts("multipart/form-data; boundary=x", Bytes::from(many.concat())).await;
        assert_eq!(many.parts.len(), 200);
        assert!(many.fault.unwrap().contains("first 200"));
    }
}
