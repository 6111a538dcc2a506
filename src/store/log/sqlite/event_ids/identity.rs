//! What stands for an event id of a source where event ids are compared.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use sha2::{Digest as _, Sha256};

/// The first 16 bytes of the SHA-256 of a source and a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity([u8; 16]);

impl Identity {
    /// The identity of a key of `source`.
    pub fn of(source: &str, key: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        // The length keeps the two apart.
        hasher.update(source.len().to_le_bytes());
        hasher.update(source);
        hasher.update(key);
        let digest: [u8; 32] = hasher.finalize().into();
        Self(digest.first_chunk().copied().unwrap_or_default())
    }

    /// Its first byte and the next four.
    pub const fn part(self) -> (u8, [u8; 4]) {
        let [part, a, b, c, d, ..] = self.0;
        (part, [a, b, c, d])
    }

    /// Half of it, as a number.
    pub fn hash(self) -> u64 {
        self.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

impl ToSql for Identity {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for Identity {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_and_key_do_not_run_together() {
        assert_ne!(Identity::of("a", b"bc"), Identity::of("ab", b"c"));
        assert_eq!(Identity::of("a", b"bc"), Identity::of("a", b"bc"));
    }
}
