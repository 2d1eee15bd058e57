//! What was measured, and by which settings: what tables and files are made of.

use std::path::PathBuf;

use models::column::{Column, Search, Thinking};
use models::{Sampling, UserError};

use crate::effort::Effort;
use crate::sections::{Section, Size, Source};
use crate::{Encoding, Plan, Reading, Report, Summary};

/// What others are compared with unless something else is named: what needs no model at all.
pub const BASELINE: Column = Column::own(Search::Bm25, Thinking::None);

/// What holds for all tables of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// As it would be typed again.
    pub command: String,
    pub sampling: Sampling,
    pub reading: Reading,
    pub chunked: bool,
    pub baseline: Column,
    /// Of the sample and the bootstrap; the sampling has it too.
    pub seed: u64,
    /// Folder of the peer's model.
    pub peer: PathBuf,
}

impl Settings {
    /// How `section` is measured.
    pub fn plan(&self, section: &Section) -> Plan {
        Plan {
            columns: section.columns.clone(),
            sampling: self.sampling.clone(),
            reading: self.reading,
            chunked: self.chunked,
        }
    }
}

/// A section's figures, without the rankings that they come from.
#[derive(Debug, Clone)]
pub struct Measured {
    pub name: String,
    /// Whether this is the second look, at everything.
    pub full: bool,
    pub size: Size,
    /// The column that the others are compared with.
    pub baseline: Column,
    pub encodings: Vec<(Encoding, Effort)>,
    pub summaries: Vec<Summary>,
    /// Peak resident bytes of the process so far.
    pub memory_peak: u64,
}

impl Measured {
    /// The figures of `report`, with what encoding took in earlier runs.
    ///
    /// # Errors
    /// If what encoding took cannot be remembered.
    pub fn new(
        section: &Section,
        report: &Report,
        settings: &Settings,
    ) -> Result<Measured, UserError> {
        let mut size = section.size;
        let mut encodings = Vec::new();
        for encoding in report.encodings.iter().cloned() {
            let effort = match &section.source {
                Source::Folder { index } => Effort::with_earlier(&encoding, index)?,
                Source::OwnIndex { .. } => {
                    (size.documents, size.documents_all) = (encoding.documents, encoding.documents);
                    Effort::default()
                }
            };
            encodings.push((encoding, effort));
        }
        // A section that lacks the usual baseline is compared with its own first column.
        let first = section.columns.first().copied().unwrap_or(settings.baseline);
        let usual = section.columns.contains(&settings.baseline);
        let baseline = if usual { settings.baseline } else { first };
        Ok(Measured {
            name: section.name.clone(),
            full: section.full,
            size,
            baseline,
            encodings,
            summaries: report.summaries(baseline, settings.seed),
            memory_peak: models::process::memory().1,
        })
    }
}
