//! Rows of training data -> the sequences of one step: tokens, where vectors are read, which tokens
//! are to be predicted, and what the queries are to find.

use std::ops::Range;

use models::dataset::Pair;
use models::{MindError, Thought, ground, prompt};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::contrast::Lesson;
use super::recipe::{QueryForm, Recipe};
use crate::pooling::Pooling;
use crate::tokens::{Sequence, Vocabulary};

/// Where one vector is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    /// Positions that the mean is over.
    pub content: Vec<bool>,
    /// Position of `<emb>`.
    pub last: usize,
}

/// One sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub ids: Vec<u32>,
    pub reads: Vec<Read>,
    /// (position, the token after it) for what is to be generated.
    pub labels: Vec<(usize, u32)>,
}

/// One step's worth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// Queries, then passages.
    pub items: Vec<Item>,
    /// How many of them are queries.
    pub queries: usize,
    pub lesson: Lesson,
    /// By row, then by column: the text that each vector stands for, for the teacher. A query with
    /// its thought is another text than the query: a teacher that were shown the query alone would
    /// teach that thoughts say nothing.
    pub texts: Vec<String>,
}

impl Batch {
    /// Draws the batch of step `step` from `pairs`: a positive and some negatives for each, the
    /// query's form, all by the recipe's seed and the step alone.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn draw(
        pairs: &[&Pair],
        vocabulary: &Vocabulary,
        recipe: &Recipe,
        step: usize,
    ) -> Result<Batch, MindError> {
        let mut rng = StdRng::seed_from_u64(recipe.seed ^ (step as u64).wrapping_mul(0x9e37_79b9));
        let mut batch = Batch::default();
        // The query of each row, and the columns that belong to each query.
        let (mut owners, mut groups) = (Vec::new(), Vec::new());
        for (owner, pair) in pairs.iter().enumerate() {
            let with_thought = !pair.thought.trim().is_empty();
            let forms: &[bool] = match recipe.query_form {
                _ if !with_thought => &[false],
                QueryForm::Both => &[false, true],
                QueryForm::Dropout if rng.random_bool(recipe.thought_kept) => &[true],
                QueryForm::Dropout => &[false],
            };
            let grounded = recipe.grounded > 0.0
                && ground::tells(&pair.context, &pair.thought)
                && rng.random_bool(recipe.grounded);
            let thought = Thought {
                text: pair.thought.trim().to_owned(),
                context: if grounded { pair.context.clone() } else { String::new() },
                ..Thought::default()
            };
            for item in query_items(&pair.query, &thought, forms, vocabulary)? {
                owners.extend(item.reads.iter().map(|_| owner));
                batch.items.push(item);
            }
            // Vectors are read in the order of the forms.
            let read =
                |with: &bool| prompt::plain(&pair.query, if *with { &thought.text } else { "" });
            batch.texts.extend(forms.iter().map(read));
        }
        batch.queries = batch.items.len();
        let mut passages: Vec<&str> = Vec::new();
        let mut scores: Vec<f32> = Vec::new();
        for pair in pairs {
            let start = passages.len();
            let positive = rng.random_range(0..pair.pos.len());
            passages.push(&pair.pos[positive]);
            scores.push(pair.pos_scores.get(positive).copied().unwrap_or(f32::NAN));
            let all: Vec<usize> = (0..pair.neg.len()).collect();
            for negative in all.choose_multiple(&mut rng, recipe.negatives) {
                passages.push(&pair.neg[*negative]);
                scores.push(pair.neg_scores.get(*negative).copied().unwrap_or(f32::NAN));
            }
            groups.push(start..passages.len());
        }
        for text in &passages {
            batch.items.push(passage_item(text, vocabulary, recipe.passage_tokens_max)?);
            batch.texts.push((*text).to_owned());
        }
        batch.lesson = lesson(pairs, &owners, &groups, &passages, &scores);
        Ok(batch)
    }

    /// Padded or not, how many tokens there are.
    pub(crate) fn tokens(&self) -> usize {
        self.items.iter().map(|item| item.ids.len()).sum()
    }

    /// Tokens to be generated in all.
    pub(crate) fn labels(&self) -> usize {
        self.items.iter().map(|item| item.labels.len()).sum()
    }
}

fn lesson(
    pairs: &[&Pair],
    owners: &[usize],
    groups: &[Range<usize>],
    passages: &[&str],
    scores: &[f32],
) -> Lesson {
    let (rows, columns) = (owners.len(), passages.len());
    let mut lesson = Lesson { rows, columns, ..Lesson::default() };
    let told = scores.iter().any(|score| !score.is_nan());
    for owner in owners {
        lesson.targets.push(groups[*owner].start);
        // Another query's passage may answer this query as well.
        let answers = |text: &&str| pairs[*owner].pos.iter().any(|pos| pos == text);
        lesson.masked.extend(passages.iter().map(answers));
        if told {
            let own = &groups[*owner];
            let score = |column| if own.contains(&column) { scores[column] } else { f32::NAN };
            lesson.teacher_scores.extend((0..columns).map(score));
        }
    }
    lesson
}

/// The sequences of a query in the `forms` asked for, each without or with its thought.
///
/// Where vectors are means over the text, one sequence with the thought gives both vectors: the
/// states of the question do not see what follows it.
pub(super) fn query_items(
    query: &str,
    thought: &Thought,
    forms: &[bool],
    vocabulary: &Vocabulary,
) -> Result<Vec<Item>, MindError> {
    let bare = vocabulary.assemble(&prompt::query(query, None))?;
    let bare_read = Read { content: bare.content.clone(), last: bare.ids.len() - 1 };
    if !forms.contains(&true) {
        return Ok(vec![Item { ids: bare.ids, reads: vec![bare_read], labels: Vec::new() }]);
    }
    let Sequence { ids, content } = vocabulary.assemble(&prompt::query(query, Some(thought)))?;
    // The thought, its end and `<emb>` are the last; the question has as many tokens in both forms.
    let words = |content: &[bool]| content.iter().filter(|is_word| **is_word).count();
    let opened = ids.len() - 2 - (words(&content) - words(&bare.content));
    let labels =
        (opened - 1..ids.len() - 2).map(|position| (position, ids[position + 1])).collect();
    let full_read = Read { last: ids.len() - 1, content };
    let both = forms.contains(&false);
    let mut items = Vec::new();
    let mut reads = Vec::new();
    if both && vocabulary.meta().pooling == Pooling::Mean {
        let mut content = bare_read.content;
        content.resize(ids.len(), false);
        reads.push(Read { content, last: bare_read.last });
    } else if both {
        items.push(Item { ids: bare.ids, reads: vec![bare_read], labels: Vec::new() });
    }
    reads.push(full_read);
    items.push(Item { ids, reads, labels });
    Ok(items)
}

/// A passage's sequence, of at most `tokens_max` tokens besides `<emb>`.
///
/// # Errors
/// [`MindError::Inference`] if the tokenizer fails.
pub(crate) fn passage_item(
    text: &str,
    vocabulary: &Vocabulary,
    tokens_max: usize,
) -> Result<Item, MindError> {
    let Sequence { ids, content } = vocabulary.assemble_passage(text, tokens_max)?;
    let read = Read { content, last: ids.len() - 1 };
    Ok(Item { ids, reads: vec![read], labels: Vec::new() })
}
