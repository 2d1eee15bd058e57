//! A document as text, whatever it was read from.

use std::ops::Range;

use daemon_protocol::Place;
use serde::{Deserialize, Serialize};

/// How a document is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Markdown,
    Org,
    Rst,
    Asciidoc,
    Latex,
    /// A manual page as troff reads it.
    Man,
    /// Records with fields, one below the other.
    Table,
    /// Keys with values: YAML, TOML, JSON.
    Data,
    Code,
    Text,
}

/// Names that a document gives itself besides its title.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) tags: Vec<String>,
    pub(crate) aliases: Vec<String>,
}

/// A document as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    pub kind: Kind,
    /// What the document says it is called (in front matter or its first top heading), else the file's name
    /// without its extension.
    pub title: String,
    /// Words the document is filed under, without `#`.
    pub tags: Vec<String>,
    /// What else it is called.
    pub aliases: Vec<String>,
    pub text: String,
    /// Where parts begin, of a file that was converted.
    pub marks: Vec<Mark>,
    /// What source code defines, in order, what is within another behind that one; none where no parser
    /// knows the language.
    pub outline: Vec<Definition>,
}

/// The beginning of a part of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Byte of the text, between two characters.
    pub at: usize,
    pub place: Place,
}

/// A named part of source code, as a parser sees it: a function, a class, a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Bytes of the text, with what is said of it above: comments, attributes, decorators.
    pub bytes: Range<usize>,
    /// In the words of its language: `fn cut`, `impl Convert for Workers`, `class Lamp`.
    pub name: String,
}
