//! The service: owns requests, watching and indexing. See each module's first lines.

pub mod store;

#[cfg(test)]
mod tests;
