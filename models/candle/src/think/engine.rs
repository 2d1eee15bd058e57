//! mistral.rs in this process: one local GGUF, one sequence at a time.
//!
//! What it is made to do here, read from its source (0.8.1):
//! - It opens no connection: the loader is given paths, not a model id, and a template in OpenAI's
//!   harmony format, for which it would download an encoding, is refused.
//! - It draws from one generator per engine, so the token is chosen in a logits processor of ours
//!   and handed back as the only candidate.
//! - A sequence that completes enters the prefix cache, which on a CPU is never emptied (23 MB each
//!   for SmolLM2). So a thought never completes: when it has ended its receiver is dropped, which
//!   mistral.rs takes for cancellation, in the same step and without a further token. Only what is
//!   to be kept is completed: the part that all prompts share, and a prompt of several thoughts.
//! - What is kept goes when a step fails, all of it and at no other time (`evict_all_caches`).

use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use candle_core::Device;
use mistralrs::core::{
    AdapterPaths, DetokenizationRequest, GGUFLoaderBuilder, GGUFSpecificConfig, LocalModelPaths,
    MistralRsBuilder, ModelPaths, Pipeline, TokenizationRequest,
};
use mistralrs::{
    Constraint, CustomLogitsProcessor, DefaultSchedulerMethod, DeviceMapSetting, MessageContent,
    MistralRs, ModelDType, NormalRequest, Request, RequestMessage, Response, SamplingParams,
    SchedulerConfig,
};
use models::MindError;
use tokio::sync::mpsc as replies;

use super::chooser::{Chooser, Event, Keeper, Life, Workers};
use super::draw::Draw;
use super::writer::Writer;

/// Longest wait for the engine's thread when it is dropped. It ends within a step, some 20 ms.
const END_MS_MAX: u64 = 2_000;

/// Most tries to start an engine, for mistral.rs panics if its new thread is the first to look at
/// the pipeline (`try_lock().unwrap()` in `MistralRs::new`): a daemon among ten that start at once.
const STARTS_MAX: usize = 5;

/// An id that no vocabulary has. (One more is candle's word for a row of zeros, which is no failure.)
const NO_TOKEN: u32 = u32::MAX - 1;

/// A model that mistral.rs has loaded.
pub(super) type Loaded = tokio::sync::Mutex<dyn Pipeline>;

/// A running engine.
pub(crate) struct Engine {
    /// Nothing only while it is being dropped.
    mistral: Option<Arc<MistralRs>>,
    /// Alive as long as the engine's thread.
    pipeline: Weak<Loaded>,
    /// Threads of starts that failed. They sleep on, and hold the pipeline, to the process's end:
    /// mistral.rs has no way to end them.
    orphans: usize,
    workers: Workers,
    is_cpu: bool,
}

impl Engine {
    /// Loads the GGUF at `path`; `template` is its chat template, if it has one.
    ///
    /// # Errors
    /// [`MindError::Model`] if mistral.rs cannot load it.
    pub(crate) fn open(
        path: &Path,
        template: Option<&str>,
        device: &Device,
    ) -> Result<Engine, MindError> {
        if template.is_some_and(is_harmony) {
            return Err(MindError::Model(format!(
                "{}: its chat template is in the harmony format, which is not supported; use another model",
                path.display()
            )));
        }
        // mistral.rs panics on some files that it does not understand.
        let loaded = panic::catch_unwind(AssertUnwindSafe(|| load(path, device)));
        let why = match loaded {
            Ok(Ok(pipeline)) => match Engine::start(&pipeline, device) {
                Some(engine) => return Ok(engine),
                None => format!("its engine did not start, {STARTS_MAX} times"),
            },
            Ok(Err(error)) => error,
            Err(_) => "it panicked".to_owned(),
        };
        Err(MindError::Model(format!("{}: mistral.rs cannot load it: {why}", path.display())))
    }

    /// Nothing if mistral.rs panics every time; see [`STARTS_MAX`].
    pub(super) fn start(pipeline: &Arc<Loaded>, device: &Device) -> Option<Engine> {
        let is_cpu = device.is_cpu();
        tried(STARTS_MAX, || {
            // What failed starts have left; see `orphans`. The caller's is the one more.
            let orphans = Arc::strong_count(pipeline) - 1;
            let method = DefaultSchedulerMethod::Fixed(NonZeroUsize::MIN);
            let scheduler = SchedulerConfig::DefaultScheduler { method };
            let builder = MistralRsBuilder::new(pipeline.clone(), scheduler, false, None);
            let mistral = Some(futures::executor::block_on(builder.build()));
            let pipeline = Arc::downgrade(pipeline);
            let workers = Workers::default();
            Engine { mistral, pipeline, orphans, workers, is_cpu }
        })
    }

