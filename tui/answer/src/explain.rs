//! Why a hit stands where it does, in a line for each thing that counted.

use daemon_protocol::{Hit, Ranks, Scores};
use tui_text::one_line;

/// What each stage made of the hit; harmless, without colours. Stages that did not see it are told of only
/// where that is news.
pub(crate) fn lines(hit: &Hit) -> Vec<String> {
    let Hit { ranks, scores, .. } = hit;
    let Ranks { text, vector, draft, bare, fused, read } = *ranks;
    let Scores { text: bm25, vector: cosine, bare: bare_cosine, fused: sum, draft: draft_sum } =
        *scores;
    let mut lines = vec![
        format!("words    {}", stage(text, bm25.map(|score| format!("BM25 {score:.2}")))),
        format!("vector   {}", stage(vector, cosine.map(|score| format!("cosine {score:.3}")))),
    ];
    if bare.is_some() || bare_cosine.is_some() {
        let without = stage(bare, bare_cosine.map(|score| format!("cosine {score:.3}")));
        lines.push(format!("thought  without it {without}"));
    }
    if fused.is_some() || sum.is_some() {
        lines.push(format!(
            "fused    {}",
            stage(fused, sum.map(|score| format!("score {score:.3}")))
        ));
    }
    if let Some(reading) = hit.reading {
        let best = if reading == 0.0 { ", the best" } else { "" };
        lines.push(format!("reading  {reading:.2} nats{best}"));
    }
    if draft.is_some() || draft_sum.is_some() || read.is_some() {
        let draft = stage(draft, draft_sum.map(|score| format!("score {score:.3}")));
        let read = read.map(|rank| format!("; after reading {rank}")).unwrap_or_default();
        lines.push(format!("before   {draft}{read}"));
    }
    let matched = match (&hit.words[..], &hit.missing[..]) {
        ([], []) => None,
        (words, []) => Some(joined(words)),
        ([], missing) => Some(format!("none; not {}", joined(missing))),
        (words, missing) => Some(format!("{}; not {}", joined(words), joined(missing))),
    };
    lines.extend(matched.map(|matched| format!("has      {matched}")));
    if let Some(right) = hit.marked {
        lines.push(format!("marked   {}", if right { "right" } else { "wrong" }));
    }
    lines
}

/// `rank 3, cosine 0.71`, or that the stage did not find it.
fn stage(rank: Option<usize>, score: Option<String>) -> String {
    match (rank, score) {
        (None, None) => "not found".to_owned(),
        (None, Some(score)) => score,
        (Some(rank), None) => format!("rank {rank}"),
        (Some(rank), Some(score)) => format!("rank {rank}, {score}"),
    }
}

fn joined(words: &[String]) -> String {
    words.iter().map(|word| one_line(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::hit_at;

    #[test]
    fn a_hit_says_what_counted() {
        let text = |text: &[&str]| text.iter().map(|word| (*word).to_owned()).collect();
        let bare = hit_at("/a", 1, "", "x");
        assert_eq!(lines(&bare), ["words    not found", "vector   not found"]);
        let full = Hit {
            ranks: Ranks {
                text: Some(2),
                vector: Some(1),
                draft: Some(4),
                bare: Some(9),
                fused: Some(3),
                read: Some(2),
            },
            scores: Scores {
                text: Some(7.256),
                vector: Some(0.71234),
                bare: Some(0.5),
                fused: Some(2.5),
                draft: Some(2.0),
            },
            reading: Some(-0.125),
            words: text(&["lamp", "sm\x1boke"]),
            missing: text(&["why"]),
            marked: Some(false),
            ..bare.clone()
        };
        assert_eq!(
            lines(&full),
            [
                "words    rank 2, BM25 7.26",
                "vector   rank 1, cosine 0.712",
                "thought  without it rank 9, cosine 0.500",
                "fused    rank 3, score 2.500",
                "reading  -0.12 nats",
                "before   rank 4, score 2.000; after reading 2",
                "has      lamp sm\u{FFFD}oke; not why",
                "marked   wrong",
            ]
        );
        let none = Hit { reading: Some(0.0), missing: text(&["x"]), ..bare };
        assert_eq!(lines(&none)[2..], ["reading  0.00 nats, the best", "has      none; not x"]);
    }
}
