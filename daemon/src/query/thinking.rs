//! The part of an answer that thinks: the thoughts that were given, and those that the model has.

use std::time::Instant;

use daemon_protocol::{Event, Failure};
use models::Thought;

use super::{Question, Run, ms};
use crate::fuse::{Fused, grounds};
use crate::limits::THINK_MAX;
use crate::mind::Thinking;

impl Run<'_> {
    /// Queues thinking about the question.
    pub(super) fn begin_thinking(&mut self, context: &str) -> Result<Option<Thinking>, Failure> {
        let Question { text, sampling, .. } = &self.question;
        let thinking = self.engine.mind.think(text, context, sampling);
        self.usable(thinking)
    }

    /// The thoughts that were given, then those of `begun`, or of thinking that begins now, about what is `ranked` if
    /// they are to be grounded.
    pub(super) async fn thoughts(
        &mut self,
        begun: Option<Thinking>,
        ranked: &[Fused],
    ) -> Result<Vec<Thought>, Failure> {
        let Question { text, sampling, given, grounded, .. } = &self.question;
        let context = if *grounded { grounds(text, ranked) } else { String::new() };
        let thought = |text: &String| Thought {
            text: text.trim().to_owned(),
            context: context.clone(),
            ..Thought::default()
        };
        let mut thoughts: Vec<Thought> = given.iter().map(thought).collect();
        let is_to_begin = begun.is_none() && sampling.thoughts > 0 && !self.enough.is_cancelled();
        let thinking = if is_to_begin { self.begin_thinking(&context)? } else { begun };
        if let Some(thinking) = thinking {
            thoughts.extend(self.think(thinking, &context).await?);
            if thoughts.is_empty() && !self.enough.is_cancelled() {
                let empty = || "the model had no usable thought".to_owned();
                self.timings.degraded.get_or_insert_with(empty);
            }
        }
        Ok(thoughts)
    }

    /// Streams the thoughts; none if thinking failed or took too long. Once there is enough, what there is of them.
    async fn think(
        &mut self,
        mut thinking: Thinking,
        context: &str,
    ) -> Result<Vec<Thought>, Failure> {
        let thinking_since = Instant::now();
        let deadline = tokio::time::Instant::now() + THINK_MAX;
        let (id, given) = (self.question.id, self.question.given.len());
        let enough = self.enough.clone();
        let mut so_far = vec![String::new(); self.question.sampling.thoughts];
        loop {
            let next = tokio::select! {
                biased;
                () = enough.cancelled() => {
                    self.timings.think_ms = ms(thinking_since);
                    return Ok(begun(so_far, context));
                }
                next = tokio::time::timeout_at(deadline, thinking.deltas.recv()) => next,
            };
            self.timings.think_ms = ms(thinking_since);
            let Ok(next) = next else {
                self.timings.degraded =
                    Some(format!("no thought within {} s", THINK_MAX.as_secs()));
                return Ok(Vec::new());
            };
            let Some(delta) = next else {
                let thoughts = thinking.thoughts().await;
                return Ok(self.usable(thoughts)?.unwrap_or_default());
            };
            self.timings.thought_tokens += 1;
            self.timings.first_token_ms.get_or_insert_with(|| ms(self.started));
            if let Some(thought) = so_far.get_mut(delta.index) {
                thought.push_str(&delta.text);
            }
            if !delta.text.is_empty() {
                let index = given + delta.index;
                self.send(Event::Thought { id, index, delta: delta.text }).await?;
            }
        }
    }
}

/// Thoughts that were broken off, as far as they say anything.
fn begun(texts: Vec<String>, context: &str) -> Vec<Thought> {
    let told = texts.into_iter().filter(|text| !models::thought::is_empty(text));
    let thought = |text| Thought { text, context: context.to_owned(), ..Thought::default() };
    told.map(thought).collect()
}
