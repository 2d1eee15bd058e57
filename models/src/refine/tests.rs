//! Votes by hand, and what many of them come to.

use std::f32::consts::LN_2;

use super::{Opinion, Tally, Vote, vote};

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

/// Members a, b, c and so on with their scores and their score of the query without thought.
fn committee(opinions: &[(&[f32], f32)]) -> Vec<Opinion> {
    let names = ('a'..).map(String::from);
    let opinion = |((scores, none), member): (&(&[f32], f32), String)| Opinion {
        member,
        scores: scores.to_vec(),
        none: *none,
    };
    opinions.iter().zip(names).map(opinion).collect()
}

// Shares of scores that differ by ln 2, ln 3 and ln 4 are whole fractions.
const LN_3: f32 = 1.098_612_3;
const LN_4: f32 = 2.0 * LN_2;

/// What it shows, scores and score of none by member, how they vote; winner, votes and backers.
type Case<'a> = (&'a str, &'a [(&'a [f32], f32)], Vote, usize, &'a [f64], usize);

const CASES: [Case<'_>; 16] = [
    ("one member", &[(&[0.0, LN_3], 0.0)], Vote::Soft, 1, &[0.25, 0.75], 1),
    (
        "one sure against two who are not",
        &[(&[0.0, LN_4], 0.0), (&[LN_2, 0.0], 0.0), (&[0.0, 0.0], 0.0)],
        Vote::Soft,
        1,
        &[0.2 + 2.0 / 3.0 + 0.5, 0.8 + 1.0 / 3.0 + 0.5],
        1,
    ),
    (
        "the same by majority; equal scores are a vote for the first",
        &[(&[0.0, LN_4], 0.0), (&[LN_2, 0.0], 0.0), (&[0.0, 0.0], 0.0)],
        Vote::Hard,
        0,
        &[2.0, 1.0],
        1,
    ),
    (
        "a tie goes to the first",
        &[(&[LN_2, 0.0], 9.0), (&[0.0, LN_2], 9.0)],
        Vote::Soft,
        0,
        &[1.0, 1.0],
        0,
    ),
    (
        "a hard tie goes to the higher soft vote",
        &[(&[LN_2, 0.0], 0.0), (&[0.0, LN_4], 0.0)],
        Vote::Hard,
        1,
        &[1.0, 1.0],
        1,
    ),
    (
        "or to the first",
        &[(&[0.0, LN_2, 0.0], 0.0), (&[0.0, 0.0, LN_2], 0.0)],
        Vote::Hard,
        1,
        &[0.0, 1.0, 1.0],
        1,
    ),
    ("any scale", &[(&[3e38, -3e38], 0.0)], Vote::Soft, 0, &[1.0, 0.0], 1),
    ("a candidate not scored", &[(&[NAN, -5.0], -6.0)], Vote::Soft, 1, &[0.0, 1.0], 1),
    ("not by majority either", &[(&[INF, -5.0], -5.0)], Vote::Hard, 1, &[0.0, 1.0], 0),
    ("a list too short", &[(&[0.0], 0.0), (&[0.0, 1e3], 0.0)], Vote::Soft, 0, &[1.0, 1.0], 0),
    (
        "one abstains and backs nobody",
        &[(&[NAN, NAN], 0.0), (&[0.0, LN_3], 0.0)],
        Vote::Hard,
        1,
        &[0.0, 1.0],
        1,
    ),
    ("all abstain", &[(&[NAN, -INF], NAN)], Vote::Soft, 0, &[0.0, 0.0], 0),
    ("none is not scored", &[(&[-9.0], NAN)], Vote::Soft, 0, &[1.0], 1),
    ("as good as none is no backing", &[(&[1.0], 1.0)], Vote::Soft, 0, &[1.0], 0),
    ("half do not back it", &[(&[2.0], 1.0), (&[1.0], 1.0)], Vote::Soft, 0, &[2.0], 1),
    ("two of three do", &[(&[2.0], 1.0), (&[1.0], 1.0), (&[2.0], 1.0)], Vote::Soft, 0, &[3.0], 2),
];

#[test]
fn committees_decide_as_worked_by_hand() {
    for (name, opinions, how, winner, votes, backers) in CASES {
        let verdict = vote(&committee(opinions), how).expect(name);
        assert_eq!(verdict.winner, winner, "{name}: {verdict:?}");
        assert_eq!((verdict.backers, verdict.members), (backers, opinions.len()), "{name}");
        assert_eq!(verdict.beats_none(), backers * 2 > opinions.len(), "{name}");
        assert_eq!(verdict.votes.len(), votes.len(), "{name}");
        for (ours, by_hand) in verdict.votes.iter().zip(votes) {
            assert!((ours - by_hand).abs() < 1e-6, "{name}: {verdict:?}");
        }
    }
}

#[test]
fn there_is_no_verdict_on_nothing() {
    for how in [Vote::Soft, Vote::Hard] {
        assert_eq!(vote(&[], how), None);
        assert_eq!(vote(&committee(&[(&[], 1.0), (&[], 2.0)]), how), None);
    }
}

#[test]
fn a_report_counts_what_was_added() {
    let mut tally = Tally::default();
    let sources = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    type Query<'a> = (&'a [(&'a [f32], f32)], &'a [&'a str]);
    let queries: [Query<'_>; 5] = [
        // All choose the second, which beats none for a and b.
        (&[(&[0.0, 3.0], 1.0), (&[0.0, 3.0], 1.0), (&[0.0, 3.0], 5.0)], &["large", "small"]),
        // a and c choose the first, b the second; the first beats none for nobody.
        (&[(&[3.0, 0.0], 3.0), (&[0.0, 1.0], 2.0), (&[3.0, 0.0], 4.0)], &["large", "small"]),
        // c abstains; a and b choose the last, whose source is not known.
        (&[(&[0.0, 0.0, 9.0], 0.0), (&[0.0, 0.0, 9.0], 0.0), (&[NAN, NAN], 0.0)], &["small"; 2]),
        (&[], &[]),
        (&[(&[], 0.0)], &[]),
    ];
    for (opinions, names) in queries {
        let opinions = committee(opinions);
        let verdict = vote(&opinions, Vote::Soft);
        tally.add(&opinions, &sources(names), verdict.as_ref());
    }
    let table = "\
outcome                        queries      count   share
no verdict                           5          2   40.0%
thought not better than none         5          1   20.0%

source                         offered        won   share
large                                2          1   50.0%
small                                4          1   25.0%

member                         queries  none best   share
a                                    3          1   33.3%
b                                    3          1   33.3%
c                                    2          2  100.0%

same first choice              queries       same   share
a + b                                3          2   66.7%
a + c                                2          2  100.0%
b + c                                2          1   50.0%
";
    let report = tally.summary();
    assert_eq!(report.to_string(), table);
    let json = serde_json::to_value(&report).expect("a report");
    assert_eq!(json["queries"], 5);
    assert_eq!(json["agreement"][0]["members"], serde_json::json!(["a", "b"]));
    assert_eq!(Tally::default().summary().to_string().lines().count(), 9, "headings and outcomes");
}
