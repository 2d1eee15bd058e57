//! A machine that is as the test says; nothing is known of it until then.

use std::sync::Mutex;

use crate::manners::{Machine, Seen};

#[derive(Default)]
pub(in crate::tests) struct TestMachine(Mutex<Seen>);

impl TestMachine {
    pub(in crate::tests) fn is(&self, seen: Seen) {
        *self.0.lock().unwrap() = seen;
    }
}

impl Machine for TestMachine {
    fn look(&self) -> Seen {
        *self.0.lock().unwrap()
    }
}
