//! The request as it stood on the wire, credentials aside.

use super::request::{Request, bytes};
use crate::domain::StoredDelivery;

pub fn write(request: &Request<'_>, delivery: &StoredDelivery) -> Vec<u8> {
    let mut raw = format!("{} ", request.method).into_bytes();
    raw.extend(bytes(&request.target));
    raw.extend(format!(" {}\r\n", delivery.http_version).bytes());
    for (name, value) in &request.headers {
        raw.extend(name.bytes());
        raw.extend(b": ");
        raw.extend(bytes(value));
        raw.extend(b"\r\n");
    }
    raw.extend(b"\r\n");
    raw.extend(request.body);
    raw
}
