//! How an editor is told to open a file at a line, and waiting for it to end.

use std::io::ErrorKind;
use std::path::Path;

use tokio::process::Command;

/// Asked in turn where neither `$VISUAL` nor `$EDITOR` is set.
const FALLBACKS: [&str; 2] = ["vi", "nano"];

/// Command lines that open `path` at `line`, of which the first whose program is there is to be run.
///
/// # Errors
/// What to tell the person: what `$EDITOR` says is no command line.
pub(crate) fn choices(
    editor: Option<&str>,
    path: &str,
    line: usize,
) -> Result<Vec<Vec<String>>, String> {
    match editor.filter(|editor| !editor.trim().is_empty()) {
        Some(editor) => match arguments(editor, path, line) {
            Some(words) => Ok(vec![words]),
            None => Err(format!("a quote in the editor's name does not end: {editor}")),
        },
        None => Ok(FALLBACKS.iter().filter_map(|name| arguments(name, path, line)).collect()),
    }
}

/// The program and arguments that open `path` at `line`, from what `$EDITOR` says. Absent if
/// it says nothing or has a quote that does not end.
pub(crate) fn arguments(editor: &str, path: &str, line: usize) -> Option<Vec<String>> {
    let mut words = split(editor)?;
    let program = Path::new(words.first()?).file_name()?.to_str()?.to_owned();
    match program.as_str() {
        "vi" | "vim" | "nvim" | "view" | "gvim" | "nano" | "pico" | "emacs" | "emacsclient"
        | "kak" | "micro" | "joe" | "mg" | "gedit" => {
            words.extend([format!("+{line}"), path.to_owned()]);
        }
        "hx" | "helix" | "subl" | "zed" => words.push(format!("{path}:{line}")),
        "code" | "code-insiders" | "codium" | "cursor" => {
            words.extend(["-g".to_owned(), format!("{path}:{line}")]);
        }
        "kate" | "mate" => {
            words.extend(["-l".to_owned(), line.to_string(), path.to_owned()]);
        }
        // An unknown program might take the line for a second file.
        _ => words.push(path.to_owned()),
    }
    Some(words)
}

/// Words as a shell would see them, as far as blanks, quotes and backslashes go.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(characters.next()?),
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Runs the first of `choices` that is there on the terminal this program has left, until it ends.
///
/// # Errors
/// What to tell the person: no such program, or the status it ended with.
pub(crate) async fn run(choices: Vec<Vec<String>>) -> Result<(), String> {
    let mut absent = Vec::new();
    for words in choices {
        let [program, arguments @ ..] = words.as_slice() else { continue };
        match Command::new(program).args(arguments).status().await {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => return Err(format!("{program} ended with {status}")),
            Err(error) if error.kind() == ErrorKind::NotFound => absent.push(program.clone()),
            Err(error) => return Err(format!("{program} did not start: {error}")),
        }
    }
    let absent = match absent.as_slice() {
        [one] => format!("{one} is not there"),
        several => format!("neither {} is there", several.join(" nor ")),
    };
    Err(format!("{absent}; set $VISUAL or $EDITOR"))
}
