//! The service over a socket pair, with a scripted mind and a memory store.

use crate::store::{contract, memory::MemoryStore};

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    contract::check(&MemoryStore::default()).await;
}
