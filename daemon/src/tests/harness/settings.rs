//! Settings of a test's service.

use std::path::Path;
use std::time::Duration;

use models::Sampling;

use crate::{Manners, Settings};

/// Settings with the list of folders in `dir`.
pub(in crate::tests) fn settings(dir: &Path) -> Settings {
    Settings {
        folders_file: dir.join("folders.json"),
        refused_file: dir.join("refused.json"),
        marks_file: dir.join("marks.json"),
        paused_file: dir.join("paused.json"),
        touched_file: dir.join("touched.json"),
        manners: Manners::default(),
        training_file: dir.join("training.json"),
        sampling: Sampling { thoughts: 2, ..Sampling::default() },
        version: "test".to_owned(),
        grounded: None,
        reading_time: Duration::ZERO,
        rescan_every: Duration::from_secs(3600),
        unload_after: None,
    }
}
