//! What source code defines, by the grammar of its language.

mod grammar;
#[cfg(test)]
mod tests;
mod walk;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use daemon::convert::Unconverted;
use daemon::document::Definition;
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use grammar::Grammar;

/// How long one file may be parsed: the longest takes some seconds, and more where the machine has much else to do. It
/// is not looked at while an error is recovered from: there the process's own time counts.
const PARSE_TIME_MAX: Duration = Duration::from_secs(10);

/// Of a text, one part in so many may be none of its language. Past that it is taken for one of another, unless
/// most of it is definitions all the same: macros keep many a file of C from being whole.
const STRANGE: usize = 3;

/// What `text` of the file `path` defines; none where no grammar here is its language's.
pub(crate) fn outline(path: &Path, text: &str) -> Result<Vec<Definition>, Unconverted> {
    let Some(grammar) = grammar::of(path, text) else { return Ok(Vec::new()) };
    let tree = parsed(&grammar, text)?;
    let outline = walk::definitions(&tree, &grammar, text);
    if outline.strange * STRANGE > text.len() && covered(&outline.definitions) * 2 < text.len() {
        return Err(Unconverted::Damaged("most of it is not its language's".to_owned()));
    }
    Ok(outline.definitions)
}

/// Bytes that are in a definition.
fn covered(definitions: &[Definition]) -> usize {
    let mut at = 0;
    let outermost = definitions.iter().filter(|one| {
        let is_outermost = one.bytes.start >= at;
        at = at.max(one.bytes.end);
        is_outermost
    });
    outermost.map(|one| one.bytes.len()).sum()
}

fn parsed(grammar: &Grammar, text: &str) -> Result<Tree, Unconverted> {
    let mut parser = Parser::new();
    let set = parser.set_language(&grammar.language);
    set.map_err(|error| Unconverted::Failed(error.to_string()))?;
    let deadline = Instant::now() + PARSE_TIME_MAX;
    let mut in_time = |_: &ParseState| match Instant::now() < deadline {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    let options = ParseOptions::new().progress_callback(&mut in_time);
    let mut input = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut input, None, Some(options));
    tree.ok_or_else(|| {
        Unconverted::TooMuch(format!("not parsed within {} s", PARSE_TIME_MAX.as_secs()))
    })
}
