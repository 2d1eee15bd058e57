//! An answer without a screen: text for people, JSON for programs, paths and lines for pipes. Pure: an
//! answer goes in, the text to be printed comes out. Who asks, and which stream it goes to, is not here.

mod data;
mod explain;
mod lines;
mod link;
pub mod marks;
pub mod status;
mod style;
mod text;
mod thoughts;

use daemon_protocol::{Hit, Timings};

pub use data::{Envelope, array, envelope, json_lines, schema};
pub use lines::{Pipe, Template, column, paths};
pub use style::{Look, Style};
pub use text::{shortened, text};
pub use thoughts::ThoughtStream;

/// A question and all that came back.
#[derive(Debug, Default)]
pub struct Answer {
    pub question: String,
    /// As they were thought, white space and all.
    pub thoughts: Vec<String>,
    /// Best first.
    pub hits: Vec<Hit>,
    pub timings: Timings,
}

impl Answer {
    /// Adds the next piece of thought number `index`, from 0.
    pub fn think(&mut self, index: usize, delta: &str) {
        if self.thoughts.len() <= index {
            self.thoughts.resize(index + 1, String::new());
        }
        self.thoughts[index].push_str(delta);
    }
}

#[cfg(test)]
mod tests;