    /// The model's chat template filled with `(role, content)` messages, up to where it answers.
    ///
    /// # Errors
    /// [`MindError::Model`] if the template fails.
    pub(crate) fn render(&self, messages: &[(&str, &str)]) -> Result<String, MindError> {
        let failed = |error: String| MindError::Model(format!("its chat template fails: {error}"));
        let text = |text: &str| MessageContent::Left(text.to_owned());
        let messages: Vec<_> = messages
            .iter()
            .map(|(role, content)| {
                [("role".to_owned(), text(role)), ("content".to_owned(), text(content))]
                    .into_iter()
                    .collect()
            })
            .collect();
        let (response, mut reply) = replies::channel(1);
        self.send(Request::Tokenize(TokenizationRequest {
            // Messages are the left of mistral.rs's `Either`, which becomes one from an `Err`.
            text: Err(messages).into(),
            tools: None,
            add_generation_prompt: true,
            add_special_tokens: false,
            enable_thinking: Some(false),
            reasoning_effort: None,
            response,
        }))?;
        let tokens = reply.blocking_recv().ok_or_else(stopped)?;
        let tokens = tokens.map_err(|error| failed(error.to_string()))?;
        let (response, mut reply) = replies::channel(1);
        self.send(Request::Detokenize(DetokenizationRequest {
            tokens,
            skip_special_tokens: false,
            response,
        }))?;
        let text = reply.blocking_recv().ok_or_else(stopped)?;
        text.map_err(|error| failed(error.to_string()))
    }

    /// Reads `prompt` and keeps its state for prompts that begin with it and do not go on with `end`.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the model cannot run.
    pub(crate) fn keep(&self, prompt: Vec<u32>, end: u32) -> Result<(), MindError> {
        let (response, mut reply) = replies::channel(2);
        let sampling = SamplingParams { max_len: Some(1), ..chosen() };
        let keeper = Arc::new(Keeper { end, workers: self.workers.clone() });
        self.send(self.request(prompt, sampling, response, false, keeper))?;
        let first = reply.blocking_recv().ok_or_else(stopped)?;
        // To its end, so that what follows has the engine for itself.
        while reply.blocking_recv().is_some() {}
        failure(first).map_or(Ok(()), Err)
    }

    /// Lets go of all that was kept, by a prompt of a token that does not exist: that step fails. On a CPU, where
    /// nothing else ends what is kept; on other devices such a step would be the process's last.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the engine is gone.
    pub(crate) fn forget(&self, end: u32) -> Result<(), MindError> {
        if !self.is_cpu {
            return Ok(());
        }
        let (response, mut reply) = replies::channel(2);
        let sampling = SamplingParams { max_len: Some(1), ..chosen() };
        let keeper = Arc::new(Keeper { end, workers: self.workers.clone() });
        self.send(self.request(vec![NO_TOKEN], sampling, response, false, keeper))?;
        // The failure that was asked for, and then nothing more.
        while reply.blocking_recv().is_some() {}
        Ok(())
    }

    /// Starts a thought of at most `tokens_max` tokens after `prompt`.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the engine is gone.
    pub(crate) fn think(
        &self,
        prompt: Vec<u32>,
        tokens_max: usize,
        draw: Draw,
        writer: Writer,
    ) -> Result<Run, MindError> {
        // Each token is one response, the first may be followed by one too many, an error is one.
        let capacity = tokens_max.saturating_add(4);
        let (response, receiver) = replies::channel(capacity);
        let (sender, events) = mpsc::sync_channel(capacity);
        let life = Life::of(receiver);
        let chooser = Chooser::new(life.clone(), sender, (draw, writer), self.workers.clone())?;
        self.send(self.request(prompt, chosen(), response, true, Arc::new(chooser)))?;
        Ok(Run { life, events })
    }

