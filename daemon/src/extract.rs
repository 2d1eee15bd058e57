//! Bytes and a path in, text with a kind and a title out. Pure: it opens no file.
//!
//! Offsets in [`Extracted::text`] are offsets in the file whenever the file is valid UTF-8; a
//! byte order mark therefore stays in the text (the chunker steps over it). Text decoded from
//! UTF-16 or Windows-1252, and what is written in signs for letters (`accents`, `cards`), has offsets of its own; its
//! lines are the file's all the same.

use std::borrow::Cow;
use std::path::Path;

use daemon_protocol::Place;

use crate::chunk::markup;
use crate::convert::{CONVERTED, Convert, Converted, OUTLINED, TEXT_BYTES_MAX, Unconverted};
use crate::document::{About, Definition, Extracted, Kind, Mark};

mod accents;
mod cards;
mod decode;
mod mail;
#[cfg(test)]
mod tests;

pub use decode::is_mostly_utf8;

use decode::{decode, ended};

/// Largest text file that is read, in bytes. A larger one is data, not prose, and would keep the
/// encoder busy for hours; the caller compares before it reads.
const FILE_BYTES_MAX: u64 = TEXT_BYTES_MAX as u64;

/// Largest table that is read, in bytes. What people keep by hand is far smaller; what is larger was written by
/// a program, and its thousands of passages of numbers would stand between people and their notes.
const TABLE_BYTES_MAX: u64 = 2 << 20;

/// Largest file that is converted, in bytes: most of it is pictures and fonts. It is held in memory twice,
/// here and where it is read.
const CONVERTED_BYTES_MAX: u64 = 128 << 20;

/// How a PDF begins, whatever its name says.
const PDF: &[u8] = b"%PDF-";

/// Characters of a title; a "heading" of a megabyte is no title.
const TITLE_CHARS_MAX: usize = 200;

/// Why a file has no text. The message is shown beside the file's path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("not text: it holds NUL or control bytes, so only its name could be searched")]
    Binary,
    #[error("neither UTF-8, UTF-16 nor Latin text: convert it to UTF-8, for example with iconv")]
    Encoding,
    #[error(
        "{} MiB, over the limit of {} MiB for a file of its kind: split it, or name it in a .ignore file",
        bytes.div_ceil(1 << 20), max >> 20
    )]
    TooLarge { bytes: u64, max: u64 },
    #[error(transparent)]
    Unconverted(#[from] Unconverted),
}

/// Bytes of the file `path` that are read at most.
pub fn bytes_max(path: &Path) -> u64 {
    if is_converted(path) || mail::is_mailbox(path) {
        CONVERTED_BYTES_MAX
    } else if TABLES.contains(&extension(path).as_str()) {
        TABLE_BYTES_MAX
    } else {
        FILE_BYTES_MAX
    }
}

/// Whether the file, by its name, is read by a [`Convert`].
pub fn is_converted(path: &Path) -> bool {
    CONVERTED.contains(&extension(path).as_str())
}

/// The text of the file `path` whose content is `bytes`.
///
/// # Errors
/// Content that is larger than [`bytes_max`], binary, in an encoding nothing here reads, or that
/// `convert` refuses.
pub fn extract(path: &Path, bytes: &[u8], convert: &dyn Convert) -> Result<Extracted, Unreadable> {
    let (size, max) = (bytes.len() as u64, bytes_max(path));
    if size > max {
        return Err(Unreadable::TooLarge { bytes: size, max });
    }
    let found = found(path, bytes);
    let named = found.map_or_else(|| path.to_owned(), |ending| path.with_extension(ending));
    let text = if found.is_some() || is_converted(path) {
        let unconverted = match convert.convert(&named, bytes) {
            Ok(converted) => return Ok(of_converted(path, found, converted)),
            Err(unconverted) => unconverted,
        };
        // A text may be about how a PDF begins.
        let is_read = !matches!(unconverted, Unconverted::Unavailable(_));
        let is_text = found.is_some() && is_read && !is_converted(path) && size <= FILE_BYTES_MAX;
        decode(bytes).ok().filter(|_| is_text).ok_or(unconverted)?
    } else if size > FILE_BYTES_MAX {
        return Err(Unreadable::TooLarge { bytes: size, max: FILE_BYTES_MAX });
    } else {
        decode(bytes)?
    };
    let kind = kind(path, &text);
    let text = ended(kind, text);
    let text = match extension(path).as_str() {
        "bib" | "bibtex" | "ltx" | "tex" => accents::written(text),
        "ics" | "ifb" | "vcard" | "vcf" | "vcs" => cards::unfolded(&text),
        _ => text,
    };
    let (title, About { tags, aliases }) = markup::about(kind, &text);
    let outline = if kind == Kind::Code { outline(path, &text, convert) } else { Vec::new() };
    let (title, marks) = (titled(path, title), Vec::new());
    Ok(Extracted { kind, title, tags, aliases, text, marks, outline })
}

