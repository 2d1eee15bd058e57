//! Where passages stood at the stages of an answer that are over, for its hits to tell. Pure.

use std::collections::HashMap;

use daemon_protocol::{Ranks, Scores};

use crate::fuse::{Fused, Place};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Before {
    draft: HashMap<Place, Drafted>,
    /// Ranks of the newest ranking before reading was heeded.
    fused: HashMap<Place, usize>,
    /// Ranks after reading, before thinking.
    read: HashMap<Place, usize>,
    /// The newest ranking is by a vector with thoughts in it.
    has_thought: bool,
}

#[derive(Debug)]
struct Drafted {
    rank: usize,
    score: f32,
    /// Rank and cosine by the vector of the question alone.
    near: Option<(usize, f32)>,
}

impl Before {
    /// Words and vector have been fused to `ranking`.
    pub(super) fn fused(&mut self, ranking: &[Fused]) {
        self.fused = ranks(ranking);
    }

    /// `ranking` was the draft, which is on its way.
    pub(super) fn drafted(&mut self, ranking: &[Fused]) {
        let drafted = |(index, one): (usize, &Fused)| {
            let near = one.ranks[1].zip(one.scores[1]);
            (one.place(), Drafted { rank: index + 1, score: one.fused, near })
        };
        self.draft = ranking.iter().enumerate().map(drafted).collect();
    }

    /// What has been read made `ranking` of it, which thoughts come after.
    pub(super) fn thought_about(&mut self, ranking: &[Fused]) {
        self.has_thought = true;
        if ranking.iter().any(|one| one.reading.is_some()) {
            self.read = ranks(ranking);
        }
    }

    /// What a hit tells of all stages.
    pub(super) fn told(&self, one: &Fused) -> (Ranks, Scores) {
        let place = one.place();
        let draft = self.draft.get(&place);
        let bare = draft.and_then(|draft| draft.near).filter(|_| self.has_thought);
        let ranks = Ranks {
            text: one.ranks[0],
            vector: one.ranks[1],
            draft: draft.map(|draft| draft.rank),
            bare: bare.map(|(rank, _)| rank),
            fused: self.fused.get(&place).copied(),
            read: self.read.get(&place).copied(),
        };
        let scores = Scores {
            text: one.scores[0],
            vector: one.scores[1],
            bare: bare.map(|(_, cosine)| cosine),
            fused: Some(one.fused),
            draft: draft.map(|draft| draft.score),
        };
        (ranks, scores)
    }
}

/// Rank, from 1, of every passage of a ranking.
fn ranks(ranking: &[Fused]) -> HashMap<Place, usize> {
    ranking.iter().enumerate().map(|(index, fused)| (fused.place(), index + 1)).collect()
}
