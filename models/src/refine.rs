//! Refinement (paper, data synthesis): a committee of retrievers votes for the thought that is
//! nearest to the passage that answers (pure).

mod report;

pub use report::{Agreement, MemberShare, RefineReport, SourceShare, Tally};

/// How a committee decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Vote {
    /// Each member's softmax over the candidates is summed: it tells a clear choice from a close
    /// one. What the paper's code does (`vote.py`); its cosines are multiplied by 100 before.
    #[default]
    Soft,
    /// Each member has one vote: the majority that the paper speaks of.
    Hard,
}

/// What one committee member makes of one query's candidate thoughts. A score that is not finite
/// is the lowest of all; a member that has no finite one abstains.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    pub member: String,
    /// One for each candidate, in a unit whose differences suit a softmax.
    pub scores: Vec<f32>,
    /// The score of the query without a thought, in the same unit.
    pub none: f32,
}

/// What a committee decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Index of the candidate chosen.
    pub winner: usize,
    /// Summed votes by candidate: softmax shares (soft) or counts (hard).
    pub votes: Vec<f64>,
    /// Members that score the winner above the query without thought.
    pub backers: usize,
    /// All members, also those that abstain.
    pub members: usize,
}

impl Verdict {
    /// Whether more than half of the members score the winner above the query without thought.
    pub fn beats_none(&self) -> bool {
        2 * self.backers > self.members
    }
}

impl Opinion {
    /// The score of a candidate; one that is not there counts as not scored.
    fn score(&self, candidate: usize) -> f32 {
        finite_or_least(self.scores.get(candidate).copied().unwrap_or(f32::NEG_INFINITY))
    }

    /// The candidate it scores highest, the first of equal ones; `None` if it scored none.
    fn first_choice(&self) -> Option<usize> {
        let scored = (0..self.scores.len()).filter(|index| self.scores[*index].is_finite());
        scored.reduce(|best, next| if self.score(next) > self.score(best) { next } else { best })
    }

    /// Whether it scores a candidate above the query without thought.
    fn backs(&self, candidate: usize) -> bool {
        self.score(candidate) > finite_or_least(self.none)
    }

    /// Adds its softmax over the candidates to `votes`.
    fn add_shares(&self, votes: &mut [f64]) {
        let Some(best) = self.first_choice() else { return };
        // Taking the highest off first keeps the exponentials within range.
        let most = f64::from(self.score(best));
        let weight = |candidate| (f64::from(self.score(candidate)) - most).exp();
        let total: f64 = (0..votes.len()).map(weight).sum();
        for (candidate, vote) in votes.iter_mut().enumerate() {
            *vote += weight(candidate) / total;
        }
    }
}

fn finite_or_least(score: f32) -> f32 {
    if score.is_finite() { score } else { f32::NEG_INFINITY }
}

/// Chooses one of the candidates. Equal votes go to the lowest index; if [`Vote::Hard`], then
/// first to the one with more soft votes. `None` if there is no opinion or no candidate.
pub fn vote(opinions: &[Opinion], how: Vote) -> Option<Verdict> {
    let candidates = opinions.iter().map(|opinion| opinion.scores.len()).max()?;
    let mut shares = vec![0.0; candidates];
    let mut counts = vec![0.0; candidates];
    for opinion in opinions {
        opinion.add_shares(&mut shares);
        if let Some(choice) = opinion.first_choice() {
            counts[choice] += 1.0;
        }
    }
    let votes = match how {
        Vote::Soft => shares.clone(),
        Vote::Hard => counts,
    };
    let is_better = |one: usize, other: usize| {
        votes[one] > votes[other] || votes[one] == votes[other] && shares[one] > shares[other]
    };
    let winner =
        (0..candidates).reduce(|best, next| if is_better(next, best) { next } else { best })?;
    let backers = opinions.iter().filter(|opinion| opinion.backs(winner)).count();
    Some(Verdict { winner, votes, backers, members: opinions.len() })
}

#[cfg(test)]
mod tests;