/// The ending of the kind of document that the content is, where that is plain whatever the name says.
fn found(path: &Path, bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(PDF) {
        return Some("pdf");
    }
    if is_converted(path) { None } else { mail::found(path, bytes) }
}

fn of_converted(path: &Path, found: Option<&str>, converted: Converted) -> Extracted {
    let Converted { kind, title, text, mut marks } = converted;
    // What has a place is not looked for in the file itself, whose name does not say that it is no text.
    if found == Some("eml") && marks.is_empty() && !text.is_empty() {
        marks.push(Mark { at: 0, place: Place::Message(1) });
    }
    let (tags, aliases, outline) = (Vec::new(), Vec::new(), Vec::new());
    Extracted { kind, title: titled(path, title), tags, aliases, text, marks, outline }
}

/// What the source code `text` defines; nothing where that is not to be had, for then it is cut by its
/// indentation, which is no reason to refuse it.
fn outline(path: &Path, text: &str, convert: &dyn Convert) -> Vec<Definition> {
    let is_script = extension(path).is_empty() && text.starts_with("#!");
    if !is_script && !OUTLINED.contains(&extension(path).as_str()) {
        return Vec::new();
    }
    convert.outline(path, text).unwrap_or_else(|error| {
        tracing::debug!(path = %path.display(), %error, "cut by its indentation");
        Vec::new()
    })
}

/// What a document says it is called, or else what its file is called.
fn titled(path: &Path, title: Option<String>) -> String {
    let title = title
        .map(Cow::from)
        .unwrap_or_else(|| path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default());
    title.chars().take(TITLE_CHARS_MAX).collect()
}

fn kind(path: &Path, text: &str) -> Kind {
    let extension = extension(path);
    match extension.as_str() {
        "org" => return Kind::Org,
        "rest" | "rst" => return Kind::Rst,
        "adoc" | "asciidoc" => return Kind::Asciidoc,
        "ltx" | "tex" => return Kind::Latex,
        // Many a name ends in a number.
        "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" if markup::is_man(text) => {
            return Kind::Man;
        }
        _ => {}
    }
    let kinds =
        [(Kind::Markdown, MARKDOWN), (Kind::Table, TABLES), (Kind::Data, DATA), (Kind::Code, CODE)];
    if let Some((kind, _)) = kinds.iter().find(|(_, endings)| endings.contains(&extension.as_str()))
    {
        return *kind;
    }
    let named = CODE_NAMES.contains(&name(path).as_str());
    let script = extension.is_empty() && text.starts_with("#!");
    if named || script { Kind::Code } else { Kind::Text }
}

