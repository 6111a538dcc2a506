//! A file has one node, without a name.

use async_trait::async_trait;

use super::{NodeState, Nodes};
use crate::store::StoreError;
use crate::store::sqlite::Sqlite;

#[async_trait]
impl Nodes for Sqlite {
    async fn nodes(&self) -> Result<Vec<NodeState>, StoreError> {
        Ok(Vec::new())
    }
}
