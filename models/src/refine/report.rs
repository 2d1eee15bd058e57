//! What a committee did over many queries: who agrees with whom, and whose thoughts win.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::{Opinion, Verdict};

/// Counts votes; [`Tally::summary`] says what they come to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    queries: usize,
    undecided: usize,
    not_better: usize,
    /// By two members: queries in which they chose the same, and in which both chose.
    pairs: BTreeMap<[String; 2], (usize, usize)>,
    /// By source: candidates that won, and all.
    sources: BTreeMap<String, (usize, usize)>,
    /// By member: queries in which no candidate is better than none, and in which it chose.
    members: BTreeMap<String, (usize, usize)>,
}

/// What a [`Tally`] comes to. Shares are between 0 and 1, and 0 of nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefineReport {
    pub queries: usize,
    /// Queries without a verdict: nothing to choose from, or nobody to choose.
    pub undecided: usize,
    /// Queries whose winner does not beat the query without thought ([`Verdict::beats_none`]).
    pub not_better: usize,
    /// By name of the source.
    pub sources: Vec<SourceShare>,
    /// By name of the member.
    pub members: Vec<MemberShare>,
    /// By names of both members.
    pub agreement: Vec<Agreement>,
}

/// How one source's thoughts do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceShare {
    pub source: String,
    /// Candidates that it wrote.
    pub offered: usize,
    /// Those of them that won.
    pub won: usize,
    /// `won` of `offered`.
    pub share: f64,
}

/// How much one member thinks of thoughts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberShare {
    pub member: String,
    /// Queries in which it scored a candidate.
    pub queries: usize,
    /// Those in which the query without thought scores as high as its best candidate, or higher.
    pub none_best: usize,
    /// `none_best` of `queries`.
    pub share: f64,
}

/// How often two members have the same first choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    pub members: [String; 2],
    /// Queries in which both scored a candidate.
    pub queries: usize,
    /// Those in which they score the same one highest.
    pub same: usize,
    /// `same` of `queries`.
    pub share: f64,
}

impl Tally {
    /// Counts one query: what the members make of its candidates, which source wrote each of
    /// these, and what came of it. A winner that `sources` does not list counts for no source.
    pub fn add(&mut self, opinions: &[Opinion], sources: &[String], verdict: Option<&Verdict>) {
        self.queries += 1;
        for source in sources {
            self.sources.entry(source.clone()).or_default().1 += 1;
        }
        match verdict {
            Some(verdict) => {
                self.not_better += usize::from(!verdict.beats_none());
                if let Some(source) = sources.get(verdict.winner) {
                    self.sources.entry(source.clone()).or_default().0 += 1;
                }
            }
            None => self.undecided += 1,
        }
        for (index, one) in opinions.iter().enumerate() {
            let Some(choice) = one.first_choice() else { continue };
            let (none_best, asked) = self.members.entry(one.member.clone()).or_default();
            *none_best += usize::from(!one.backs(choice));
            *asked += 1;
            for other in &opinions[index + 1..] {
                let Some(others) = other.first_choice() else { continue };
                let mut pair = [one.member.clone(), other.member.clone()];
                pair.sort();
                let (same, both) = self.pairs.entry(pair).or_default();
                *same += usize::from(choice == others);
                *both += 1;
            }
        }
    }

    /// What has been counted so far.
    pub fn summary(&self) -> RefineReport {
        let source = |(source, (won, offered)): (&String, &(usize, usize))| SourceShare {
            source: source.clone(),
            offered: *offered,
            won: *won,
            share: share(*won, *offered),
        };
        let member = |(member, (none_best, asked)): (&String, &(usize, usize))| MemberShare {
            member: member.clone(),
            queries: *asked,
            none_best: *none_best,
            share: share(*none_best, *asked),
        };
        let pair = |(members, (same, both)): (&[String; 2], &(usize, usize))| Agreement {
            members: members.clone(),
            queries: *both,
            same: *same,
            share: share(*same, *both),
        };
        RefineReport {
            queries: self.queries,
            undecided: self.undecided,
            not_better: self.not_better,
            sources: self.sources.iter().map(source).collect(),
            members: self.members.iter().map(member).collect(),
            agreement: self.pairs.iter().map(pair).collect(),
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// One line of the table: a name, of how many, how many, and their share.
type Row = (String, usize, usize, f64);

impl Display for RefineReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let overall = vec![
            ("no verdict".to_owned(), self.undecided),
            ("thought not better than none".to_owned(), self.not_better),
        ];
        let overall = overall
            .into_iter()
            .map(|(name, count)| (name, self.queries, count, share(count, self.queries)));
        let source = |row: &SourceShare| (row.source.clone(), row.offered, row.won, row.share);
        let member =
            |row: &MemberShare| (row.member.clone(), row.queries, row.none_best, row.share);
        let pair = |row: &Agreement| (row.members.join(" + "), row.queries, row.same, row.share);
        let parts: [([&str; 3], Vec<Row>); 4] = [
            (["outcome", "queries", "count"], overall.collect()),
            (["source", "offered", "won"], self.sources.iter().map(source).collect()),
            (["member", "queries", "none best"], self.members.iter().map(member).collect()),
            (["same first choice", "queries", "same"], self.agreement.iter().map(pair).collect()),
        ];
        let names = parts
            .iter()
            .flat_map(|(titles, rows)| rows.iter().map(|row| row.0.as_str()).chain([titles[0]]));
        let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
        for (index, ([name, whole, part], rows)) in parts.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            writeln!(f, "{gap}{name:width$}  {whole:>8}  {part:>9}   share")?;
            for (name, whole, part, share) in rows {
                writeln!(f, "{name:width$}  {whole:>8}  {part:>9}  {:>5.1}%", 100.0 * share)?;
            }
        }
        Ok(())
    }
}
