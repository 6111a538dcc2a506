//! Tokens for the API in SQLite.

use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{ApiTokens, MOST, scope, scope_number};
use crate::domain::{ApiToken, Timestamp, TokenDigest};
use crate::store::StoreError;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::fields::unreadable;

const COLUMNS: &str = "id, name, scope, digest, tail, created_at, last_used_at";

#[async_trait]
impl ApiTokens for Sqlite {
    async fn add_token(&self, token: ApiToken) -> Result<bool, StoreError> {
        self.add(move |to| add(to, &token)).await
    }

    async fn revoke_token(&self, id: String) -> Result<bool, StoreError> {
        self.change(move |to| revoke(to, &id)).await
    }

    async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        self.read(all).await
    }

    async fn token(&self, digest: TokenDigest) -> Result<Option<ApiToken>, StoreError> {
        self.read(move |from| one(from, digest)).await
    }

    async fn token_used(&self, id: String, now: Timestamp) -> Result<(), StoreError> {
        self.change(move |to| used(to, &id, now)).await
    }
}

fn add(connection: &Connection, token: &ApiToken) -> rusqlite::Result<bool> {
    let others: i64 =
        connection.prepare_cached("SELECT count(*) FROM api_tokens")?.query_row([], |row| row.get(0))?;
    if others >= MOST {
        return Ok(false);
    }
    connection
        .prepare_cached(&format!(
            r"
            INSERT INTO api_tokens ({COLUMNS})
            VALUES (:id, :name, :scope, :digest, :tail, :created_at, :last_used_at)
            "
        ))?
        .execute(named_params! {
            ":id": token.id,
            ":name": token.name,
            ":scope": scope_number(token.scope),
            ":digest": token.digest,
            ":tail": token.tail,
            ":created_at": token.created_at.as_micros(),
            ":last_used_at": token.last_used_at.map(Timestamp::as_micros),
        })?;
    Ok(true)
}

fn revoke(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached("DELETE FROM api_tokens WHERE id = ?1")?.execute([id])? > 0)
}

fn all(connection: &Connection) -> rusqlite::Result<Vec<ApiToken>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM api_tokens ORDER BY created_at DESC, id"))?
        .query_map([], read)?
        .collect()
}

fn one(connection: &Connection, digest: TokenDigest) -> rusqlite::Result<Option<ApiToken>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM api_tokens WHERE digest = ?1"))?
        .query_row([digest], read)
        .optional()
}

fn used(connection: &Connection, id: &str, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE api_tokens SET last_used_at = ?2 WHERE id = ?1")?
        .execute(params![id, now.as_micros()])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    let last_used_at: Option<i64> = row.get("last_used_at")?;
    Ok(ApiToken {
        id: row.get("id")?,
        name: row.get("name")?,
        scope: scope(row.get("scope")?).ok_or_else(|| unreadable(row, "scope", Type::Integer))?,
        digest: row.get("digest")?,
        tail: row.get("tail")?,
        created_at: Timestamp::from_micros(row.get("created_at")?),
        last_used_at: last_used_at.map(Timestamp::from_micros),
    })
}
