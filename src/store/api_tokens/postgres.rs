//! Tokens for the API in PostgreSQL.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::{ApiTokens, MOST, scope, scope_number};
use crate::domain::{ApiToken, Timestamp, TokenDigest};
use crate::store::StoreError;
use crate::store::postgres::{Postgres, Transaction, column, params, unreadable};

const COLUMNS: &str = "id, name, scope, digest, tail, created_at, last_used_at";

#[async_trait]
impl ApiTokens for Postgres {
    async fn add_token(&self, token: ApiToken) -> Result<bool, StoreError> {
        let token = &token;
        self.add(|to| async move { add(&to, token).await }).await
    }

    async fn revoke_token(&self, id: String) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        Ok(connection.run("DELETE FROM api_tokens WHERE id = $1", &params![id]).await? > 0)
    }

    async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let connection = self.connection().await?;
        let sql = format!("SELECT {COLUMNS} FROM api_tokens ORDER BY created_at DESC, id");
        connection.rows(&sql, &[]).await?.iter().map(read).collect()
    }

    async fn token(&self, digest: TokenDigest) -> Result<Option<ApiToken>, StoreError> {
        let connection = self.connection().await?;
        let sql = format!("SELECT {COLUMNS} FROM api_tokens WHERE digest = $1");
        connection.maybe(&sql, &params![digest.as_slice()]).await?.as_ref().map(read).transpose()
    }

    async fn token_used(&self, id: String, now: Timestamp) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        connection
            .run("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1", &params![id, now.as_micros()])
            .await?;
        Ok(())
    }
}

async fn add(to: &Transaction, token: &ApiToken) -> Result<bool, StoreError> {
    // Two nodes could each add the last one.
    to.batch("LOCK TABLE api_tokens IN SHARE ROW EXCLUSIVE MODE").await?;
    let others = to.one("SELECT count(*) AS others FROM api_tokens", &[]).await?;
    if column::<i64>(&others, "others")? >= MOST {
        return Ok(false);
    }
    to.run(
        &format!("INSERT INTO api_tokens ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)"),
        &params![
            token.id,
            token.name,
            scope_number(token.scope),
            token.digest.as_slice(),
            token.tail,
            token.created_at.as_micros(),
            token.last_used_at.map(Timestamp::as_micros)
        ],
    )
    .await?;
    Ok(true)
}

fn read(row: &Row) -> Result<ApiToken, StoreError> {
    let last_used_at: Option<i64> = column(row, "last_used_at")?;
    Ok(ApiToken {
        id: column(row, "id")?,
        name: column(row, "name")?,
        scope: scope(column(row, "scope")?).ok_or_else(|| unreadable("scope"))?,
        digest: column(row, "digest")?,
        tail: column(row, "tail")?,
        created_at: Timestamp::from_micros(column(row, "created_at")?),
        last_used_at: last_used_at.map(Timestamp::from_micros),
    })
}
