//! What is drawn in many frames is made once.

use std::cell::RefCell;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

/// The value made last, with what it was made of. Seen from outside it is not there: whoever draws gets
/// what would be made anew.
pub(crate) struct Memo<K, V>(RefCell<Option<(K, Arc<V>)>>);

impl<K: PartialEq, V> Memo<K, V> {
    /// The value for `key`, made if the last one was for another.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut kept = self.0.borrow_mut();
        match &*kept {
            Some((of, value)) if *of == key => Arc::clone(value),
            _ => {
                let value = Arc::new(make());
                *kept = Some((key, Arc::clone(&value)));
                value
            }
        }
    }
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Memo<K, V> {
        Memo(RefCell::new(None))
    }
}

impl<K, V> Debug for Memo<K, V> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}
