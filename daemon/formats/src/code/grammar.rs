//! The languages: their grammars, and which of a grammar's nodes define something.
//!
//! What is not in these tables, such as a constant or a macro's use, is text between definitions.

use std::path::Path;

use tree_sitter::Language;

/// See the module.
pub(super) struct Grammar {
    pub(super) language: Language,
    /// Kinds of nodes, each with how it is called.
    pub(super) defining: &'static [(&'static str, Called)],
}

/// How a definition is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// A word, and its name.
    Word(&'static str),
    /// The same, where it has a body; else it only uses what is defined elsewhere.
    Bodied(&'static str),
    /// Its name alone.
    Name,
    /// All that stands before its parameters or, without any, its body.
    Head,
    /// All that stands before its body.
    Signature,
    /// What its declarator declares.
    Declared,
    /// What its declarator declares, where what that is of has a body.
    Typedef,
    /// What stands at this field, where its value is a function or a class.
    Valued(&'static str),
}

use Called::{Bodied, Declared, Head, Name, Signature, Typedef, Valued, Word};

const RUST: &[(&str, Called)] = &[
    ("enum_item", Word("enum")),
    ("function_item", Word("fn")),
    ("impl_item", Signature),
    ("macro_definition", Word("macro_rules!")),
    ("mod_item", Bodied("mod")),
    ("struct_item", Word("struct")),
    ("trait_item", Word("trait")),
    ("union_item", Word("union")),
];

const PYTHON: &[(&str, Called)] =
    &[("class_definition", Signature), ("function_definition", Word("def"))];

/// TypeScript's kinds are none of JavaScript's, and do not harm there.
const SCRIPT: &[(&str, Called)] = &[
    ("abstract_class_declaration", Word("class")),
    ("assignment_expression", Valued("left")),
    ("class_declaration", Word("class")),
    ("enum_declaration", Word("enum")),
    ("field_definition", Valued("property")),
    ("function_declaration", Word("function")),
    ("generator_function_declaration", Word("function*")),
    ("interface_declaration", Word("interface")),
    ("internal_module", Word("namespace")),
    ("method_definition", Name),
    ("module", Word("module")),
    ("pair", Valued("key")),
    ("public_field_definition", Valued("name")),
    ("type_alias_declaration", Word("type")),
    ("variable_declarator", Valued("name")),
];

const GO: &[(&str, Called)] = &[
    ("function_declaration", Word("func")),
    ("method_declaration", Head),
    ("type_spec", Word("type")),
];

/// C++'s kinds are none of C's, and do not harm there.
const C: &[(&str, Called)] = &[
    ("class_specifier", Bodied("class")),
    ("enum_specifier", Bodied("enum")),
    ("function_definition", Declared),
    ("namespace_definition", Word("namespace")),
    ("struct_specifier", Bodied("struct")),
    ("type_definition", Typedef),
    ("union_specifier", Bodied("union")),
];

const JAVA: &[(&str, Called)] = &[
    ("annotation_type_declaration", Word("@interface")),
    ("class_declaration", Word("class")),
    ("compact_constructor_declaration", Name),
    ("constructor_declaration", Name),
    ("enum_declaration", Word("enum")),
    ("interface_declaration", Word("interface")),
    ("method_declaration", Name),
    ("record_declaration", Word("record")),
];

const RUBY: &[(&str, Called)] = &[
    ("class", Word("class")),
    ("method", Word("def")),
    ("module", Word("module")),
    ("singleton_method", Head),
];

const BASH: &[(&str, Called)] = &[("function_definition", Word("function"))];

/// The grammar for the file `path`, which begins as `text` does.
pub(super) fn of(path: &Path, text: &str) -> Option<Grammar> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let ending = if ending.is_empty() { interpreter(text)? } else { ending.as_str() };
    let (language, defining) = match ending {
        "bash" | "sh" => (tree_sitter_bash::LANGUAGE, BASH),
        "c" => (tree_sitter_c::LANGUAGE, C),
        // A header may be of either, and C is all but C++.
        "cc" | "cpp" | "cu" | "cuh" | "cxx" | "h" | "hh" | "hpp" | "hxx" => {
            (tree_sitter_cpp::LANGUAGE, C)
        }
        "go" => (tree_sitter_go::LANGUAGE, GO),
        "java" => (tree_sitter_java::LANGUAGE, JAVA),
        "js" | "jsx" | "mjs" => (tree_sitter_javascript::LANGUAGE, SCRIPT),
        "py" | "pyi" => (tree_sitter_python::LANGUAGE, PYTHON),
        "rb" => (tree_sitter_ruby::LANGUAGE, RUBY),
        "rs" => (tree_sitter_rust::LANGUAGE, RUST),
        "ts" => (tree_sitter_typescript::LANGUAGE_TYPESCRIPT, SCRIPT),
        "tsx" => (tree_sitter_typescript::LANGUAGE_TSX, SCRIPT),
        _ => return None,
    };
    Some(Grammar { language: language.into(), defining })
}

/// The ending that a script's name would have, by its first line.
fn interpreter(text: &str) -> Option<&'static str> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    let words =
        line.split(['/', ' ']).map(|word| word.trim_end_matches(|c: char| !c.is_alphabetic()));
    words.rev().find_map(|word| match word {
        "bash" | "dash" | "ksh" | "sh" => Some("sh"),
        "node" => Some("js"),
        "python" | "pypy" => Some("py"),
        "ruby" => Some("rb"),
        _ => None,
    })
}
