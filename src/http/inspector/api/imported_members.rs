//! Reads the members of an imported delivery, and notes what is wrong with each.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::domain::{BodyEnd, Check, ClientAddress, DeliveryId, Gate, Header, Headers};
use crate::http::inspector::request::{As, AsWritten, Fields, Word};

/// The longest text, in bytes: as long as a request's head may be.
const MAX_TEXT: usize = 64 * 1024;

/// A whole number.
#[derive(Clone, Copy, Debug)]
pub struct Whole(pub u64);

impl Word for Whole {
    const IS_LOOSE: bool = true;

    fn expected() -> String {
        "a whole number, 0 or more".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        text.parse().map(Self).map_err(|_| None)
    }
}

/// Reads members, and notes what is wrong with them.
pub struct Reading<'f> {
    fields: &'f mut Fields,
    is_good: bool,
}

impl<'f> Reading<'f> {
    /// One that has read nothing.
    pub const fn new(fields: &'f mut Fields) -> Self {
        Self { fields, is_good: true }
    }

    /// Whether nothing is wrong.
    pub const fn is_good(&self) -> bool {
        self.is_good
    }

    /// Notes what is wrong with a member.
    pub fn fault(&mut self, name: &str, message: &str) {
        self.is_good = false;
        self.fields.fault(name, message);
    }

    /// A member that must be there.
    pub fn needed<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.is_good = false;
            self.fields.missing(name);
        }
        value
    }

    /// A text of the request line, which is not empty.
    pub fn plain(&mut self, name: &str, text: Option<String>) -> Option<String> {
        let text = text?;
        if text.is_empty() || text.len() > MAX_TEXT || text.contains(char::is_control) {
            self.fault(name, "must be a string without control characters, of at most 64 KiB");
        }
        Some(text)
    }

    /// Any text.
    pub fn text(&mut self, name: &str, text: Option<String>) -> Option<String> {
        let text = text?;
        if text.len() > MAX_TEXT {
            self.fault(name, "must be a string of at most 64 KiB");
        }
        Some(text)
    }

    /// The id of a delivery.
    pub fn id(&mut self, name: &str, text: Option<&str>) -> Option<DeliveryId> {
        let read = text?.parse().ok();
        if read.is_none() {
            self.fault(name, "the id of a delivery");
        }
        read
    }

    /// Who sent it; nobody is known without an address.
    pub fn client(
        &mut self,
        ip: Option<&str>,
        peer: Option<&str>,
        explanation: Option<String>,
    ) -> ClientAddress {
        let ip = self.address("client_ip", ip);
        let peer = self.address("peer_ip", peer);
        let ip = ip.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let explanation = self.text("client_explanation", explanation);
        let explanation = explanation.unwrap_or_else(|| "imported".to_owned());
        ClientAddress { ip, peer: peer.unwrap_or(ip), explanation }
    }

    fn address(&mut self, name: &str, text: Option<&str>) -> Option<IpAddr> {
        let read: Option<IpAddr> = text?.parse().ok();
        if read.is_none() {
            self.fault(name, "an IP address");
        }
        read.map(|ip| ip.to_canonical())
    }

    /// A number up to `most`.
    pub fn number<T: TryFrom<u64>>(&mut self, name: &str, given: Option<As<Whole>>, most: u64) -> Option<T> {
        let As(Whole(number)) = given?;
        let read = T::try_from(number).ok().filter(|_| number <= most);
        if read.is_none() {
            self.fault(name, "is too large");
        }
        read
    }

    /// A value whose members are not read one by one.
    pub fn json<T: DeserializeOwned + Default>(
        &mut self,
        name: &str,
        given: Option<AsWritten>,
        what: &str,
    ) -> T {
        let Some(AsWritten(text)) = given else { return T::default() };
        serde_json::from_str(&text).unwrap_or_else(|_| {
            self.fault(name, what);
            T::default()
        })
    }

    /// The lines, with the values that are not UTF-8.
    pub fn headers(&mut self, lines: Option<AsWritten>, bytes: Option<AsWritten>) -> Headers {
        let lines: Vec<(String, String)> = self.json("headers", lines, "a list of names and values");
        let bytes: Vec<(usize, String)> = self.json("header_bytes", bytes, "a list of positions and base64");
        let line = |(name, value): (String, String)| Header { name, value: value.into_bytes() };
        let mut lines: Vec<Header> = lines.into_iter().map(line).collect();
        for (at, text) in bytes {
            match (lines.get_mut(at), STANDARD.decode(text)) {
                (Some(line), Ok(value)) => line.value = value,
                _ => self.fault("header_bytes", "the position of a line, and base64"),
            }
        }
        let is_odd = |line: &Header| {
            let name = line.name.as_str();
            let is_name =
                !name.is_empty() && !name.contains(|letter: char| letter.is_control() || letter == ':');
            !is_name || line.value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
        };
        if lines.iter().any(is_odd) {
            self.fault("headers", "names without colons, and values of one line");
        }
        lines.into_iter().collect()
    }

    /// The body, from one of its two members.
    pub fn body(&mut self, text: Option<String>, base64: Option<String>) -> Bytes {
        match (text, base64.map(|text| STANDARD.decode(text))) {
            (Some(text), None) => text.into(),
            (None, Some(Ok(bytes))) => bytes.into(),
            (None, None) => Bytes::new(),
            (None, Some(Err(_))) => {
                self.fault("body_base64", "is not base64");
                Bytes::new()
            }
            (Some(_), Some(_)) => {
                self.fault("body_base64", "either body or body_base64");
                Bytes::new()
            }
        }
    }

    /// How reading the body ended.
    pub fn body_end(&mut self, word: Option<&str>) -> BodyEnd {
        let Some(word) = word else { return BodyEnd::Complete };
        BodyEnd::ALL.into_iter().find(|end| end.as_str() == word).unwrap_or_else(|| {
            self.fault("body_end", "one of complete, cut_at_cap, timed_out, broken");
            BodyEnd::Complete
        })
    }

    /// The checks.
    pub fn checks(&mut self, checks: Option<AsWritten>) -> Vec<Check> {
        let checks: Vec<Check> = self.json("checks", checks, "a list of checks as in an export");
        if !checks.is_empty() && !checks.iter().map(|check| check.gate).eq(Gate::ALL) {
            self.fault("checks", "none, or all seven in their order");
        }
        checks
    }
}
