//! The head's table of token vectors: begun with what the teacher makes of single tokens, and learnt
//! from all rows at once after the model's own steps, whose states it adds to.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use models::dataset::Pair;
use models::{MindError, prompt};
use models_candle::encoder::{Encoder, Exits};
use models_candle::gguf::{self, Gguf};
use models_candle::meta::Pooling;
use models_candle::teacher::Teacher;
use models_candle::tokens::{Sequence, Vocabulary};
use models_candle::train::adapter::Adapter;
use models_candle::train::merge::{self, Named};
use models_candle::train::{TableLesson, TableRecipe, TableReport, TableStart, TableTrainer};
use models_candle::vectors::TextVectors;

use crate::error::TrainError;
use crate::files::LEARNT;
use crate::knobs::Knobs;
use crate::run::Run;

/// The merged model without the table, whose states the table adds to. In 16 bits, as its lower layers
/// are where it matters.
const BARE: &str = "bare.gguf";
const CHECKPOINT: &str = "table.safetensors";
const METRICS: &str = "table.jsonl";
/// Between two checkpoints, which are three times the table: what a power cut costs.
const SAVED_EVERY: Duration = Duration::from_secs(60);
/// Tells the vectors of queries from those of passages, which are read with other markers.
const QUERY: &str = "query\0";
const PASSAGE: &str = "passage\0";

/// Finds out before anything is read that there can be no table.
pub(crate) fn check(args: &Knobs) -> Result<(), TrainError> {
    let learning = &args.learning;
    if learning.token_table == 0 {
        return Ok(());
    }
    if args.making.no_teacher {
        return Err(TrainError::new("--token-table begins with what the teacher makes of tokens")
            .hint("leave out --no-teacher"));
    }
    if learning.table_epochs == 0 || learning.table_batch < 2 || learning.table_rate <= 0.0 {
        return Err(TrainError::new(
            "--token-table needs a --table-epochs of at least 1, a --table-batch of 2 and a --table-rate above 0",
        ));
    }
    Ok(())
}

/// Where the table begins that the model is to learn, if it is to learn one.
pub(crate) enum Beginning {
    /// With the teacher's vectors of these: the texts of the vocabulary, by id.
    Tokens(Vec<String>),
    /// With the table that the run's adapter has.
    Table,
}

impl Beginning {
    /// What the teacher has to read for it.
    pub(crate) fn tokens(&self) -> &[String] {
        match self {
            Beginning::Tokens(tokens) => tokens,
            Beginning::Table => &[],
        }
    }
}

/// Whether the model is to learn a table, and where that begins.
///
/// # Errors
/// If it cannot learn one.
pub(crate) fn beginning(
    run: &Run,
    base: &Gguf,
    before: Option<&Adapter>,
    args: &Knobs,
) -> Result<Option<Beginning>, TrainError> {
    let asked = args.learning.token_table;
    if asked == 0 {
        return Ok(None);
    }
    if let Some(width) = base.table_width() {
        return Err(TrainError::new(format!(
            "{} has a table of token vectors already, {width} wide",
            base.path.display()
        ))
        .hint("leave out --token-table"));
    }
    if base.meta.pooling != Pooling::Mean {
        return Err(TrainError::new("a table of token vectors joins the mean of a text's states")
            .hint("leave out --token-table: this model's vectors are read elsewhere"));
    }
    as_wide_as_the_teacher(run, base, "--token-table")?;
    match before.and_then(Adapter::table_width) {
        None => Ok(Some(Beginning::Tokens(base.vocabulary.texts()?))),
        Some(width) if width == asked => Ok(Some(Beginning::Table)),
        Some(width) => Err(TrainError::new(format!(
            "the adapter's table of token vectors is {width} wide, not {asked}"
        ))
        .hint(format!("to learn on with it: --token-table {width}"))
        .hint("to keep it as it is: leave out --token-table")),
    }
}

/// That the model's vectors can be held against the teacher's, as `flag` has to.
pub(crate) fn as_wide_as_the_teacher(run: &Run, base: &Gguf, flag: &str) -> Result<(), TrainError> {
    let (taught, width) = (Teacher::width_of(&run.world.teacher)?, base.meta.width);
    if taught == width {
        return Ok(());
    }
    Err(TrainError::new(format!(
        "{flag} needs vectors as wide as the teacher's {taught}, and the model's are {width}"
    ))
    .hint(format!("leave out {flag}")))
}

