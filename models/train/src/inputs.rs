//! What `fore train` is given -> passages, and rows that name them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use models::TokenCounter;
use models::UserError;
use models::beir;
use models::dataset::{self, Pair};
use models::schedule;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::knobs::{Data, Knobs};
use crate::run::Run;

/// Bad rows of a file that are told one by one.
const BAD_ROWS_TOLD: usize = 10;

/// What was read when the run began: folders change, and a run that goes on must not.
const KEPT: &str = "inputs.json";

/// All texts of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inputs {
    /// Each once.
    pub(crate) passages: Vec<String>,
    /// By passage: where it came from. Rows with passages of one origin are held out together.
    pub(crate) origins: Vec<String>,
    /// Passages that questions are to be made up about.
    pub(crate) unasked: Vec<usize>,
    /// Rows that came with a question.
    pub(crate) rows: Vec<Row>,
    /// Indexes of the passages by their texts.
    #[serde(skip)]
    places: HashMap<String, usize>,
}

/// A question and the passage that answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) pair: Pair,
    /// Index of its first positive.
    pub(crate) positive: usize,
    /// What decides whether it is held out.
    pub(crate) origin: String,
}

impl Inputs {
    /// What `run` read when it began, or what there is to read now.
    pub(crate) fn of(
        run: &Run,
        args: &Knobs,
        counter: (usize, &dyn TokenCounter),
    ) -> Result<Inputs, TrainError> {
        let path = run.file(KEPT);
        if path.exists() {
            let text =
                fs::read_to_string(&path).map_err(|error| TrainError::reading(&path, &error))?;
            let mut inputs: Inputs = serde_json::from_str(&text).map_err(|error| {
                TrainError::new(format!("{}: {error}", path.display()))
                    .hint("begin the run again: --fresh")
            })?;
            inputs.places = inputs.passages.iter().cloned().zip(0..).collect();
            return Ok(inputs);
        }
        let inputs = Inputs::read(&args.data, run, counter, args.seed)?;
        let json = serde_json::to_string(&inputs);
        run.write(KEPT, &json.map_err(|error| TrainError::new(error.to_string()))?)?;
        Ok(inputs)
    }

    /// Reads everything that `data` names; notes what cannot be read.
    fn read(
        data: &Data,
        run: &Run,
        (tokens_max, counter): (usize, &dyn TokenCounter),
        seed: u64,
    ) -> Result<Inputs, TrainError> {
        let working_dir = &run.world.working_dir;
        let mut inputs = Inputs::default();
        for folder in &data.folder {
            let folder = fs::canonicalize(working_dir.join(folder))
                .map_err(|error| TrainError::reading(folder, &error))?;
            inputs.folder(&folder, run, tokens_max, counter)?;
            run.world.stop.check()?;
        }
        for path in &data.data {
            for file in dataset::files(&working_dir.join(path))? {
                inputs.file(&file, run, data.rows, seed)?;
                run.world.stop.check()?;
            }
        }
        for folder in &data.beir {
            inputs.collection(&working_dir.join(folder), run, &data.split)?;
        }
        inputs.drop_twins(run);
        Ok(inputs)
    }

    /// The index of `text`, which is added if it is new.
    fn place(&mut self, text: &str, origin: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.places.insert(text.to_owned(), self.passages.len());
        self.passages.push(text.to_owned());
        self.origins.push(origin.to_owned());
        self.passages.len() - 1
    }

