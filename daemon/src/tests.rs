//! The whole service over a real socket, with a scripted mind and a memory store. No test
//! sleeps: each waits for the event that says what it wants to know.

mod asking;
mod converting;
mod copies;
mod explaining;
mod filtering;
mod generations;
mod hanging;
pub(crate) mod harness;
mod indexing;
mod lifecycle;
mod marking;
mod reusing;
mod saving;
mod sharing;
mod steering;
mod storing;
mod switching;
mod thread;
mod touched;
mod tracing;
mod training;
mod waiting;
// Where the system reports from whole trees, only the watched folders themselves are watched.
#[cfg(target_os = "linux")]
mod watching;

use crate::store::{contract, memory::MemoryStore};

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    harness::within(contract::check(&MemoryStore::default())).await;
}
