//! A glob of paths, read by characters rather than bytes: `caf?` is `café` too. Pure, and bounded in what
//! it costs. Ours since globset matches bytes, the crate glob knows no braces, and to wax `$`, `<` and `(` are signs
//! too, which names have.
//!
//! | written | matches |
//! | --- | --- |
//! | `?`, `*` | one character of a name, or any number of them |
//! | `[a-z]`, `[!a-z]` | one character that is among these, or is not |
//! | `{a,b}` | either |
//! | `**` for a name | any number of folders |
//! | `\*` | the sign itself |
//!
//! What a glob matches is a document or a folder that one is in. A glob without folders may be at any depth.

use std::ops::Range;

#[cfg(test)]
mod tests;

/// Characters of a glob: as many as of a path.
const GLOB_CHARS_MAX: usize = 4096;
/// Globs that one with braces stands for; each is tried on each path.
const CHOICES_MAX: usize = 256;
/// Braces that are resolved, those of braces within braces among them.
const BRACES_MAX: usize = 1024;

/// Those that braces leave a choice of.
#[derive(Debug)]
pub(super) struct Glob(Vec<Vec<Step>>);

/// What matches one name of a path, or several.
#[derive(Debug)]
enum Step {
    Folders,
    Name(Vec<Sign>),
}

#[derive(Debug)]
enum Sign {
    Is(char),
    One,
    Many,
    Among { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a glob; an error says what is wrong with it.
    pub(super) fn new(glob: &str) -> Result<Glob, &'static str> {
        if glob.chars().nth(GLOB_CHARS_MAX).is_some() {
            return Err("it is longer than paths are");
        }
        let choices = choices(glob)?;
        Ok(Glob(choices.iter().map(|glob| steps(glob)).collect::<Result<_, _>>()?))
    }

    /// Whether `path`, or a folder that it is in, is meant.
    pub(super) fn matches(&self, path: &str) -> bool {
        let names: Vec<Vec<char>> = path.split('/').map(|name| name.chars().collect()).collect();
        self.0.iter().any(|steps| begins(&names, steps))
    }
}

/// The signs of a glob that part it or its braces, each with where it stands: none that is escaped or
/// within brackets.
fn parting(glob: &str) -> Result<Vec<(usize, char)>, &'static str> {
    let mut found = Vec::new();
    let mut signs = glob.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => signs.next().map(drop).ok_or("nothing follows its last backslash")?,
            '[' => {
                let end = at + among(&glob[at..])?.1;
                while signs.offset() < end && signs.next().is_some() {}
            }
            '{' | '}' | ',' | '/' => found.push((at, sign)),
            _ => {}
        }
    }
    Ok(found)
}

/// The globs without braces that `glob` stands for.
fn choices(glob: &str) -> Result<Vec<String>, &'static str> {
    let (mut open, mut choices) = (vec![glob.to_owned()], Vec::new());
    for _ in 0..BRACES_MAX + CHOICES_MAX {
        let Some(glob) = open.pop() else { return Ok(choices) };
        match braces(&glob)? {
            None => choices.push(glob),
            Some(Braces { bytes, inside }) => {
                let (before, behind) = (&glob[..bytes.start], &glob[bytes.end..]);
                let choice = |inside: Range<usize>| format!("{before}{}{behind}", &glob[inside]);
                open.extend(inside.into_iter().rev().map(choice));
            }
        }
        if open.len() + choices.len() > CHOICES_MAX {
            break;
        }
    }
    Err("its braces leave too many choices")
}

/// Where braces stand in a glob, and what stands between their commas.
struct Braces {
    bytes: Range<usize>,
    inside: Vec<Range<usize>>,
}

/// The first braces of a glob.
fn braces(glob: &str) -> Result<Option<Braces>, &'static str> {
    let mut depth = 0;
    let (mut open, mut start) = (0, 0);
    let mut inside = Vec::new();
    for (at, sign) in parting(glob)? {
        match (sign, depth) {
            ('{', 0) => (depth, open, start) = (1, at, at + 1),
            ('{', _) => depth += 1,
            ('}', 0) => return Err("a brace closes that none has opened"),
            ('}', 1) => {
                inside.push(start..at);
                return Ok(Some(Braces { bytes: open..at + 1, inside }));
            }
            ('}', _) => depth -= 1,
            (',', 1) => inside.push(std::mem::replace(&mut start, at + 1)..at),
            _ => {}
        }
    }
    if depth > 0 { Err("a brace is not closed") } else { Ok(None) }
}