    /// The index of a passage by its text.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        self.places.get(text).copied()
    }

    fn folder(
        &mut self,
        folder: &Path,
        run: &Run,
        tokens_max: usize,
        counter: &dyn TokenCounter,
    ) -> Result<(), TrainError> {
        if !folder.is_dir() {
            return Err(TrainError::new(format!("{} is no folder", folder.display())));
        }
        let found = run.world.service.read_folder(folder, tokens_max, counter);
        for (path, reason) in &found.problems {
            run.note(&format!("{path}: {reason}; skipped"));
        }
        if found.passages.is_empty() {
            return Err(TrainError::new(format!("{} holds no text", folder.display()))
                .hint("Markdown, plain text and source code are read"));
        }
        for (path, text) in found.passages {
            let known = self.passages.len();
            let place = self.place(&text, &path);
            if place == known {
                self.unasked.push(place);
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        file: &Path,
        run: &Run,
        most: Option<usize>,
        seed: u64,
    ) -> Result<(), TrainError> {
        let text = fs::read_to_string(file).map_err(|error| TrainError::reading(file, &error))?;
        let (mut pairs, bad) = dataset::parse(&text);
        for row in bad.iter().take(BAD_ROWS_TOLD) {
            run.note(&format!("{}: {row}; skipped", file.display()));
        }
        if bad.len() > BAD_ROWS_TOLD {
            let more = bad.len() - BAD_ROWS_TOLD;
            run.note(&format!("{}: {more} more bad rows; skipped", file.display()));
        }
        if pairs.is_empty() {
            return Err(TrainError::new(format!("{} holds no usable row", file.display()))
                .hint("a row is {\"query\": \"...\", \"pos\": [\"...\"]}, one a line"));
        }
        if let Some(most) = most.filter(|most| *most < pairs.len()) {
            let mut order = schedule::order(pairs.len(), 0, seed);
            order.truncate(most);
            order.sort_unstable();
            pairs = order.into_iter().map(|index| pairs[index].clone()).collect();
        }
        let set = name_of(file);
        for mut pair in pairs {
            if pair.set.is_empty() {
                pair.set.clone_from(&set);
            }
            self.row(pair);
        }
        Ok(())
    }

    fn row(&mut self, pair: Pair) {
        // Rows of one passage are held out together.
        let origin = pair.pos[0].clone();
        for text in pair.pos.iter().chain(&pair.neg) {
            self.place(text, text);
        }
        let positive = self.place(&pair.pos[0], &origin);
        self.rows.push(Row { pair, positive, origin });
    }

    /// Leaves one of the rows with the same question and passage.
    fn drop_twins(&mut self, run: &Run) {
        let before = self.rows.len();
        let mut known = HashSet::new();
        self.rows.retain(|row| known.insert((row.pair.query.clone(), row.positive)));
        if self.rows.len() < before {
            let twins = before - self.rows.len();
            run.note(&format!("{twins} rows are there twice, question and passage; skipped"));
        }
    }

    fn collection(&mut self, folder: &Path, run: &Run, split: &str) -> Result<(), TrainError> {
        let mut warn = |odd: &UserError| run.note(&odd.message);
        let beir::Collection { documents, queries, qrels } =
            beir::folder::read(folder, split, &mut warn)?;
        let mut texts: HashMap<&str, String> = HashMap::new();
        for entry in &documents {
            let text = run.world.service.embedded_text(&entry.title, &entry.text);
            if !text.trim().is_empty() {
                self.place(&text, &text);
                texts.insert(&entry.id, text);
            }
        }
        let set = name_of(folder);
        for query in queries {
            let graded = qrels.get(&query.id).into_iter().flatten();
            let mut judged: Vec<(&String, &i32)> =
                graded.filter(|(_, grade)| **grade > 0).collect();
            judged.sort_by_key(|(_, grade)| std::cmp::Reverse(**grade));
            let pos: Vec<String> =
                judged.iter().filter_map(|(id, _)| texts.get(id.as_str()).cloned()).collect();
            if !pos.is_empty() {
                let set = set.clone();
                self.row(Pair { id: query.id, set, query: query.text, pos, ..Pair::default() });
            }
        }
        Ok(())
    }

    /// A row for a question that was made up about a passage.
    pub(crate) fn asked(&self, passage: usize, question: String) -> Row {
        let pos = vec![self.passages[passage].clone()];
        let origin = self.origins[passage].clone();
        let pair = Pair { id: origin.clone(), query: question, pos, ..Pair::default() };
        Row { pair, positive: passage, origin }
    }
}

/// What a file or folder is called, to tell its rows from those of others.
fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
