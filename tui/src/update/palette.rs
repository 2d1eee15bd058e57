//! All that can be done, searched and done.

use crate::keys::Action;
use crate::model::{Finding, Model};

/// Begins to search it.
pub(super) fn open(model: &mut Model) {
    model.palette = Some(Finding::default());
}

/// Keys while it is searched. What is chosen is to be done by the caller.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Action> {
    let last = model.offered().len().saturating_sub(1);
    let palette = model.palette.as_mut()?;
    match action {
        Action::Edit(edit) => {
            palette.pattern.edit(edit);
            palette.selected = 0;
        }
        Action::Next | Action::Focus | Action::Palette => {
            palette.selected = (palette.selected + 1).min(last);
        }
        Action::Previous => palette.selected = palette.selected.saturating_sub(1),
        Action::First | Action::PageUp => palette.selected = 0,
        Action::Last | Action::PageDown => palette.selected = last,
        Action::Enter => {
            let selected = palette.selected;
            let chosen = model.offered().get(selected).map(|bound| bound.action);
            model.palette = None;
            return chosen;
        }
        _ => model.palette = None,
    }
    None
}

/// Adds `text` to what is searched for; false if nothing is.
pub(super) fn typed(model: &mut Model, text: &str) -> bool {
    let Some(palette) = &mut model.palette else { return false };
    palette.pattern.insert(text);
    palette.selected = 0;
    true
}
