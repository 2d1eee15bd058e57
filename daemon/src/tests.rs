//! The whole service over a real socket, with a scripted mind and a memory store. No test
//! sleeps: each waits for the event that says what it wants to know.

mod asking;
mod converting;
mod filtering;
mod generations;
mod hanging;
mod harness;
mod indexing;
mod lifecycle;
mod saving;
mod storing;
mod thread;
mod training;

use crate::store::{contract, memory::MemoryStore};

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    harness::within(contract::check(&MemoryStore::default())).await;
}
