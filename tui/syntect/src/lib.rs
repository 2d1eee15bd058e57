//! Code in colours for the full-screen view: syntect with bat's grammars. Which piece of a line is what; how that looks
//! is the view's. Grammars are unpacked at the first call, some tens of milliseconds, and kept: callers have a thread
//! for it.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use tui::{Ink, Inked};

/// After so long the lines that are left stay plain: some grammars need very long for some lines.
const PAINT_MS_MAX: u64 = 500;

/// What the names of scopes mean, the first that fits; what fits none is asked of the scope around it. Plain is what
/// stands in a text or a comment and is neither.
const SCOPES: [(&str, Option<Ink>); 25] = [
    ("meta.interpolation", None),
    ("meta.template.expression", None),
    ("source.embedded", None),
    ("comment", Some(Ink::Comment)),
    ("string", Some(Ink::Text)),
    ("constant.character.escape", Some(Ink::Number)),
    ("constant.character", Some(Ink::Text)),
    ("constant.numeric", Some(Ink::Number)),
    ("constant.language", Some(Ink::Number)),
    ("keyword.operator.word", Some(Ink::Keyword)),
    ("keyword.operator.logical.python", Some(Ink::Keyword)),
    ("keyword.operator", None),
    ("keyword", Some(Ink::Keyword)),
    ("storage", Some(Ink::Keyword)),
    ("variable.language", Some(Ink::Keyword)),
    ("entity.name.function", Some(Ink::Function)),
    ("support.function", Some(Ink::Function)),
    ("variable.function", Some(Ink::Function)),
    ("entity.name.tag", Some(Ink::Keyword)),
    ("entity.name", Some(Ink::Type)),
    ("entity.other.inherited-class", Some(Ink::Type)),
    ("entity.other.attribute-name", Some(Ink::Function)),
    ("support.type", Some(Ink::Type)),
    ("support.class", Some(Ink::Type)),
    ("support.macro", Some(Ink::Function)),
];

struct Grammars {
    all: SyntaxSet,
    scopes: Vec<(Scope, Option<Ink>)>,
}

/// What is what in `lines` of the file at `path`, which need not be its first ones and have no ends: by line, byte
/// ranges, ascending. None of a file that is in no language that is known.
pub fn paint(path: &str, lines: &[String]) -> Vec<Inked> {
    static GRAMMARS: OnceLock<Grammars> = OnceLock::new();
    let grammars = GRAMMARS.get_or_init(|| Grammars {
        all: two_face::syntax::extra_newlines(),
        scopes: SCOPES
            .iter()
            .filter_map(|(name, ink)| Some((Scope::new(name).ok()?, *ink)))
            .collect(),
    });
    let Some(syntax) = grammars.of(path, lines.first().map_or("", String::as_str)) else {
        return Vec::new();
    };
    let deadline = Instant::now() + Duration::from_millis(PAINT_MS_MAX);
    let (mut state, mut stack) = (ParseState::new(syntax), ScopeStack::new());
    let mut inked = Vec::with_capacity(lines.len());
    for line in lines {
        if Instant::now() > deadline {
            break;
        }
        let Some(line) = grammars.line(line, &mut state, &mut stack) else { break };
        inked.push(line);
    }
    inked
}

impl Grammars {
    /// The language of a file by its name, else by its first line, as `#!` tells it.
    fn of(&self, path: &str, first: &str) -> Option<&SyntaxReference> {
        let path = Path::new(path);
        let part =
            |part: Option<&std::ffi::OsStr>| self.all.find_syntax_by_extension(part?.to_str()?);
        let named = part(path.file_name()).or_else(|| part(path.extension()));
        let found = named.or_else(|| self.all.find_syntax_by_first_line(first))?;
        (found.name != self.all.find_syntax_plain_text().name).then_some(found)
    }

    /// One line; none if the grammar fails.
    fn line(&self, line: &str, state: &mut ParseState, stack: &mut ScopeStack) -> Option<Inked> {
        let changes = state.parse_line(&format!("{line}\n"), &self.all).ok()?;
        let mut inked = Inked::new();
        let mut from = 0;
        for (at, change) in changes {
            let at = at.min(line.len());
            self.push(&mut inked, (from, at), stack);
            from = at;
            stack.apply(&change).ok()?;
        }
        self.push(&mut inked, (from, line.len()), stack);
        Some(inked)
    }

    fn push(&self, inked: &mut Inked, (from, to): (usize, usize), stack: &ScopeStack) {
        if from >= to {
            return;
        }
        let ink = |scope: &Scope| {
            self.scopes.iter().find(|(name, _)| name.is_prefix_of(*scope)).map(|(_, ink)| *ink)
        };
        let Some(ink) = stack.scopes.iter().rev().find_map(ink).flatten() else { return };
        match inked.last_mut() {
            Some((_, end, last)) if *end == from && *last == ink => *end = to,
            _ => inked.push((from, to, ink)),
        }
    }
}

#[cfg(test)]
mod tests;
