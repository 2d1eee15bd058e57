//! Joint fine-tuning: contrastive retrieval and behaviour cloning of thoughts in one run (paper C).
//!
//! [`network`] is the decoder with low-rank parts, layer by layer in [`block`] and [`linear`];
//! [`batch`] makes sequences of data, [`contrast`], [`bank`] and [`generation`] are the losses,
//! [`step`] puts them together at constant memory, [`reading`] is a loss and a step of its own, [`adam`]
//! moves the [`parameters`]. [`trainer`] is
//! a run that can be interrupted, [`merge`] makes one model file of base and adapter.

mod adam;
pub mod adapter;
mod bank;
mod batch;
mod block;
mod checkpoint;
mod contrast;
mod generation;
mod linear;
pub mod merge;
mod network;
mod ops;
mod parameters;
mod reading;
mod recipe;
mod step;
mod table;
mod trainer;

#[cfg(test)]
mod tests;

pub use recipe::{QueryForm, ReadingRecipe, Recipe, Teaching};
pub use table::{TableLesson, TableRecipe, TableReport, TableStart, TableTrainer};
pub use trainer::{ReadReport, StepReport, Trainer};
