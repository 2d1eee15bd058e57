//! A syntax tree -> its definitions, in order. Without recursion: a text may nest as deep as it is long.

use std::ops::Range;

use daemon::convert::DEFINITIONS_MAX;
use daemon::document::Definition;
use tree_sitter::{Node, Tree};

use super::grammar::{Called, Grammar};
use crate::text::one_line;

/// Characters of a name: more than is shown of it.
const NAME_CHARS_MAX: usize = 200;

/// Nodes that hold one definition, and what is said of it: where they begin it does.
const WRAPPERS: [&str; 10] = [
    "ambient_declaration",
    "decorated_definition",
    "export_statement",
    "expression_statement",
    "field_declaration",
    "lexical_declaration",
    "template_declaration",
    "type_declaration",
    "type_definition",
    "variable_declaration",
];

/// Nodes that stand before what they are about, besides comments.
const REMARKS: [&str; 2] = ["attribute_item", "decorator"];

/// Values that are worth the name they are given.
const VALUES: [&str; 5] =
    ["arrow_function", "class", "function_expression", "generator_function", "function"];

/// See the module.
pub(super) struct Outline {
    pub(super) definitions: Vec<Definition>,
    /// Bytes that are not of the language.
    pub(super) strange: usize,
}

/// A node on the way to where the walk is.
struct Step<'t> {
    node: Node<'t>,
    /// Where remarks about it begin, or itself.
    from: usize,
}

/// All definitions of `tree`, which is of `text`.
pub(super) fn definitions(tree: &Tree, grammar: &Grammar, text: &str) -> Outline {
    let language = &grammar.language;
    let mut called = vec![None; language.node_kind_count()];
    for (kind, how) in grammar.defining {
        called[usize::from(language.id_for_node_kind(kind, true))] = Some(*how);
    }
    // No node has the kind of those that the language does not know.
    called[0] = None;
    let mut outline = Outline { definitions: Vec::new(), strange: 0 };
    let mut cursor = tree.walk();
    let mut steps = vec![Step { node: cursor.node(), from: 0 }];
    while let Some(&Step { node, from, .. }) = steps.last() {
        outline.strange += if node.is_error() { node.end_byte() - node.start_byte() } else { 0 };
        let how = called.get(usize::from(node.kind_id())).copied().flatten();
        let name = how.and_then(|how| name(node, how, text));
        let defines = name.is_some();
        if let Some(name) = name {
            outline.definitions.push(Definition { bytes: bytes(&steps, text), name });
        }
        if outline.definitions.len() >= DEFINITIONS_MAX {
            break;
        }
        if cursor.goto_first_child() {
            let first = cursor.node();
            // What is said of a body is said of what it begins with.
            let is_body = !defines && first.start_byte() == node.start_byte();
            let from = if is_body { from } else { first.start_byte() };
            steps.push(Step { node: first, from });
            continue;
        }
        // The next node that is not within this one.
        while let Some(last) = steps.pop() {
            if cursor.goto_next_sibling() {
                let node = cursor.node();
                steps.push(Step { node, from: begin(&last, node, text) });
                break;
            }
            cursor.goto_parent();
        }
    }
    in_order(&mut outline.definitions);
    outline
}

/// Where `node`, which is behind `last`, begins with what is said of it.
fn begin(last: &Step<'_>, node: Node<'_>, text: &str) -> usize {
    let Step { node: before, from } = last;
    let is_remark = before.kind().contains("comment") || REMARKS.contains(&before.kind());
    // Which program runs it is said of the file.
    let is_remark = is_remark && !text[*from..].starts_with("#!");
    let between = text.get(before.end_byte()..node.start_byte()).unwrap_or_default();
    // A comment may end with its line's end.
    let own = text[..before.end_byte()].ends_with('\n');
    let lines = between.matches('\n').count() + usize::from(own);
    let begins_line = line_start(text, *from).is_some();
    if is_remark && lines <= 1 && begins_line { *from } else { node.start_byte() }
}

