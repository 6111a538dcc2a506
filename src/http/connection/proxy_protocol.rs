//! The PROXY protocol, versions 1 and 2: what a trusted proxy says about a connection before its first request.
//! (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>)

use std::time::Duration;

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use super::other_end::Said;

/// The start of version 1.
pub const V1: &[u8] = b"PROXY ";
/// The start of version 2.
pub const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// How version 2 begins where a proxy connects for itself: whatever follows is passed over (2.2, "LOCAL").
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20";
/// Where version 2 has its length.
const LENGTH: std::ops::Range<usize> = 14..16;
/// The longest header that is read, in bytes. Addresses take 232; the rest is what a proxy adds, such as a certificate.
const MOST: usize = 4096;

/// The start of a connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Opening {
    /// The contents of the header; `None` if it cannot be read.
    pub said: Option<Said>,
    /// The bytes read after the header.
    pub ahead: Vec<u8>,
}

/// Reads the header at the start of `io`, if any: a proxy may also connect without one. A partial header must be
/// complete `within` this time.
pub async fn open(io: &mut (impl AsyncRead + Unpin), within: Duration) -> Opening {
    let mut bytes = Vec::with_capacity(256);
    let read = timeout(within, async {
        loop {
            match look(&bytes) {
                Look::Unsure => {}
                Look::Nothing => return Some((Said::Nothing, 0)),
                Look::Header(said, length) => return Some((said, length)),
                Look::Broken => return None,
            }
            // The server closes connections that end here.
            if !matches!(io.read_buf(&mut bytes).await, Ok(1..)) {
                return Some((Said::Nothing, 0));
            }
        }
    });
    match read.await {
        Ok(Some((said, length))) => Opening { said: Some(said), ahead: bytes.split_off(length) },
        Ok(None) | Err(_) => Opening { said: None, ahead: bytes },
    }
}

/// The classification of a connection's first bytes.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// More bytes are needed.
    Unsure,
    /// Not a header.
    Nothing,
    /// A header of this length.
    Header(Said, usize),
    /// An invalid header.
    Broken,
}

fn look(bytes: &[u8]) -> Look {
    if !bytes.starts_with(V1) && !bytes.starts_with(V2) {
        let may_be = V1.starts_with(bytes) || V2.starts_with(bytes);
        return if may_be { Look::Unsure } else { Look::Nothing };
    }
    if bytes.starts_with(LOCAL) {
        return local(bytes);
    }
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    match ProxyHeader::parse(bytes, config) {
        Ok((header, length)) => {
            let said = match header.proxied_address() {
                Some(address) => Said::Client(address.source.ip().to_canonical()),
                None => Said::Nobody,
            };
            Look::Header(said, length)
        }
        Err(Error::BufferTooShort) if bytes.len() < MOST => Look::Unsure,
        Err(_) => Look::Broken,
    }
}