    fn request(
        &self,
        prompt: Vec<u32>,
        sampling_params: SamplingParams,
        response: replies::Sender<Response>,
        is_streaming: bool,
        chooser: Arc<dyn CustomLogitsProcessor>,
    ) -> Request {
        let messages = RequestMessage::CompletionTokens(prompt);
        Request::Normal(Box::new(NormalRequest {
            messages,
            sampling_params,
            response,
            return_logprobs: false,
            is_streaming,
            id: self.mistral.as_ref().map_or(0, |mistral| mistral.next_request_id()),
            constraint: Constraint::None,
            suffix: None,
            tools: None,
            tool_choice: None,
            logits_processors: Some(vec![chooser]),
            return_raw_logits: false,
            web_search_options: None,
            model_id: None,
            truncate_sequence: false,
        }))
    }

    /// Asks for the sender every time: that is where mistral.rs restarts an engine that died.
    fn send(&self, request: Request) -> Result<(), MindError> {
        let mistral = self.mistral.as_ref().ok_or_else(stopped)?;
        let sender = mistral.get_sender(None).map_err(|_| stopped())?;
        sender.blocking_send(request).map_err(|_| stopped())
    }
}

impl Drop for Engine {
    /// mistral.rs tells its thread to end but gives no handle to join it by, so the wait is for
    /// the weights that the thread holds. (A second thread of its own, the interval logger, sleeps
    /// on to the end of the process; there is no way to end it.)
    fn drop(&mut self) {
        self.mistral = None;
        let deadline = Instant::now() + Duration::from_millis(END_MS_MAX);
        while self.pipeline.strong_count() > self.orphans && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A thought in the making. The engine works on nothing else until the events have ended.
pub(crate) struct Run {
    life: Life,
    events: Receiver<Event>,
}

impl Run {
    /// The next event, or nothing when the engine has let go of the thought.
    pub(crate) fn next(&self) -> Option<Event> {
        self.events.recv().ok()
    }

    /// Ends the thought before its next token.
    pub(crate) fn cancel(&self) {
        drop(self.life.take());
    }

    /// Why the engine let go of a thought that is not complete.
    pub(crate) fn failure(&self) -> MindError {
        let mut receiver = self.life.take();
        let responses = std::iter::from_fn(|| receiver.as_mut()?.try_recv().ok());
        responses.filter_map(failure).next().unwrap_or_else(stopped)
    }
}

/// Loads the weights; errors are in words.
pub(super) fn load(path: &Path, device: &Device) -> Result<Arc<Loaded>, String> {
    let paths: Box<dyn ModelPaths> = Box::new(LocalModelPaths {
        // Empty names mean: what the GGUF has.
        tokenizer_filename: PathBuf::new(),
        config_filename: PathBuf::new(),
        template_filename: None,
        filenames: vec![path.to_owned()],
        adapter_paths: AdapterPaths::None,
        gen_conf: None,
        preprocessor_config: None,
        processor_config: None,
        chat_template_json_filename: None,
    });
    let name = path.display().to_string();
    let config = GGUFSpecificConfig::default();
    let loader = GGUFLoaderBuilder::new(None, None, name, Vec::new(), config, false, None).build();
    // Attention on a CPU is fastest in the type that it computes in.
    let dtype = if device.is_cpu() { ModelDType::F32 } else { ModelDType::Auto };
    let (silent, one_device) = (true, DeviceMapSetting::dummy());
    let pipeline = loader
        .load_model_from_path(&paths, &dtype, device, silent, one_device, None, None)
        .map_err(|error| format!("{error:#}"))?;
    Ok(pipeline)
}

/// What `make` makes, or nothing if it panics each of so many `times`.
pub(super) fn tried<T>(times: usize, mut make: impl FnMut() -> T) -> Option<T> {
    (0..times).find_map(|_| panic::catch_unwind(AssertUnwindSafe(&mut make)).ok())
}

/// Temperature 0 makes mistral.rs take the one candidate that a processor of ours leaves.
fn chosen() -> SamplingParams {
    SamplingParams { temperature: Some(0.0), ..SamplingParams::neutral() }
}

/// As mistral.rs tells OpenAI's harmony format.
fn is_harmony(template: &str) -> bool {
    let has = |marker: &str| template.contains(marker);
    has("<|channel|>") || (has("<|start|>") && has("<|message|>") && has("<|end|>"))
}

fn failure(response: Response) -> Option<MindError> {
    let error = response.as_result().err()?;
    Some(MindError::Inference(error.to_string()))
}

fn stopped() -> MindError {
    MindError::Inference("mistral.rs stopped; ask again to restart it".to_owned())
}
