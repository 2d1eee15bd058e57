//! What is filled in on a page's form and drawn nowhere: programs that fill in forms often leave drawing to whoever
//! shows them.

use hayro_interpret::hayro_syntax::object::dict::keys::{ANNOTS, AP, F, PARENT, SUBTYPE, TU, V};
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Object};
use hayro_interpret::hayro_syntax::page::Page;

use super::title::decode;
use crate::text::one_line;

/// Fields of one page that are looked at.
const FIELDS_MAX: usize = 2_000;
/// Fields above a field that may hold its value.
const PARENTS_MAX: usize = 8;
/// Flags of what is hidden, and of what is not to be seen on a screen.
const HIDDEN: u32 = 1 << 1 | 1 << 5;

/// A line for each such field: what it asks for, where it says that, and its value.
pub(super) fn undrawn(page: &Page<'_>) -> Vec<String> {
    let Some(annotations) = page.raw().get::<Array<'_>>(ANNOTS) else { return Vec::new() };
    annotations.iter::<Dict<'_>>().take(FIELDS_MAX).filter_map(|field| line(&field)).collect()
}

fn line(field: &Dict<'_>) -> Option<String> {
    let is_widget = field.get::<Name<'_>>(SUBTYPE).is_some_and(|kind| kind.as_str() == "Widget");
    let is_hidden = field.get::<u32>(F).unwrap_or(0) & HIDDEN != 0;
    // What has an appearance is drawn with the page.
    if !is_widget || is_hidden || field.contains_key(AP) {
        return None;
    }
    let value = match inherited(field, V)? {
        Object::String(text) => decode(text.as_bytes()),
        Object::Array(chosen) => {
            let texts = chosen.iter::<Object<'_>>().filter_map(|one| match one {
                Object::String(text) => Some(decode(text.as_bytes())),
                _ => None,
            });
            texts.collect::<Vec<_>>().join(", ")
        }
        _ => return None,
    };
    let value = value.trim();
    let asked = match inherited(field, TU) {
        Some(Object::String(text)) => one_line(&decode(text.as_bytes())),
        _ => String::new(),
    };
    match (value.is_empty(), asked.is_empty()) {
        (true, _) => None,
        (_, true) => Some(value.to_owned()),
        _ => Some(format!("{asked}: {value}")),
    }
}

/// What the field says under `key`, or a field that it is a part of.
fn inherited<'a>(field: &Dict<'a>, key: &[u8]) -> Option<Object<'a>> {
    let mut field = field.clone();
    for _ in 0..PARENTS_MAX {
        if let Some(value) = field.get::<Object<'_>>(key) {
            return Some(value);
        }
        field = field.get::<Dict<'_>>(PARENT)?;
    }
    None
}
