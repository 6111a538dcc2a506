//! Messages handled by hand, in PostgreSQL.

use crate::domain::Now;
use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;

#[async_trait]
impl ByHand for Postgres {
    async fn send_now(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<(i64, String)>, StoreError> {
        unimplemented!()
    }

    async fn move_parked(&self, seqs: Vec<i64>, to: String, now: Now) -> Result<Vec<i64>, StoreError> {
        unimplemented!()
    }

    async fn cancel_messages(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<i64>, StoreError> {
        unimplemented!()
    }
}
