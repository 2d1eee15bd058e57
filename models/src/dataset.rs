//! Training pairs: JSONL with the paper's field names (`query`, `pos`, `neg`), parsed (pure).

use serde::Deserialize;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pair {
    pub query: String,
    /// Texts that answer it, best first.
    pub pos: Vec<String>,
    /// Texts that seem to and do not.
    #[serde(default)]
    pub neg: Vec<String>,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadRow {
    /// From 1.
    pub line: usize,
    pub reason: String,
}

/// The usable rows of a JSONL text, and the others with their line numbers.
pub fn parse(text: &str) -> (Vec<Pair>, Vec<BadRow>) {
    let (mut pairs, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row = serde_json::from_str::<Pair>(line).map_err(|error| error.to_string());
        match row.and_then(usable) {
            Ok(pair) => pairs.push(pair),
            Err(reason) => bad.push(BadRow { line: index + 1, reason }),
        }
    }
    (pairs, bad)
}

fn usable(pair: Pair) -> Result<Pair, String> {
    if pair.query.trim().is_empty() {
        return Err("the query is empty".to_owned());
    }
    if pair.pos.iter().all(|text| text.trim().is_empty()) {
        return Err("there is no positive text".to_owned());
    }
    Ok(pair)
}