/// The header of a proxy that connects for itself, as for a health check. Neither its family nor its addresses count.
fn local(bytes: &[u8]) -> Look {
    let Some(&[high, low]) = bytes.get(LENGTH) else { return Look::Unsure };
    let length = usize::from(u16::from_be_bytes([high, low])).saturating_add(LENGTH.end);
    match length {
        length if length > MOST => Look::Broken,
        length if length > bytes.len() => Look::Unsure,
        length => Look::Header(Said::Own, length),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(10);

    fn client(text: &str) -> Said {
        Said::Client(text.parse::<IpAddr>().unwrap())
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [V2, &[command, family], &length, rest].concat()
    }

    fn v6(last: u8) -> [u8; 16] {
        [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
    }

    /// The examples in the specification (2.1 and 2.2), and edge cases.
    fn known() -> Vec<(Vec<u8>, Said)> {
        let v4 = [[192, 0, 2, 7], [198, 51, 100, 1], [0x9c, 0x40, 0x01, 0xbb]].concat();
        let v6 = [&v6(7)[..], &v6(1), &[0x9c, 0x40, 0x01, 0xbb]].concat();
        let longest = "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
        assert_eq!(longest.len(), 107);
        vec![
            (
                b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n".to_vec(),
                client("255.255.255.255"),
            ),
            (b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n".to_vec(), client("192.168.0.1")),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n".to_vec(), client("2001:db8::7")),
            (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 40000 443\r\n".to_vec(), client("192.0.2.7")),
            (b"PROXY UNKNOWN\r\n".to_vec(), Said::Nobody),
            (longest.as_bytes().to_vec(), Said::Nobody),
            (v2(0x21, 0x11, &v4), client("192.0.2.7")),
            (v2(0x21, 0x21, &v6), client("2001:db8::7")),
            // With additions by a proxy: ALPN, a checksum, and a custom type.
            (
                v2(0x21, 0x11, &[&v4[..], b"\x01\0\x02h2\x03\0\x04\x01\x02\x03\x04\xea\0\x01x"].concat()),
                client("192.0.2.7"),
            ),
            (v2(0x20, 0, &[]), Said::Own),
            (v2(0x20, 0x11, &v4), Said::Own),
            (v2(0x20, 0x11, &[]), Said::Own),
            (v2(0x20, 0xff, b"anything"), Said::Own),
            (v2(0x21, 0, &[]), Said::Nobody),
            (v2(0x21, 0x31, &[b'x'; 216]), Said::Nobody),
        ]
    }

    #[actix_web::test]
    async fn a_header_is_read_whole_in_pieces_and_together_with_the_request() {
        for (header, said) in known() {
            let request = b"POST / HTTP/1.1\r\n\r\nPROXY ";
            let all = [&header[..], request].concat();
            let mut left = &all[..];
            let opening = open(&mut left, WITHIN).await;
            assert_eq!(opening.said, Some(said), "{header:?}");
            assert_eq!([&opening.ahead, left].concat(), request, "{header:?}");
            for length in 0..header.len() {
                assert_eq!(look(&header[..length]), Look::Unsure, "{length} of {header:?}");
            }
        }
    }

    #[actix_web::test]
    async fn what_is_not_a_header_is_left_alone() {
        for bytes in [
            &b"POST / HTTP/1.1\r\n"[..],
            b"PRI * HTTP/2.0",
            b"PROPFIND / HTTP/1.1",
            b"\r\nPOST",
            b"\x16\x03",
            b"",
            b"P",
            b"\r\n",
        ] {
            let opening = open(&mut &bytes[..], WITHIN).await;
            assert_eq!(opening, Opening { said: Some(Said::Nothing), ahead: bytes.to_vec() }, "{bytes:?}");
        }
    }

    #[actix_web::test]
    async fn a_header_that_cannot_be_read_is_refused_and_none_is_read_for_ever() {
        let long = [v2(0x21, 0x11, &[0; 60_000]), vec![0; 10]].concat();
        for bytes in [
            &b"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"[..],
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            &[b"PROXY UNKNOWN ", &[b'x'; 200][..]].concat(),
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &[&v2(0x21, 0x11, &[0; 11])[..], b"POST /"].concat(),
            &v2(0x21, 0x99, &[0; 12]),
            &long,
        ] {
            let opening = open(&mut &bytes[..], WITHIN).await;
            assert_eq!(opening.said, None, "{bytes:?}");
            assert!(bytes.starts_with(&opening.ahead) && opening.ahead.len() <= 2 * MOST);
        }
    }

    #[actix_web::test]
    async fn a_header_that_does_not_end_is_waited_for_no_longer_than_a_head() {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut theirs, b"PROXY TCP4 1.2").await.unwrap();
        let opening = open(&mut ours, Duration::from_millis(30)).await;
        assert_eq!(opening, Opening { said: None, ahead: b"PROXY TCP4 1.2".to_vec() });
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes: Vec<u8>) {
            for start in [&b""[..], V1, V2] {
                let bytes = [start, bytes.as_slice()].concat();
                if let Look::Header(_, length) = look(&bytes) {
                    assert!(length <= bytes.len());
                }
            }
        }
    }
}
