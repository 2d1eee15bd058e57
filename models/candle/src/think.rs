//! Thinking: k sampled thoughts about a question, streamed token by token, on mistral.rs.
//!
//! This file is the loop over thoughts; [`engine`] is mistral.rs, [`chooser`] what runs on its thread,
//! [`prompt`] makes the ids that go in, [`draw`] chooses a token, [`writer`] turns tokens into text and
//! ends a thought.
//! Embedding what was thought is [`crate::encoder`]'s.

pub(crate) mod chooser;
pub(crate) mod draw;
pub(crate) mod engine;
pub(crate) mod prompt;
pub(crate) mod writer;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;

use candle_core::Device;
use candle_core::quantized::gguf_file::Content;
use models::{MindError, OnToken, Sampling, Thought, ThoughtDelta, thought};
use tokenizers::Tokenizer;

use crate::decoder::Config;
use crate::gguf::convert;
use crate::meta::{Roles, Style};
use crate::names::CHAT_TEMPLATE;
use chooser::Event;
use draw::Draw;
use engine::Engine;
use prompt::Template;
use writer::Writer;

/// Most tokens of one thought, whatever is asked for: a passage's worth several times over, and a
/// minute on a slow machine.
const THOUGHT_TOKENS_MAX: usize = 1024;

/// What a [`Thinker`] is made of.
pub struct ThinkerOptions {
    /// The GGUF; llama, qwen2 or qwen3.
    pub path: PathBuf,
    pub device: Device,
    pub markers: Roles,
    pub style: Style,
    /// The rest of a longer question is not read.
    pub question_tokens_max: usize,
}

/// A model that thinks. One thread owns it, and not one of an async runtime: it blocks.
pub struct Thinker {
    engine: Engine,
    template: Template,
    tokenizer: Arc<Tokenizer>,
    /// Special tokens, which no thought has.
    ends: Arc<HashSet<u32>>,
    /// No prompt goes on with it.
    end: u32,
    /// Most tokens of prompt and thought together.
    context: usize,
}

impl Thinker {
    /// Loads the model and reads the part that all prompts share: two seconds for SmolLM2 on two
    /// cores.
    ///
    /// `tokenizer` is the model's.
    ///
    /// # Errors
    /// [`MindError::Model`] if the file cannot be used, [`MindError::Inference`] if it does not run.
    pub fn open(options: ThinkerOptions, tokenizer: Arc<Tokenizer>) -> Result<Thinker, MindError> {
        let path = &options.path;
        let wrong =
            |error: candle_core::Error| MindError::Model(format!("{}: {error}", path.display()));
        let mut file = BufReader::new(File::open(path).map_err(|error| wrong(error.into()))?);
        let content = Content::read(&mut file).map_err(wrong)?;
        let config = Config::read(&content).map_err(wrong)?;
        let chat_template = content.metadata.get(CHAT_TEMPLATE);
        let chat_template = chat_template.and_then(|value| value.to_string().ok());
        let template = chat_template.map(String::as_str);
        let engine = match narrow(&content, &mut file, template, &options.device) {
            Some(engine) => engine,
            None => Engine::open(path, template, &options.device)?,
        };
        let ends = Arc::new(special_tokens(&tokenizer, &options.markers));
        let plain = without_special_tokens(&tokenizer);
        let budget = options.question_tokens_max;
        let template = match options.style {
            Style::Trained => Template::trained(&options.markers, plain, budget),
            Style::Chat if chat_template.is_some() => {
                Template::chat(&engine, &ends, Arc::clone(&plain), budget).or_else(|error| {
                    tracing::warn!("thinking without the model's chat template: {error}");
                    Template::plain(&ends, plain, budget)
                })?
            }
            Style::Chat => Template::plain(&ends, plain, budget)?,
        };
        let (end, context) = (options.markers.eos, config.context);
        let thinker = Thinker { engine, template, tokenizer, ends, end, context };
        thinker.keep_shared()?;
        Ok(thinker)
    }