/// The lines of the definition that `steps` lead to.
fn bytes(steps: &[Step<'_>], text: &str) -> Range<usize> {
    let Some((step, above)) = steps.split_last() else { return 0..0 };
    let wrappers = above.iter().rev().take_while(|step| WRAPPERS.contains(&step.node.kind()));
    let from = wrappers.map(|step| step.from).min().unwrap_or(step.from).min(step.from);
    let end = step.node.end_byte();
    let rest = text[end..].lines().next().unwrap_or_default();
    let behind = rest.trim_start_matches([' ', '\t', ';', ',', ')', '}']);
    let is_remark = behind.is_empty() || behind.starts_with("//") || behind.starts_with('#');
    let end = if is_remark { end + rest.len() } else { end };
    line_start(text, from).unwrap_or(from)..end
}

/// Where the line of byte `at` begins, if nothing but white space is before it.
fn line_start(text: &str, at: usize) -> Option<usize> {
    let start = text[..at].trim_end_matches([' ', '\t']).len();
    (start == 0 || text[..start].ends_with('\n')).then_some(start)
}

/// What the definition `node` is called; none if it is none.
fn name(node: Node<'_>, how: Called, text: &str) -> Option<String> {
    let said = |node: Node<'_>| &text[node.byte_range()];
    let field = |name: &str| node.child_by_field_name(name);
    let before = |fields: &[&str]| {
        let end = fields.iter().find_map(|name| field(name));
        let end = end.map_or_else(|| first_line(node, text), |end| end.start_byte());
        let head = &text[node.start_byte()..end.max(node.start_byte())];
        head.trim().trim_end_matches(['{', ':', '(', ' ']).to_owned()
    };
    let named = |word: &str| match field("name") {
        Some(name) => format!("{word} {}", said(name)),
        None => before(&["body"]),
    };
    let name = match how {
        Called::Word(word) => named(word),
        Called::Bodied(word) => field("body").and(field("name")).map(|_| named(word))?,
        Called::Name => said(field("name")?).to_owned(),
        Called::Head => before(&["parameters", "body"]),
        Called::Signature => before(&["body"]),
        Called::Declared => said(declared(node)?).to_owned(),
        Called::Typedef => {
            field("type")?.child_by_field_name("body")?;
            format!("typedef {}", said(declared(node)?))
        }
        Called::Valued(name) => {
            field("value").or(field("right")).filter(|value| VALUES.contains(&value.kind()))?;
            said(field(name)?).to_owned()
        }
    };
    let name: String = one_line(&name).chars().filter(|c| !c.is_control()).collect();
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// What a function's declarator declares, through pointers, references and parameters.
fn declared(node: Node<'_>) -> Option<Node<'_>> {
    let mut declared = node.child_by_field_name("declarator")?;
    loop {
        let inner = declared.child_by_field_name("declarator");
        // A reference's has no name.
        let inner = inner.or_else(|| {
            let is_reference = declared.kind() == "reference_declarator";
            let last = declared.named_child_count().checked_sub(1)?;
            declared.named_child(last.try_into().ok()?).filter(|_| is_reference)
        });
        match inner {
            Some(inner) => declared = inner,
            None => return Some(declared),
        }
    }
}

/// Where the first line of `node` ends.
fn first_line(node: Node<'_>, text: &str) -> usize {
    let all = &text[node.byte_range()];
    node.start_byte() + all.find('\n').unwrap_or(all.len())
}

/// Cuts what reaches over what is before it or around it: two may share a line, or what is said above them.
fn in_order(definitions: &mut Vec<Definition>) {
    let mut around: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    definitions.retain_mut(|Definition { bytes, .. }| {
        let is_before =
            |other: &mut Range<usize>| other.end <= bytes.start || other.end < bytes.end;
        while let Some(before) = around.pop_if(is_before) {
            at = at.max(before.end);
        }
        bytes.start = bytes.start.max(at);
        let is_left = bytes.start < bytes.end;
        if is_left {
            at = bytes.start;
            around.push(bytes.clone());
        }
        is_left
    });
}
