//! A delivery as a program that sends it again: every byte of it, whatever the payload contains, and none of it is executed.

mod curl;
mod har;
mod header_bytes;
mod node;
mod python;
mod raw;
mod request;
mod table;
mod test_file;
mod variables;

use crate::domain::{Scheme, Source, StoredDelivery};
use crate::send::OwnReceiver;

pub use har::{document as har_document, entry_of as har_entry};
pub use header_bytes::header_bytes;
pub use request::{credential_headers, is_of_the_connection};
pub use table::{csv_head, csv_line};
pub use test_file::file_name as test_file_name;

/// The formats of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for a POSIX shell.
    Curl,
    /// A program for Node, without packages.
    Node,
    /// A program for Python, without packages.
    Python,
    /// The request as it stood on the wire.
    Raw,
    /// An HTTP archive (HAR 1.2).
    Har,
    /// A test for Node's own runner, which signs it again.
    Test,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Curl, Self::Node, Self::Python, Self::Raw, Self::Har, Self::Test];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Node => "node",
            Self::Python => "python",
            Self::Raw => "raw",
            Self::Har => "har",
            Self::Test => "test",
        }
    }
}

/// `delivery` in a format, to be sent to `receiver`. `sources` say which headers are credentials, and how the delivery's own
/// source signs. Credentials, which are not kept, are `$CREDENTIAL` there; of several each has its place in its name.
#[must_use]
pub fn export(
    delivery: &StoredDelivery,
    format: Format,
    receiver: &OwnReceiver,
    sources: &[Source],
) -> Vec<u8> {
    let base = &receiver.base();
    let more = credential_headers(sources);
    let request = request::Request::of(delivery, &more);
    match format {
        Format::Curl => curl::write(&request, base, &receiver.curl_options()).into_bytes(),
        Format::Node => node::write(&request, base).into_bytes(),
        Format::Python => python::write(&request, base).into_bytes(),
        Format::Raw => raw::write(&request, delivery),
        Format::Har => har::document(&[har::entry(&request, delivery, base)]).to_string().into_bytes(),
        Format::Test => {
            let source = sources.iter().find(|source| source.name == delivery.row.source);
            let scheme = source.map_or(Scheme::None, |source| source.signature.scheme);
            test_file::write(&request, delivery, scheme, base).into_bytes()
        }
    }
}
