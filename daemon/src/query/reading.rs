//! The part of an answer that reads: some of the first passages, before anything is thought, and what
//! the thought has brought among them.

use std::time::Duration;

use daemon_protocol::{Failure, Stage};

use super::Run;
use crate::fuse::{Fused, READING_WEIGHT, Readings, heed};
use crate::limits::READ_OVERHEAD_TOKENS;
use crate::mind::ReadOrder;
use crate::reading::{Portion, portion};

impl Run<'_> {
    /// Reads the first of `draft` as far as time allows. After each batch the client gets the ranking
    /// as it then is.
    pub(super) async fn read(
        &mut self,
        draft: Vec<Fused>,
        readings: &mut Readings,
    ) -> Result<Vec<Fused>, Failure> {
        let tokens = self.engine.pace.tokens_in(self.question.reading_time);
        self.portion = portion(tokens, self.engine.counter.count(&self.question.text));
        let first: Vec<Fused> = draft.iter().take(self.portion.passages).cloned().collect();
        let order = self.order(&first, self.question.reading_time);
        let texts = order.passages.clone();
        let reading = self.engine.mind.read(order);
        let Some(mut reading) = self.usable(reading)?.filter(|_| !first.is_empty()) else {
            return Ok(draft);
        };
        let mut ranked = draft.clone();
        let enough = self.enough.clone();
        loop {
            tokio::select! {
                biased;
                changed = reading.progress.changed() => if changed.is_err() {
                    break;
                },
                () = enough.cancelled() => {
                    self.timings.passages_read += readings.len();
                    return Ok(ranked);
                }
            }
            let so_far = reading.progress.borrow_and_update().clone();
            readings.extend(first.iter().map(Fused::place).zip(so_far));
            ranked = heed(draft.clone(), readings, self.portion.passages, READING_WEIGHT);
            self.send_hits(Stage::Read, &ranked).await?;
        }
        let read = reading.values().await;
        if let Some((values, took)) = self.usable(read)? {
            self.note(&texts[..values.len()], took);
        }
        Ok(ranked)
    }

    /// Reads what is new among the first of `ranked` since they were read, and ranks by all of it.
    pub(super) async fn read_rest(
        &mut self,
        ranked: Vec<Fused>,
        readings: &mut Readings,
    ) -> Result<Vec<Fused>, Failure> {
        let depth = self.portion.passages;
        // Where time was out before all were read, it is out for new ones too.
        let in_time = readings.len() >= depth.min(ranked.len()) && !self.enough.is_cancelled();
        let unread: Vec<Fused> = ranked
            .iter()
            .take(depth)
            .filter(|one| in_time && !readings.contains_key(&one.place()))
            .cloned()
            .collect();
        if !unread.is_empty() {
            let order = self.order(&unread, self.question.reading_time);
            let texts = order.passages.clone();
            let read = async { self.engine.mind.read(order)?.values().await }.await;
            if let Some((values, took)) = self.usable(read)? {
                self.note(&texts[..values.len()], took);
                readings.extend(unread.iter().map(Fused::place).zip(values));
            }
        }
        Ok(heed(ranked, readings, depth, READING_WEIGHT))
    }

    fn order(&self, passages: &[Fused], time: Duration) -> ReadOrder {
        ReadOrder {
            question: self.question.text.clone(),
            passages: passages.iter().map(Fused::text).collect(),
            window: self.portion.window,
            time,
        }
    }

    /// What was read, for the next question's portion too.
    fn note(&mut self, texts: &[String], took: Duration) {
        let Portion { window, .. } = self.portion;
        let counter = &self.engine.counter;
        let besides = counter.count(&self.question.text) + READ_OVERHEAD_TOKENS;
        let tokens = texts.iter().map(|text| counter.count(text).min(window) + besides).sum();
        self.engine.pace.seen(tokens, took);
        self.timings.passages_read += texts.len();
    }
}
