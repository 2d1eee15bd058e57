//! Jupyter notebooks, cell by cell: what is written, the code, and what it printed if that is short.

#[cfg(test)]
mod tests;

use daemon::convert::{Converted, Unconverted};
use daemon_protocol::Place;
use serde_json::Value;

use crate::text::Text;

/// Bytes of an output that is kept: results and short tables. Longer ones are logs and dumps of data.
const OUTPUT_BYTES_MAX: usize = 2_000;

pub(crate) fn read(bytes: &[u8]) -> Result<Converted, Unconverted> {
    let notebook: Value =
        serde_json::from_slice(bytes).map_err(|error| Unconverted::Damaged(error.to_string()))?;
    let Some(cells) = cells(&notebook) else {
        return Err(Unconverted::Damaged("no notebook: it has no cells".to_owned()));
    };
    let metadata = &notebook["metadata"];
    let language = metadata["kernelspec"]["language"].as_str();
    let language =
        language.or_else(|| metadata["language_info"]["name"].as_str()).unwrap_or_default();
    let mut text = Text::default();
    for (cell, number) in cells.into_iter().zip(1..) {
        text.mark(Place::Cell(number));
        write(&mut text, cell, language);
        text.within()?;
    }
    text.converted(metadata["title"].as_str().map(str::to_owned))
}

/// The cells; the format before 4 has them in worksheets.
fn cells(notebook: &Value) -> Option<Vec<&Value>> {
    if let Some(cells) = notebook["cells"].as_array() {
        return Some(cells.iter().collect());
    }
    let sheets = notebook["worksheets"].as_array()?;
    Some(sheets.iter().filter_map(|sheet| sheet["cells"].as_array()).flatten().collect())
}

fn write(text: &mut Text, cell: &Value, language: &str) {
    // `input` and `language` are what the format before 4 calls them.
    let source = joined(&cell["source"]).or_else(|| joined(&cell["input"])).unwrap_or_default();
    match cell["cell_type"].as_str() {
        Some("code") => text.code(cell["language"].as_str().unwrap_or(language), &source),
        Some("heading") => {
            let level = cell["level"].as_u64().and_then(|level| usize::try_from(level).ok());
            text.heading(level.unwrap_or(1), &source);
        }
        _ if source.trim().is_empty() => {}
        _ => text.block(source.trim_end()),
    }
    for output in cell["outputs"].as_array().into_iter().flatten() {
        // A program that shows Markdown means it to be read so.
        if let Some(shown) = joined(&output["data"]["text/markdown"]) {
            if shown.len() <= OUTPUT_BYTES_MAX && !shown.trim().is_empty() {
                text.block(shown.trim());
            }
            continue;
        }
        let said = said(output).unwrap_or_default();
        if said.len() <= OUTPUT_BYTES_MAX {
            text.code("", &without_colours(&said));
        }
    }
}

/// The text of an output: printed, a result, or an error's last word.
fn said(output: &Value) -> Option<String> {
    if output["ename"].is_string() {
        let (name, value) =
            (output["ename"].as_str()?, output["evalue"].as_str().unwrap_or_default());
        return Some(format!("{name}: {value}"));
    }
    // A picture's or a page's text is `<Figure size …>`, and says nothing.
    let picture = output["data"]
        .as_object()
        .is_some_and(|data| data.keys().any(|kind| kind.starts_with("image/")));
    let result = joined(&output["data"]["text/plain"]).filter(|_| !picture);
    joined(&output["text"]).or(result)
}

/// A text, which may be given as its lines.
fn joined(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => Some(lines.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

/// Without what tells a terminal which colours to use.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1);
        text + &part[end..]
    })
}
