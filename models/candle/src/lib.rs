//! The mind on real weights: mistral.rs thinks, candle embeds, from one and the same GGUF.
//!
//! The only crate that names candle, mistral.rs and tokenizers. It reads local files and opens no
//! connection; fetching model files is the program's `model pull`.

mod attention;
pub mod author;
pub mod committee;
mod decoder;
pub mod device;
pub mod encoder;
pub mod fit;
pub mod fitted;
pub mod generate;
pub mod gguf;
pub mod head;
mod map;
pub mod meta;
mod mind;
mod names;
mod narrow;
mod ops;
mod pooling;
pub mod published;
mod reader;
pub mod shipped;
mod stored;
pub mod teacher;
pub mod think;
pub mod tokens;
pub mod train;
pub mod vectors;
mod wide;

#[cfg(test)]
mod decoder_tests;
#[cfg(test)]
mod encoder_tests;
#[cfg(test)]
mod generate_tests;
#[cfg(test)]
mod mind_tests;
#[cfg(test)]
mod published_tests;
#[cfg(test)]
mod reader_tests;

pub use mind::open;