/// Whether the file is worth opening, by its name alone: not pictures, archives, lock files,
/// generated or minified code, data by the line, keys, or what editors leave behind. A name that
/// says nothing is worth it; its content decides.
pub fn is_candidate(path: &Path) -> bool {
    let name = name(path);
    // `#inbox.md` is a note; `#a.md#` is what Emacs saves by itself.
    let saved_by_emacs = name.len() > 1 && name.starts_with('#') && name.ends_with('#');
    // `~$report.docx` says who has the report open.
    let lock_of_office = name.starts_with("~$") && CONVERTED.contains(&extension(path).as_str());
    let litter = name.ends_with('~') || name.starts_with(".#") || saved_by_emacs || lock_of_office;
    !litter
        && !SKIPPED_NAMES.contains(&name.as_str())
        && !SKIPPED_ENDINGS.iter().any(|ending| name.ends_with(ending))
        && !SKIPPED.contains(&extension(path).as_str())
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The ending of the file's name in small letters; empty without one.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

pub(crate) const MARKDOWN: &[&str] =
    &["markdown", "md", "mdown", "mdwn", "mdx", "mkd", "qmd", "rmd"];

pub(crate) const TABLES: &[&str] = &["csv", "tab", "tsv"];

pub(crate) const DATA: &[&str] = &["json", "json5", "jsonc", "toml", "yaml", "yml"];

#[rustfmt::skip]
pub(crate) const CODE: &[&str] = &[
    "ada", "asm", "awk", "bash", "bat", "c", "cc", "cfg", "clj", "cljs", "cmake", "conf", "cpp",
    "cs", "css", "cu", "cuh", "cxx", "d", "dart", "el", "elm", "erl", "ex", "exs", "f90", "fish",
    "fs", "fsx", "gleam", "glsl", "go", "gradle", "graphql", "groovy", "h", "hcl", "hh", "hpp",
    "hrl", "hs", "hxx", "ini", "java", "jl", "js", "jsx",
    "kt", "kts", "less", "lisp", "lua", "m", "mjs", "mk", "ml", "mli", "mm", "nim", "nix",
    "nu", "opml", "pas", "php", "pl", "pm", "proto", "ps1", "py", "pyi", "pyx", "r", "rb", "rkt", "rs",
    "sass", "scala", "scm", "scss", "sh", "sol", "sql", "sv", "svelte", "swift", "tcl", "tf",
    "ts", "tsx", "typ", "v", "vala", "vb", "vhd", "vhdl", "vim", "vue", "wgsl", "xml",
    "zig", "zsh",
];

pub(crate) const CODE_NAMES: &[&str] =
    &["cmakelists.txt", "containerfile", "dockerfile", "justfile", "makefile", "rakefile"];

const SKIPPED_NAMES: &[&str] = &[
    ".ds_store",
    ".env",
    "4913", // vim probes a folder with a file of this name
    "bun.lockb",
    "desktop.ini",
    "go.sum",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "thumbs.db",
];

const SKIPPED_ENDINGS: &[&str] =
    &[".bundle.js", ".min.css", ".min.js", ".min.mjs", "-min.js", ".pb.go", "_pb2.py"];

#[rustfmt::skip]
const SKIPPED: &[&str] = &[
    // Pictures, sound, video, fonts, models of things.
    "aac", "ai", "avi", "avif", "bmp", "blend", "dxf", "eot", "eps", "fbx", "flac", "gif", "glb",
    "heic", "ico", "icns", "jpeg", "jpg", "jxl", "m4a", "m4v", "mid", "mkv", "mov", "mp3", "mp4",
    "mpeg", "mpg", "obj", "ogg", "opus", "otf", "png", "psd", "raw", "stl", "svg", "tga", "tif",
    "tiff", "ttc", "ttf", "wav", "webm", "webp", "wma", "wmv", "woff", "woff2", "xcf",
    // Archives and disk images.
    "7z", "apk", "br", "bz2", "cab", "cpio", "deb", "dmg", "ear", "gz", "img", "iso", "jar", "lz4",
    "lzma", "qcow2", "rar", "rpm", "tar", "tgz", "vdi", "vmdk", "war", "whl", "xz", "zip", "zst",
    // Documents that nothing here reads.
    "azw3", "chm", "djvu", "key", "mobi", "msf", "msg", "numbers", "one", "pages", "ps", "pst", "vsd", "vsdx", "xps",
    // Compiled code, and maps to it.
    "a", "beam", "class", "dll", "dylib", "elc", "exe", "ko", "lib", "map", "o", "pdb", "pyc",
    "pyd", "pyo", "rlib", "rmeta", "so", "wasm",
    // Models and databases; and JSON by the line, which programs write for programs: logs, data sets.
    "accdb", "arrow", "avro", "bson", "ckpt", "db", "dat", "dbf", "feather", "geojson", "gguf", "h5", "hdf5", "jsonl",
    "lance", "ldb", "mat", "mdb", "ndjson", "npy", "npz", "onnx", "parquet", "pickle", "pkl", "pt", "pth",
    "rdb", "safetensors", "sqlite", "sqlite3", "tfrecord", "wal",
    // Locks, keys, and what editors and downloads leave behind.
    "asc", "bak", "cer", "crdownload", "crt", "der", "gpg", "jks", "kdbx", "keystore", "lock", "orig", "p12",
    "part", "pem", "pfx", "pid", "ppk", "rej", "sig", "sock", "swo", "swp", "swx", "tmp",
];