    /// See [`models::Mind::think`].
    ///
    /// # Errors
    /// [`MindError::Inference`] if the model cannot run, [`MindError::Numeric`] if it computes what
    /// are no numbers.
    pub fn think(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError> {
        let prompt = self.template.fill(question, context)?;
        let room = self.context.saturating_sub(prompt.len());
        let tokens_max = sampling.tokens_max.min(THOUGHT_TOKENS_MAX).min(room);
        if tokens_max == 0 {
            return Ok(Vec::new());
        }
        let [before @ .., _] = &prompt[..] else { return Ok(Vec::new()) };
        if sampling.thoughts < 2 {
            return self.think_all(&prompt, tokens_max, context, sampling, on_token);
        }
        // All thoughts go on from what was read once.
        self.engine.keep(before.to_vec(), self.end)?;
        let thoughts = self.think_all(&prompt, tokens_max, context, sampling, on_token);
        self.engine.forget(self.end)?;
        self.keep_shared()?;
        thoughts
    }

    /// Reads the part that all prompts share, as good as.
    fn keep_shared(&self) -> Result<(), MindError> {
        self.engine.keep(self.template.shared()?, self.end)
    }

    /// Each thought after `prompt`, in turn.
    fn think_all(
        &self,
        prompt: &[u32],
        tokens_max: usize,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError> {
        let mut thoughts = Vec::new();
        for (index, seed) in (0..sampling.thoughts).zip(seeds(sampling.seed)) {
            let draw = Draw::new(seed, sampling.temperature, sampling.top_p);
            let writer = Writer::new(self.tokenizer.clone(), self.ends.clone(), tokens_max);
            match self.think_once(prompt, tokens_max, draw, writer, index, on_token)? {
                None => break,
                Some(thought) if thought::is_empty(&thought.text) => {}
                Some(thought) => {
                    thoughts.push(Thought { context: context.to_owned(), ..thought });
                }
            }
        }
        Ok(thoughts)
    }

    /// One thought, or nothing if `on_token` broke off. Returns when the engine is free again.
    fn think_once(
        &self,
        prompt: &[u32],
        tokens_max: usize,
        draw: Draw,
        writer: Writer,
        index: usize,
        on_token: &mut OnToken<'_>,
    ) -> Result<Option<Thought>, MindError> {
        let run = self.engine.think(prompt.to_vec(), tokens_max, draw, writer)?;
        let (mut outcome, mut broken) = (None, false);
        while let Some(event) = run.next() {
            match event {
                Event::Token(_) if broken => {}
                Event::Token(text) => {
                    broken = on_token(ThoughtDelta { index, text: &text }).is_break();
                    if broken {
                        run.cancel();
                    }
                }
                Event::Done(done) => outcome = Some(done),
            }
        }
        match outcome {
            _ if broken => Ok(None),
            Some(outcome) => outcome.map(Some),
            None => Err(run.failure()),
        }
    }
}

/// The engine on a copy in 8 bits, see [`convert::for_thinking`]; nothing if the file is as good, or there is no room for
/// a copy. It has no name, so that nothing is left of it, whatever ends the program.
fn narrow(
    content: &Content,
    file: &mut BufReader<File>,
    template: Option<&str>,
    device: &Device,
) -> Option<Engine> {
    let mut written = || -> candle_core::Result<Option<File>> {
        let mut copy = tempfile::tempfile()?;
        let is_written = convert::for_thinking(content, file, &mut copy)?;
        copy.rewind()?;
        Ok(is_written.then_some(copy))
    };
    let loaded = written().map_err(|error| error.to_string()).and_then(|copy| {
        let open = |copy: File| {
            let place = PathBuf::from(format!("/dev/fd/{}", copy.as_raw_fd()));
            Engine::open(&place, template, device).map_err(|error| error.to_string())
        };
        copy.map(open).transpose()
    });
    loaded.unwrap_or_else(|error| {
        tracing::warn!(error, "thinking from the model's file as it is, which is slower");
        None
    })
}

/// The seeds of a query's thoughts.
fn seeds(first: u64) -> impl Iterator<Item = u64> {
    (0..).map(move |index| first.wrapping_add(index))
}

/// Every special token of the vocabulary, and the markers.
pub(crate) fn special_tokens(tokenizer: &Tokenizer, markers: &Roles) -> HashSet<u32> {
    let Roles { query_open, query_close, thought, emb, eos } = *markers;
    let added = tokenizer.get_added_tokens_decoder();
    let special = added.into_iter().filter(|(_, token)| token.special).map(|(id, _)| id);
    special.chain([query_open, query_close, thought, emb, eos]).collect()
}

/// The same tokenizer, to which special tokens in a text are text.
pub(crate) fn without_special_tokens(tokenizer: &Arc<Tokenizer>) -> Arc<Tokenizer> {
    if tokenizer.get_encode_special_tokens() {
        return Arc::clone(tokenizer);
    }
    let mut plain = Tokenizer::clone(tokenizer);
    plain.set_encode_special_tokens(true);
    Arc::new(plain)
}

#[cfg(test)]
#[path = "think_tests.rs"]
mod tests;
