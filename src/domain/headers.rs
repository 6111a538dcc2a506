//! Header lines as received: wire order, original spelling, repeats kept.

/// One header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name as it was spelled on the wire.
    pub name: String,
    /// The value without surrounding blanks, any bytes.
    pub value: Vec<u8>,
}

impl Header {
    /// The value as text: decoded as UTF-8 if valid, otherwise each byte as one Latin-1 character (RFC 9110, 5.5).
    #[must_use]
    pub fn text(&self) -> String {
        match std::str::from_utf8(&self.value) {
            Ok(text) => text.to_owned(),
            Err(_) => self.value.iter().copied().map(char::from).collect(),
        }
    }
}

/// All header lines of a request, in wire order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// Appends a line at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push(Header { name: name.into(), value: value.into() });
    }

    /// Every line, in wire order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// The first value of `name`, ignoring case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| &*header.value)
    }

    /// Every value of `name`, in wire order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| &*header.value)
    }
}

impl IntoIterator for Headers {
    type Item = Header;
    type IntoIter = std::vec::IntoIter<Header>;

    /// Every line, in wire order.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<I: IntoIterator<Item = Header>>(lines: I) -> Self {
        Self(lines.into_iter().collect())
    }
}
