//! What was measured, as people read it (pure): tables of columns, and what thoughts moved for one query.

pub mod explain;
pub mod render;
#[cfg(test)]
mod tests;