/// What a table is learnt from.
pub(crate) struct Material<'a> {
    pub(crate) beginning: &'a Beginning,
    pub(crate) teacher: &'a TextVectors,
    pub(crate) train: &'a [Pair],
    pub(crate) held_out: &'a [Pair],
}

/// Adds a table to what was learnt, and makes the run's adapter of both.
pub(crate) fn learn(run: &Run, args: &Knobs, material: &Material<'_>) -> Result<(), TrainError> {
    let out = run.file(args.learning.embeds());
    if out.exists() {
        return Ok(());
    }
    let (learnt, table) = Adapter::read(&run.file(LEARNT))?.without_table()?;
    let bare = run.file(BARE);
    let named = Named {
        // The same in every run, and with it the digest that its vectors are found by.
        name: "bare".to_owned(),
        bare_weight: args.judging.bare_weight,
        thinks: true,
        grounded: false,
        half: usize::MAX,
    };
    if !bare.exists() {
        merge::merge(&run.base, &learnt, &named, &bare, &mut |_| {})?;
    }
    let model = gguf::open(&bare)?;
    let (lesson, held_out) = lesson(run, args, &model, material)?;
    let start = match table {
        Some(table) => table,
        None => start(material, &model.vocabulary, args.learning.token_table)?,
    };
    let how = TableRecipe {
        epochs: args.learning.table_epochs,
        batch: args.learning.table_batch,
        rate: args.learning.table_rate,
        recipe: args.learning.recipe(args.seed),
    };
    let mut trainer = TableTrainer::open(start, lesson, how)?;
    trainer.resume(&run.file(CHECKPOINT))?;
    let before = trainer.distance(&held_out)?;
    steps(run, &mut trainer)?;
    let after = trainer.distance(&held_out)?;
    run.note(&format!(
        "1 − cosine to the teacher on {} held-out texts: {before:.3} before these steps, {after:.3} after",
        held_out.len()
    ));
    let (table, columns) = trainer.finish();
    let mut adapter = learnt.with_table(&table, &columns)?;
    adapter.about.notes.insert("table_rows".to_owned(), material.train.len().to_string());
    adapter.save(&out)?;
    fs::remove_file(&bare)
        .map_err(|error| TrainError::io(format_args!("removing {}", bare.display()), &error))
}

fn steps(run: &Run, trainer: &mut TableTrainer) -> Result<(), TrainError> {
    let mut saved = Instant::now();
    while trainer.taken() < trainer.steps() {
        let report = trainer.step()?;
        run.tell("training the table", report.step, trainer.steps(), &|status| {
            status.loss = Some(report.vectors as f32);
        });
        if run.world.stop.asked()
            || saved.elapsed() >= SAVED_EVERY
            || report.step == trainer.steps()
        {
            trainer.save(&run.file(CHECKPOINT))?;
            log(run, &report)?;
            saved = Instant::now();
        }
        run.world.stop.check()?;
    }
    Ok(())
}

/// A line for each checkpoint.
fn log(run: &Run, report: &TableReport) -> Result<(), TrainError> {
    let path = run.file(METRICS);
    let line = serde_json::to_string(report).map_err(|error| TrainError::new(error.to_string()))?;
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{line}"))
        .map_err(|error| TrainError::writing(&path, &error))
}

/// Where the table begins: the teacher's vectors of tokens, weighed by how rarely rows have them.
fn start(
    material: &Material<'_>,
    vocabulary: &Vocabulary,
    width: usize,
) -> Result<TableStart, TrainError> {
    let Material { beginning, teacher, train, .. } = material;
    let tokens = beginning.tokens();
    let vectors: Option<Vec<&[f32]>> = tokens.iter().map(|token| teacher.get(token)).collect();
    let vectors = vectors.ok_or_else(|| TrainError::new("the teacher did not read every token"))?;
    let mut counts = vec![0; tokens.len()];
    let read = vocabulary.meta().passage_tokens_max;
    for text in train.iter().flat_map(|pair| [&pair.query, &pair.pos[0]]) {
        for id in vocabulary.encode(text, read)? {
            if let Some(count) = counts.get_mut(id as usize) {
                *count += 1;
            }
        }
    }
    Ok(TableStart::of(&vectors, &counts, width)?)
}

/// Texts as the lesson has them: each once, with all that is known of it.
#[derive(Default)]
struct Texts {
    lesson: TableLesson,
    places: HashMap<String, usize>,
}