/// The steps of a glob without braces.
fn steps(glob: &str) -> Result<Vec<Step>, &'static str> {
    let slashes = parting(glob)?.into_iter().filter(|(_, sign)| *sign == '/').map(|(at, _)| at);
    let mut start = 0;
    let ends = slashes.chain([glob.len()]);
    let names: Vec<&str> =
        ends.map(|end| &glob[std::mem::replace(&mut start, end + 1)..end]).collect();
    let mut steps = Vec::with_capacity(names.len() + 1);
    if names.len() == 1 {
        steps.push(Step::Folders);
    }
    for (name, left) in names.iter().zip((0..names.len()).rev()) {
        // At the end it is all that is in the folder, and not the folder.
        let folders = *name == "**" && left > 0;
        steps.push(if folders { Step::Folders } else { Step::Name(signs(name)?) });
    }
    Ok(steps)
}

fn signs(name: &str) -> Result<Vec<Sign>, &'static str> {
    let mut signs = Vec::new();
    let mut rest = name;
    while let Some(sign) = rest.chars().next() {
        let mut taken = sign.len_utf8();
        let read = match sign {
            '?' => Sign::One,
            '*' if matches!(signs.last(), Some(Sign::Many)) => {
                rest = &rest[taken..];
                continue;
            }
            '*' => Sign::Many,
            '[' => {
                let (among, length) = among(rest)?;
                taken = length;
                among
            }
            '\\' => {
                let escaped = rest[1..].chars().next().ok_or("nothing follows a backslash")?;
                taken += escaped.len_utf8();
                Sign::Is(escaped)
            }
            sign => Sign::Is(sign),
        };
        signs.push(read);
        rest = &rest[taken..];
    }
    Ok(signs)
}

/// The brackets that `rest` begins with, and their length.
fn among(rest: &str) -> Result<(Sign, usize), &'static str> {
    const OPEN: &str = "a bracket is not closed";
    let inside = &rest[1..];
    let bare = inside.strip_prefix(['!', '^']).unwrap_or(inside);
    let negated = bare.len() < inside.len();
    let mut ranges = Vec::new();
    let mut signs = bare.char_indices().peekable();
    loop {
        let (at, first) = signs.next().ok_or(OPEN)?;
        // Right behind the opening one it is among them itself.
        if first == ']' && at > 0 {
            return Ok((Sign::Among { negated, ranges }, rest.len() - bare.len() + at + 1));
        }
        let mut ahead = signs.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some((_, '-')), Some((_, last))) if last != ']' => {
                signs = ahead;
                last
            }
            _ => first,
        };
        if last < first {
            return Err("a range within brackets ends before it begins");
        }
        ranges.push((first, last));
    }
}

/// Whether the steps match the first of the names. Where folders are any, as few as will do are enough:
/// only the last such step is ever gone back to.
fn begins(names: &[Vec<char>], steps: &[Step]) -> bool {
    let (mut at, mut step, mut back) = (0, 0, None);
    loop {
        match steps.get(step) {
            None => return true,
            Some(Step::Folders) => {
                step += 1;
                back = Some((at, step));
            }
            Some(Step::Name(signs)) if names.get(at).is_some_and(|name| is_named(name, signs)) => {
                (at, step) = (at + 1, step + 1);
            }
            Some(Step::Name(_)) => match back {
                Some((begun, again)) if begun < names.len() => {
                    back = Some((begun + 1, again));
                    (at, step) = (begun + 1, again);
                }
                _ => return false,
            },
        }
    }
}

/// Whether the signs match all of the name, likewise.
fn is_named(name: &[char], signs: &[Sign]) -> bool {
    let (mut at, mut sign, mut back) = (0, 0, None);
    while at < name.len() || sign < signs.len() {
        match (signs.get(sign), name.get(at)) {
            (Some(Sign::Many), _) => {
                sign += 1;
                back = Some((at, sign));
            }
            (Some(one), Some(c)) if is_sign(one, *c) => (at, sign) = (at + 1, sign + 1),
            _ => match back {
                Some((begun, again)) if begun < name.len() => {
                    back = Some((begun + 1, again));
                    (at, sign) = (begun + 1, again);
                }
                _ => return false,
            },
        }
    }
    true
}

fn is_sign(sign: &Sign, c: char) -> bool {
    match sign {
        Sign::Is(it) => *it == c,
        Sign::One | Sign::Many => true,
        Sign::Among { negated, ranges } => {
            ranges.iter().any(|(first, last)| (first..=last).contains(&&c)) != *negated
        }
    }
}
