//! A mind that does as the script says.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use models::scripted::ScriptedMind;
use models::{
    Embedding, Mind, MindError, ModelCard, OnRead, OnToken, Part, Sampling, Thought, TokenCounter,
};

use super::{Script, fail};

pub(super) struct TestMind {
    pub(super) inner: ScriptedMind,
    pub(super) script: Arc<Script>,
}

impl Mind for TestMind {
    fn card(&self) -> &ModelCard {
        self.inner.card()
    }

    fn counter(&self) -> Arc<dyn TokenCounter> {
        self.inner.counter()
    }

    fn think(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError> {
        fail(&self.script.fail_thinking)?;
        assert!(!*self.script.panic_thinking.lock().unwrap(), "as the script says");
        self.script.order.lock().unwrap().push("think");
        self.script.thought.fetch_add(1, Ordering::SeqCst);
        self.inner.think(question, context, sampling, on_token)
    }

    fn embed_passages(&mut self, passages: &[String]) -> Result<Vec<Embedding>, MindError> {
        self.script.batches.send_modify(|batches| *batches += 1);
        if let Some(gate) = &*self.script.embed_gate.lock().unwrap() {
            gate.recv().unwrap_or(());
        }
        if let Some(poison) = *self.script.poison.lock().unwrap()
            && passages.iter().any(|text| text.contains(poison))
        {
            return Err(MindError::Numeric("NaN".to_owned()));
        }
        self.script.order.lock().unwrap().push("passages");
        self.script.embedded.fetch_add(passages.len(), Ordering::SeqCst);
        self.inner.embed_passages(passages)
    }

    fn embed_query(
        &mut self,
        question: &str,
        thoughts: &[Thought],
    ) -> Result<Embedding, MindError> {
        fail(&self.script.fail_queries)?;
        self.script.order.lock().unwrap().push("query");
        self.inner.embed_query(question, thoughts)
    }

    fn read(
        &mut self,
        question: &str,
        passages: &[String],
        window: usize,
        on_read: &mut OnRead<'_>,
    ) -> Result<Vec<f32>, MindError> {
        fail(&self.script.fail_reading)?;
        self.script.order.lock().unwrap().push("read");
        self.inner.read(question, passages, window, on_read)
    }

    fn rest(&mut self) {
        self.script.rests.send_modify(|rests| *rests += 1);
        self.inner.rest();
    }

    fn wake(&mut self, part: Part) -> Result<(), MindError> {
        self.script.order.lock().unwrap().push(match part {
            Part::Embedding => "wake to embed",
            Part::Reading => "wake to read",
            Part::Thinking => "wake to think",
        });
        Ok(())
    }
}