impl Texts {
    /// The place of the text that is called `keyed`.
    fn place(
        &mut self,
        keyed: String,
        sequences: &HashMap<String, Sequence>,
        raw: &TextVectors,
        teacher: &TextVectors,
    ) -> Option<usize> {
        if let Some(place) = self.places.get(&keyed) {
            return Some(*place);
        }
        let Sequence { ids, content } = sequences.get(&keyed)?;
        let words = ids.iter().zip(content).filter(|(_, is_word)| **is_word).map(|(id, _)| *id);
        let lesson = &mut self.lesson;
        lesson.taught.extend(teacher.get(text(&keyed))?);
        lesson.raw.extend(raw.get(&keyed)?);
        lesson.words.push(words.collect());
        self.places.insert(keyed, lesson.words.len() - 1);
        Some(lesson.words.len() - 1)
    }
}

/// The text itself.
fn text(keyed: &str) -> &str {
    keyed.split_once('\0').map_or(keyed, |(_, text)| text)
}

/// All rows as a lesson, and the places of the held-out texts, which are no part of a pair.
fn lesson(
    run: &Run,
    args: &Knobs,
    model: &Gguf,
    material: &Material<'_>,
) -> Result<(TableLesson, Vec<usize>), TrainError> {
    let Material { teacher, train, held_out, .. } = material;
    // As the teacher was asked for them.
    let keyed = |pair: &Pair| {
        let query = prompt::plain(&pair.query, "");
        [format!("{QUERY}{query}"), format!("{PASSAGE}{}", pair.pos[0])]
    };
    let mut sequences = HashMap::new();
    for keyed in train.iter().chain(*held_out).flat_map(keyed) {
        let sequence = sequence(&keyed, &model.vocabulary, args.learning.passage_tokens)?;
        sequences.insert(keyed, sequence);
    }
    let raw = raw(run, model, &sequences)?;
    let mut texts = Texts::default();
    let mut pairs = |rows: &[Pair]| -> Option<Vec<(usize, usize)>> {
        let mut pair = |row: &Pair| {
            let [query, passage] =
                keyed(row).map(|keyed| texts.place(keyed, &sequences, &raw, teacher));
            query.zip(passage)
        };
        rows.iter().map(&mut pair).collect()
    };
    let unread = || TrainError::new("a text was not read");
    let learnt = pairs(train).ok_or_else(unread)?;
    let apart = pairs(held_out).ok_or_else(unread)?;
    let mut lesson = texts.lesson;
    lesson.pairs = learnt;
    lesson.sets = train.iter().map(|pair| pair.set.clone()).collect();
    Ok((lesson, apart.into_iter().flat_map(|(query, passage)| [query, passage]).collect()))
}

/// What is read of a text, as when serving, but for the budget of a passage.
fn sequence(
    keyed: &str,
    vocabulary: &Vocabulary,
    passage_tokens: usize,
) -> Result<Sequence, MindError> {
    match keyed.strip_prefix(QUERY) {
        Some(query) => vocabulary.assemble(&prompt::query(query, None)),
        None => vocabulary.assemble_passage(text(keyed), passage_tokens),
    }
}

/// What the head makes of the states of all texts, remembered from one start to the next.
fn raw(
    run: &Run,
    model: &Gguf,
    sequences: &HashMap<String, Sequence>,
) -> Result<TextVectors, TrainError> {
    let meta = &model.meta;
    let exits = Exits { layers: meta.exit_layers.clone(), pooling: meta.pooling };
    let tokens_max = meta.sequence_tokens_max();
    let encoder = Encoder::open(&model.path, exits, tokens_max, &run.device()?)?;
    let path = run.file(&format!("bare-{}.vectors", gguf::fingerprint(&model.path)?));
    let mut raw = TextVectors::open(&path, meta.width)?;
    let texts: Vec<&str> = sequences.keys().map(String::as_str).collect();
    let mut embed = |texts: &[&str]| {
        let rows: Vec<Sequence> =
            texts.iter().filter_map(|text| sequences.get(*text)).cloned().collect();
        encoder.raw(&rows)
    };
    let read = raw.complete(&texts, &mut embed, &mut |done, total| {
        run.progress("reading texts for the table", done, total);
        if run.world.stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    // A stop that was asked for is no failure.
    run.world.stop.check()?;
    read?;
    Ok(raw)
}
