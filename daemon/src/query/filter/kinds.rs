//! Which files `type:` and `lang:` name, by their endings. Pure.

use std::path::Path;

use crate::convert::CONVERTED;
use crate::extract::{CODE, CODE_NAMES, DATA, MARKDOWN};

/// What a type is called, and its endings. What is not called here is an ending itself.
const TYPES: &[(&[&str], &[&str])] = &[
    (&["doc", "document", "word"], &["doc", "docm", "docx", "odt", "rtf"]),
    (
        &["slides", "slide", "presentation"],
        &["odp", "pot", "pps", "ppsm", "ppsx", "ppt", "pptm", "pptx"],
    ),
    (
        &["sheet", "sheets", "spreadsheet"],
        &["csv", "ods", "tab", "tsv", "xls", "xlsb", "xlsm", "xlsx"],
    ),
    (&["mail", "email"], &["eml", "mbox"]),
    (&["markdown", "md"], MARKDOWN),
    (&["notebook"], &["ipynb"]),
    (&["html"], &["htm", "html", "xhtml"]),
    (&["book", "ebook"], &["epub"]),
    (&["text"], &["text", "txt"]),
];

/// What a language is called, and the endings, or whole names, of its files.
const LANGUAGES: &[(&[&str], &[&str])] = &[
    (&["ada"], &["ada"]),
    (&["assembly", "asm"], &["asm"]),
    (&["c"], &["c", "h"]),
    (&["clojure"], &["clj", "cljs"]),
    (&["cmake"], &["cmake", "cmakelists.txt"]),
    (&["cpp", "c++", "cxx"], &["cc", "cpp", "cxx", "h", "hh", "hpp", "hxx"]),
    (&["csharp", "c#"], &["cs"]),
    (&["cuda"], &["cu", "cuh"]),
    (&["docker", "dockerfile"], &["containerfile", "dockerfile"]),
    (&["elisp"], &["el"]),
    (&["elixir"], &["ex", "exs"]),
    (&["erlang"], &["erl", "hrl"]),
    (&["fortran"], &["f90"]),
    (&["fsharp", "f#"], &["fs", "fsx"]),
    (&["haskell"], &["hs"]),
    (&["javascript", "js"], &["js", "jsx", "mjs"]),
    (&["json"], &["json", "json5", "jsonc"]),
    (&["julia"], &["jl"]),
    (&["kotlin"], &["kt", "kts"]),
    (&["make", "makefile"], &["makefile", "mk"]),
    (&["matlab", "objc", "objective-c"], &["m", "mm"]),
    (&["ocaml"], &["ml", "mli"]),
    (&["pascal"], &["pas"]),
    (&["perl"], &["pl", "pm"]),
    (&["powershell"], &["ps1"]),
    (&["protobuf"], &["proto"]),
    (&["python", "py"], &["ipynb", "py", "pyi", "pyx"]),
    (&["racket"], &["rkt"]),
    (&["ruby", "rb"], &["rakefile", "rb"]),
    (&["rust", "rs"], &["rs"]),
    (&["sass"], &["sass", "scss"]),
    (&["scheme"], &["scm"]),
    (&["shell", "sh", "bash"], &["bash", "fish", "sh", "zsh"]),
    (&["solidity"], &["sol"]),
    (&["terraform"], &["hcl", "tf"]),
    (&["typescript", "ts"], &["ts", "tsx"]),
    (&["typst"], &["typ"]),
    (&["verilog", "systemverilog"], &["sv", "v"]),
    (&["vhdl"], &["vhd", "vhdl"]),
    (&["yaml", "yml"], &["yaml", "yml"]),
];

fn called(table: &[(&[&'static str], &[&'static str])], name: &str) -> Option<Vec<String>> {
    let (_, endings) = table.iter().find(|(names, _)| names.contains(&name))?;
    Some(endings.iter().map(|ending| (*ending).to_owned()).collect())
}

/// The endings of what `type:` calls `name`, which is small; `None` if it cannot be an ending.
pub(super) fn of_type(name: &str) -> Option<Vec<String>> {
    if name == "code" {
        return Some(CODE.iter().chain(CODE_NAMES).map(|ending| (*ending).to_owned()).collect());
    }
    let name = name.strip_prefix('.').unwrap_or(name);
    let is_ending = !name.is_empty() && name.chars().all(char::is_alphanumeric);
    called(TYPES, name).or_else(|| is_ending.then(|| vec![name.to_owned()]))
}

/// The endings of the language `name`, which is small and may be one of them; `None` if there is none.
pub(super) fn of_language(name: &str) -> Option<Vec<String>> {
    let own = || is_source(name).then(|| vec![name.to_owned()]);
    called(LANGUAGES, name).or_else(own)
}

/// Whether files of this ending are read as code or data.
fn is_source(ending: &str) -> bool {
    CODE.contains(&ending) || DATA.contains(&ending)
}

/// Whether `word` is called like a file's type or a language.
pub(super) fn is_kind(word: &str) -> bool {
    let is_ending = is_source(word) || CONVERTED.contains(&word);
    is_ending || called(TYPES, word).is_some() || of_language(word).is_some()
}

/// Whether the file at `path` ends in one of `endings`, or is called so.
pub(in crate::query) fn ends_in(path: &str, endings: &[String]) -> bool {
    let path = Path::new(path);
    let is_one = |part: Option<&std::ffi::OsStr>| {
        let part = part.map(|part| part.to_string_lossy().to_lowercase());
        part.is_some_and(|part| endings.contains(&part))
    };
    is_one(path.extension()) || is_one(path.file_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::TABLES;

    #[test]
    fn every_type_and_language_is_of_files_that_are_read() {
        let known: Vec<&str> =
            [CONVERTED, CODE, CODE_NAMES, DATA, MARKDOWN, TABLES, &["text", "txt"]].concat();
        for (names, endings) in TYPES.iter().chain(LANGUAGES) {
            let unknown = endings.iter().find(|ending| !known.contains(ending));
            assert_eq!(unknown, None, "{names:?}");
        }
        for ending in TABLES {
            assert!(ends_in(&format!("a.{ending}"), &of_type("sheet").unwrap()), "{ending}");
        }
        for ending in DATA {
            assert!(of_language(ending).is_some(), "{ending}");
        }
    }
}
